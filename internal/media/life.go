package media

import (
	"context"
	"fmt"
	"time"
)

// Lifetimes. Source: spec/media.md section 7.
const (
	UploadedLife = 30 * 24 * time.Hour
	InboundLife  = 7 * 24 * time.Hour
	URLLife      = 5 * time.Minute
	// BriefLife is how long the files of numbers without storage live, unless their upload says something else, between
	// BriefLife and UploadedLife.
	BriefLife = time.Hour

	// keepBlob is how long a blob is kept after a message was given it: the longest life of a message, and a day so that the
	// row need not be written for every message.
	keepBlob = UploadedLife + keepStep
	keepStep = 24 * time.Hour
	// keepBrief and briefStep are the same of a number without storage, whose messages live for an hour.
	keepBrief = BriefLife + briefStep
	briefStep = 10 * time.Minute
	// pendingLife is how long an unfinished blob may take. After a crash it is what is left to expire.
	pendingLife = 24 * time.Hour
)

// bound is how long an id of that life lives here.
func (s *Service) bound(life time.Duration) time.Duration {
	if s.o.Retention > 0 {
		life = min(life, s.o.Retention)
	}
	return life
}

// live says when the id began and when it ends.
func (m *Media) live(now int64, life time.Duration) { m.Made, m.Expires = now, now+life.Milliseconds() }

// born is what the row is sealed with, see [Sealer]: what lives longer by the wish of its upload has the keys of other content.
func (m *Media) born() int64 {
	if m.Brief && m.Expires-m.Made <= BriefLife.Milliseconds() {
		return m.Made
	}
	return 0
}

// keepUntil is how long the blob of a file is kept that is sent now.
func (s *Service) keepUntil(m *Media) int64 {
	keep := keepBlob
	if m.Brief {
		keep = keepBrief
	}
	return s.o.Clock.Now().Add(keep).UnixMilli()
}

// keep prolongs the life of m's blob, at most once a day; that of a number without storage every ten minutes.
func (s *Service) keep(ctx context.Context, m *Media) error {
	until, step := s.keepUntil(m), keepStep
	if m.Brief {
		step = briefStep
	}
	had := m.kept.Load()
	if had >= until-step.Milliseconds() {
		return nil
	}
	if err := s.o.Store.KeepBlob(ctx, m.Blob, 0, until); err != nil {
		return fmt.Errorf("keep blob: %w", err)
	}
	m.kept.Store(until)
	return nil
}
