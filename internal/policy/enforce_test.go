package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ladder is what each step of spec/quality.md section 5 takes, and for how long.
var ladder = []struct {
	step                 int
	template, text, adds int // codes; 0 passes
	lasts                time.Duration
	status               business.NumberStatus
	notices              string
}{
	{0, 0, 0, 0, 0, business.NumberConnected, `{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"SCAM"}}`},
	{1, 131048, 0, 368, 24 * hour, business.NumberRestricted, restricted(24*hour, "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "RESTRICTED_BIZ_INITIATED_MESSAGING")},
	{2, 131048, 0, 368, 3 * 24 * hour, business.NumberRestricted, restricted(3*24*hour, "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "RESTRICTED_BIZ_INITIATED_MESSAGING")},
	{3, 131031, 131031, 368, 5 * 24 * hour, business.NumberRestricted, restricted(5*24*hour, everything...)},
	{4, 131031, 131031, 368, 7 * 24 * hour, business.NumberRestricted, restricted(7*24*hour, everything...)},
	{5, 131031, 131031, 368, 30 * 24 * hour, business.NumberRestricted, restricted(30*24*hour, everything...)},
	{6, 131031, 131031, 368, 0, business.NumberRestricted, restricted(0, everything...)},
	{7, 131031, 131031, 368, 0, business.NumberRestricted, `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE","waba_ban_date":"March 1, 2026"}}`},
}

var everything = []string{"RESTRICTED_ADD_PHONE_NUMBER_ACTION", "RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"}

func restricted(d time.Duration, types ...string) string {
	s := `{"event":"ACCOUNT_RESTRICTION","restriction_info":[`
	for i, t := range types {
		if i > 0 {
			s += ","
		}
		s += `{"restriction_type":"` + t + `"`
		if d != 0 {
			s += fmt.Sprintf(`,"expiration":%d`, epoch.Add(d).Unix())
		}
		s += "}"
	}
	return s + "]}"
}

// in says what is in force: the code of a template, of a text, of a new number, and the number's status.
func (w *world) in() string {
	w.t.Helper()
	a, _ := w.business.WABA(waba)
	n, _ := w.business.Number(one)
	code := func(err error) int {
		if row := (*wa.Error)(nil); errors.As(err, &row) {
			return row.Code
		}
		return 0
	}
	template := 0
	if row := w.policy.Admit(n, policy.Send{User: "5511900001", Category: "utility"}, w.now()); row != nil {
		template = row.Code
	}
	_, adds := w.business.AddNumber(w.t.Context(), business.NewNumber{WABA: waba, WaID: "12025550199", Name: "!"}) // refused for its name when nothing is in force
	add := code(adds)
	if add != 368 {
		add = 0
	}
	return fmt.Sprintf("%d %d %d %s", template, code(n.Ready(a, w.clock.Now())), add, n.State(a, w.clock.Now(), false))
}

func (w *world) owed() (list []string) {
	set, err := w.store.LoadBusiness(w.t.Context())
	w.check(err)
	slices.SortFunc(set.Notices, func(a, b *business.Notice) int { return strings.Compare(a.ID, b.ID) })
	for _, n := range set.Notices {
		list = append(list, string(n.Value))
	}
	return list
}

func TestLadder(t *testing.T) {
	t.Parallel()
	for _, c := range ladder {
		t.Run(fmt.Sprint("step ", c.step), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, business.TierUnlimited, 0)
			_, err := w.policy.Sanction(t.Context(), waba, c.step, "SCAM")
			w.check(err)
			owed := w.owed()
			if owed[0] != ladder[0].notices || owed[len(owed)-1] != c.notices || len(owed) > 2 {
				t.Errorf("owed %q, want the violation and %s", owed, c.notices)
			}
			w.reopen()
			want := fmt.Sprintf("%d %d %d %s", c.template, c.text, c.adds, c.status)
			free := "0 0 0 CONNECTED"
			if got := w.in(); got != want {
				t.Errorf("in force: %s, want %s", got, want)
			}
			if c.lasts == 0 {
				w.clock.Advance(10 * 365 * 24 * hour)
				if got := w.in(); got != want {
					t.Errorf("after ten years: %s, want %s", got, want)
				}
				_, err = w.business.LiftSanction(t.Context(), waba)
				w.check(err)
			} else {
				w.clock.Advance(c.lasts - time.Millisecond)
				w.reopen()
				if got := w.in(); got != want {
					t.Errorf("a millisecond before its end: %s, want %s", got, want)
				}
				w.clock.Advance(time.Millisecond)
			}
			if got := w.in(); got != free {
				t.Errorf("afterwards: %s, want %s", got, free)
			}
		})
	}
}

// reopen starts the room that keeps sanctions, and this one, from the store.
func (w *world) reopen() {
	w.t.Helper()
	var err error
	w.business, err = business.New(w.t.Context(), w.store, business.Options{Clock: w.clock})
	w.check(err)
	w.o.Business = w.business
	w.start()
}

func TestAppeal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0)
	ctx := t.Context()
	if _, err := w.business.Appeal(ctx, waba); err == nil {
		t.Error("nothing is in force")
	}
	_, err := w.policy.Sanction(ctx, waba, 6, policy.Spam)
	w.check(err)
	if _, err := w.business.DecideAppeal(ctx, waba, true); err == nil {
		t.Error("nobody appealed")
	}
	_, err = w.business.Appeal(ctx, waba)
	w.check(err)
	_, err = w.business.DecideAppeal(ctx, waba, false)
	w.check(err)
	if got := w.in(); got != "131031 131031 368 RESTRICTED" {
		t.Errorf("rejected: %s", got)
	}
	if _, err := w.business.Appeal(ctx, waba); err == nil {
		t.Error("a rejected appeal cannot be repeated")
	}
	_, err = w.policy.Sanction(ctx, waba, 7, policy.Spam)
	w.check(err)
	_, err = w.business.Appeal(ctx, waba)
	w.check(err)
	w.reopen()
	_, err = w.business.DecideAppeal(ctx, waba, true)
	w.check(err)
	if got := w.in(); got != "0 0 0 CONNECTED" {
		t.Errorf("granted: %s", got)
	}
	owed := w.owed()
	if got := owed[len(owed)-1]; got != `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE","waba_ban_date":"March 1, 2026"}}` {
		t.Errorf("told: %s", got)
	}
}

