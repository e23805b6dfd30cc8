package pipeline

import (
	"slices"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// tally adds up what the records of a batch count for: one entry per key, however many messages.
type tally struct {
	n         map[analytics.Key]int64
	countries map[string]string // by the first digits
	noLedger  bool
}

func (t *tally) record(b *Batch, r record.Record) {
	switch r := r.(type) {
	case *record.Status:
		t.status(b, r)
	case *record.Received:
		t.add(string(r.WABA), analytics.Received, r.At, r.Number, r.From)
	case *record.Feedback:
		b.Feedback = append(b.Feedback, quality.Event{
			Number: r.Number, WABA: r.WABA, Template: r.Template, User: r.User, At: r.At, What: r.What, Reason: r.Reason, Light: r.Light,
		})
		if r.What == FeedbackBlock && r.Template != "" {
			t.bump(analytics.Key{Subject: string(r.Template), What: analytics.Blocked(r.Reason), Bucket: analytics.Bucket(r.At), Number: r.Number})
		}
	}
}

func (t *tally) status(b *Batch, r *record.Status) {
	template := r.Type == message.TypeTemplate
	if r.Of == record.KindSent {
		what := analytics.SentOthers
		if template {
			what = analytics.SentTemplates
		}
		t.add(string(r.WABA), what, r.At, r.Number, r.To)
		t.template(r, analytics.Sent)
		return
	}
	if r.Of == record.KindRead && r.Fresh&record.InTime != 0 {
		t.template(r, analytics.Read)
	}
	if marketing(r) {
		if r.Priced && r.Of != record.KindFailed {
			b.Seen = append(b.Seen, limits.Seen{User: r.To, Mark: limits.MarkOf(r.ID)})
		}
		if r.Of == record.KindRead {
			b.Seen = append(b.Seen, limits.Seen{User: r.To, Mark: limits.MarkOf(r.ID), Read: true})
		}
	}
	if !r.Priced || r.Of == record.KindFailed {
		return
	}
	// The first of delivered and read: the message has arrived.
	what, price := analytics.DeliveredOthers, analytics.Priced(r.PricingType, r.Category)
	if template {
		what = analytics.DeliveredTemplates
	}
	t.add(string(r.WABA), what, r.At, r.Number, r.To)
	t.add(string(r.WABA), price, r.At, r.Number, r.To)
	if r.Fresh&record.FreshNumber != 0 {
		t.bump(analytics.Key{Subject: string(r.Number), What: analytics.Users, Bucket: analytics.DayOf(r.At)})
	}
	if r.Template != "" {
		t.template(r, analytics.Delivered)
		t.add(string(r.Template), price, r.At, r.Number, r.To)
		if r.Fresh&record.FreshTemplate != 0 {
			t.bump(analytics.Key{
				Subject: string(r.Template), What: analytics.Users, Bucket: analytics.DayOf(r.At), Number: r.Number,
			})
		}
	}
	if r.Outside {
		b.Reached = append(b.Reached, limits.Reached{
			Number: r.Number, User: r.To, At: r.At, Counted: r.Counted, Marketing: marketing(r) || r.Fresh&record.Marketing != 0,
		})
	}
	if r.Billable && !t.noLedger {
		_, category, _ := analytics.PriceOf(price)
		b.Charges = append(b.Charges, pricing.Charge{
			ID: r.ID, WABA: r.WABA, Number: r.Number, User: r.To, Market: pricing.Market(r.To), Category: category,
			Template: r.Template, At: r.At,
		})
	}
}

// marketing reports whether a status is of a marketing template, however it came.
func marketing(r *record.Status) bool {
	return r.Category == "marketing" || r.Category == message.MarketingLite
}

func (t *tally) template(r *record.Status, what string) {
	if r.Template != "" {
		if r.Category == message.MarketingLite {
			t.bump(analytics.Key{Subject: string(r.Template), What: analytics.Lite(what), Bucket: analytics.Bucket(r.At), Number: r.Number})
		}
		t.bump(analytics.Key{Subject: string(r.Template), What: what, Bucket: analytics.Bucket(r.At), Number: r.Number})
	}
}

func (t *tally) add(subject, what string, at int64, number wa.PhoneNumberID, user wa.WaID) {
	t.bump(analytics.Key{Subject: subject, What: what, Bucket: analytics.Bucket(at), Number: number, Country: t.country(user)})
}

func (t *tally) bump(k analytics.Key) {
	if t.n == nil {
		t.n = map[analytics.Key]int64{}
	}
	t.n[k]++
}

// countryDigits tell the country of every number: calling code and area code.
const countryDigits = 7

// country asks the numbering plan once per area of a batch: it is slow where countries share a calling code.
func (t *tally) country(user wa.WaID) string {
	k := string(user[:min(countryDigits, len(user))])
	c, ok := t.countries[k]
	if !ok {
		c, _ = wa.CountryOf(user)
		if t.countries == nil {
			t.countries = map[string]string{}
		}
		t.countries[k] = c
	}
	return c
}

// counts are in the order of their keys. Every key has a number, or is one, so that partitions share no rows; and if they
// did, taking them in the same order keeps their transactions from waiting for each other.
func (t *tally) counts() []analytics.Count {
	if len(t.n) == 0 {
		return nil
	}
	out := make([]analytics.Count, 0, len(t.n))
	for k, n := range t.n {
		out = append(out, analytics.Count{Key: k, N: n})
	}
	slices.SortFunc(out, func(a, b analytics.Count) int { return a.Compare(b.Key) })
	return out
}
