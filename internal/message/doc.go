// Package message owns what a message is: how a send is read and checked, what a device gets to see, how a device's own
// message becomes a webhook, and the rules about windows and prices.
//
//	parameters ─► Decode (gate 6) ─► Check (8) ─► Address (9) ─► [Finish: a filled-in template] ─► Outbound
//	Outbound.Body ─► journal ─► AppendPlaintext ─► device
//	device ─► ParseInbound ─► journal ─► AppendInbound ─► webhook
//
// The gates are those of spec/errors.md section 2; the caller runs the others between them. Everything here is a pure
// function of its arguments: no clock, no store, no goroutine, and no reflection, because each runs once per message. The
// package must not know HTTP, SQL, the journal, numbers or templates. Sources: spec/messages.md, spec/webhooks.md section
// 13, spec/pricing.md.
package message
