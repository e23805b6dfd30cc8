package business_test

import (
	"context"
	"errors"
	"testing"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Source: spec/business.md section 7.
func TestCreditLines(t *testing.T) {
	t.Parallel()
	m := &memory{set: map[string]any{}}
	s, _ := open(t, m)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []wa.BusinessID{"1", "2"} {
		_, err := s.CreatePortfolio(ctx, business.Portfolio{ID: id, Name: "P"})
		must(err)
	}
	client, err := s.CreateWABA(ctx, business.WABA{ID: "21", Owner: "2", Name: "C"})
	must(err)
	if _, err := s.OpenCredit(ctx, "1", " "); err == nil {
		t.Error("a credit line without a name")
	}
	if _, err := s.OpenCredit(ctx, "9", "Aozora KK"); !errors.Is(err, business.ErrUnknown) {
		t.Errorf("credit line of nobody: %v", err)
	}
	p, err := s.OpenCredit(ctx, "1", "Aozora")
	must(err)
	again, err := s.OpenCredit(ctx, "1", "Aozora KK")
	must(err)
	line := p.Credit.ID
	if again.Credit.ID != line || again.Credit.LegalName != "Aozora KK" || line == "" {
		t.Errorf("%+v, then %+v", p.Credit, again.Credit)
	}
	if _, err := s.AttachCredit(ctx, line, client.ID, "JPY", false); err == nil {
		t.Error("attached without being shared")
	}
	if _, err := s.ShareCredit(ctx, line, "9"); err == nil {
		t.Error("shared with nobody")
	}
	a, err := s.ShareCredit(ctx, line, "2")
	must(err)
	if _, err := s.AttachCredit(ctx, line, client.ID, "ZZZ", false); err == nil {
		t.Error("attached with a currency that does not exist")
	}
	b, err := s.AttachCredit(ctx, line, client.ID, "JPY", false)
	must(err)
	w, _ := s.WABA(client.ID)
	if b.ID != a.ID || w.FundingID != a.Credential || w.Currency != "JPY" || !w.Pays(true) {
		t.Errorf("%+v, %+v, account %+v", a, b, w)
	}
	usd := "USD"
	if _, err := s.ChangeWABA(ctx, client.ID, business.WABAChange{Currency: &usd}); err == nil {
		t.Error("the currency changed under a credit line")
	}
	if _, err := s.AttachCredit(ctx, line, client.ID, usd, true); err == nil {
		t.Error("attached again with another currency")
	}
	s, _ = open(t, m) // it is durable
	owner, kept, ok := s.Allocation(a.ID)
	if !ok || owner.ID != "1" || kept.Receiver != "2" {
		t.Fatalf("after a restart: %+v", kept)
	}
	if creditor, ok := s.Creditor(line); !ok || creditor.ID != "1" {
		t.Error("the credit line is gone")
	}
	must(s.EndAllocation(ctx, a.ID))
	must(s.EndAllocation(ctx, a.ID))
	if w, _ := s.WABA(client.ID); w.FundingID != "" || w.Pays(true) || !w.Pays(false) {
		t.Errorf("after the end: %+v", w)
	}
	if err := s.EndAllocation(ctx, "7"); !errors.Is(err, business.ErrUnknown) {
		t.Errorf("end of what never was: %v", err)
	}
	yes, no := true, false
	w, err = s.SetPayment(ctx, client.ID, &yes, nil)
	must(err)
	if own := w.FundingID; own == "" || !w.Pays(true) {
		t.Errorf("a method of its own: %+v", w)
	}
	if _, err := s.AttachCredit(ctx, line, client.ID, "JPY", true); err == nil {
		t.Error("attached to an account that pays for itself")
	}
	if w, err = s.SetPayment(ctx, client.ID, nil, &yes); err != nil || w.Pays(false) || w.FundingID == "" {
		t.Errorf("a method that fails: %+v %v", w, err)
	}
	if w, err = s.SetPayment(ctx, client.ID, &no, &no); err != nil || w.FundingID != "" || !w.Pays(false) {
		t.Errorf("no method: %+v %v", w, err)
	}
}

// While a credit line is shared nobody but its portfolio can end that, and whoever changes something is named.
func TestSharedCreditStays(t *testing.T) {
	t.Parallel()
	s, _ := open(t, &memory{set: map[string]any{}})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []wa.BusinessID{"1", "2"} {
		_, err := s.CreatePortfolio(t.Context(), business.Portfolio{ID: id, Name: "P"})
		must(err)
	}
	client, err := s.CreateWABA(t.Context(), business.WABA{ID: "21", Owner: "2", Name: "C"})
	must(err)
	p, err := s.OpenCredit(t.Context(), "1", "Aozora KK")
	must(err)
	by := func(id string) context.Context { return business.WithActor(t.Context(), business.Actor{ID: id}) }
	changedBy := func(want string) {
		t.Helper()
		if p, ok := s.Portfolio("1"); !ok || p.UpdatedBy.ID != want {
			t.Errorf("changed by %+v, want %s", p.UpdatedBy, want)
		}
	}
	a, err := s.AttachCredit(by("81"), p.Credit.ID, client.ID, "JPY", true)
	must(err)
	changedBy("81")
	if w, _ := s.WABA(client.ID); !s.PartnerPays(w) {
		t.Error("the partner does not pay")
	}
	no := false
	if _, err := s.SetPayment(t.Context(), client.ID, &no, nil); !errors.Is(err, wa.ErrInvalidParameter) {
		t.Errorf("a credit line was taken away behind its back: %v", err)
	}
	if err := s.RemovePortfolio(t.Context(), "1"); !errors.Is(err, wa.ErrManagementParameter) {
		t.Errorf("a portfolio that pays for others was deleted: %v", err)
	}
	if _, _, ok := s.Allocation(a.Credential); ok {
		t.Error("a credential passes for a share")
	}
	if _, ok := s.Creditor(a.ID); ok {
		t.Error("a share passes for a credit line")
	}
	must(s.EndAllocation(by("82"), a.ID))
	changedBy("82")
	if w, _ := s.WABA(client.ID); s.PartnerPays(w) {
		t.Error("the partner pays after the end")
	}
	must(s.RemovePortfolio(t.Context(), "1"))
	_, line := s.Creditor(p.Credit.ID)
	if _, _, share := s.Allocation(a.ID); line || share {
		t.Error("the credit line outlives its portfolio")
	}
	for _, id := range []string{p.Credit.ID, a.ID, a.Credential} {
		if _, err := s.CreatePortfolio(t.Context(), business.Portfolio{ID: wa.BusinessID(id), Name: "P"}); !errors.Is(err, business.ErrExists) {
			t.Errorf("the id %s was given away again: %v", id, err)
		}
	}
}
