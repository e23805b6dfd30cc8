package policy

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Mode says what follows from the ladder of enforcement. Source: spec/quality.md section 7.4.
type Mode string

// The modes. What the operator decides is in force in all of them.
const (
	Off     Mode = "off"
	Observe Mode = "observe" // numbers move on the ladder, nothing is taken from anybody
	Enforce Mode = "enforce"
)

// modeNote is the note of what the operator chose for the platform.
const modeNote = "enforcement"

// LastStep of the ladder: the account is disabled for good.
const LastStep = 7

// Spam is the violation that the ladder tells of (unverified).
const Spam = "SPAM"

// Mode is the one in force: the operator's last choice, else that of the options.
func (s *Service) Mode() Mode {
	if m := s.noteOf(modeNote).Mode; m != "" {
		return m
	}
	if s.o.Enforcement == "" {
		return Observe
	}
	return s.o.Enforcement
}

// SetMode chooses the mode, across restarts too; "" goes back to that of the options.
func (s *Service) SetMode(ctx context.Context, m Mode) error {
	n := s.noteOf(modeNote)
	n.Mode = m
	return s.save(ctx, modeNote, n)
}

// SanctionOf is the sanction of a step of the ladder from now on.
func SanctionOf(step int, violation string, now time.Time) business.Sanction {
	l := quality.Ladder(step)
	x := business.Sanction{
		Step: l.Step, Violation: violation, Templates: l.Templates, Messages: l.All, Numbers: l.Numbers,
		Writes: l.All && l.Lasts == 0, Final: l.Final,
	}
	if l.Lasts > 0 {
		x.Until = now.Add(l.Lasts)
	}
	return x
}

// Sanction puts an account on a step of the ladder by the operator's decision. Errors: business.ErrUnknown.
func (s *Service) Sanction(ctx context.Context, id wa.WABAID, step int, violation string) (*business.WABA, error) {
	return s.o.Business.SetSanction(ctx, id, SanctionOf(step, violation, s.o.Clock.Now()))
}

// SanctionNumber does the same to one number. Errors: business.ErrUnknown.
func (s *Service) SanctionNumber(ctx context.Context, id wa.PhoneNumberID, step int, violation string) (*business.Number, error) {
	x := SanctionOf(step, violation, s.o.Clock.Now())
	return s.o.Business.SanctionNumber(ctx, id, &x)
}

// climb lets the account of a number that moved up the ladder feel it. It comes before the number's new step is saved: a
// crash in between repeats the notices, and never loses them. A sanction in force that is harder stays.
func (s *Service) climb(ctx context.Context, n *business.Number, from, to int) error {
	if to == from {
		return nil
	}
	mode := s.Mode()
	s.o.Log.Info("step of enforcement", "number_id", string(n.ID), "step", to, "mode", string(mode))
	if to < from || mode != Enforce {
		return nil
	}
	w, ok := s.o.Business.WABA(n.WABA)
	if !ok || w.Sanction.InForce(s.o.Clock.Now()) && w.Sanction.Step >= to {
		return nil
	}
	_, err := s.Sanction(ctx, n.WABA, to, Spam)
	return err
}

// barred is the row that a template of the number fails with while a sanction is in force.
func (s *Service) barred(n *business.Number, now int64) *wa.Error {
	w, ok := s.o.Business.WABA(n.WABA)
	if n.Sanction == nil && (!ok || w.Sanction == nil) {
		return nil
	}
	at := time.UnixMilli(now)
	row := n.Sanction.Bars(true, at)
	if ok && (row == nil || row == wa.ErrSpam) { // an account without any messages counts more than one without templates
		if x := w.Sanction.Bars(true, at); x != nil {
			row = x
		}
	}
	return row
}

// deny tells a portfolio once that it reached enough people for its next messaging limit, and why it does not get it. Source:
// spec/limits.md section 3.2.
func (s *Service) deny(ctx context.Context, p *business.Portfolio, note note, r limits.Raise) error {
	earned := r.Limit < limits.Reach2K && r.Users30 >= limits.Reach2K
	if !earned || r.HighGrade || note.Denied {
		if note.Denied && r.HighGrade {
			note.Denied = false
			return s.save(ctx, string(p.ID), note)
		}
		return nil
	}
	if err := s.o.Business.Alert(ctx, p.ID, "WARNING", "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED",
		"The messaging limit was not raised: the quality of messages must be high over all phone numbers and templates."); err != nil {
		return err
	}
	note.Denied = true
	return s.save(ctx, string(p.ID), note)
}
