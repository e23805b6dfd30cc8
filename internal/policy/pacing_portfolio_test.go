package policy_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// batched is a portfolio whose templates go out three by three.
func batched(t *testing.T) (w *world, released *[]policy.Held) {
	w = newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.PaceBatch = 3 })
	_, err := w.template.Create(t.Context(), template.Template{
		ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Utility, Status: template.Approved,
	})
	w.check(err)
	released = &[]policy.Held{}
	w.policy.OnRelease(func(h policy.Held) { *released = append(*released, h) })
	return w, released
}

// batch sends so many and insists on which of them are held: from the one with index held on.
func (w *world) batch(fact string, n, held int) {
	w.t.Helper()
	for i := range n {
		from := []wa.PhoneNumberID{one, two}[i%2]
		if got, _ := w.pace(from); got != (i >= held) {
			w.t.Errorf("%s: template %d is held: %v", fact, i+1, got)
		}
		w.clock.Advance(time.Millisecond)
	}
}

// becomes says what becomes of a template that was answered so at this moment.
func (w *world) becomes(number wa.PhoneNumberID, at int64, held bool) string {
	wait, row := w.policy.PacingOf(number, promo, at, held)
	switch {
	case wait:
		return "waits"
	case row != nil:
		return fmt.Sprint("fails ", row.Code)
	}
	return "goes"
}

func TestPortfolioBatches(t *testing.T) {
	t.Parallel()
	w, released := batched(t)
	if _, undo := w.pace(one); true {
		undo() // refused after all
	}
	w.batch("the first batch", 5, 3)
	at := w.now() - 1
	if got := w.becomes(two, at, true) + w.becomes(one, at-10, false) + w.becomes(tests, at, true); got != "waitsgoesgoes" {
		t.Errorf("held, accepted before the hold, of a test number: %s", got)
	}
	if held, _ := w.pace(tests); held {
		t.Error("test numbers are not paced")
	}
	w.clock.Advance(59 * time.Minute)
	w.start()
	w.policy.OnRelease(func(h policy.Held) { *released = append(*released, h) })
	w.check(w.policy.CatchUp(t.Context()))
	if got := w.becomes(two, at, true); got != "waits" || len(*released) != 0 {
		t.Errorf("before the hour is over, after a restart: %s, %v", got, *released)
	}
	w.clock.Advance(time.Minute)
	w.check(w.policy.CatchUp(t.Context()))
	if got := w.becomes(two, at, true); got != "goes" || fmt.Sprint(*released) != "[{ [330220110550001 330220110550002]}]" {
		t.Errorf("after an hour: %s, %v", got, *released)
	}
	w.batch("the second batch", 4, 3)
}

// rate lets the number have reached so many people today, of whom so many blocked it.
func (w *world) rate(people, blocks int) {
	w.t.Helper()
	b := &pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{Subject: string(one), What: analytics.Users, Bucket: analytics.DayOf(w.now())}, N: int64(people)}}}
	for i := range blocks {
		b.Feedback = append(b.Feedback, quality.Event{Number: one, WABA: waba, User: wa.WaID(fmt.Sprint(5511900000 + i)), At: w.now(), What: "block"})
	}
	w.apply(b)
}

func TestPortfolioVerdicts(t *testing.T) {
	t.Parallel()
	w, released := batched(t)
	w.batch("a batch", 4, 3)
	at := w.now() - 1
	w.rate(100, 0)
	w.check(w.policy.CatchUp(t.Context()))
	if got := w.becomes(one, at, true); got != "waits" {
		t.Errorf("GREEN, not looked at yet: %s", got)
	}
	w.clock.Advance(5 * time.Minute)
	w.check(w.policy.CatchUp(t.Context()))
	if got := w.becomes(one, at, true); got != "goes" || len(*released) != 1 {
		t.Errorf("GREEN: %s, %v", got, *released)
	}
	w.batch("the next batch", 4, 3)
	at = w.now() - 1
	w.rate(0, 20)
	w.check(w.policy.CatchUp(t.Context()))
	n, _ := w.business.Number(one)
	if got := w.becomes(one, at, true); got != "fails 132015" || n.Quality != business.QualityRed {
		t.Errorf("%s: %s", n.Quality, got)
	}
	account, _ := w.business.WABA(waba)
	barred := func() string {
		row, text := w.policy.Admit(n, policy.Send{User: "5511900099", Category: "utility"}, w.now()), "sends"
		if row != nil {
			text = fmt.Sprint(row.Code)
		}
		if err := account.Writable(w.clock.Now()); err != nil {
			return text + ", makes none"
		}
		return text
	}
	if got := barred(); got != "131048, makes none" {
		t.Errorf("during the review: %s", got)
	}
	w.clock.Advance(24 * hour)
	if got := barred(); got != "sends" {
		t.Errorf("after it: %s", got)
	}
	if got := w.becomes(one, at, true); got != "fails 132015" {
		t.Errorf("what was held, when it is looked at late: %s", got)
	}
}

