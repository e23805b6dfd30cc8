package business_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestObstacles(t *testing.T) {
	t.Parallel()
	s, _, _, n := starter(t)
	w, _ := s.WABA(n.WABA)
	p, _ := s.Portfolio(n.Business)
	ctx := t.Context()
	expect := func(fact string, want ...business.Condition) {
		t.Helper()
		list, err := s.Obstacles(p.ID)
		if err != nil {
			t.Fatal(err)
		}
		var got []business.Condition
		for _, o := range list {
			got = append(got, o.Condition)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", fact, got, want)
		}
		if err := business.Refusal(list); (err != nil) != (len(want) > 0) || err != nil && !errors.Is(err, wa.ErrManagementParameter) {
			t.Errorf("%s: refused with %v", fact, err)
		}
	}
	expect("only what the first start made")
	second, err := s.CreateNumber(ctx, business.Number{WABA: w.ID, WaID: "15550199999", Mode: business.Live, Status: business.NumberConnected})
	if err != nil {
		t.Fatal(err)
	}
	expect("another number", business.OnlyNumber, business.OnlyNumber)
	if err := s.RemoveNumber(ctx, second.ID, ""); err != nil {
		t.Fatal(err)
	}
	expect("the number is gone")
	other, err := s.AddWABA(ctx, business.NewWABA{Owner: p.ID, Name: "Second", Currency: "USD", TimezoneID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	expect("another account", business.OnlyAccount, business.OnlyAccount)
	if err := s.RemovePortfolio(ctx, p.ID); !errors.Is(err, wa.ErrManagementParameter) {
		t.Errorf("removed with %s in it: %v", other.ID, err)
	}
	if _, ok := s.Number(n.ID); !ok {
		t.Error("a refusal has changed something")
	}
	if _, err := s.Obstacles("1"); !errors.Is(err, business.ErrUnknown) {
		t.Errorf("no such portfolio: %v", err)
	}
}
