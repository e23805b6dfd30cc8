// Package business owns portfolios, WhatsApp Business Accounts and business phone numbers: what they are, how a number is
// registered, and who a test number may write to.
//
// How things are lives in the store; this package keeps all of it in memory as well. Reads take an immutable snapshot
// without a lock, writes go to the store first and are visible in memory only after they are durable:
//
//	Register, SetThroughput, … ──► one writer ──► Store.SaveBusiness (durable) ──► new snapshot ──► OnChange hooks
//	Number, NumberByWaID, …    ──► current snapshot
//
// Objects handed out are shared and must not be changed. The package must not know HTTP, SQL, tokens or messages. Sources:
// spec/business.md, spec/phone_numbers.md.
package business
