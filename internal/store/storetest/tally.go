package storetest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// tally counts over two batches, the second of which is applied twice.
func tally(t *testing.T, s *store.Store) {
	count := func(subject, what string, bucket int64, number wa.PhoneNumberID, country string, n int64) analytics.Count {
		return analytics.Count{Key: analytics.Key{Subject: subject, What: what, Bucket: bucket, Number: number, Country: country}, N: n}
	}
	must(t, s.Apply(t.Context(), &pipeline.Batch{
		Position: 1,
		Counts: []analytics.Count{
			count("w", "sent.0", 0, "1", "JP", 2), count("w", "sent.0", 1800, "1", "JP", 3), count("w", "sent.0", 1800, "2", "US", 4),
			count("w", "sent.2", 3600, "1", "JP", 5), count("v", "sent.0", 0, "9", "JP", 100),
		},
		Reached: []limits.Reached{
			{Number: "1", User: "81", At: 10, Counted: 10, Marketing: true},
			{Number: "2", User: "82", At: 20, Counted: 20},
			{Number: "1", User: "81", At: 30, Counted: 10, Marketing: true},
		},
		Charges:  []pricing.Charge{{ID: "m1", WABA: "w", Number: "1", User: "81", Market: "M", Category: "utility", Template: "7", At: 10}},
		Feedback: []quality.Event{{Number: "1", WABA: "w", Template: "7", User: "81", At: 11, What: "block", Reason: "spam"}},
		Insert: []*pipeline.Message{
			{ID: "u1", Number: "1", User: "83", State: pipeline.StateSent, Category: "referral_conversion", Template: "7", Outside: true},
			{ID: "u2", Number: "1", User: "84", State: pipeline.StateSent, Category: "marketing"},
			{ID: "u3", Number: "1", User: "85", State: pipeline.StateDelivered, Category: "utility", Outside: true},
			{ID: "u4", Number: "1", User: "86", State: pipeline.StateDelivered, Category: "marketing", DeliveredAt: 5},
			{ID: "u5", Number: "1", User: "86", State: pipeline.StateRead, Category: "marketing_lite", ReadAt: 6},
			{ID: "u6", Number: "1", User: "86", State: pipeline.StateRead, Category: "utility", DeliveredAt: 5, ReadAt: 6},
			{ID: "u7", Number: "1", User: "87", State: pipeline.StateDelivered, Type: "template", Template: "7", Category: "referral_conversion", DeliveredAt: 4, ReadAt: 6},
			{ID: "u8", Number: "2", User: "88", State: pipeline.StateRead, Type: "template", Category: "marketing", ReadAt: 5},
			{ID: "u9", Number: "2", User: "88", State: pipeline.StateRead, Type: "text", Category: "service", ReadAt: 5},
		},
	}))
	second := &pipeline.Batch{
		Position: 2,
		Counts:   []analytics.Count{count("w", "sent.0", 0, "1", "JP", 10)},
		Reached:  []limits.Reached{{Number: "2", User: "81", At: 40, Counted: 10}},
		Charges: []pricing.Charge{
			{ID: "m1", WABA: "w", Market: "again", At: 99}, {ID: "m2", WABA: "w", Number: "2", User: "82", Market: "M", Category: "marketing", At: 50},
		},
		Feedback: []quality.Event{{Number: "1", WABA: "w", User: "82", At: 12, What: "stop", Light: true}},
		Engaged:  []pipeline.Engagement{{ID: "u1", At: 60}, {ID: "u1", Mark: math.MaxUint32, At: 61}, {ID: "u2", Mark: 7, At: 62}},
	}
	must(t, s.Apply(t.Context(), second))
	must(t, s.Apply(t.Context(), second))
	engaged(t, s)
	sums(t, s)
	reached(t, s)
	charges, err := s.ChargesOf(t.Context(), "w", 0, 51)
	must(t, err)
	same(t, "ledger", charges, []pricing.Charge{
		{ID: "m1", WABA: "w", Number: "1", User: "81", Market: "M", Category: "utility", Template: "7", At: 10},
		{ID: "m2", WABA: "w", Number: "2", User: "82", Market: "M", Category: "marketing", At: 50},
	})
	volumes(t, s)
	fb, err := s.NumberFeedback(t.Context(), "1", 0)
	must(t, err)
	same(t, "feedback", fb, []quality.Event{
		{Number: "1", WABA: "w", Template: "7", User: "81", At: 11, What: "block", Reason: "spam"},
		{Number: "1", WABA: "w", User: "82", At: 12, What: "stop", Light: true},
	})
	if fb, err = s.TemplateFeedback(t.Context(), "7", 11); err != nil || len(fb) != 1 {
		t.Errorf("feedback of a template: %v, %v", fb, err)
	}
	must(t, s.DeleteTally(t.Context(), time.UnixMilli(40)))
	if fb, err = s.Stopped(t.Context()); err != nil || len(fb) != 1 || fb[0].User != "82" {
		t.Errorf("a word about marketing messages is kept: %v, %v", fb, err)
	}
	if n, err := s.ReachedBy(t.Context(), []wa.PhoneNumberID{"1", "2"}, 0); n != 1 || err != nil {
		t.Errorf("%d people are left, %v", n, err)
	}
	must(t, s.SavePolicy(t.Context(), "a", []byte("1")))
	must(t, s.SavePolicy(t.Context(), "a", []byte("2")))
	docs, err := s.Policy(t.Context())
	must(t, err)
	same(t, "policy", docs, map[string][]byte{"a": []byte("2")})
}

