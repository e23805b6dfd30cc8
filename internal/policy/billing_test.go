package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// billed has one account and a card on which the first two utility messages of a month cost 0.01, the others 0.004.
func billed(t *testing.T, mode policy.Billing) *world {
	t.Helper()
	rates, err := pricing.Parse(strings.NewReader("2026-01-01,USD,Brazil,utility,1,2,0.01\n2026-01-01,USD,Brazil,utility,3,,0.004\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, business.TierUnlimited, 0, func(o *policy.Options) { o.Billing, o.Rates = mode, rates })
	_, err = w.business.UpdateWABA(t.Context(), waba, func(x *business.WABA) error { x.Currency, x.TimezoneID = "USD", "0"; return nil })
	w.check(err)
	w.start()
	return w
}

// charge is a message that was delivered.
func (w *world) charge() {
	w.t.Helper()
	b := &pipeline.Batch{Charges: []pricing.Charge{{
		ID: wa.MessageID(fmt.Sprint("wamid.", w.position)), WABA: waba, Number: one, User: "5511900001", Market: "Brazil", Category: "utility", At: w.now(),
	}}}
	w.apply(b)
	w.policy.Charged(b.Charges)
}

func (w *world) pay(add pricing.Micro, limit *pricing.Micro) {
	w.t.Helper()
	_, err := w.policy.Pay(w.t.Context(), waba, add, limit)
	w.check(err)
}

func (w *world) available(fact string, want pricing.Micro) {
	w.t.Helper()
	for _, when := range []string{"", ", after a restart"} {
		if b, err := w.policy.Balance(waba); err != nil || b.Available != want {
			w.t.Errorf("%s%s: %s are left, want %s: %+v, %v", fact, when, b.Available, want, b, err)
		}
		w.start()
	}
}

// Source: spec/pricing.md section 4.
func TestBilling(t *testing.T) {
	t.Parallel()
	utility := policy.Send{User: "5511900001", Category: "utility", Outside: true}
	try := func(w *world, fact string, m policy.Send, code int) {
		t.Helper()
		for _, when := range []string{"", ", after a restart"} {
			w.admit(fact+when, one, m, code)
			w.start()
		}
	}
	t.Run("prepaid", func(t *testing.T) {
		t.Parallel()
		w := billed(t, policy.BillingPrepaid)
		w.charge() // before anything was paid: it counts for the tier alone
		try(w, "nothing was paid", utility, 131042)
		try(w, "free in a window", policy.Send{User: "5511900001", Category: "utility"}, 0)
		try(w, "free by an entry point", policy.Send{User: "5511900001", Category: "marketing", Outside: true, Entry: true}, 0)
		try(w, "marketing in a window is not", policy.Send{User: "5511900001", Category: "marketing"}, 131042)
		w.admit("test numbers are exempt", tests, utility, 0)
		w.clock.Advance(time.Second)
		w.pay(18_000, nil)
		try(w, "0.018 were paid", utility, 0)
		w.charge()
		w.available("the second of the month", 8000)
		w.charge()
		w.available("the third", 4000)
		w.charge()
		w.available("the fourth", 0)
		try(w, "it is used up", utility, 131042)
		w.clock.Advance(40 * 24 * time.Hour)
		w.pay(20_000, nil)
		w.charge()
		w.available("the first of another month", 10_000)
		w.clock.Advance(100 * 24 * time.Hour) // the months between are folded by the restarts
		w.available("much later", 10_000)
		w.pay(-10_000, nil)
		try(w, "paid back", utility, 131042)
	})
	t.Run("credit", func(t *testing.T) {
		t.Parallel()
		w := billed(t, policy.BillingCredit)
		try(w, "no limit was set", utility, 131042)
		limit := pricing.Micro(15_000)
		w.pay(0, &limit)
		w.charge()
		try(w, "within the limit", utility, 0)
		w.charge()
		w.available("beyond it", -5000)
		try(w, "beyond the limit", utility, 131042)
		w.pay(10_000, nil)
		w.available("paid a part", 5000)
		try(w, "again within", utility, 0)
		_, err := w.business.UpdateWABA(t.Context(), waba, func(x *business.WABA) error { x.Test = true; return nil })
		w.check(err)
		w.pay(-10_000, nil)
		try(w, "test accounts are exempt", utility, 0)
	})
	t.Run("record", func(t *testing.T) {
		t.Parallel()
		w := billed(t, "")
		w.charge()
		try(w, "nothing refuses", utility, 0)
		if _, err := w.policy.Pay(t.Context(), waba, 1, nil); err == nil {
			t.Error("an account has a balance")
		}
	})
}
