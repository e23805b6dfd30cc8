package business

import (
	"context"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ActivityType says what happened to an account. Source: spec/business.md section 5.1.
type ActivityType string

// The kinds of activities.
const (
	ActCreated        ActivityType = "ACCOUNT_CREATED"
	ActUpdated        ActivityType = "ACCOUNT_UPDATED"
	ActNumberAdded    ActivityType = "PHONE_NUMBER_ADDED"
	ActNumberRemoved  ActivityType = "PHONE_NUMBER_REMOVED"
	ActNumberVerified ActivityType = "PHONE_NUMBER_VERIFIED"
	ActUserAdded      ActivityType = "USER_ADDED"
	ActUserRemoved    ActivityType = "USER_REMOVED"
	ActGranted        ActivityType = "API_ACCESS_GRANTED"
	ActRevoked        ActivityType = "API_ACCESS_REVOKED"
	ActWebhook        ActivityType = "WEBHOOK_CONFIGURED"
	ActBilling        ActivityType = "BILLING_UPDATED"
	ActTemplateMade   ActivityType = "TEMPLATE_CREATED"
	ActTemplateEdited ActivityType = "TEMPLATE_UPDATED"
	ActTemplateGone   ActivityType = "TEMPLATE_DELETED"
)

// Activity is an entry of an account's history. It names objects by id; nothing of it is content of messages.
type Activity struct {
	ID     string // orders entries
	WABA   wa.WABAID
	Type   ActivityType
	At     time.Time
	Actor  Actor
	Object string // id of what was changed; empty for the account itself
	Text   string // for people
}

// Actor is who did something. The zero Actor is the platform itself.
type Actor struct {
	ID, Name string
	System   bool // a system user, which acts through the API
}

type actorKey struct{}

// WithActor says on whose behalf writes with this context are made, for the history of the account.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// actorOf is who acts in a context; the platform when nobody was named.
func actorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}

// ActivityQuery chooses entries of the history, the newest first.
type ActivityQuery struct {
	WABA         wa.WABAID
	Since, Until time.Time // zero: no bound
	Types        []ActivityType
	Before       string // id: only entries older than this one
	After        string // id: only entries newer than this one, those nearest to it
	Limit        int
}

// Activities reads the history of an account. It reads the store.
func (s *Service) Activities(ctx context.Context, q ActivityQuery) ([]*Activity, error) {
	list, err := s.store.Activities(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("history of account %s: %w", q.WABA, err)
	}
	return list, nil
}

// record adds an entry to the write in progress. The caller holds mu.
func (s *Service) record(a *Activity) {
	a.At = s.clock.Now()
	s.noticeSeq++
	a.ID = fmt.Sprintf("%016x%08x", uint64(a.At.UnixMicro()), s.noticeSeq)
	s.draft.Activities = append(s.draft.Activities, a)
}

// owe adds a notice to the write in progress. The caller holds mu.
func (s *Service) owe(n *Notice) { s.draft.Notices = append(s.draft.Notices, n) }

// Record adds an entry to the history of an account, for changes that other rooms make. Errors: [ErrUnknown].
func (s *Service) Record(ctx context.Context, id wa.WABAID, t ActivityType, object, text string) error {
	s.lock()
	defer s.mu.Unlock()
	if w, ok := s.snap.Load().wabas[id]; !ok || w.Status == WABADeleted {
		return fmt.Errorf("history of account %s: %w", id, ErrUnknown)
	}
	s.record(&Activity{WABA: id, Type: t, Object: object, Text: text})
	if err := s.commit(ctx, &Set{}); err != nil {
		return fmt.Errorf("history of account %s: %w", id, err)
	}
	return nil
}
