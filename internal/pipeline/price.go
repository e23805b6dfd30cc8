package pipeline

import (
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Rates says of a price what a lane does not know. Source: spec/pricing.md section 3. It is called from all lanes at once and
// must not block.
type Rates interface {
	// International reports whether an authentication template of the number that reaches the user at now (Unix milliseconds)
	// costs the international rate.
	International(n *business.Number, user wa.WaID, now int64) bool
	// Category is that of a template, as [record.Accepted] spells it; empty when it is gone.
	Category(id wa.TemplateID) string
}

// price decides what the message costs. It is asked twice, when the message leaves and when it arrives: what is charged is
// what holds at the second time. Source: spec/pricing.md section 1.
func (l *lane) price(m *letter, p *peer, entry bool, now int64) {
	s := message.Situation{
		Template: m.Type == message.TypeTemplate, Category: l.classOf(m), Window: message.WindowOpen(p.lastInbound, now), FreeEntry: entry,
	}
	if s.Category == categoryAuth && l.p.o.Rates != nil {
		if n, ok := l.p.o.Numbers.Number(m.Number); ok {
			s.International = l.p.o.Rates.International(n, m.User, now)
		}
	}
	price := s.Price()
	m.PricingType, m.Billable, m.Category = price.Type, price.Billable, price.Category
}

const categoryAuth = "authentication"

// classOf is the category that a template was accepted with, before its price made it another one; empty when it cannot be
// told any more, which takes a start of the platform while the message is on its way.
func (l *lane) classOf(m *letter) string {
	switch {
	case m.class != "":
	case m.PricingType == message.PriceFreeEntry && l.p.o.Rates != nil:
		m.class = l.p.o.Rates.Category(m.Template)
	case m.PricingType == message.PriceFreeEntry:
	case m.Category == message.AuthInternational:
		m.class = categoryAuth
	default:
		m.class = m.Category
	}
	return m.class
}

// free reports whether a free entry point window makes a message free that is sent now.
func (l *lane) free(p *peer, now int64) bool {
	return message.EntryOpen(p.standing.ReferralAt, p.standing.EntryAt, now)
}

// arrived prices a template that a device got just now. What else was sent is free, and stays so when its window has closed
// meanwhile.
func (l *lane) arrived(kind record.Kind, m *letter, p *peer, now int64) (first bool) {
	if kind == record.KindPlayed || m.PricedOnce {
		return false
	}
	m.PricedOnce = true
	if m.Type == message.TypeTemplate && l.classOf(m) != "" {
		l.price(m, p, message.EntryOpen(0, p.standing.EntryAt, now), now)
	}
	return true
}
