package message

import "time"

// Window is how long a customer service window stays open after the user's latest message. Source: spec/messages.md
// section 8.1.
const Window = 24 * time.Hour

// EntryWindow is how long a free entry point window stays open after the business's first answer. Source: spec/messages.md
// section 8.2.
const EntryWindow = 72 * time.Hour

// WindowOpen reports whether a pair's customer service window is open at now. Times are Unix milliseconds; lastInbound is
// 0 when the user never wrote.
func WindowOpen(lastInbound, now int64) bool {
	return lastInbound > 0 && now < lastInbound+Window.Milliseconds()
}

// ConversationEnd is the expiration_timestamp of the conversation object of a message sent at the given time, in Unix
// milliseconds as everything here: the end of the open window, or 24 hours later when there is none. Source:
// spec/pricing.md section 2.
func ConversationEnd(lastInbound, at int64) int64 {
	if WindowOpen(lastInbound, at) {
		return lastInbound + Window.Milliseconds()
	}
	return at + Window.Milliseconds()
}

// The pricing types. Source: spec/pricing.md section 2.
const (
	PriceRegular   = "regular"
	PriceInWindow  = "free_customer_service"
	PriceFreeEntry = "free_entry_point"
)

// MarketingLite is the pricing category of marketing templates that were sent by the marketing API.
const MarketingLite = "marketing_lite"

// AuthInternational is the pricing category of authentication templates that cost the international rate.
const AuthInternational = "authentication-international"

// Price is what the pricing object of a status says, without its model.
type Price struct {
	Type     string
	Category string
	Billable bool
}

// Situation is what decides a price at delivery.
type Situation struct {
	Template      bool
	Category      string // of the template, lower case
	Window        bool   // the customer service window is open
	FreeEntry     bool   // the free entry point window is open
	MarketingAPI  bool   // sent through /marketing_messages
	International bool   // the international authentication rate applies
}

// Price is the decision table of spec/pricing.md section 1. A free-form message outside of every window has no price: it
// is not deliverable (131047) and gets the zero Price.
func (s Situation) Price() Price {
	switch {
	case s.FreeEntry:
		return Price{PriceFreeEntry, "referral_conversion", false}
	case !s.Template && s.Window:
		return Price{PriceInWindow, "service", false}
	case !s.Template:
		return Price{}
	case s.Category == "utility" && s.Window:
		return Price{PriceInWindow, "utility", false}
	case s.Category == "marketing" && s.MarketingAPI:
		return Price{PriceRegular, MarketingLite, true}
	case s.Category == "authentication" && s.International:
		return Price{PriceRegular, AuthInternational, true}
	}
	return Price{PriceRegular, s.Category, true}
}

// EntryOpen reports whether a message sent at now is free because of a free entry point window: one that is open since entry,
// or that this message opens, since it answers the user's message of referral, which came from an ad or a post, within 24
// hours. Times are Unix milliseconds, 0 for never. Source: spec/messages.md section 8.2, spec/pricing.md section 1.
func EntryOpen(referral, entry, now int64) bool {
	return entry > 0 && now < entry+EntryWindow.Milliseconds() || EntryOpens(referral, entry, now)
}

// EntryOpens reports whether a message sent at now opens a free entry point window. A referral opens one window: the answer
// that did so is at its entry or later.
func EntryOpens(referral, entry, now int64) bool {
	return referral > 0 && referral > entry && now >= entry+EntryWindow.Milliseconds() && now < referral+Window.Milliseconds()
}