// volumes are the sums of the ledger: what is in it already adds nothing.
func volumes(t *testing.T, s *store.Store) {
	q := pricing.Quarter.Milliseconds()
	charge := func(id wa.MessageID, w wa.WABAID, number wa.PhoneNumberID, market string, at int64) pricing.Charge {
		return pricing.Charge{ID: id, WABA: w, Number: number, Market: market, Category: "utility", At: at}
	}
	must(t, s.Apply(t.Context(), &pipeline.Batch{Partition: 5, Position: 1, Charges: []pricing.Charge{
		charge("c1", "w1", "1", "M", q), charge("c1", "w1", "1", "M", q), charge("c2", "w1", "2", "M", 2*q-1), charge("c3", "w1", "1", "M", 2*q),
		charge("c4", "w2", "1", "\x00", q), charge("m2", "w1", "1", "M", q),
	}}))
	must(t, s.Apply(t.Context(), &pipeline.Batch{Partition: 5, Position: 2, Charges: []pricing.Charge{
		charge("c3", "w1", "1", "M", q), charge("c5", "w1", "1", "M", q+1),
	}}))
	for _, c := range []struct {
		ids      []wa.WABAID
		from, to int64
		want     string
	}{
		{[]wa.WABAID{"w1"}, 0, 3 * q, "[{w1 M utility 4}]"},
		{[]wa.WABAID{"w1"}, q, 2 * q, "[{w1 M utility 3}]"},
		{[]wa.WABAID{"w1", "w2", "w3"}, 2 * q, 3 * q, "[{w1 M utility 1}]"},
		{[]wa.WABAID{"w2"}, 0, 3 * q, "[{w2 \x00 utility 1}]"},
		{[]wa.WABAID{"w3"}, 0, 3 * q, "[]"},
	} {
		got, err := s.Charged(t.Context(), c.ids, c.from, c.to)
		must(t, err)
		same(t, "sums of the ledger", fmt.Sprint(got), c.want)
	}
	var got []string
	must(t, s.EachCharge(t.Context(), []wa.WABAID{"w1", "w2"}, q, 2*q, func(c pricing.Charge) { got = append(got, string(c.ID)) }))
	same(t, "the ledger of two accounts", got, []string{"c1", "c4", "c5", "c2"})
}

func sums(t *testing.T, s *store.Store) {
	sum := func(q analytics.Sum) []string {
		t.Helper()
		q.Subject = "w"
		list, err := s.Sum(t.Context(), &q)
		must(t, err)
		out := []string{}
		for _, c := range list {
			out = append(out, fmt.Sprintf("%d %s %s%s %d", c.Bucket, c.What, c.Number, c.Country, c.N))
		}
		slices.Sort(out)
		return out
	}
	both := []string{"sent.0", "sent.2"}
	same(t, "of several subjects", sum(analytics.Sum{Subjects: []string{"nobody", "w"}, What: both, To: 7200, Step: 7200}), sum(analytics.Sum{What: both, To: 7200, Step: 7200}))
	same(t, "of other subjects", sum(analytics.Sum{Subjects: []string{"nobody"}, What: both, To: 7200, Step: 7200}), []string{})
	same(t, "by half hour", sum(analytics.Sum{What: both, To: 7200, Step: 1800}), []string{"0 sent.0  12", "1800 sent.0  7", "3600 sent.2  5"})
	same(t, "by hour", sum(analytics.Sum{What: both, To: 7200, Step: 3600}), []string{"0 sent.0  19", "3600 sent.2  5"})
	same(t, "from the second half hour", sum(analytics.Sum{What: both, From: 1800, To: 3600, Step: 3600}), []string{"1800 sent.0  7"})
	same(t, "by number", sum(analytics.Sum{What: both[:1], To: 7200, Step: 7200, ByNumber: true}), []string{"0 sent.0 1 15", "0 sent.0 2 4"})
	same(t, "by country", sum(analytics.Sum{What: both, To: 7200, Step: 7200, ByCountry: true, Numbers: []wa.PhoneNumberID{"1"}}),
		[]string{"0 sent.0 JP 15", "0 sent.2 JP 5"})
	same(t, "of a country", sum(analytics.Sum{What: both, To: 7200, Step: 7200, Countries: []string{"US"}}), []string{"0 sent.0  4"})
	words, err := s.Counted(t.Context(), "sent.", append(make([]string, 1000), "w", "nobody")...)
	must(t, err)
	same(t, "words", words, map[string][]string{"w": both})
}

