package pricing

import (
	"maps"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
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
	v := volume{owner: owner, month: time.UnixMilli(c.At).In(zone).Format(Month), line: counting(c.Market, c.Category)}
	m.open(v.month)
	m.n[v]++
	return m.cards.price(c, m.n[v], currency, zone).Rate
}

func (m *Meter) open(month string) {
	if month > m.latest { // around midnight two months are open
		old := m.latest
		maps.DeleteFunc(m.n, func(k volume, _ int64) bool { return k.month < old })
		m.latest = month
	}
}

// Account is what prices hang on beside the messages.
type Account struct {
	Currency string
	Zone     *time.Location
}

// Bulk does what Charge does for many charges of the owner's accounts, whose order is not known, and says what they cost together.
// All of them lie between at (Unix milliseconds) and the end of that month of their account. ok is false, and nothing happened, when
// their order matters: several accounts or rates have a part in a volume that passes the border of a tier. Accounts that are not
// known are left out.
func (m *Meter) Bulk(owner string, at int64, list []Volume, account func(wa.WABAID) (Account, bool)) (costs map[wa.WABAID]Micro, ok bool) {
	type group struct {
		n     int64
		parts int
	}
	groups := map[volume]group{}
	each := func(f func(v Volume, k volume, card *Card)) {
		for _, v := range list {
			a, known := account(v.WABA)
			if !known {
				continue
			}
			here := time.UnixMilli(at).In(a.Zone)
			f(v, volume{owner: owner, month: here.Format(Month), line: counting(v.Market, v.Category)}, m.cards.At(here, a.Currency))
		}
	}
	each(func(v Volume, k volume, _ *Card) { groups[k] = group{groups[k].n + v.N, groups[k].parts + 1} })
	ok = true
	costs = map[wa.WABAID]Micro{}
	each(func(v Volume, k volume, card *Card) {
		if card == nil {
			return
		}
		before, g := m.n[k], groups[k]
		if g.parts > 1 && card.At(v.Market, v.Category, before+1) != card.At(v.Market, v.Category, before+g.n) {
			ok = false
		}
		costs[v.WABA] += card.Cost(v.Market, v.Category, before, v.N)
	})
	if !ok {
		return nil, false
	}
	for k, g := range groups {
		m.open(k.month)
		m.n[k] += g.n
	}
	return costs, true
}

// Month is the layout of months, for package time.
const Month = "2006-01"

// counting says which charges count together with this one: authentication at home and abroad do.
func counting(market, category string) line {
	l := line{market, category}
	if category == AuthInternational {
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
