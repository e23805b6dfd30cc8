package pricing

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Charge is an entry of the ledger: a delivered message that is charged. There is one per message. What it costs follows
// from the card in force at that time and from how many of its market and category were charged before it in the month.
type Charge struct {
	ID       wa.MessageID
	WABA     wa.WABAID
	Number   wa.PhoneNumberID
	User     wa.WaID
	Market   string
	Category string // "marketing", "utility", "authentication", "authentication_international", "marketing_lite"
	Template wa.TemplateID
	At       int64 // of the delivery, Unix milliseconds
}

// Volume is how many charges of an account there are of a market and category in some time.
type Volume struct {
	WABA             wa.WABAID
	Market, Category string
	N                int64
}

// Quarter is the least time that volumes are known of. Every time zone begins its months at a multiple of it.
const Quarter = 15 * time.Minute