// A portfolio that has sent 500,000 templates in a year is not paced, unless a number of it is rated badly.
func TestProvenPortfolio(t *testing.T) {
	t.Parallel()
	w, _ := batched(t)
	sent := func(ago time.Duration, n int64) {
		b := analytics.Bucket(w.clock.Now().Add(-ago).UnixMilli())
		w.apply(&pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{Subject: string(waba), What: analytics.SentTemplates, Bucket: b, Number: one, Country: "BR"}, N: n}}})
	}
	sent(366*24*hour, 1_000_000)
	sent(100*24*hour, 499_999)
	w.batch("499,999 in a year", 4, 3)
	w.clock.Advance(hour)
	w.check(w.policy.CatchUp(t.Context()))
	sent(hour, 1)
	w.clock.Advance(time.Minute)
	w.batch("500,000", 8, 8)
	w.check(w.policy.SetRating(t.Context(), string(two), quality.Yellow))
	w.clock.Advance(time.Minute)
	w.batch("a number is YELLOW", 4, 3)
}

// A review takes nothing harder away, and its account is told once.
func TestReviewKeepsWhatIsHarder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ step, want, told int }{{-1, 1, 2}, {1, 1, 4}, {2, 2, 2}, {5, 5, 2}, {policy.LastStep, policy.LastStep, 2}} {
		t.Run(fmt.Sprint("step ", c.step), func(t *testing.T) {
			t.Parallel()
			w, _ := batched(t)
			w.batch("a batch", 4, 3)
			w.rate(100, 20)
			if c.step >= 0 {
				_, err := w.policy.Sanction(t.Context(), waba, c.step, policy.Spam)
				w.check(err)
			}
			w.check(w.policy.CatchUp(t.Context()))
			a, _ := w.business.WABA(waba)
			if x := a.Sanction; x.Step != c.want || x.Final != (c.want == policy.LastStep) || x.Writes != (c.want == 1 || c.want == policy.LastStep) {
				t.Errorf("in force: %+v, want step %d", *x, c.want)
			}
			if got := w.owed(); len(got) != c.told {
				t.Errorf("told: %q, want %d", got, c.told)
			}
		})
	}
}

// slow lets nobody have the templates of a year of waba before open.
type slow struct {
	*store.Store
	asked   atomic.Int32
	entered chan struct{}
	open    chan struct{}
}

func (s *slow) Sum(ctx context.Context, q *analytics.Sum) ([]analytics.Count, error) {
	if q.Subject == string(waba) && q.To-q.From > 300*analytics.Day {
		if s.asked.Add(1) == 1 {
			close(s.entered)
		}
		select {
		case <-s.open:
		case <-time.After(2 * time.Second):
			return nil, fmt.Errorf("nobody opened")
		}
	}
	return s.Store.Sum(ctx, q)
}

// While the year of a portfolio is added up, once however many send, others send. What was proven is asked again in an hour.
func TestProofKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	counts := &slow{entered: make(chan struct{}), open: make(chan struct{})}
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.PaceBatch = 3 })
	counts.Store, w.o.Counts = w.store, counts
	w.start()
	const other, another, third = wa.BusinessID("500600700800901"), wa.WABAID("220110330440551"), wa.PhoneNumberID("330220110550004")
	_, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{ID: other, Name: "O"})
	w.check(err)
	_, err = w.business.CreateWABA(t.Context(), business.WABA{ID: another, Owner: other, Name: "O"})
	w.check(err)
	n, err := w.business.CreateNumber(t.Context(), business.Number{ID: third, WABA: another, WaID: "12025550149", Registered: true, Status: business.NumberConnected, Mode: business.Live})
	w.check(err)
	w.apply(&pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{
		Subject: string(waba), What: analytics.SentTemplates, Bucket: analytics.Bucket(w.now()), Number: one, Country: "BR",
	}, N: 500_000}}})
	sent := make(chan error, 2)
	mine, _ := w.business.Number(one)
	for range cap(sent) {
		go func() { _, _, err := w.policy.Pace(t.Context(), mine, promo); sent <- err }()
	}
	<-counts.entered
	if held, _, err := w.policy.Pace(t.Context(), n, promo); held || err != nil {
		t.Errorf("another portfolio: %v, %v", held, err)
	}
	close(counts.open)
	for range cap(sent) {
		w.check(<-sent)
	}
	for range 59 {
		w.clock.Advance(time.Minute)
		w.pace(one)
	}
	if got := counts.asked.Load(); got != 1 {
		t.Errorf("within an hour the year was added up %d times, want once", got)
	}
	w.clock.Advance(time.Minute)
	if w.pace(one); counts.asked.Load() != 2 {
		t.Error("after an hour it counts no more")
	}
}
