package policy

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The states of a template that is paced. Source: spec/limits.md section 5.
//
//	"" ─► count ─► hold ─► pass ─►   GREEN, or an hour has passed; it begins anew when [pace.over] says so
//	                 └───► drop ─►   RED: the template is paused until somebody ends the pause, then it begins anew
const (
	paceCount = "count" // the first messages go out
	paceHold  = "hold"  // others wait
	pacePass  = "pass"  // all go out
	paceDrop  = "drop"  // those that waited failed
)

const (
	// holdTime is how long messages are held at most; lookEvery how often the rating of a template is asked for meanwhile
	// (both ours): a GREEN of the first minute would be that of people who have not looked yet.
	holdTime  = time.Hour
	lookEvery = 5 * time.Minute
	// passTime is how long a template that is not GREEN goes out freely after a hold has ended (ours).
	passTime = 24 * time.Hour
	// lateTime is how long after a drop messages arrive that were answered before it.
	lateTime = time.Minute
	// applyTime is how long it counts whether a template is to be paced.
	applyTime = time.Minute
	// utilityMemory is how long a pause of a utility template lets the others of its account be paced.
	utilityMemory = 7 * 24 * time.Hour
)

// pace is how far the pacing of a template is; times are Unix milliseconds.
type pace struct {
	State string `json:"state,omitempty"`
	Since int64  `json:"since,omitempty"` // when counting began, or holding
	Until int64  `json:"until,omitempty"` // of a hold: when it ends at last; of a drop: up to when messages are dropped; of a pass: its begin
	// Counted is when counting began before a hold: what was decided earlier says nothing about its messages.
	Counted int64 `json:"counted,omitempty"`
	// Before is how many messages count for the half hour of Since and went out before it.
	Before int `json:"before,omitempty"`
	// Dropped are the holds that ended in a drop, last first: some of their messages may still be on their way to failing
	// when the template is sent again. The third pause of a template is for good.
	Dropped [3]window `json:"dropped,omitzero"`
}

// window is a hold that ended in a drop, both ends included; the zero one is none.
type window struct {
	Since int64 `json:"since,omitempty"`
	Until int64 `json:"until,omitempty"`
	Late  int64 `json:"late,omitempty"` // up to when messages come that are known to have been told to wait
}

// anew is the pace in the given state from now on. It remembers a drop that ends with it.
func (p *pace) anew(state string, now time.Time) pace {
	next := pace{State: state, Since: now.UnixMilli(), Dropped: p.Dropped}
	if p.State == paceDrop {
		copy(next.Dropped[1:], p.Dropped[:])
		next.Dropped[0] = window{Since: p.Since, Until: min(p.Until, next.Since-1), Late: p.Until}
	}
	return next
}

// over reports whether a pass ends because the template was paused or edited meanwhile, or has gone out long enough. What
// is GREEN is not asked about.
func (p *pace) over(t *template.Template, now time.Time) bool {
	begin := time.UnixMilli(p.Until)
	return t.Paused.After(begin) || len(t.Edits) > 0 && t.Edits[len(t.Edits)-1].After(begin) || now.Sub(begin) >= passTime
}

// drops reports whether a message that was accepted at belongs to a hold that ended in a drop. Of held it is known that it
// was told to wait: its hold may have ended before it was accepted.
func (p *pace) drops(at int64, held bool) bool {
	if p.State == paceDrop && at >= p.Since {
		return held || at <= p.Until
	}
	if at >= p.Since && (p.State == paceHold || p.State == pacePass) { // of the hold that began then
		return false
	}
	for _, w := range p.Dropped {
		if at >= w.Since && (at <= w.Until || held && at <= w.Late) {
			return true
		}
	}
	return false
}

// pacer counts messages of templates that are paced. Lanes read it without a lock.
type pacer struct {
	list sync.Map // wa.TemplateID to *paced

	mu      sync.Mutex // held over writes, store included
	release func(Held)
}

// Held names messages that were held: those of a template, or of numbers.
type Held struct {
	Template wa.TemplateID
	Numbers  []wa.PhoneNumberID
}

type paced struct {
	now atomic.Pointer[pace]

	// With pacer.mu held:

	sent    int       // messages that went out while counting
	applies bool      // it is to be paced
	asked   time.Time // when that was looked at
	look    time.Time // of a hold: when to ask for the rating next

	asking sync.Mutex // of a portfolio: held while it is asked whether it is to be paced; taken before pacer.mu
	proven time.Time  // with asking held: up to when the portfolio is known to have sent enough
}

