package business_test

import (
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
