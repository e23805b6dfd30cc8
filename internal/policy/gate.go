package policy

import (
	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/quality"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Send is a template on its way, as the gate sees it.
type Send struct {
	User     wa.WaID
	Template wa.TemplateID
	Category string // pricing category, which is another one than the template's once it is priced
	Outside  bool   // no customer service window is open
	Entry    bool   // a free entry point is open
}

// marketing reports whether the template is one of marketing, whatever it costs: it may be free by an entry point, and has
// another category when it goes through the marketing API.
func (s *Service) marketing(m Send) bool {
	switch m.Category {
	case "marketing", "marketing_lite":
		return true
	case "utility", "authentication":
		return false
	}
	t, ok := s.o.Template.Template(m.Template)
	return ok && t.Category == template.Marketing
}

// Admit returns nil when the template may go out at now (Unix milliseconds), else the row it fails with: opted out, held out
// of marketing by an experiment, marketing is paused in the person's country, the person's share of it is used up, the
// portfolio's messaging limit is, payment is missing, or a sanction is in force.
// What passes may hold room until Settle. Messages of test numbers hold nothing, and only a sanction keeps them
// back. What comes before all of this is asked of Closed. Source:
// spec/limits.md sections 3 and 4, spec/pricing.md section 4, spec/quality.md section 5.
func (s *Service) Admit(n *business.Number, m Send, now int64) *wa.Error {
	barred := s.barred(n, now)
	if n.Mode == business.Sandbox {
		return barred
	}
	if s.marketing(m) {
		if row := s.unwanted(n, m, now); row != nil {
			return row
		}
	}
	if paid := s.paid(n, m); !paid || barred != nil {
		// Asked before room is taken, and told after those whose room is.
		if m.Outside && !s.hold(n, m, now, false) {
			return s.refusal(n, m, now)
		}
		if !paid {
			return wa.ErrPayment
		}
		return barred
	}
	if !m.Outside || s.hold(n, m, now, true) {
		return nil
	}
	return s.refusal(n, m, now)
}

// hold takes the room a message needs; without keep it only looks.
func (s *Service) hold(n *business.Number, m Send, now int64, keep bool) bool {
	p := s.portfolio(n.Business)
	if s.capped(n, m) && !s.reserve(m.User, p.index, now) {
		return false
	}
	limit := s.limit(n.Business)
	ok := limit == limits.Unlimited || p.reach.Reserve(m.User, now, limit)
	if (!ok || !keep) && s.capped(n, m) {
		s.settle(m.User, p.index, 0)
	}
	if ok && !keep && limit != limits.Unlimited {
		p.reach.Release(m.User)
	}
	return ok
}

// refusal says which of the two limits refused. Source: spec/errors.md section 2: the person's own comes first.
func (s *Service) refusal(n *business.Number, m Send, now int64) *wa.Error {
	p := s.portfolio(n.Business)
	if s.capped(n, m) {
		if !s.reserve(m.User, p.index, now) {
			return wa.ErrEcosystem
		}
		s.settle(m.User, p.index, 0)
	}
	return wa.ErrSpam
}

// Settle ends what a message holds. Of a delivery outside a window it returns from when the user counts.
func (s *Service) Settle(n *business.Number, m Send, delivered bool, now int64) (since int64) {
	if n.Mode == business.Sandbox {
		return 0
	}
	if delivered && s.o.Marketing.Holdout > 0 && s.marketing(m) {
		s.got(m.User, now, now)
	}
	if !m.Outside {
		return 0
	}
	p := s.portfolio(n.Business)
	if s.capped(n, m) {
		at := now
		if !delivered {
			at = 0
		}
		s.settle(m.User, p.index, at)
	}
	switch {
	case !delivered:
		p.reach.Release(m.User)
		return 0
	case s.limit(n.Business) == limits.Unlimited:
		p.reach.Release(m.User) // of before the portfolio was raised
		return now              // it counts for the number's throughput
	}
	return p.reach.Deliver(m.User, now)
}

// Full reports whether the portfolio's messaging limit is used up at now.
func (s *Service) Full(id wa.BusinessID, now int64) bool {
	limit := s.limit(id)
	return limit != limits.Unlimited && s.portfolio(id).reach.Used(now) >= limit
}

// Used is how many people count against the portfolio's limit, and the limit; -1 for none.
func (s *Service) Used(id wa.BusinessID, now int64) (used, limit int) {
	return s.portfolio(id).reach.Used(now), s.limit(id)
}

func (s *Service) limit(id wa.BusinessID) int {
	p, ok := s.o.Business.Portfolio(id)
	if !ok {
		return limits.Reach250
	}
	return p.Reach()
}

// ---- what users want ----

func (s *Service) optedOut(number wa.PhoneNumberID, user wa.WaID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped[pair{number, user}]
}

// Heard takes over what users did, in the order of time, and who was reached. It is called when the store shows it, and
// returns at once.
func (s *Service) Heard(events []quality.Event, counts []analytics.Count) {
	for i := range counts {
		if counts[i].What == analytics.Users {
			s.mu.Lock()
			s.active[counts[i].Subject] = true
			s.mu.Unlock()
		}
	}
	if len(events) == 0 {
		return
	}
	s.listen(events)
	s.mu.Lock()
	for i := range events {
		s.dirty[string(events[i].Number)] = true
		if t := events[i].Template; t != "" {
			s.dirty[string(t)] = true
		}
	}
	s.mu.Unlock()
	s.Poke()
}

func (s *Service) listen(events []quality.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range events {
		k := pair{events[i].Number, events[i].User}
		switch events[i].What {
		case "stop":
			s.stopped[k] = true
		case "resume":
			delete(s.stopped, k)
		}
	}
}
