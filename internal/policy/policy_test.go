package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	owner = wa.BusinessID("500600700800900")
	waba  = wa.WABAID("220110330440550")
	one   = wa.PhoneNumberID("330220110550001")
	two   = wa.PhoneNumberID("330220110550002")
	tests = wa.PhoneNumberID("330220110550003")
	promo = wa.TemplateID("770220330440110")

	hour = time.Hour
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// blank is a folder with a store in which nothing happened yet: making its tables takes longer than most tests.
var blank string

func TestMain(m *testing.M) {
	var err error
	blank, err = os.MkdirTemp("", "policy")
	if err == nil {
		var s *store.Store
		if s, err = store.Open(context.Background(), store.Options{Dir: blank}); err == nil {
			err = s.Close()
		}
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(blank)
	os.Exit(code)
}

type world struct {
	t        testing.TB
	clock    *clock.Controlled
	store    *store.Store
	business *business.Service
	template *template.Service
	policy   *policy.Service
	o        policy.Options
	notices  notices
	reached  int // what Past says, when not 0
	position uint64
}

type notices struct{ list []string }

func (n *notices) Notify(_ context.Context, _ wa.WABAID, number wa.PhoneNumberID, field string, value []byte) error {
	n.list = append(n.list, strings.Join(strings.Fields(field+" "+string(number)+" "+string(value)), " "))
	return nil
}

// past answers ReachedBy as the test says.
type past struct {
	*store.Store
	w *world
}

func (p past) ReachedBy(ctx context.Context, numbers []wa.PhoneNumberID, since int64, codes ...string) (int, error) {
	if p.w.reached != 0 {
		return p.w.reached, nil
	}
	return p.Store.ReachedBy(ctx, numbers, since, codes...)
}

func newWorld(t testing.TB, tier business.Tier, users int, set ...func(*policy.Options)) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewFake(epoch)}
	var err error
	dir := t.TempDir()
	w.check(os.CopyFS(dir, os.DirFS(blank)))
	w.store, err = store.Open(t.Context(), store.Options{Dir: dir})
	w.check(err)
	t.Cleanup(func() { _ = w.store.Close() })
	w.business, err = business.New(t.Context(), w.store, business.Options{Clock: w.clock})
	w.check(err)
	w.template, err = template.New(t.Context(), w.store, template.Options{Clock: w.clock})
	w.check(err)
	_, err = w.business.CreatePortfolio(t.Context(), business.Portfolio{ID: owner, Name: "P", MessagingLimit: tier, ReachLimit: users})
	w.check(err)
	_, err = w.business.CreateWABA(t.Context(), business.WABA{ID: waba, Owner: owner, Name: "W"})
	w.check(err)
	for i, id := range []wa.PhoneNumberID{one, two, tests} {
		n := business.Number{
			ID: id, WABA: waba, WaID: wa.WaID(fmt.Sprint(12025550140 + i)), Registered: true, Status: business.NumberConnected,
			Mode: business.Live, Level: business.Standard, Quality: business.QualityUnknown,
		}
		if id == tests {
			n.Mode = business.Sandbox
		}
		_, err = w.business.CreateNumber(t.Context(), n)
		w.check(err)
	}
	w.o = policy.Options{
		Business: w.business, Template: w.template, Past: past{w.store, w}, Memory: w.store, Notes: w.store, Counts: w.store, Ledger: w.store,
		Clock: w.clock, Log: slog.New(slog.DiscardHandler), Calm: -1,
		Rate: func(ctx context.Context, id wa.TemplateID, q template.Quality, _ bool) error {
			_, err := w.template.Update(ctx, id, func(t *template.Template) error { t.Quality, t.QualityAt = q, w.clock.Now(); return nil })
			return err
		},
	}
	for _, f := range set {
		f(&w.o)
	}
	w.start()
	return w
}