func engaged(t *testing.T, s *store.Store) {
	ask := func() []pipeline.Engagement {
		got, err := s.Engaged(t.Context(), []wa.MessageID{"u1", "u9"})
		must(t, err)
		slices.SortFunc(got, func(a, b pipeline.Engagement) int { return int(a.At - b.At) })
		return got
	}
	same(t, "what users did about a message", ask(), []pipeline.Engagement{{ID: "u1", At: 60}, {ID: "u1", Mark: math.MaxUint32, At: 61}})
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 3, Engaged: []pipeline.Engagement{{ID: "u1", At: 99}}}))
	same(t, "the first time counts", ask()[0].At, 60)
}

func reached(t *testing.T, s *store.Store) {
	for _, c := range []struct {
		numbers []wa.PhoneNumberID
		since   int64
		want    int
	}{{[]wa.PhoneNumberID{"1", "2"}, 0, 2}, {[]wa.PhoneNumberID{"1"}, 0, 1}, {[]wa.PhoneNumberID{"1"}, 30, 0}, {[]wa.PhoneNumberID{"1", "2"}, 20, 1}, {nil, 0, 0}} {
		if n, err := s.ReachedBy(t.Context(), c.numbers, c.since); n != c.want || err != nil {
			t.Errorf("reached by %v since %d: %d, %v, want %d", c.numbers, c.since, n, err, c.want)
		}
	}
	if n, err := s.ReachedBy(t.Context(), []wa.PhoneNumberID{"1", "2"}, 0, "82", "49"); n != 1 || err != nil {
		t.Errorf("reached in two countries: %d, %v, want 1", n, err)
	}
	var got []string
	add := func(r limits.Reached) {
		got = append(got, fmt.Sprintf("%s/%s/%d/%d", r.Number, r.User, r.At, r.Counted))
	}
	must(t, s.ReachedSince(t.Context(), 0, add))
	slices.Sort(got)
	same(t, "people who count", got, []string{"1/81/30/10", "2/81/40/10", "2/82/20/20"})
	got = nil
	must(t, s.MarketingSince(t.Context(), 10, add))
	same(t, "marketing", got, []string{"1/81/30/0"})
	got = nil
	must(t, s.Underway(t.Context(), func(x limits.Arrived) { got = append(got, fmt.Sprint(x)) }))
	same(t, "under way", got, []string{"{1 83 7 referral_conversion 0}"})
	var seen []limits.Seen
	seeing := func(x limits.Seen) { seen = append(seen, x) }
	must(t, s.MarketingSeen(t.Context(), 5, seeing))
	same(t, "marketing that was read of late", seen, []limits.Seen{{User: "86", Mark: limits.MarkOf("u5")}, {User: "86", Mark: limits.MarkOf("u5"), Read: true}})
	seen = nil
	must(t, s.MarketingSeen(t.Context(), 0, seeing))
	same(t, "marketing that was read", seen, []limits.Seen{
		{User: "86", Mark: limits.MarkOf("u4")},
		{User: "86", Mark: limits.MarkOf("u5")},
		{User: "86", Mark: limits.MarkOf("u5"), Read: true},
		{User: "88", Mark: limits.MarkOf("u8")},
		{User: "88", Mark: limits.MarkOf("u8"), Read: true},
	})
	var arrived []limits.Arrived
	for _, since := range []int64{3, 4, 5} {
		must(t, s.ArrivedSince(t.Context(), since, func(x limits.Arrived) { arrived = append(arrived, x) }))
	}
	slices.SortStableFunc(arrived, func(a, b limits.Arrived) int { return int(a.At - b.At) })
	late := limits.Arrived{Number: "2", User: "88", Category: "marketing", At: 5}
	same(t, "templates that arrived", arrived, []limits.Arrived{{Number: "1", User: "87", Template: "7", Category: "referral_conversion", At: 4}, late, late})
}