// open is of, of what is about to be counted.
func (p *pacer) open(id wa.TemplateID) *paced {
	if x, _ := p.of(id); x != nil {
		return x
	}
	x := &paced{}
	x.now.Store(&pace{})
	y, _ := p.list.LoadOrStore(id, x)
	return y.(*paced)
}

func (p *pacer) of(id wa.TemplateID) (*paced, pace) {
	if x, ok := p.list.Load(id); ok {
		return x.(*paced), *x.(*paced).now.Load()
	}
	return nil, pace{}
}

// paceNote is the note of a template's pacing: one of its own, because others write at the same time.
const paceNote = "pace/"

// openPacer takes up what was held before a start; how many messages went out is asked for when the next one is sent.
func (s *Service) openPacer() {
	for key, n := range s.notes {
		if id, ok := strings.CutPrefix(key, paceNote); ok {
			x := &paced{sent: -1, look: time.UnixMilli(n.Pace.Since).Add(lookEvery)}
			x.now.Store(&n.Pace)
			s.pacer.list.Store(wa.TemplateID(id), x)
		}
	}
}

// OnRelease says who takes messages up that were held.
func (s *Service) OnRelease(f func(Held)) {
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	s.pacer.release = f
}

// next is when a held template is looked at; zero for never.
func (p *pacer) next() (at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list.Range(func(_, v any) bool {
		if x := v.(*paced); x.now.Load().State == paceHold && (at.IsZero() || x.look.Before(at)) {
			at = x.look
		}
		return true
	})
	return at
}

// Pace counts a message of a template that the number is about to send, and says whether it is held; undo takes the count back.
// The first message that is held makes it known to the store before anybody is told. Test numbers are not paced. Source:
// spec/limits.md section 5.
func (s *Service) Pace(ctx context.Context, n *business.Number, id wa.TemplateID) (held bool, undo func(), err error) {
	held, one, err := s.paceTemplate(ctx, n, id)
	if held || err != nil {
		return held, one, err
	}
	held, all, err := s.pacePortfolio(ctx, n)
	if err != nil {
		one()
		return false, func() {}, err
	}
	return held, func() { one(); all() }, nil
}

func (s *Service) paceTemplate(ctx context.Context, n *business.Number, id wa.TemplateID) (held bool, undo func(), err error) {
	nothing := func() {}
	if s.o.PaceAfter <= 0 || n.Mode == business.Sandbox {
		return false, nothing, nil
	}
	t, ok := s.o.Template.Template(id)
	if !ok {
		return false, nothing, nil
	}
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	now := s.o.Clock.Now()
	x := s.pacer.open(id)
	at := *x.now.Load()
	if now.Sub(x.asked) >= applyTime || x.asked.IsZero() {
		x.asked, x.applies = now, s.applies(t, now)
	}
	switch {
	case at.State == paceHold:
		return true, nothing, nil
	case !x.applies && at.State == paceDrop:
		return false, nothing, s.keep(ctx, id, x, at.anew("", now))
	case !x.applies, at.State == pacePass && !at.over(t, now):
		return false, nothing, nil
	}
	if at, err = s.counting(ctx, id, x, at, now); err != nil {
		return false, nothing, err
	}
	if x.sent < s.o.PaceAfter {
		x.sent++
		return false, func() { s.unsend(x) }, nil
	}
	counted := at.Since
	at = at.anew(paceHold, now)
	at.Counted = counted
	at.Until = now.Add(holdTime).UnixMilli()
	if err := s.keep(ctx, id, x, at); err != nil {
		return false, nothing, err
	}
	x.look = now.Add(lookEvery)
	s.Poke() // Run must know when to look
	return true, nothing, nil
}

// counting begins to count the messages of a template that is new, or sent again after a pause or a pass, and finds out what
// went out before a start. It needs pacer.mu.
func (s *Service) counting(ctx context.Context, id wa.TemplateID, x *paced, at pace, now time.Time) (pace, error) {
	if at.State == paceCount && x.sent >= 0 {
		return at, nil
	}
	fresh := at.State != paceCount
	if fresh {
		at = at.anew(paceCount, now)
	}
	sent, err := s.sentSince(ctx, id, at.Since)
	if err == nil && fresh {
		at.Before = sent
		err = s.keep(ctx, id, x, at)
	}
	if err == nil {
		x.sent = max(sent-at.Before, 0)
	}
	return at, err
}

func (s *Service) unsend(x *paced) {
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	if x.now.Load().State == paceCount && x.sent > 0 {
		x.sent--
	}
}