// start is what a start of the platform does; the one before is forgotten.
func (w *world) start() {
	w.t.Helper()
	var err error
	w.policy, err = policy.New(w.t.Context(), w.o)
	w.check(err)
	w.check(w.policy.Load(w.t.Context()))
	w.policy.Tell(&w.notices)
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) apply(b *pipeline.Batch) {
	w.t.Helper()
	w.position++
	b.Position = w.position
	w.check(w.store.Apply(w.t.Context(), b))
	w.policy.Heard(b.Feedback, b.Counts)
}

func (w *world) now() int64 { return w.clock.Now().UnixMilli() }

// send is a template outside of a window that arrives at once; code 0 is accepted.
func (w *world) send(fact string, from wa.PhoneNumberID, user wa.WaID, category string, code int) {
	w.t.Helper()
	if w.admit(fact, from, policy.Send{User: user, Category: category, Outside: true}, code) && code == 0 {
		w.deliver(from, policy.Send{User: user, Category: category, Outside: true})
	}
}

func (w *world) admit(fact string, from wa.PhoneNumberID, m policy.Send, code int) bool {
	w.t.Helper()
	n, _ := w.business.Number(from)
	got := 0
	if row := w.policy.Admit(n, m, w.now()); row != nil {
		got = row.Code
	}
	if got != code {
		w.t.Errorf("%s: code %d, want %d", fact, got, code)
	}
	return got == 0
}

// deliver settles, and stores what the projector would.
func (w *world) deliver(from wa.PhoneNumberID, m policy.Send) {
	w.t.Helper()
	n, _ := w.business.Number(from)
	since := w.policy.Settle(n, m, true, w.now())
	if since != 0 {
		w.apply(&pipeline.Batch{Reached: []limits.Reached{{Number: from, User: m.User, At: w.now(), Counted: since, Marketing: m.Category == "marketing"}}})
	}
}

// The vectors M1 to M9 of spec/limits.md section 3.6 over two numbers, with a restart after each step.
func TestMessagingLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier250, 3)
	w.send("M1: A", one, "5511900001", "utility", 0)
	w.start()
	w.send("M1: B", one, "5511900002", "utility", 0)
	w.send("M7: C from the other number", two, "5511900003", "utility", 0)
	w.start()
	w.clock.Advance(hour)
	w.send("M2: D fails", two, "5511900004", "utility", 131048)
	w.send("M3: A again", two, "5511900001", "utility", 0)
	w.admit("M4, M8: in an open window", one, policy.Send{User: "5511900004", Category: "utility"}, 0)
	w.send("R29: test numbers are exempt", tests, "5511900005", "marketing", 0)
	if !w.policy.Full(owner, w.now()) {
		t.Error("the portfolio is full")
	}
	w.clock.Advance(23*hour - time.Millisecond)
	w.start()
	w.send("a millisecond before A, B and C leave", one, "5511900004", "utility", 131048)
	w.clock.Advance(time.Millisecond)
	w.send("M5: after 24 h, A's first stamp counts", one, "5511900004", "utility", 0)
	if used, limit := w.policy.Used(owner, w.now()); used != 1 || limit != 3 {
		t.Errorf("%d of %d are used, want 1 of 3", used, limit)
	}
}

// M6: a message on its way holds room over a restart, until it fails or its life is over.
func TestReservation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier250, 1)
	m := policy.Send{User: "5511900001", Category: "utility", Outside: true}
	w.admit("the first", one, m, 0)
	w.apply(&pipeline.Batch{Insert: []*pipeline.Message{{ID: "m", Number: one, WABA: waba, User: m.User, State: pipeline.StateSent, Category: "utility", Outside: true}}})
	w.clock.Advance(48 * hour)
	w.start()
	w.send("M6: the reservation is held", two, "5511900002", "utility", 131048)
	n, _ := w.business.Number(one)
	w.policy.Settle(n, m, false, w.now())
	w.send("M6: released", two, "5511900002", "utility", 0)
}

