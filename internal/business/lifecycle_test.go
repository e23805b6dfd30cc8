package business_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// courier keeps the codes it is given.
type courier struct {
	mu    sync.Mutex
	codes map[wa.WaID]string
	fail  error
}

func (c *courier) SendCode(_ context.Context, to wa.WaID, code string, _ business.CodeMethod, _ string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.codes == nil {
		c.codes = map[wa.WaID]string{}
	}
	c.codes[to] = code
	return c.fail
}

func (c *courier) ChooseCode(to wa.WaID) (string, bool) { return "314159", to == "818055550199" }

// office is a service with a verified portfolio, two accounts and a courier.
func office(t *testing.T, change func(*business.Options)) (*business.Service, *at, *memory, *courier) {
	t.Helper()
	m, c, cr := &memory{}, &at{Clock: clock.NewFake(time.Unix(0, 0)), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, &courier{}
	o := business.Options{Clock: c, Courier: cr, Review: time.Minute}
	if change != nil {
		change(&o)
	}
	s, err := business.New(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []wa.BusinessID{"1", "2"} {
		if _, err := s.CreatePortfolio(t.Context(), business.Portfolio{ID: id, Name: "Aozora"}); err != nil {
			t.Fatal(err)
		}
	}
	for id, owner := range map[wa.WABAID]wa.BusinessID{"11": "1", "12": "1", "21": "2"} {
		if _, err := s.CreateWABA(t.Context(), business.WABA{ID: id, Owner: owner, Name: "Store"}); err != nil {
			t.Fatal(err)
		}
	}
	return s, c, m, cr
}

// owed returns the notices in the store, as field and value.
func owed(t *testing.T, m *memory) []string {
	t.Helper()
	set, err := m.LoadBusiness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(set.Notices, func(a, b *business.Notice) int { return strings.Compare(a.ID, b.ID) })
	var out []string
	for _, n := range set.Notices {
		out = append(out, n.Entry+" "+n.Field+" "+string(n.Value))
	}
	return out
}

func TestLifeOfANumber(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, c, m, cr := office(t, nil)
	n, err := s.AddNumber(ctx, business.NewNumber{WABA: "11", WaID: "815055550142", Name: " Aozora Store "})
	if err != nil {
		t.Fatal(err)
	}
	if n.Status != business.NumberPending || n.CodeVerification != business.CodeNotVerified || n.VerifiedName != "Aozora Store" || n.NameStatus != business.NameAvailableWithout {
		t.Errorf("added: %s %s %q %s", n.Status, n.CodeVerification, n.VerifiedName, n.NameStatus)
	}
	if _, err = s.Register(ctx, n.ID, business.Registration{PIN: "482913"}); !errors.Is(err, wa.ErrReverify) {
		t.Errorf("register before verification: %v", err)
	}
	if _, err = s.VerifyCode(ctx, n.ID, "123456"); !errors.Is(err, wa.ErrVerifyCode) {
		t.Errorf("code that nobody asked for: %v", err)
	}
	if err = s.RequestCode(ctx, n.ID, business.BySMS, "ja"); err != nil {
		t.Fatal(err)
	}
	if err = s.RequestCode(ctx, n.ID, business.BySMS, "ja"); !errors.Is(err, wa.ErrRequestCodeLater) {
		t.Errorf("twice within a minute: %v", err)
	}
	if _, err = s.VerifyCode(ctx, n.ID, "12345"); !errors.Is(err, wa.ErrCodeFormat) {
		t.Errorf("five digits: %v", err)
	}
	code := cr.codes["815055550142"]
	c.now = c.now.Add(10 * time.Minute)
	if _, err = s.VerifyCode(ctx, n.ID, code); !errors.Is(err, wa.ErrVerifyCode) {
		t.Errorf("expired: %v", err)
	}
	if err = s.RequestCode(ctx, n.ID, business.ByVoice, "ja"); err != nil {
		t.Fatal(err)
	}
	if n, err = s.VerifyCode(ctx, n.ID, cr.codes["815055550142"]); err != nil || n.CodeVerification != business.CodeVerified {
		t.Fatalf("verified: %v %v", n, err)
	}
	if err = s.RequestCode(ctx, n.ID, business.BySMS, "ja"); !errors.Is(err, wa.ErrRequestCode) {
		t.Errorf("code for a verified number: %v", err)
	}
	if n, err = s.Register(ctx, n.ID, business.Registration{PIN: "482913"}); err != nil || !n.Registered {
		t.Fatalf("registered: %v", err)
	}
	if _, err = s.SetPIN(ctx, n.ID, "135790"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		` account_update {"event":"VERIFIED_ACCOUNT","phone_number":"815055550142"}`,
		` phone_number_quality_update {"display_phone_number":"815055550142","event":"ONBOARDING","current_limit":"TIER_250","max_daily_conversations_per_business":"TIER_250"}`,
		` security {"display_phone_number":"815055550142","event":"PIN_CHANGED"}`,
	}
	if got := owed(t, m); !slices.Equal(got, want) {
		t.Errorf("owed:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	restarted, err := business.New(ctx, m, business.Options{Clock: c})
	if err != nil || restarted.Idle() {
		t.Errorf("after a restart nothing is owed: %v", err)
	}
}

func TestTooManyWrongCodes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, c, _, cr := office(t, nil)
	n, err := s.AddNumber(ctx, business.NewNumber{WABA: "11", WaID: "815055550142", Name: "Aozora"})
	if err != nil {
		t.Fatal(err)
	}
	if err = s.RequestCode(ctx, n.ID, business.BySMS, "ja"); err != nil {
		t.Fatal(err)
	}
	right := cr.codes["815055550142"]
	for i := range 5 {
		wrong := fmt.Sprintf("%06d", i)
		if wrong == right {
			wrong = "999999"
		}
		if _, err = s.VerifyCode(ctx, n.ID, wrong); !errors.Is(err, wa.ErrVerifyCode) {
			t.Fatal(err)
		}
	}
	if _, err = s.VerifyCode(ctx, n.ID, right); !errors.Is(err, wa.ErrVerifyCode) {
		t.Errorf("right code after five wrong ones: %v", err)
	}
	var row *wa.Error
	if err = s.RequestCode(ctx, n.ID, business.BySMS, "ja"); !errors.As(err, &row) || row.RetryIn != 12*3600 {
		t.Errorf("next request: %v", err)
	}
	c.now = c.now.Add(12 * time.Hour)
	for i := range 9 {
		if err = s.RequestCode(ctx, n.ID, business.BySMS, "ja"); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		c.now = c.now.Add(time.Minute)
	}
	if err = s.RequestCode(ctx, n.ID, business.BySMS, "ja"); !errors.As(err, &row) || row.RetryIn != 12*3600 {
		t.Errorf("eleventh request in 72 hours: %v", err)
	}
	fixed, err := s.AddNumber(ctx, business.NewNumber{WABA: "11", WaID: "818055550199", Name: "Fixed"})
	if err != nil {
		t.Fatal(err)
	}
	if err = s.RequestCode(ctx, fixed.ID, business.BySMS, "ja"); err != nil || cr.codes["818055550199"] != "314159" {
		t.Errorf("fixed code: %v %q", err, cr.codes["818055550199"])
	}
}

func TestAddNumberRefusals(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, c, _, _ := office(t, func(o *business.Options) {
		o.People = func(_ context.Context, id wa.WaID) (bool, error) { return id == "819055550100", nil }
	})
	add := func(waba wa.WABAID, id wa.WaID, name string) error {
		_, err := s.AddNumber(ctx, business.NewNumber{WABA: waba, WaID: id, Name: name})
		return err
	}
	if err := add("11", "815055550142", "Aozora"); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		what string
		waba wa.WABAID
		id   wa.WaID
		name string
		want error
	}{
		{"the account has it", "11", "815055550142", "Aozora", wa.ErrNumberExists},
		{"another account has it", "21", "815055550142", "Aozora", wa.ErrCertificateCreate},
		{"a person has it", "11", "819055550100", "Aozora", wa.ErrCertificateCreate},
		{"short name", "11", "815055550143", "Ao", wa.ErrInvalidParameter},
		{"name without a letter", "11", "815055550143", "🍵🍵🍵", wa.ErrInvalidParameter},
		{"no account", "99", "815055550143", "Aozora", business.ErrUnknown},
	} {
		if err := add(r.waba, r.id, r.name); !errors.Is(err, r.want) {
			t.Errorf("%s: %v, want %v", r.what, err, r.want)
		}
	}
	// R17: the third number of an unverified portfolio.
	if err := add("12", "815055550143", "Aozora"); err != nil {
		t.Fatal(err)
	}
	if err := add("12", "815055550144", "Aozora"); !errors.Is(err, wa.ErrNumberLimit) {
		t.Errorf("third number: %v", err)
	}
	if _, err := s.SetVerification(ctx, "1", business.Verified); err != nil {
		t.Fatal(err)
	}
	for i := range 18 {
		if err := add("12", wa.WaID(fmt.Sprintf("8150555502%02d", i)), "Aozora"); err != nil {
			t.Fatal(err)
		}
	}
	if err := add("12", "815055550144", "Aozora"); !errors.Is(err, wa.ErrNumberLimit) {
		t.Errorf("21st number: %v", err)
	}
	n, _ := s.NumberByWaID("815055550142")
	if _, err := s.UpdateNumber(ctx, n.ID, func(n *business.Number) error {
		n.Status, n.Deleted = business.NumberDeleted, c.now
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := add("11", "815055550142", "Aozora"); !errors.Is(err, wa.ErrRegisterWait) {
		t.Errorf("within five minutes of its deletion: %v", err)
	}
	c.now = c.now.Add(5 * time.Minute)
	if err := add("11", "815055550142", "Aozora"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// Source: spec/phone_numbers.md section 4.6.
func TestMigration(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, _, _, cr := office(t, nil)
	old, err := s.AddNumber(ctx, business.NewNumber{WABA: "11", WaID: "815055550142", Name: "Aozora"})
	if err != nil {
		t.Fatal(err)
	}
	number := func(f func(*business.Number)) {
		t.Helper()
		if _, err := s.UpdateNumber(ctx, old.ID, func(n *business.Number) error { f(n); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	nn := business.NewNumber{WABA: "12", WaID: "815055550142", Migrate: true, Subscribed: true}
	refused := func(what string, want error) {
		t.Helper()
		if _, err := s.AddNumber(ctx, nn); !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("not registered", wa.ErrMigration)
	number(func(n *business.Number) {
		n.CodeVerification, n.Registered, n.Status, n.NameStatus = business.CodeVerified, true, business.NumberConnected, business.NamePending
		n.Quality, n.Official = business.QualityGreen, true
	})
	refused("name not approved", wa.ErrMigration)
	number(func(n *business.Number) { n.NameStatus = business.NameApproved })
	refused("business not verified", wa.ErrMigration)
	if _, err = s.SetVerification(ctx, "1", business.Verified); err != nil {
		t.Fatal(err)
	}
	refused("no payment method", wa.ErrMigration)
	if _, err = s.UpdateWABA(ctx, "12", func(w *business.WABA) error { w.FundingID = "7"; return nil }); err != nil {
		t.Fatal(err)
	}
	nn.Subscribed = false
	refused("no app subscribed", wa.ErrMigration)
	nn.Subscribed = true
	if _, err = s.SetPIN(ctx, old.ID, "123456"); err != nil {
		t.Fatal(err)
	}
	refused("two-step verification on", wa.ErrCertificateCreate)
	if _, err = s.DisablePIN(ctx, old.ID); err != nil {
		t.Fatal(err)
	}
	next, err := s.AddNumber(ctx, nn)
	if err != nil {
		t.Fatal(err)
	}
	refused("a second time", wa.ErrNumberExists)
	if n, _ := s.NumberByWaID("815055550142"); n == nil || n.ID != old.ID {
		t.Error("the old number does not work on until the new one is registered")
	}
	if err = s.RequestCode(ctx, next.ID, business.BySMS, "ja"); err != nil {
		t.Fatal(err)
	}
	if _, err = s.VerifyCode(ctx, next.ID, cr.codes["815055550142"]); err != nil {
		t.Fatal(err)
	}
	if next, err = s.Register(ctx, next.ID, business.Registration{PIN: "654321"}); err != nil {
		t.Fatal(err)
	}
	if next.VerifiedName != "Aozora" || next.NameStatus != business.NameApproved || next.Quality != business.QualityGreen || !next.Official {
		t.Errorf("not carried over: %+v", *next)
	}
	if n, _ := s.NumberByWaID("815055550142"); n == nil || n.ID != next.ID {
		t.Error("the digits do not lead to the new number")
	}
	if n, _ := s.Number(old.ID); n.Status != business.NumberMigrated || n.Registered {
		t.Errorf("old number: %s", n.Status)
	}
}

// Source: spec/phone_numbers.md section 4.7.
func TestBackupOfShardedClient(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, _, m, _ := office(t, nil)
	for digits, shards := range map[wa.WaID]bool{"815055550142": true, "815055550143": false} {
		n, err := s.AddNumber(ctx, business.NewNumber{WABA: "11", WaID: digits, Name: "Aozora"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.UpdateNumber(ctx, n.ID, func(n *business.Number) error {
			n.Platform, n.MultiConnect = business.OnPremise, shards
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err = s.Register(ctx, n.ID, business.Registration{PIN: "123456"}); !errors.Is(err, wa.ErrReverify) {
			t.Errorf("without backup: %v", err)
		}
		n, err = s.Register(ctx, n.ID, business.Registration{PIN: "123456", Moved: true})
		if err != nil || (n.Level == business.High) != shards {
			t.Errorf("shards %v: %v %v", shards, n.Level, err)
		}
	}
	if got := strings.Join(owed(t, m), "\n"); strings.Count(got, "THROUGHPUT_UPGRADE") != 1 {
		t.Error(got)
	}
}

// Reviews are decided by the clock, and what they owe is handed on once it can be, in order.
func TestReviewsRunOnTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		m := &memory{}
		s, err := business.New(ctx, m, business.Options{Clock: c, Review: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		must := func(_ any, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.CreatePortfolio(ctx, business.Portfolio{ID: "1", Name: "Aozora", Verification: business.Verified}))
		w, err := s.AddWABA(ctx, business.NewWABA{Owner: "1", Name: "Store", Currency: "JPY", TimezoneID: "54"})
		if err != nil || w.Review != business.ReviewPending {
			t.Fatalf("%v %v", w, err)
		}
		good, err := s.AddNumber(ctx, business.NewNumber{WABA: w.ID, WaID: "815055550142", Name: "Aozora"})
		must(good, err)
		bad, err := s.AddNumber(ctx, business.NewNumber{WABA: w.ID, WaID: "815055550143", Name: "Official Aozora"})
		must(bad, err)
		var got []string
		refuse := true
		go func() {
			_ = s.Run(ctx, notifier(func(n *business.Notice) error {
				if refuse {
					refuse = false
					return errors.New("the lanes are not open yet")
				}
				got = append(got, n.Field+string(n.Value))
				return nil
			}))
		}()
		synctest.Wait()
		c.Advance(time.Hour)
		synctest.Wait()
		c.Advance(time.Second) // the refused notice is tried again
		synctest.Wait()
		if !s.Idle() || len(owed(t, m)) != 0 {
			t.Errorf("still owed: %v", owed(t, m))
		}
		all := strings.Join(got, "\n")
		for _, want := range []string{
			`business_capability_update{"max_daily_conversations_per_business":"TIER_250","max_phone_numbers_per_business":20}`, // of the new account
			`account_review_update{"decision":"APPROVED"}`,
			`phone_number_name_update{"display_phone_number":"815055550142","decision":"APPROVED","requested_verified_name":"Aozora","rejection_reason":null}`,
			`phone_number_name_update{"display_phone_number":"815055550143","decision":"REJECTED","requested_verified_name":"Official Aozora","rejection_reason":"NAME_FORMAT_UNACCEPTABLE"}`,
		} {
			if strings.Count(all, want) != 1 {
				t.Errorf("%s\nis not once among\n%s", want, all)
			}
		}
		n, _ := s.Number(good.ID)
		x, _ := s.Number(bad.ID)
		y, _ := s.WABA(w.ID)
		if n.NameStatus != business.NameApproved || x.NameStatus != business.NameDeclined || y.Review != business.ReviewApproved {
			t.Errorf("%s %s %s", n.NameStatus, x.NameStatus, y.Review)
		}
		cancel()
		synctest.Wait()
	})
}

type notifier func(*business.Notice) error

func (f notifier) Notify(_ context.Context, n *business.Notice) error { return f(n) }

// What comes before a portfolio, a membership, fails alone and leaves nothing; the portfolio is not there before it.
func TestAddPortfolioAfterItsMember(t *testing.T) {
	t.Parallel()
	s, err := business.New(t.Context(), &memory{}, business.Options{Clock: &at{now: time.Unix(1_780_000_000, 0)}})
	if err != nil {
		t.Fatal(err)
	}
	p := business.Portfolio{Name: "Cedar", CreatedBy: business.Actor{ID: "1"}}
	var seen []wa.BusinessID
	refused := errors.New("no room")
	for range 3 {
		if _, err := s.AddPortfolio(t.Context(), p, func(id wa.BusinessID) error { seen = append(seen, id); return refused }); !errors.Is(err, refused) {
			t.Fatalf("%v", err)
		}
	}
	made, err := s.AddPortfolio(t.Context(), p, func(id wa.BusinessID) error {
		if _, ok := s.Portfolio(id); ok {
			t.Error("the portfolio was there first")
		}
		seen = append(seen, id)
		return nil
	})
	if err != nil || made.ID != seen[3] {
		t.Fatalf("%v, %v", made, err)
	}
	for i, id := range seen {
		if _, ok := s.Portfolio(id); ok != (i == 3) || s.Gone(id) {
			t.Errorf("portfolio %d: %t", i, ok)
		}
	}
}

// A number that sent paid messages within 30 days stays. Source: spec/phone_numbers.md section 4.8.
func TestPaidNumbersStay(t *testing.T) {
	t.Parallel()
	ctx, m, c := t.Context(), &memory{}, &at{now: time.Unix(1_780_000_000, 0)}
	last := c.now.Add(-time.Hour)
	s, err := business.New(ctx, m, business.Options{Clock: c, Paid: func(_ context.Context, n *business.Number, since time.Time) (bool, error) {
		return n.ID == "7" && last.After(since), nil
	}})
	if err == nil {
		_, err = s.CreatePortfolio(ctx, business.Portfolio{ID: "1"})
	}
	if err == nil {
		_, err = s.CreateWABA(ctx, business.WABA{ID: "2", Owner: "1"})
	}
	if err == nil {
		_, err = s.CreateNumber(ctx, business.Number{ID: "7", WABA: "2", WaID: "815055550142"})
	}
	if err != nil {
		t.Fatal(err)
	}
	var row *wa.Error
	if err := s.RemoveNumber(ctx, "7", ""); !errors.As(err, &row) || row.Code != 100 {
		t.Errorf("deleted: %v", err)
	}
	c.now = c.now.Add(30 * 24 * time.Hour)
	if err := s.RemoveNumber(ctx, "7", ""); err != nil {
		t.Error(err)
	}
}
