package business_test

import (
	"context"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// two accounts of one portfolio, the second with a number.
type two struct {
	memory
	verification business.Verification
	name         business.NameStatus
}

func (m *two) LoadBusiness(context.Context) (*business.Set, error) {
	return &business.Set{
		Portfolios: []*business.Portfolio{{ID: "1", Verification: m.verification}},
		WABAs:      []*business.WABA{{ID: "10", Owner: "1"}, {ID: "20", Owner: "1"}},
		Numbers:    []*business.Number{{ID: "200", WABA: "20", WaID: "15550100123", NameStatus: m.name, Status: business.NumberConnected}},
	}, nil
}

// The higher limit asks for a verified portfolio and an approved name in any of its accounts. Source: spec/templates.md section 3.
func TestTemplateLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verification business.Verification
		name         business.NameStatus
		want         int
	}{
		{business.Verified, business.NameApproved, 6000},
		{business.Verified, business.NamePending, 250},
		{business.NotVerified, business.NameApproved, 250},
	} {
		s, err := business.New(t.Context(), &two{verification: c.verification, name: c.name}, business.Options{Clock: &at{now: time.Unix(0, 0)}})
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[wa.WABAID]int{"10": c.want, "20": c.want, "30": 250} {
			if got := s.TemplateLimit(id); got != want {
				t.Errorf("%s, %s: account %s may have %d templates, want %d", c.verification, c.name, id, got, want)
			}
		}
	}
}