// applies reports whether a template is to be paced: one of marketing that is not GREEN, or of utility while a pause of one is
// less than a week ago.
func (s *Service) applies(t *template.Template, now time.Time) bool {
	if t.Quality == template.QualityGreen || t.Sample {
		return false
	}
	if t.Category != template.Utility {
		return t.Category == template.Marketing
	}
	for _, o := range s.o.Template.List(t.WABA) {
		if o.Category == template.Utility && !o.Paused.IsZero() && now.Sub(o.Paused) < utilityMemory {
			return true
		}
	}
	return false
}

// sentSince is how many messages of the template went out, from the half hour of since on.
func (s *Service) sentSince(ctx context.Context, id wa.TemplateID, since int64) (n int, err error) {
	from := since / 1000 / analytics.HalfHour * analytics.HalfHour
	sums, err := s.o.Counts.Sum(ctx, &analytics.Sum{
		Subject: string(id), What: []string{analytics.Sent}, From: from, To: s.o.Clock.Now().Unix() + analytics.HalfHour,
		Step: s.o.Clock.Now().Unix() + analytics.HalfHour - from,
	})
	for _, c := range sums {
		n += int(c.N)
	}
	return n, err
}

// keep stores how far the pacing of a template is, and then shows it. It needs pacer.mu.
func (s *Service) keep(ctx context.Context, id wa.TemplateID, x *paced, p pace) error {
	n := s.noteOf(paceNote + string(id))
	n.Pace = p
	if err := s.save(ctx, paceNote+string(id), n); err != nil {
		return err
	}
	x.now.Store(&p)
	return nil
}

// Pacing says what becomes of a message of the template that was accepted at (Unix milliseconds): it waits, or fails with row,
// or goes. held: it is known that its sender was told that it waits.
func (s *Service) Pacing(id wa.TemplateID, at int64, held bool) (wait bool, row *wa.Error) {
	x, p := s.pacer.of(id)
	switch {
	case x == nil:
	case p.drops(at, held):
		return false, wa.ErrTemplatePaused
	case p.State == paceHold && at >= p.Since:
		return true, nil
	}
	return false, nil
}

// judge looks at the templates whose messages are held: those that became GREEN or have waited long enough are let go, those
// that became RED are dropped.
func (s *Service) judge(ctx context.Context) error {
	var errs []error
	now := s.o.Clock.Now()
	for _, id := range s.holding() {
		if strings.HasPrefix(string(id), portfolioPace) {
			errs = append(errs, s.judgePortfolio(ctx, id, now))
			continue
		}
		t, ok := s.o.Template.Template(id)
		due := s.looked(id, now)
		if ok && due {
			if err := s.rateTemplate(ctx, id); err != nil { // the hour runs on
				errs = append(errs, err)
				due = false
			}
			t, ok = s.o.Template.Template(id)
		}
		_, p := s.pacer.of(id)
		switch {
		case !ok, t.Status == template.Paused, t.Status == template.Disabled:
			errs = append(errs, s.end(ctx, id, paceDrop, now))
		case t.Quality == template.QualityRed && t.QualityAt.UnixMilli() >= p.Counted: // and not paused: the next send finds out why
			errs = append(errs, s.end(ctx, id, paceDrop, now))
		case t.Quality == template.QualityRed && now.UnixMilli() >= p.Until: // as it was when counting began
			err := s.o.Rate(ctx, id, template.QualityRed, true)
			if err == nil {
				err = s.end(ctx, id, paceDrop, now)
			}
			errs = append(errs, err)
		case due && t.Quality == template.QualityGreen, now.UnixMilli() >= p.Until:
			errs = append(errs, s.end(ctx, id, pacePass, now))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) holding() (list []wa.TemplateID) {
	s.pacer.list.Range(func(id, v any) bool {
		if v.(*paced).now.Load().State == paceHold {
			list = append(list, id.(wa.TemplateID))
		}
		return true
	})
	return list
}

// looked reports whether it is time to ask for the rating of a held template, and notes that it was.
func (s *Service) looked(id wa.TemplateID, now time.Time) bool {
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	x, p := s.pacer.of(id)
	if now.Before(x.look) {
		return false
	}
	x.look = now.Add(lookEvery)
	if until := time.UnixMilli(p.Until); x.look.After(until) && now.Before(until) {
		x.look = until
	}
	return true
}

// end ends a hold, and lets the lanes take up what waits.
func (s *Service) end(ctx context.Context, id wa.TemplateID, state string, now time.Time) error {
	s.pacer.mu.Lock()
	x, p := s.pacer.of(id)
	p.State, p.Until = state, now.UnixMilli()
	if state == paceDrop {
		p.Until += lateTime.Milliseconds()
	}
	err := s.keep(ctx, id, x, p)
	x.asked = time.Time{}
	release := s.pacer.release
	s.pacer.mu.Unlock()
	if err == nil && release != nil {
		release(s.heldBy(id))
	}
	return err
}
