package business_test

import (
	"errors"
	"testing"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// A number has 2,000 short links at most. Source: spec/limits.md section 7.
func TestTwoThousandShortLinks(t *testing.T) {
	t.Parallel()
	s, _, _, _ := office(t, nil)
	n, err := s.AddNumber(t.Context(), business.NewNumber{WABA: "11", WaID: "815055550142", Name: "Aozora"})
	if err != nil {
		t.Fatal(err)
	}
	var last *business.QRCode
	for i := range business.MaxQRCodes {
		if last, err = s.CreateQRCode(t.Context(), n.ID, "hi", ""); err != nil {
			t.Fatalf("link %d: %v", i+1, err)
		}
	}
	var row *wa.Error
	if _, err = s.CreateQRCode(t.Context(), n.ID, "hi", ""); !errors.As(err, &row) || row.Code != 4 || row.Subcode != 2446079 {
		t.Errorf("one more: %v, want 4/2446079", err)
	}
	if err = s.DeleteQRCode(t.Context(), n.ID, last.Code); err != nil {
		t.Fatal(err)
	}
	if _, err = s.CreateQRCode(t.Context(), n.ID, "hi", ""); err != nil {
		t.Errorf("after one was deleted: %v", err)
	}
}

// An account is shared with two partners at most, and a portfolio has twenty accounts. Source: spec/limits.md section 7.
func TestPartnersOfAnAccount(t *testing.T) {
	t.Parallel()
	s, _, _, _ := office(t, nil)
	two := []business.Share{{Business: "2"}, {Business: "3"}}
	nw := business.NewWABA{Owner: "1", Name: "Store", Currency: "USD", TimezoneID: "1", Shared: two}
	if _, err := s.AddWABA(t.Context(), nw); err != nil {
		t.Errorf("two partners: %v", err)
	}
	nw.Shared = append(nw.Shared, business.Share{Business: "4"})
	if _, err := s.AddWABA(t.Context(), nw); !errors.Is(err, wa.ErrInvalidParameter) {
		t.Errorf("three partners: %v", err)
	}
	nw.Shared = nil
	for i := 4; i <= business.MaxWABAs; i++ { // three are there
		if _, err := s.AddWABA(t.Context(), nw); err != nil {
			t.Fatalf("account %d: %v", i, err)
		}
	}
	if _, err := s.AddWABA(t.Context(), nw); !errors.Is(err, wa.ErrManagementParameter) {
		t.Errorf("account 21: %v", err)
	}
}
