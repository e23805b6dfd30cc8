package pricing

import (
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Entry is a charge and what it cost.
type Entry struct {
	Charge
	Tier     string // "0:100000"; empty without a card
	Rate     Micro
	Currency string
}

// Value says what the charges of an account cost. month are the charges of all accounts of its portfolio in one month, in the
// order of their deliveries: the nth of a market and category costs what the tier it lies in says, authentication at home and
// abroad counting together. Source: spec/pricing.md sections 3 and 4.
func (s Set) Value(month []Charge, own wa.WABAID, currency string, zone *time.Location) []Entry {
	var out []Entry
	n := map[line]int64{}
	for _, c := range month {
		l := counting(c.Market, c.Category)
		n[l]++
		if c.WABA == own {
			out = append(out, s.price(c, n[l], currency, zone))
		}
	}
	return out
}

// Item is a line of an invoice: messages of one kind.
type Item struct {
	Market, Category, Tier, Currency string
	Rate                             Micro
	Messages                         int64
}

// Amount is what the messages cost together.
func (i Item) Amount() Micro { return Micro(i.Messages) * i.Rate }

// Invoice adds entries up, in the order of market, category and rate, the highest first.
func Invoice(entries []Entry) []Item {
	n := map[Item]int64{}
	for i := range entries {
		e := &entries[i]
		n[Item{e.Market, e.Category, e.Tier, e.Currency, e.Rate, 0}]++
	}
	out := make([]Item, 0, len(n))
	for i, messages := range n {
		i.Messages = messages
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Item) int {
		return cmp.Or(strings.Compare(a.Market, b.Market), strings.Compare(a.Category, b.Category), cmp.Compare(b.Rate, a.Rate), strings.Compare(a.Tier, b.Tier))
	})
	return out
}

// WriteInvoice writes items as CSV with a heading, and their sum in the last line.
func WriteInvoice(w io.Writer, items []Item) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"market", "category", "tier", "messages", "rate", "amount", "currency"}) // Flush tells
	var messages int64
	var sum Micro
	currency := ""
	for _, i := range items {
		messages += i.Messages
		sum += i.Amount()
		currency = i.Currency
		_ = out.Write([]string{i.Market, i.Category, i.Tier, strconv.FormatInt(i.Messages, 10), i.Rate.String(), i.Amount().String(), i.Currency})
	}
	_ = out.Write([]string{"total", "", "", strconv.FormatInt(messages, 10), "", sum.String(), currency})
	out.Flush()
	return out.Error()
}

// String is the amount with six places: "0.011000".
func (m Micro) String() string {
	s := strconv.FormatInt(int64(m), 10)
	if len(s) < 7 {
		s = strings.Repeat("0", 7-len(s)) + s
	}
	return s[:len(s)-6] + "." + s[len(s)-6:]
}
