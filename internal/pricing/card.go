package pricing

import (
	"bufio"
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Micro is a millionth of the card's currency.
type Micro int64

// Units is the amount as a float, for answers.
func (m Micro) Units() float64 { return float64(m) / 1e6 }

// Unbounded is the upper end of the last tier.
const Unbounded = int64(1)<<62 - 1

// Tier is a range of the month's charged messages, both ends included, counted from 1, and its rate.
type Tier struct {
	From, To int64
	Rate     Micro
}

// Range is the tier as analytics print it: "0:750000", "25000001:MAX".
func (t Tier) Range() string {
	from := strconv.FormatInt(t.From, 10)
	if t.From <= 1 {
		from = "0"
	}
	if t.To == Unbounded {
		return from + ":MAX"
	}
	return from + ":" + strconv.FormatInt(t.To, 10)
}

type line struct{ market, category string }

// Card is a rate card: one currency, in force from a date.
type Card struct {
	Currency string
	From     time.Time // first day in force, as its midnight in UTC
	tiers    map[line][]Tier
}

// Tiers are those of a market and category, in order; a market without a line of its own costs what Other does.
func (c *Card) Tiers(market, category string) []Tier {
	if t, ok := c.tiers[line{market, category}]; ok {
		return t
	}
	if t, ok := c.tiers[line{Other, category}]; ok {
		return t
	}
	return free
}

var free = []Tier{{From: 1, To: Unbounded}}

// Tiered reports whether any line of the card has more than one tier.
func (c *Card) Tiered() bool {
	for _, t := range c.tiers {
		if len(t) > 1 {
			return true
		}
	}
	return false
}

// At is the tier of the nth charged message of a month, n counted from 1.
func (c *Card) At(market, category string, n int64) Tier {
	tiers := c.Tiers(market, category)
	for _, t := range tiers {
		if n <= t.To {
			return t
		}
	}
	return tiers[len(tiers)-1]
}

// Cost is what messages after+1 to after+n of a month cost. A tier's rate applies only to the messages inside it.
func (c *Card) Cost(market, category string, after, n int64) (sum Micro) {
	for _, t := range c.Tiers(market, category) {
		from, to := max(t.From, after+1), min(t.To, after+n)
		if from <= to {
			sum += Micro(to-from+1) * t.Rate
		}
	}
	return sum
}

// Has reports whether the card has a line of the market's own for the category.
func (c *Card) Has(market, category string) bool {
	_, ok := c.tiers[line{market, category}]
	return ok
}

// Set is all cards of an installation, oldest first.
type Set []*Card

// At is the card in force, nil when there is none yet. A card begins at midnight of its day in now's time zone, which is that
// of the account.
func (s Set) At(now time.Time, currency string) (best *Card) {
	y, m, d := now.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for _, c := range s {
		if !c.From.After(today) && (c.Currency == currency || currency == "") {
			best = c
		}
	}
	return best
}

// Codes are the calling codes, in order, of the markets for which any card has a line of the category.
func (s Set) Codes(category string) (codes []string) {
	for code, market := range markets() {
		if slices.ContainsFunc(s, func(c *Card) bool { return c.Has(market, category) }) {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}

// Categories with volume tiers; all others have one rate. Source: spec/pricing.md section 3, "Volume tiers".
var tiered = []string{"utility", Auth, AuthInternational}

// The two categories that count together for volume tiers.
const (
	Auth              = "authentication"
	AuthInternational = "authentication_international"
)

// maxLines bounds a card, in lines.
const maxLines = 20_000

// Parse reads cards: CSV lines
//
//	valid_from,currency,market,category,tier_from,tier_to,rate
//
// with dates as 2026-01-01, the first day of a month, tier_to empty for no end, and "#" before comments. Errors name the line.
func Parse(r io.Reader) (Set, error) {
	in := bufio.NewScanner(r)
	type key struct{ from, currency string }
	cards := map[key]*Card{}
	for n := 1; in.Scan(); n++ {
		text := strings.TrimSpace(in.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		if n > maxLines {
			return nil, fmt.Errorf("rate card: more than %d lines", maxLines)
		}
		f := strings.Split(text, ",")
		if len(f) != 7 {
			return nil, fmt.Errorf("rate card line %d: want 7 columns, got %d", n, len(f))
		}
		k := key{f[0], f[1]}
		c := cards[k]
		if c == nil {
			at, err := time.Parse(time.DateOnly, f[0])
			if err != nil || at.Day() != 1 || len(f[1]) != 3 {
				return nil, fmt.Errorf("rate card line %d: want the first day of a month, such as 2026-01-01, and a currency", n)
			}
			c = &Card{Currency: f[1], From: at, tiers: map[line][]Tier{}}
			cards[k] = c
		}
		t, err := parseTier(f[4], f[5], f[6])
		if err != nil {
			return nil, fmt.Errorf("rate card line %d: %w", n, err)
		}
		l := line{f[2], f[3]}
		c.tiers[l] = append(c.tiers[l], t)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("rate card: %w", err)
	}
	var set Set
	for _, c := range cards {
		if err := c.check(); err != nil {
			return nil, err
		}
		set = append(set, c)
	}
	slices.SortFunc(set, func(a, b *Card) int {
		return cmp.Or(a.From.Compare(b.From), strings.Compare(a.Currency, b.Currency))
	})
	return set, nil
}

func parseTier(from, to, rate string) (t Tier, err error) {
	if t.From, err = strconv.ParseInt(from, 10, 64); err != nil || t.From < 1 {
		return t, fmt.Errorf("tier_from %q: want a number from 1", from)
	}
	t.To = Unbounded
	if to != "" {
		if t.To, err = strconv.ParseInt(to, 10, 64); err != nil || t.To < t.From {
			return t, fmt.Errorf("tier_to %q: want a number not below tier_from", to)
		}
	}
	t.Rate, err = parseMicro(rate)
	return t, err
}

// parseMicro reads a decimal with up to six places, exactly.
func parseMicro(s string) (Micro, error) {
	whole, part, _ := strings.Cut(s, ".")
	if len(whole) == 0 || len(whole) > 6 || len(part) > 6 {
		return 0, fmt.Errorf("rate %q: want a decimal with up to six places", s)
	}
	v, err := strconv.ParseUint(whole+part+strings.Repeat("0", 6-len(part)), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("rate %q: want a decimal with up to six places", s)
	}
	return Micro(v), nil
}

// check makes sure that the tiers of every line follow each other without gaps.
func (c *Card) check() error {
	for l, tiers := range c.tiers {
		slices.SortFunc(tiers, func(a, b Tier) int { return cmp.Compare(a.From, b.From) })
		next := int64(1)
		for i, t := range tiers {
			if t.From != next || (t.To == Unbounded) != (i == len(tiers)-1) {
				return fmt.Errorf("rate card of %s: the tiers of %s in %s leave a gap, overlap or have no end", c.From.Format(time.DateOnly), l.category, l.market)
			}
			next = t.To + 1
		}
		if len(tiers) > 1 && !slices.Contains(tiered, l.category) {
			return fmt.Errorf("rate card of %s: %s has no volume tiers", c.From.Format(time.DateOnly), l.category)
		}
	}
	return nil
}

//go:embed sample.csv
var sample string

// Sample is the made-up card that ships. No amount in it is one that anybody charges.
func Sample() Set {
	set, err := Parse(strings.NewReader(sample))
	if err != nil {
		panic(err) // ours, and tested
	}
	return set
}
