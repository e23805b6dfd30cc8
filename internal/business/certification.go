package business

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Certification is a partner's word that a client is who it says: verification led by a partner. An operator decides. Source:
// spec/business.md section 2.3.
type Certification struct {
	ID      string
	Partner wa.BusinessID
	Client  wa.BusinessID
	Claim   Claim
	Status  CertificationStatus
	Reasons []string // of a rejection
	Created time.Time
	Updated time.Time
	Gone    bool // on its way out of the store
}

// Claim is what the partner says about the client.
type Claim struct {
	Documents     []string // handles of uploads
	Vertical      string
	Revenue       float64 // a month, with the partner, in Currency
	Currency      string
	BillingCycles int
	Monthly       bool
}

// CertificationStatus is verification_status of a submission.
type CertificationStatus string

// The states of a submission.
const (
	CertificationPending   CertificationStatus = "PENDING"
	CertificationApproved  CertificationStatus = "APPROVED"
	CertificationFailed    CertificationStatus = "FAILED"
	CertificationDiscarded CertificationStatus = "DISCARDED" // replaced by a newer one
	CertificationRevoked   CertificationStatus = "REVOKED"
)

// CertificationReasons are why a submission fails. Source: spec/business.md section 2.3.
var CertificationReasons = []string{
	"ADDRESS_NOT_MATCHING", "BUSINESS_NOT_ELIGIBLE", "LEGAL_NAME_NOT_FOUND_IN_DOCUMENTS", "LEGAL_NAME_NOT_MATCHING",
	"MALFORMED_DOCUMENTS", "WEBSITE_NOT_MATCHING",
}

type certificationInfo struct {
	Client  wa.BusinessID       `json:"client_business_id"`
	Status  CertificationStatus `json:"status"`
	Reasons []string            `json:"rejection_reasons,omitempty"`
}

// Certify submits a claim about a client of the partner. One that waits already is discarded. Errors: rows of code 100 when
// the client shares no account with the partner, or is verified. Source: spec/business.md section 2.3.
func (s *Service) Certify(ctx context.Context, partner, client wa.BusinessID, claim Claim) (*Certification, error) {
	s.lock()
	defer s.mu.Unlock()
	snap, now := s.snap.Load(), s.clock.Now()
	p := snap.portfolios[client]
	shares := slices.ContainsFunc(s.ClientWABAs(partner), func(w *WABA) bool { return w.Owner == client })
	switch {
	case p == nil || !p.Deleted.IsZero() || !shares:
		return nil, wa.ErrInvalidParameter.Titled("Param end_business_id must be the id of a client business.")
	case p.Verification == Verified:
		return nil, wa.ErrManagementParameter.User("Business is verified", "The business is verified already.")
	}
	id, err := s.freeID()
	if err != nil {
		return nil, err
	}
	set := &Set{}
	for _, old := range snap.certifications {
		if old.Client == client && old.Partner == partner && old.Status == CertificationPending {
			x := *old
			x.Status, x.Updated = CertificationDiscarded, now
			set.Certifications = append(set.Certifications, &x)
		}
	}
	x := &Certification{ID: id, Partner: partner, Client: client, Claim: claim, Status: CertificationPending, Created: now, Updated: now}
	set.Certifications = append(set.Certifications, x)
	c := *p
	c.Verification, c.Updated, c.UpdatedBy = VerificationPending, now, actorOf(ctx)
	set.Portfolios = []*Portfolio{&c}
	s.tellCertification(x)
	if err := s.commit(ctx, set); err != nil {
		return nil, fmt.Errorf("certify business %s: %w", client, err)
	}
	return x, nil
}

// tellCertification owes the webhook of every account that the client shares with the partner. The caller holds mu.
func (s *Service) tellCertification(x *Certification) {
	for _, w := range s.ClientWABAs(x.Partner) {
		if w.Owner == x.Client {
			s.owe(s.notice(w.ID, FieldAccount, accountValue{
				Event: "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE", Certification: &certificationInfo{x.Client, x.Status, x.Reasons},
			}))
		}
	}
}

// DecideCertification is the operator's: a submission that waits is approved or fails for reasons, an approved one may be
// revoked. The client's verification follows. Errors: [ErrUnknown], a row of code 100.
func (s *Service) DecideCertification(ctx context.Context, id string, st CertificationStatus, reasons []string) (*Certification, error) {
	old, ok := s.snap.Load().certifications[id]
	if !ok {
		return nil, fmt.Errorf("certification %s: %w", id, ErrUnknown)
	}
	x := *old
	_, err := s.setStanding(ctx, old.Client, func(p *Portfolio) error {
		x = *s.snap.Load().certifications[id]
		from, follows := CertificationPending, map[CertificationStatus]Verification{
			CertificationApproved: Verified, CertificationFailed: VerificationReject, CertificationRevoked: VerificationRevoked,
		}[st]
		if st == CertificationRevoked {
			from = CertificationApproved
		}
		if x.Status != from || follows == "" {
			return wa.ErrManagementParameter.User("Can't be decided", fmt.Sprintf("The submission is %s.", x.Status))
		}
		p.verify(follows)
		x.Status, x.Reasons, x.Updated = st, reasons, s.clock.Now()
		s.draft.Certifications = append(s.draft.Certifications, &x)
		s.tellCertification(&x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// Certifications returns what a partner submitted, the oldest first.
func (s *Service) Certifications(partner wa.BusinessID) []*Certification {
	return sorted(s.snap.Load().certifications, func(x *Certification) bool { return x.Partner == partner },
		func(a, b *Certification) int {
			return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
		})
}