// M9, and the way back: a portfolio without limit remembers whom it reached.
func TestLimitIsRaisedAndLowered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier250, 1)
	w.send("the first", one, "5511900001", "utility", 0)
	w.send("full", one, "5511900002", "utility", 131048)
	w.check(w.policy.SetLimit(t.Context(), owner, business.TierUnlimited, 0))
	for i := range 5 {
		w.send("M9: unlimited", one, wa.WaID(fmt.Sprint(5511900002+i)), "utility", 0)
	}
	w.check(w.policy.SetLimit(t.Context(), owner, business.Tier250, 7))
	w.send("a seventh", one, "5511900099", "utility", 0)
	w.send("an eighth", one, "5511900098", "utility", 131048)
	w.check(w.policy.SetLimit(t.Context(), owner, business.Tier250, 0))
	if p, _ := w.business.Portfolio(owner); p.Reach() != 250 {
		t.Errorf("back to the tier: %d", p.Reach())
	}
	if err := w.policy.SetLimit(t.Context(), "1", business.Tier2K, 0); !errors.Is(err, business.ErrUnknown) {
		t.Errorf("no such portfolio: %v", err)
	}
}

// The vectors of spec/limits.md section 4, and what the user wants.
func TestMarketing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0)
	const user = wa.WaID("5511900001")
	w.send("at 0", one, user, "marketing", 0)
	w.clock.Advance(hour)
	w.send("at 1 h", two, user, "marketing", 0)
	w.start()
	w.clock.Advance(hour)
	w.send("at 2 h: the third", one, user, "marketing", 131049)
	w.send("utility passes", one, user, "utility", 0)
	w.admit("in an open window", one, policy.Send{User: user, Category: "marketing"}, 0)
	w.clock.Advance(22*hour + time.Minute)
	w.send("at 24 h 1 m", one, user, "marketing", 0)

	const other = wa.WaID("5511900002")
	said := func(what string) {
		w.apply(&pipeline.Batch{Feedback: []quality.Event{{Number: one, WABA: waba, User: other, At: w.now(), What: what}}})
	}
	said("stop")
	w.start()
	w.send("QC4: stopped", one, other, "marketing", 131050)
	w.send("QC4: utility passes", one, other, "utility", 0)
	w.send("another number of the business", two, other, "marketing", 0)
	said("resume")
	w.send("QC4: resumed", one, other, "marketing", 0)
}

// A marketing template counts, and is bound by what the user wants, whatever it costs.
func TestMarketingByAnotherPrice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0)
	_, err := w.template.Create(t.Context(), template.Template{
		ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Marketing, Status: template.Approved,
	})
	w.check(err)
	const user = wa.WaID("5511900001")
	for range 2 {
		w.admit("free by an entry point", one, policy.Send{User: user, Template: promo, Category: "marketing", Outside: true}, 0)
		w.deliver(one, policy.Send{User: user, Template: promo, Category: "referral_conversion", Outside: true})
	}
	w.send("the third", one, user, "marketing_lite", 131049)
	w.clock.Advance(24 * hour)
	w.send("a day later", one, user, "marketing_lite", 0)
	w.apply(&pipeline.Batch{Feedback: []quality.Event{{Number: one, User: user, At: w.now(), What: "stop"}}})
	w.send("stopped", one, user, "marketing_lite", 131050)
}

// A refused message holds nothing: neither the person's share nor the portfolio's room.
func TestRefusedHoldsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier250, 1, func(o *policy.Options) { o.RequirePayment = true })
	w.send("B12: no payment", one, "5511900001", "marketing", 131042)
	w.send("B12: utility outside a window", one, "5511900001", "utility", 131042)
	w.admit("B12: utility in a window", one, policy.Send{User: "5511900001", Category: "utility"}, 0)
	w.send("R30: the test number", tests, "5511900001", "marketing", 0)
	if used, _ := w.policy.Used(owner, w.now()); used != 0 {
		t.Errorf("%d places are taken", used)
	}
	_, err := w.business.UpdateWABA(t.Context(), waba, func(x *business.WABA) error {
		x.FundingID, x.Currency, x.TimezoneID = "1", "USD", "1"
		return nil
	})
	w.check(err)
	w.send("funded", one, "5511900001", "marketing", 0)
	problem, none := true, false
	_, err = w.business.SetPayment(t.Context(), waba, nil, &problem)
	w.check(err)
	w.send("a payment method that fails", one, "5511900001", "marketing", 131042)
	_, err = w.business.SetPayment(t.Context(), waba, nil, &none)
	w.check(err)
	for range 5 {
		w.send("full", one, "5511900002", "marketing", 131048)
	}
}