// A number that stays RED takes its account up the ladder in mode enforce alone; each step is told once, whatever is started
// anew in between.
func TestClimb(t *testing.T) {
	t.Parallel()
	for _, mode := range []policy.Mode{policy.Off, policy.Observe, policy.Enforce} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, business.TierUnlimited, 0)
			w.check(w.policy.SetMode(t.Context(), mode))
			w.check(w.policy.SetRating(t.Context(), string(one), quality.Red))
			for day, want := range []string{"0 0 0 CONNECTED", "0 0 0 CONNECTED", "131048 0 368 RESTRICTED", "131048 0 368 RESTRICTED", "131031 131031 368 RESTRICTED"} {
				if mode != policy.Enforce {
					want = "0 0 0 CONNECTED"
				}
				w.evaluate()
				w.reopen()
				w.evaluate()
				if got := w.in(); got != want {
					t.Errorf("day %d: %s, want %s", day, got, want)
				}
				w.clock.Advance(24 * hour)
			}
			notices := len(w.owed())
			if want := map[policy.Mode]int{policy.Enforce: 1 + 2*3}[mode]; notices != want {
				t.Errorf("%d notices, want %d: %q", notices, want, w.owed())
			}
			e, err := w.policy.Explain(t.Context(), string(one))
			w.check(err)
			if want := map[policy.Mode]int{policy.Off: -1, policy.Observe: 3, policy.Enforce: 3}[mode]; e.Enforced != want {
				t.Errorf("step %d, want %d", e.Enforced, want)
			}
		})
	}
}

// A number alone: the account's others go on.
func TestSanctionOfANumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.TierUnlimited, 0)
	_, err := w.policy.SanctionNumber(t.Context(), one, 1, policy.Spam)
	w.check(err)
	w.admit("restricted", one, policy.Send{User: "5511900001", Category: "utility", Outside: true}, 131048)
	w.admit("another number", two, policy.Send{User: "5511900001", Category: "utility", Outside: true}, 0)
	if used, _ := w.policy.Used(owner, w.now()); used != 0 {
		t.Errorf("a message that was refused holds %d places", used)
	}
	_, err = w.policy.SanctionNumber(t.Context(), one, 7, policy.Spam)
	w.check(err)
	if n, _ := w.business.Number(one); n.Status != business.NumberBanned {
		t.Errorf("for good: %s", n.Status)
	}
	_, err = w.business.SanctionNumber(t.Context(), one, nil)
	w.check(err)
	if got := w.in(); got != "0 0 0 CONNECTED" {
		t.Errorf("lifted: %s", got)
	}
}

// Enough people for the next limit, but not the quality: the portfolio is told once (spec/limits.md section 3.2).
func TestDeniedRaise(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier250, 0)
	w.reached = 2000
	w.use(one)
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Yellow))
	for range 3 {
		w.evaluate()
		w.start()
	}
	const alert = `{"entity_type":"BUSINESS","entity_id":"500600700800900","alert_info":{"alert_severity":"WARNING","alert_status":"ACTIVE",` +
		`"alert_type":"INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED","alert_description":"The messaging limit was not raised: the quality of messages must be high over all phone numbers and templates."}}`
	if got := w.owed(); len(got) != 1 || got[0] != alert {
		t.Errorf("told: %q", got)
	}
	w.check(w.policy.SetRating(t.Context(), string(one), quality.Green))
	w.evaluate()
	if p, _ := w.business.Portfolio(owner); p.MessagingLimit != business.Tier2K {
		t.Errorf("with good quality: %s", p.MessagingLimit)
	}
}

// Number is RESTRICTED while nobody new can be reached; test numbers are not asked.
func TestFullIsRestricted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, business.Tier250, 1)
	state := func(id wa.PhoneNumberID) business.NumberStatus {
		n, _ := w.business.Number(id)
		a, _ := w.business.WABA(waba)
		return n.State(a, w.clock.Now(), w.policy.Full(owner, w.now()))
	}
	w.send("the only one", one, "5511900001", "utility", 0)
	w.start()
	if one, test := state(one), state(tests); one != business.NumberRestricted || test != business.NumberConnected {
		t.Errorf("full: %s, the test number %s", one, test)
	}
	w.apply(&pipeline.Batch{Counts: []analytics.Count{}})
	w.clock.Advance(24 * hour)
	if got := state(one); got != business.NumberConnected {
		t.Errorf("a day later: %s", got)
	}
}
