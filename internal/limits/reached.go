package limits

import "github.com/hikyaku/hikyaku/internal/wa"

// Reached is a delivery outside a customer service window, as it is stored: it makes the limits survive a restart.
type Reached struct {
	Number    wa.PhoneNumberID
	User      wa.WaID
	At        int64 // of the delivery, Unix milliseconds
	Counted   int64 // from when the user counts against the portfolio's limit, see [Reach.Deliver]
	Marketing bool  // it counts against the user's cap
}

// Arrived is a template that reached a person, as its message is stored.
type Arrived struct {
	Number   wa.PhoneNumberID
	User     wa.WaID
	Template wa.TemplateID
	Category string // of its price
	At       int64  // Unix milliseconds
}
