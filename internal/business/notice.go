package business

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Fields of the webhooks that tell of accounts and numbers. Source: spec/webhooks.md sections 30 to 41.
const (
	FieldAlerts     = "account_alerts"
	FieldReview     = "account_review_update"
	FieldAccount    = "account_update"
	FieldCapability = "business_capability_update"
	FieldUsername   = "business_username_updates"
	FieldName       = "phone_number_name_update"
	FieldQuality    = "phone_number_quality_update"
	FieldSecurity   = "security"
	FieldSolutions  = "partner_solutions"
)

// Notice is a webhook that a change owes its subscribers. It is stored in the transaction of the change, so that a crash can
// repeat it and never lose it.
type Notice struct {
	ID    string    // orders notices: later ones sort behind earlier ones
	WABA  wa.WABAID // empty for what concerns a portfolio alone
	Entry string    // id of the portfolio that the webhook's entry names; empty: it names the account
	Field string
	At    time.Time
	Value []byte // JSON, the "value" of the change
}

// Notifier takes over a notice: it returns when the notice is as durable as a message.
type Notifier interface {
	Notify(ctx context.Context, n *Notice) error
}

// notice makes a notice with a value of this room's own types. The caller holds mu.
func (s *Service) notice(waba wa.WABAID, field string, value any) *Notice {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // values are structs of strings and numbers
	}
	now := s.clock.Now()
	s.noticeSeq++
	return &Notice{ID: fmt.Sprintf("%016x%08x", uint64(now.UnixMicro()), s.noticeSeq), WABA: waba, Field: field, At: now, Value: b}
}

// Idle reports whether every notice has been handed on.
func (s *Service) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owed) == 0
}

// retryNotices is the pause after a notice could not be handed on.
const retryNotices = time.Second

// Run hands notices to n in their order, and lets what is due by the clock happen, until ctx ends. It is run once.
func (s *Service) Run(ctx context.Context, n Notifier) error {
	for {
		wait, err := s.due(ctx)
		if err == nil {
			err = s.deliver(ctx, n)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			s.log.WarnContext(ctx, "account notices wait", "err", err)
			wait = retryNotices
		}
		if err := s.rest(ctx, wait); err != nil {
			return err
		}
	}
}

// rest waits until there is something to do: a change, or wait has passed; without wait only for a change.
func (s *Service) rest(ctx context.Context, wait time.Duration) error {
	var timer <-chan time.Time
	if wait > 0 {
		t := s.clock.NewTimer(wait)
		defer t.Stop()
		timer = t.C()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.wake:
	case <-timer:
	}
	return nil
}

// deliver hands on what is owed, the oldest first.
func (s *Service) deliver(ctx context.Context, n Notifier) error {
	for {
		s.mu.Lock()
		if len(s.owed) == 0 {
			s.mu.Unlock()
			return nil
		}
		next := s.owed[0]
		s.mu.Unlock()
		if err := n.Notify(ctx, next); err != nil {
			return fmt.Errorf("hand on a notice of account %s: %w", next.WABA, err)
		}
		if err := s.store.SaveBusiness(context.WithoutCancel(ctx), &Set{Delivered: []string{next.ID}}); err != nil {
			return fmt.Errorf("forget a notice of account %s: %w", next.WABA, err)
		}
		s.mu.Lock()
		s.owed = s.owed[1:]
		s.mu.Unlock()
	}
}

func (s *Service) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// digitsOf is display_phone_number of webhooks: digits only.
func digitsOf(n *Number) string { return string(n.WaID) }

type nameValue struct {
	Display   string  `json:"display_phone_number"`
	Decision  string  `json:"decision"`
	Requested string  `json:"requested_verified_name"`
	Reason    *string `json:"rejection_reason"`
}

type qualityValue struct {
	Display string `json:"display_phone_number"`
	Event   string `json:"event"`
	Current Tier   `json:"current_limit,omitempty"`
	Max     Tier   `json:"max_daily_conversations_per_business,omitempty"`
}

type securityValue struct {
	Display   string `json:"display_phone_number"`
	Event     string `json:"event"`
	Requester string `json:"requester,omitempty"`
}

type reviewValue struct {
	Decision Review `json:"decision"`
}

// capabilityValue is what newer versions get; the webhook room spells it for older ones. Source: spec/limits.md section 3.3.
type capabilityValue struct {
	Max         Tier `json:"max_daily_conversations_per_business"`
	PerBusiness int  `json:"max_phone_numbers_per_business,omitempty"` // while the limit is that of a new portfolio
	PerWABA     int  `json:"max_phone_numbers_per_waba,omitempty"`     // afterwards
}

func capability(p *Portfolio) capabilityValue {
	if tierRank(p.MessagingLimit) < tierRank(Tier2K) {
		return capabilityValue{Max: p.MessagingLimit, PerBusiness: p.MaxNumbers()}
	}
	return capabilityValue{Max: p.MessagingLimit, PerWABA: p.MaxNumbers()}
}

type usernameValue struct {
	Display  string `json:"display_phone_number"`
	Username string `json:"username,omitempty"`
	Status   string `json:"status"`
}

type alertValue struct {
	EntityType string    `json:"entity_type"`
	EntityID   string    `json:"entity_id"`
	Info       alertInfo `json:"alert_info"`
}

type alertInfo struct {
	Severity    string `json:"alert_severity"`
	Status      string `json:"alert_status"`
	Type        string `json:"alert_type"`
	Description string `json:"alert_description"`
}

// accountValue is the value of account_update; Event says which of the others are set.
type accountValue struct {
	Event    string    `json:"event"`
	Phone    string    `json:"phone_number,omitempty"`
	WABAInfo *wabaInfo `json:"waba_info,omitempty"`
	Ban      *banInfo  `json:"ban_info,omitempty"`

	Violation    *violationInfo    `json:"violation_info,omitempty"`
	Restrictions []restrictionInfo `json:"restriction_info,omitempty"`
	Volume       *VolumeTier       `json:"volume_tier_info,omitempty"`

	Certification *certificationInfo `json:"partner_client_certification_info,omitempty"`

	International *Eligibility `json:"auth_international_rate_eligibility,omitempty"`
	Country       string       `json:"country,omitempty"`
}

type wabaInfo struct {
	WABA  wa.WABAID     `json:"waba_id"`
	Owner wa.BusinessID `json:"owner_business_id"`
	App   wa.AppID      `json:"partner_app_id,omitempty"`

	Solution string          `json:"solution_id,omitempty"`
	Partners []wa.BusinessID `json:"solution_partner_business_ids,omitempty"`
}

type banInfo struct {
	State string `json:"waba_ban_state"`
	Date  string `json:"waba_ban_date"`
}
