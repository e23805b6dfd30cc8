package business_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestStarterResources(t *testing.T) {
	t.Parallel()
	m := &memory{}
	s, _ := open(t, m)
	if !s.Empty() {
		t.Fatal("a new store is not empty")
	}
	p, w, n, err := s.CreateStarter(t.Context(), business.Starter{
		BusinessID: "500600700800900", WABAID: "220110330440550", PhoneNumberID: "106540352242922", WaID: "15550100123",
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.saves != 1 {
		t.Errorf("starter resources took %d transactions, want 1", m.saves)
	}
	if p.ID != "500600700800900" || w.ID != "220110330440550" || n.ID != "106540352242922" {
		t.Errorf("declared ids were not used: %s %s %s", p.ID, w.ID, n.ID)
	}
	if w.Owner != p.ID || !w.Test || n.WABA != w.ID || n.Business != p.ID {
		t.Errorf("objects do not belong together: %+v %+v", w, n)
	}
	if n.Mode != business.Sandbox || !n.Registered || n.Status != business.NumberConnected || n.VerifiedName != "Test Number" ||
		n.CodeVerification != business.CodeVerified || n.CountryCode != "US" || n.DialCode != "1" || n.CallingCode() != 1 {
		t.Errorf("not a registered US test number: %+v", *n)
	}
	if got := strings.Map(digitsOnly, n.Display); got != "15550100123" || !strings.HasPrefix(n.Display, "+1 ") {
		t.Errorf("display form %q", n.Display)
	}
	if got, ok := s.NumberByWaID("15550100123"); !ok || got != n {
		t.Error("not found by its digits")
	}
	if _, _, _, err = s.CreateStarter(t.Context(), business.Starter{WABAID: "220110330440550"}); !errors.Is(err, business.ErrExists) {
		t.Errorf("taken id: %v", err)
	}
}

func digitsOnly(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

func TestReopenFindsEverything(t *testing.T) {
	t.Parallel()
	s, _, m, n := starter(t)
	if _, err := s.Register(t.Context(), n.ID, business.Registration{PIN: "123456"}); err != nil {
		t.Fatal(err)
	}
	again, _ := open(t, m)
	got, ok := again.Number(n.ID)
	if !ok || !got.PIN.Enabled() || got.Display != n.Display {
		t.Fatalf("after a restart: %v %+v", ok, got)
	}
	if w, ok := again.WABA(n.WABA); !ok || len(again.Numbers(w.ID)) != 1 || len(again.WABAs(w.Owner)) != 1 {
		t.Error("account or its edges are gone")
	}
}

func TestIDsHaveTheShapeOfGraphIDs(t *testing.T) {
	t.Parallel()
	for range 2000 {
		id, err := business.NewID(randomBytes{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := strconv.ParseUint(id, 10, 64)
		if err != nil || v > 1<<53-1 || len(id) < 15 || len(id) > 17 {
			t.Fatalf("id %q", id)
		}
	}
	if _, err := business.NewID(strings.NewReader("short")); err == nil {
		t.Error("no error without randomness")
	}
}

func TestWriteIsDurableBeforeItIsVisible(t *testing.T) {
	t.Parallel()
	s, _, m, n := starter(t)
	var seen []*business.Number
	s.OnChange(func(n *business.Number) { seen = append(seen, n) })
	m.fail = errors.New("disk full")
	if _, err := s.SetThroughput(t.Context(), n.ID, business.High, 0); !errors.Is(err, m.fail) {
		t.Fatalf("error %v", err)
	}
	if got, _ := s.Number(n.ID); got != n || len(seen) != 0 {
		t.Error("a change that is not durable is visible")
	}
	m.fail = nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := s.SetThroughput(gone, n.ID, business.High, 0)
	if err != nil {
		t.Fatalf("a caller that went away stopped the write: %v", err)
	}
	if len(seen) != 1 || seen[0] != got || n.Level != business.Standard {
		t.Errorf("hook saw %v, the old object is now %s", seen, n.Level)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		n    business.Number
		want int
	}{
		{"standard is 80", business.Number{Level: business.Standard}, 80},
		{"high is 1000", business.Number{Level: business.High}, 1000},
		{"the operator's figure wins", business.Number{Level: business.High, MPS: 5000}, 5000},
		{"a number in the phone app has 20", business.Number{Level: business.High, MPS: 5000, OnBizApp: true}, 20},
		{"away for the next level", business.Number{Level: business.Standard, Upgrade: business.High}, 1000},
		{"not registered", business.Number{Level: business.LevelNotAvailable}, 80},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.n.Limit(); got != c.want {
				t.Errorf("%d messages per second, want %d", got, c.want)
			}
		})
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	live := business.Number{Registered: true, Status: business.NumberConnected, NameStatus: business.NamePending}
	with := func(f func(*business.Number)) business.Number { n := live; f(&n); return n }
	active := business.WABA{Status: business.WABAActive}
	for _, c := range []struct {
		name string
		n    business.Number
		w    business.WABA
		want error
	}{
		{"connected", live, active, nil},
		{"deleted: 33", with(func(n *business.Number) { n.Status = business.NumberDeleted }), active, wa.ErrNumberDeleted},
		{"moved away: 133010", with(func(n *business.Number) { n.Status = business.NumberMigrated }), active, wa.ErrNotRegistered},
		{"not registered: 133010", with(func(n *business.Number) { n.Registered = false }), active, wa.ErrNotRegistered},
		{"maintenance: 131057", with(func(n *business.Number) { n.MaintenanceUntil = now.Add(1) }), active, wa.ErrMaintenance},
		{"maintenance is over", with(func(n *business.Number) { n.MaintenanceUntil = now }), active, nil},
		{"banned: 131031", with(func(n *business.Number) { n.Status = business.NumberBanned }), active, wa.ErrLocked},
		{"account locked: 131031", live, business.WABA{Status: business.WABAActive, Locked: true}, wa.ErrLocked},
		{"account restricted: 368", live, business.WABA{Status: business.WABAActive, Restricted: true}, wa.ErrPolicy},
		{"account disabled: 368", live, business.WABA{Status: business.WABADisabled}, wa.ErrPolicy},
		{"supplied number, name in review: 131037", with(func(n *business.Number) { n.PlatformSupplied = true }), active, wa.ErrDisplayName},
		{"flagged numbers still send", with(func(n *business.Number) { n.Status = business.NumberFlagged }), active, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.n.Ready(&c.w, now); !errors.Is(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestRecipientsOfTestNumbers(t *testing.T) {
	t.Parallel()
	s, _, _, n := starter(t)
	ctx := t.Context()
	for i := range business.MaxRecipients {
		if _, err := s.AllowRecipient(ctx, n.ID, wa.WaID(fmt.Sprint(16505550100+i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AllowRecipient(ctx, n.ID, "16505550104"); err != nil {
		t.Errorf("a recipient that is on the list: %v", err)
	}
	if _, err := s.AllowRecipient(ctx, n.ID, "16505550199"); !errors.Is(err, wa.ErrValue) {
		t.Errorf("sixth recipient: %v", err)
	}
	n, _ = s.Number(n.ID)
	if !n.Allows("16505550104") || n.Allows("16505550199") {
		t.Error("the list does not decide")
	}
	n, _ = s.RemoveRecipient(ctx, n.ID, "16505550104")
	if n.Allows("16505550104") || len(n.Allowed) != 4 {
		t.Error("not removed")
	}
	open := *n
	open.AllowAll = true
	if !open.Allows("16505550199") {
		t.Error("the list is off but decides")
	}
	if other := pending(t, s, n, "819012345678"); !other.Allows("16505550199") {
		t.Error("numbers that are no test numbers have no list")
	}
}

func TestOneNumberOnce(t *testing.T) {
	t.Parallel()
	s, _, _, n := starter(t)
	if _, err := s.CreateNumber(t.Context(), business.Number{WABA: n.WABA, WaID: n.WaID}); !errors.Is(err, wa.ErrNumberExists) {
		t.Errorf("same account: %v", err)
	}
	other, err := s.CreateWABA(t.Context(), business.WABA{Owner: n.Business, Name: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.CreateNumber(t.Context(), business.Number{WABA: other.ID, WaID: n.WaID}); !errors.Is(err, wa.ErrConflictRegistered) {
		t.Errorf("other account: %v", err)
	}
	if _, err = s.UpdateNumber(t.Context(), n.ID, func(n *business.Number) error {
		n.Status, n.Registered = business.NumberDeleted, false
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.NumberByWaID(n.WaID); ok {
		t.Error("a deleted number is found by its digits")
	}
	if len(s.Numbers(n.WABA)) != 0 {
		t.Error("a deleted number is listed")
	}
	again, err := s.CreateNumber(t.Context(), business.Number{WABA: other.ID, WaID: n.WaID})
	if err != nil {
		t.Fatalf("digits of a deleted number: %v", err)
	}
	if got, _ := s.NumberByWaID(n.WaID); got != again {
		t.Error("the digits lead to another number")
	}
}

func TestUnknownObjects(t *testing.T) {
	t.Parallel()
	s, _, _, n := starter(t)
	ctx := t.Context()
	_, err1 := s.CreateWABA(ctx, business.WABA{Owner: "1"})
	_, err2 := s.CreateNumber(ctx, business.Number{WABA: "1"})
	_, err3 := s.Register(ctx, "1", business.Registration{PIN: "123456"})
	_, err4 := s.UpdateWABA(ctx, "1", func(*business.WABA) error { return nil })
	_, err5 := s.UpdatePortfolio(ctx, "1", func(*business.Portfolio) error { return nil })
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, business.ErrUnknown) {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	if _, err := s.UpdateWABA(ctx, n.WABA, func(w *business.WABA) error {
		w.Owner, w.Shared = "1", []business.Share{{Business: "77"}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if w, _ := s.WABA(n.WABA); w.Owner != n.Business || len(s.ClientWABAs("77")) != 1 {
		t.Error("accounts never move, but they can be shared")
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	s, _, _, n := starter(t)
	n, err := s.Register(t.Context(), n.ID, business.Registration{PIN: "135790"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "number", n, "pin", n.PIN)
	fmt.Fprintf(&b, "%v %+v %#v", n.PIN, n.PIN, n.PIN)
	if strings.Contains(b.String(), string(n.WaID)) || strings.Contains(b.String(), fmt.Sprint(n.PIN.Hash[0])+" "+fmt.Sprint(n.PIN.Hash[1])) {
		t.Errorf("printed: %s", b.String())
	}
}

func TestReadersNeverSeeHalfAChange(t *testing.T) {
	t.Parallel()
	s, _, _, n := starter(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				if got, ok := s.NumberByWaID(n.WaID); !ok || (got.Level == business.High) != (got.MPS == 7) {
					t.Error("half a change")
					return
				}
			}
		})
	}
	for i := range 50 {
		level, mps := business.Standard, 0
		if i%2 == 0 {
			level, mps = business.High, 7
		}
		if _, err := s.SetThroughput(t.Context(), n.ID, level, mps); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

// FuzzPublicKey reads texts as keys: what is taken is one key of 2048 bits, and reads the same again.
func FuzzPublicKey(f *testing.F) {
	f.Add(`-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuiY302HesDZS4bmx/rq9
5Wc23SRfeVmeBN2V+r1mGGPJsSOPOjAhT/YTpG3q3luR5Hkw4n2M6iLNQE/XDpJE
MpRnil6IEYEdOnVU24/UMxuxJnFuoqsL5FgSgm/0CM70eJWJimYbcDo0b95jWSGb
xr3kz388BhypZbYbJB/BN9wGb3TDu0RNSk2SvbajgrJ96noNQc1opNSjmQmzmWgw
JpRuCOLF2WRJQ8X1R9QXAp5JoomXaPG8+Gd25ZflkYCmXa1HyLxDfwMNhxilEWx5
8zs+6tm2xq3Q8rtbVvmyF8Lhk0TLfJL/+qqMCQnJowZHCLNEroj413WZS1/Jsl3A
/QIDAQAB
-----END PUBLIC KEY-----
`)
	f.Add("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := business.ParsePublicKey(text)
		if err != nil {
			if !errors.Is(err, wa.ErrPublicKeyInvalid) && !errors.Is(err, wa.ErrPublicKeyMissing) {
				t.Error(err)
			}
			return
		}
		if again, err := business.ParsePublicKey(k.PEM); err != nil || again.Sum != k.Sum || again.PEM != k.PEM {
			t.Errorf("%q reads as another key: %v", text, err)
		}
	})
}
