package pricing

import (
	"maps"
	"time"
)

// Meter prices charges one after the other as they come, each by how many of its kind its owner was charged for in the month. It
// is not safe for concurrent use.
type Meter struct {
	cards  Set
	n      map[volume]int64
	latest string // month
}

type volume struct {
	owner, month string
	line
}

// NewMeter returns a meter at zero.
func NewMeter(cards Set) *Meter { return &Meter{cards: cards, n: map[volume]int64{}} }

// Charge counts a message of the owner, a portfolio, and says what it costs. The time zone is that of the account, whose months it
// counts with. Source: spec/pricing.md section 3, "Volume tiers".
func (m *Meter) Charge(owner string, c Charge, currency string, zone *time.Location) Micro {
	v := volume{owner: owner, month: time.UnixMilli(c.At).In(zone).Format(Month), line: counting(c)}
	if v.month > m.latest { // around midnight two months are open
		old := m.latest
		maps.DeleteFunc(m.n, func(k volume, _ int64) bool { return k.month < old })
		m.latest = v.month
	}
	m.n[v]++
	return m.cards.price(c, m.n[v], currency, zone).Rate
}

// Month is the layout of months, for package time.
const Month = "2006-01"

// counting says which charges count together with this one: authentication at home and abroad do.
func counting(c Charge) line {
	l := line{c.Market, c.Category}
	if c.Category == AuthInternational {
		l.category = Auth
	}
	return l
}

// price is what the nth charge of its kind in the month costs.
func (s Set) price(c Charge, nth int64, currency string, zone *time.Location) Entry {
	e := Entry{Charge: c, Currency: currency}
	if card := s.At(time.UnixMilli(c.At).In(zone), currency); card != nil {
		t := card.At(c.Market, c.Category, nth)
		e.Tier, e.Rate = t.Range(), t.Rate
	}
	return e
}