// use lets a number reach somebody.
func (w *world) use(id wa.PhoneNumberID) {
	w.t.Helper()
	w.apply(&pipeline.Batch{Counts: []analytics.Count{{Key: analytics.Key{Subject: string(id), What: analytics.Users, Bucket: analytics.DayOf(w.now())}, N: 1}}})
}

func (w *world) evaluate() {
	w.t.Helper()
	w.check(w.policy.Evaluate(w.t.Context()))
}

// The vectors U3 to U5 of spec/limits.md section 1.4.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0)
	number := func() *business.Number { n, _ := w.business.Number(one); return n }
	w.reached = limits.UpgradeUsers
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Red))
	w.check(w.policy.SetRating(t.Context(), string(two), quality.Red))
	w.evaluate()
	if !number().MaintenanceUntil.IsZero() {
		t.Error("U3: quality RED")
	}
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Yellow))
	w.evaluate()
	if until := number().MaintenanceUntil; until != epoch.Add(5*time.Second) || number().Level != business.Standard {
		t.Errorf("U4: away until %v, level %s", until, number().Level)
	}
	w.start() // in the middle of it
	w.evaluate()
	if number().Level != business.Standard || len(w.notices.list) != 0 {
		t.Error("U4: too early")
	}
	w.clock.Advance(5 * time.Second)
	w.evaluate()
	if n := number(); n.Level != business.High || n.Limit() != 1000 || w.clock.Now().Before(n.MaintenanceUntil) {
		t.Errorf("U4: %s, %d", n.Level, n.Limit())
	}
	w.evaluate()
	w.check(w.policy.SetLevel(t.Context(), one, business.High, 2000))
	if n := number(); w.clock.Now().Before(n.MaintenanceUntil) || n.Limit() != 2000 {
		t.Error("U5: a second raise needs no time away")
	}
	notice := `phone_number_quality_update 330220110550001 {"current_limit":"TIER_UNLIMITED","display_phone_number":"12025550140","event":"THROUGHPUT_UPGRADE","max_daily_conversations_per_business":"TIER_UNLIMITED"}`
	if got := strings.Join(w.notices.list, "\n"); got != notice+"\n"+notice {
		t.Errorf("notices:\n%s", got)
	}
}

// Run, which may sleep until the next hour, wakes up for the end of the time away, whoever asked for the evaluation.
func TestAnUpgradeEndsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0)
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	done := make(chan struct{})
	go func() { defer close(done); w.policy.Run(ctx, &w.notices) }()
	defer func() { stop(); <-done }()
	w.check(w.clock.BlockUntil(ctx, 1)) // it sleeps
	w.reached = limits.UpgradeUsers
	w.evaluate()
	until := func(what string, met func() bool) {
		t.Helper()
		for !met() {
			if runtime.Gosched(); ctx.Err() != nil {
				t.Fatal("not in time: " + what)
			}
		}
	}
	until("it sleeps no longer than that", func() bool { at, ok := w.clock.Next(); return ok && !at.After(epoch.Add(5*time.Second)) })
	w.clock.Advance(5 * time.Second)
	until("the level rises", func() bool { n, _ := w.business.Number(one); return n.Level == business.High })
}

