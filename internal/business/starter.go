package business

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Starter declares the test resources of a first start; every field may be empty. Source: spec/business.md section 8.1.
type Starter struct {
	BusinessID    wa.BusinessID
	BusinessName  string // "Test Business"
	WABAID        wa.WABAID
	WABAName      string // "Test WhatsApp Business Account"
	PhoneNumberID wa.PhoneNumberID
	WaID          wa.WaID // a random +1 555 01… number
	VerifiedName  string  // "Test Number"
	AllowAll      bool    // the recipient list is not enforced
}

// CreateStarter makes one portfolio, one test account and one registered test number, all in one transaction. Errors:
// [ErrExists] when a declared id is taken, [wa.ErrConflictRegistered] when the number is.
func (s *Service) CreateStarter(ctx context.Context, st Starter) (*Portfolio, *WABA, *Number, error) {
	s.lock()
	defer s.mu.Unlock()
	p := &Portfolio{ID: st.BusinessID, Name: orElse(st.BusinessName, "Test Business")}
	if err := s.fillPortfolio(p); err != nil {
		return nil, nil, nil, err
	}
	w := &WABA{
		ID: st.WABAID, Owner: p.ID, Name: orElse(st.WABAName, testAccountName), Country: "US", Test: true,
	}
	if err := s.fillWABA(w); err != nil {
		return nil, nil, nil, err
	}
	digits, err := s.testDigits(st.WaID)
	if err != nil {
		return nil, nil, nil, err
	}
	n := s.testNumber(w, digits)
	n.ID, n.VerifiedName, n.AllowAll = st.PhoneNumberID, orElse(st.VerifiedName, n.VerifiedName), st.AllowAll
	if err := s.fillNumber(n); err != nil {
		return nil, nil, nil, err
	}
	if string(w.ID) == string(p.ID) || string(n.ID) == string(p.ID) || string(n.ID) == string(w.ID) {
		return nil, nil, nil, fmt.Errorf("create starter resources: two of the declared ids are the same: %w", ErrExists)
	}
	set := &Set{Portfolios: []*Portfolio{p}, WABAs: []*WABA{w}, Numbers: []*Number{n}}
	if err := s.commit(ctx, set); err != nil {
		return nil, nil, nil, fmt.Errorf("create starter resources: %w", err)
	}
	return p, w, n, nil
}

// testDigits draws the digits of a test number that is not in use: +1 555 01 and five more. No exchange of the North
// American plan starts with 0, so such a number can never be a person's.
func (s *Service) testDigits(declared wa.WaID) (wa.WaID, error) {
	if declared != "" {
		return declared, nil
	}
	for {
		var b [8]byte
		if _, err := io.ReadFull(s.rand, b[:]); err != nil {
			return "", fmt.Errorf("draw a test number: %w", err)
		}
		id := wa.WaID(fmt.Sprintf("155501%05d", binary.LittleEndian.Uint64(b[:])%100_000))
		if _, used := s.snap.Load().byWaID[id]; !used {
			return id, nil
		}
	}
}

// EnsureTest makes what the first steps of a business bring: a test account with one registered test number, in a portfolio that has
// none. made says whether it did. Errors: [ErrUnknown], [wa.ErrManagementParameter] when the portfolio has its accounts. Source:
// spec/business.md section 8.1.
func (s *Service) EnsureTest(ctx context.Context, owner wa.BusinessID, open bool) (w *WABA, made bool, err error) {
	s.lock()
	defer s.mu.Unlock()
	snap, have := s.snap.Load(), 0
	if p, ok := snap.portfolios[owner]; !ok || !p.Deleted.IsZero() {
		return nil, false, fmt.Errorf("make the test account of portfolio %s: %w", owner, ErrUnknown)
	}
	for _, x := range snap.wabas {
		if x.Owner != owner || x.Status == WABADeleted {
			continue
		}
		if x.Test {
			return x, false, nil
		}
		have++
	}
	if have >= MaxWABAs {
		return nil, false, tooManyWABAs()
	}
	w = &WABA{Owner: owner, Name: testAccountName, Country: "US", Test: true}
	if err := s.fillWABA(w); err != nil {
		return nil, false, err
	}
	digits, err := s.testDigits("")
	if err != nil {
		return nil, false, err
	}
	n := s.testNumber(w, digits)
	n.AllowAll = open
	if err := s.fillNumber(n); err != nil {
		return nil, false, err
	}
	s.record(&Activity{WABA: w.ID, Type: ActCreated, Text: "Account created"})
	s.record(&Activity{WABA: w.ID, Type: ActNumberAdded, Object: string(n.ID), Text: "Phone number added"})
	if err := s.commit(ctx, &Set{WABAs: []*WABA{w}, Numbers: []*Number{n}}); err != nil {
		return nil, false, fmt.Errorf("make the test account of portfolio %s: %w", owner, err)
	}
	return w, true, nil
}

const testAccountName = "Test WhatsApp Business Account"

// testNumber is a registered number of a test account.
func (s *Service) testNumber(w *WABA, digits wa.WaID) *Number {
	now := s.clock.Now()
	return &Number{
		WABA: w.ID, Business: w.Owner, WaID: digits, VerifiedName: "Test Number", NameStatus: NameAvailableWithout,
		Status: NumberConnected, CodeVerification: CodeVerified, Quality: QualityUnknown, Mode: Sandbox,
		Platform: CloudAPI, Level: Standard, Registered: true, LastOnboarded: now,
	}
}
