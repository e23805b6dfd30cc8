package flow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// noticePeriod is how long before a version is frozen its flows are told. Source: spec/flows.md section 9.
const noticePeriod = 90 * 24 * time.Hour

// Retirement is when a version of Flow JSON ends: from Freezes on it cannot be published, from Expires on it cannot be sent. Zero
// times are not planned. Source: spec/flows.md section 9.
type Retirement struct {
	Version document.Version
	Freezes time.Time `json:",omitzero"`
	Expires time.Time `json:",omitzero"`
}

// Retirements keeps what is planned for versions. When a write returns nil, it survives a crash of the machine.
type Retirements interface {
	LoadRetirements(ctx context.Context) ([]Retirement, error)
	// SaveRetirement inserts or replaces what is planned for r.Version.
	SaveRetirement(ctx context.Context, r Retirement) error
}

// Retire plans the end of a version and warns every flow of it by webhook. A zero Freezes is 90 days from now, for a version that is
// not frozen already and for which nothing was planned; an Expires that is zero is not planned. Errors: [ErrState] for an end before the beginning of it.
func (s *Service) Retire(ctx context.Context, r Retirement) (Retirement, error) {
	s.retiring.Lock()
	defer s.retiring.Unlock()
	now, was := s.o.Clock.Now(), s.Retired(r.Version)
	if r.Freezes.IsZero() {
		r.Freezes = was.Freezes
	}
	if r.Freezes.IsZero() && r.Version.Publishable() {
		r.Freezes = now.Add(noticePeriod)
	}
	if !r.Expires.IsZero() && r.Expires.Before(r.Freezes) {
		return r, fmt.Errorf("a version expires after it was frozen: %w", ErrState)
	}
	if err := s.o.Retirements.SaveRetirement(context.WithoutCancel(ctx), r); err != nil {
		return r, fmt.Errorf("plan the end of version %s: %w", r.Version, err)
	}
	s.retired.Store(r.Version, r)
	s.warnAll(context.WithoutCancel(ctx), &r) // the plan is made: whoever asked for it may go
	return r, nil
}

// warnAll tells every flow of a version what is planned for it, unless it knows. What fails is told when the plan is made once
// more, or at the next start.
func (s *Service) warnAll(ctx context.Context, r *Retirement) {
	var ids []wa.FlowID
	s.ids.Range(func(_, v any) bool {
		f := v.(*Flow)
		if f.Status != Deprecated && (f.Draft.Version == r.Version || f.Live.Version == r.Version) && !f.warned(r.Version).same(r) {
			ids = append(ids, f.ID)
		}
		return true
	})
	for _, id := range ids {
		if _, err := s.change(ctx, id, func(f *Flow) ([]byte, error) { f.warn(r, s.o.Clock.Now()); return nil, nil }); err != nil {
			s.o.Log.WarnContext(ctx, "warn a flow", "flow_id", string(id), "err", err) // it was deleted meanwhile, or the disk refuses
		}
	}
}

// warned is what the flow was told of a version.
func (f *Flow) warned(v document.Version) *Retirement {
	for i := range f.Warned {
		if f.Warned[i].Version == v {
			return &f.Warned[i]
		}
	}
	return &Retirement{Version: v}
}

func (r *Retirement) same(o *Retirement) bool {
	return r.Freezes.Equal(o.Freezes) && r.Expires.Equal(o.Expires)
}

// warn tells what the flow does not know of the plan for its version.
func (f *Flow) warn(r *Retirement, now time.Time) {
	was := f.warned(r.Version)
	tell := func(e Event, before, at time.Time, what string) {
		if at.After(now) && !at.Equal(before) {
			text := "Flow JSON version " + r.Version.String() + " will " + what + " on " + at.UTC().Format(time.DateOnly) + ". Please migrate to a newer version."
			f.tell(&value{Event: e, Message: text, Warning: text})
		}
	}
	tell(FreezeWarning, was.Freezes, r.Freezes, "be frozen and cannot be published any more")
	tell(ExpiryWarning, was.Expires, r.Expires, "expire and cannot be sent any more")
	f.Warned = append(slices.DeleteFunc(slices.Clone(f.Warned), func(o Retirement) bool { return o.Version == r.Version }), *r)
}

// Retired is what is planned for a version.
func (s *Service) Retired(v document.Version) Retirement {
	if r, ok := s.retired.Load(v); ok {
		return r.(Retirement)
	}
	return Retirement{Version: v}
}

// frozen reports whether flows of the version cannot be published now.
func (s *Service) frozen(v document.Version) bool {
	at := s.Retired(v).Freezes
	return !v.Publishable() || !at.IsZero() && !s.o.Clock.Now().Before(at)
}

// expired reports whether flows of the version cannot be sent now.
func (s *Service) expired(v document.Version) bool {
	at := s.Retired(v).Expires
	return v == 0 || !at.IsZero() && !s.o.Clock.Now().Before(at)
}