// M10 to M12.
func TestRaise(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier2K, 0)
	tier := func() business.Tier { p, _ := w.business.Portfolio(owner); return p.MessagingLimit }
	w.reached = 999
	w.evaluate()
	if tier() != business.Tier2K {
		t.Error("M11: 999 are not half")
	}
	w.reached = 1000
	w.check(w.policy.SetRating(t.Context(), string(two), quality.Red)) // nobody was reached by it
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Yellow))
	w.use(one)
	w.evaluate()
	if tier() != business.Tier2K {
		t.Error("M12: a number that is not rated well")
	}
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Green))
	w.evaluate()
	if tier() != business.Tier10K {
		t.Errorf("M10: %s", tier())
	}
	w.reached = 50_000
	w.start()
	w.evaluate()
	if tier() != business.Tier10K {
		t.Error("a day must pass between two raises")
	}
	w.clock.Advance(24 * hour)
	w.evaluate()
	if tier() != business.Tier100K {
		t.Errorf("the next step: %s", tier())
	}
}

// QC1: users block until Q5 holds; the rating is RED without delay, and says why.
func TestRating(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier2K, 0)
	_, err := w.template.Create(t.Context(), template.Template{
		ID: promo, WABA: waba, Name: "promo", Language: "en_US", Category: template.Utility, Status: template.Approved,
	})
	w.check(err)
	for _, id := range []string{string(one), string(promo)} {
		if e, err := w.policy.Explain(t.Context(), id); err != nil || e.Rating != quality.Unknown {
			t.Errorf("before anything was said, %s: %+v, %v", id, e, err)
		}
	}
	users := func(subject string) analytics.Count {
		return analytics.Count{Key: analytics.Key{Subject: subject, What: analytics.Users, Bucket: analytics.DayOf(w.now())}, N: 1000}
	}
	w.apply(&pipeline.Batch{Counts: []analytics.Count{users(string(one)), users(string(promo))}})
	ratings := func() string {
		n, _ := w.business.Number(one)
		x, _ := w.template.Template(promo)
		return string(n.Quality) + " " + string(x.Quality)
	}
	for i := range 25 {
		w.apply(&pipeline.Batch{Feedback: []quality.Event{{Number: one, WABA: waba, Template: promo, User: wa.WaID(fmt.Sprint(5511900000 + i)), At: w.now(), What: "block"}}})
		w.check(w.policy.CatchUp(t.Context()))
		want := "GREEN GREEN"
		if i+1 >= 7 {
			want = "YELLOW YELLOW"
		}
		if i+1 >= 21 {
			want = "RED RED"
		}
		if got := ratings(); got != want {
			t.Errorf("after %d blocks: %s, want %s", i+1, got, want)
		}
	}
	e, err := w.policy.Explain(t.Context(), string(one))
	w.check(err)
	b, err := json.Marshal(e)
	w.check(err)
	if want := `{"id":"330220110550001","rating":"RED","now":{"rating":"RED","nf":71,"points":525,"weight":7350,"sample":1000,` +
		`"because":"60 or more points of feedback per 1,000 weighted users"},"days":{"users":[1000,0,0,0,0,0,0],"points":[75,0,0,0,0,0,0]},` +
		`"events":25,"would_be":-1,"override":"","until":0,"better_at":0}`; string(b) != want {
		t.Errorf("explanation:\n%s", b)
	}
	told, err := w.business.Activities(t.Context(), business.ActivityQuery{WABA: waba, Limit: 10})
	w.check(err)
	if len(told) == 0 || told[0].Text != "Quality rating of the phone number: RED" || told[0].Object != string(one) {
		t.Errorf("the history of the account: %+v", told)
	}
	w.clock.Advance(25 * hour)
	w.start()
	w.evaluate()
	if e, err = w.policy.Explain(t.Context(), string(one)); err != nil || e.Enforced != 0 {
		t.Errorf("RED for a day is a warning: %+v, %v", e, err)
	}
	w.clock.Advance(7 * 24 * hour)
	w.evaluate()
	if got := ratings(); got != "UNKNOWN UNKNOWN" {
		t.Errorf("a week later: %s", got)
	}
}
