package policy

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Marketing is what bounds marketing templates. The zero value caps everybody alike. Source: spec/limits.md section 4.
type Marketing struct {
	Cap      limits.MarketCap
	Adaptive bool     // the cap of a person follows their read rate
	Paused   []string // countries, ISO 3166 alpha-2, whose people get none
	Holdout  int      // thousandths of all people who get none, for an experiment
}

type marketShard struct {
	mu    sync.Mutex
	marks map[wa.WaID][]limits.Mark
	seen  recent[*limits.Attention] // with Adaptive
	last  recent[int64]             // with Holdout: when people who would be held out got their last one, Unix milliseconds
}

// seenFor is how long it counts what a person made of marketing templates: as long as messages are kept at most.
const seenFor = 30 * 24 * time.Hour

// unwanted is the row that a marketing template fails with whatever room there is: the person wants none, is held out, or lives
// where none are sent.
func (s *Service) unwanted(n *business.Number, m Send, now int64) *wa.Error {
	if s.optedOut(n.ID, m.User) {
		return wa.ErrOptOut
	}
	if m.Outside && !m.Entry && s.o.Marketing.Holdout > 0 {
		h := s.shard(m.User)
		h.mu.Lock()
		last, _ := h.last.get(m.User, now, limits.HoldoutPause)
		out := limits.HeldOut(m.User, s.o.Marketing.Holdout, last, now)
		h.mu.Unlock()
		if out {
			return wa.ErrExperiment
		}
	}
	if len(s.o.Marketing.Paused) > 0 {
		if iso, _ := wa.CountryOf(m.User); slices.Contains(s.o.Marketing.Paused, iso) {
			return wa.ErrEcosystem
		}
	}
	return nil
}

// capped reports whether the message counts against the person's share of marketing.
func (s *Service) capped(n *business.Number, m Send) bool {
	return s.marketing(m) && limits.Capped(n.WaID, m.User)
}

// Seen takes over who got and read marketing templates. It is called when the store shows it, and returns at once.
func (s *Service) Seen(list []limits.Seen) {
	if !s.o.Marketing.Adaptive {
		return
	}
	now := s.o.Clock.Now().UnixMilli()
	for _, x := range list {
		h := s.shard(x.User)
		h.mu.Lock()
		a, ok := h.seen.get(x.User, now, seenFor)
		if !ok {
			a = new(limits.Attention)
		}
		a.Note(x)
		h.seen.put(x.User, a)
		h.mu.Unlock()
	}
}

// loadSeen reads back what people made of marketing templates.
func (s *Service) loadSeen(ctx context.Context) error {
	if !s.o.Marketing.Adaptive {
		return nil
	}
	for i := range s.market {
		h := &s.market[i]
		h.mu.Lock()
		h.seen = recent[*limits.Attention]{}
		h.mu.Unlock()
	}
	since := s.o.Clock.Now().Add(-seenFor).UnixMilli()
	return s.o.Memory.MarketingSeen(ctx, since, func(x limits.Seen) { s.Seen([]limits.Seen{x}) })
}

// got keeps that a marketing template reached a person at at, whether anybody is capped or not, for the experiment.
func (s *Service) got(user wa.WaID, at, now int64) {
	if !limits.HeldOut(user, s.o.Marketing.Holdout, 0, now) {
		return // never asked about
	}
	h := s.shard(user)
	h.mu.Lock()
	defer h.mu.Unlock()
	last, _ := h.last.get(user, now, limits.HoldoutPause)
	h.last.put(user, max(last, at))
}

// loadLast reads back who got a marketing template of late.
func (s *Service) loadLast(ctx context.Context) error {
	if s.o.Marketing.Holdout <= 0 {
		return nil
	}
	now := s.o.Clock.Now()
	return s.o.Memory.ArrivedSince(ctx, now.Add(-limits.HoldoutPause).UnixMilli(), func(x limits.Arrived) {
		if _, ok := s.counts(x.Number); ok && s.marketing(Send{Template: x.Template, Category: x.Category}) {
			s.got(x.User, x.At, now.UnixMilli())
		}
	})
}

// capOf is the cap of a person. It needs the lock of their shard.
func (s *Service) capOf(h *marketShard, user wa.WaID) limits.MarketCap {
	c := s.o.Marketing.Cap
	if a, ok := h.seen.get(user, s.o.Clock.Now().UnixMilli(), seenFor); ok {
		c.PerPortfolio = limits.Adaptive(a.Rate())
	}
	return c
}

func (s *Service) shard(user wa.WaID) *marketShard {
	h := uint32(2166136261)
	for i := range len(user) {
		h = (h ^ uint32(user[i])) * 16777619
	}
	return &s.market[h%shards]
}

func (s *Service) reserve(user wa.WaID, index uint32, now int64) bool {
	h := s.shard(user)
	h.mu.Lock()
	defer h.mu.Unlock()
	c := s.capOf(h, user)
	marks := c.Forget(h.marks[user], now)
	ok := c.Room(marks, index, now)
	if ok {
		marks = append(marks, limits.Mark{Portfolio: index})
	}
	h.keep(user, marks)
	return ok
}

// settle gives the mark of a message on its way the time it was delivered at; 0 takes it back.
func (s *Service) settle(user wa.WaID, index uint32, at int64) {
	h := s.shard(user)
	h.mu.Lock()
	defer h.mu.Unlock()
	marks := h.marks[user]
	for i := range marks {
		if marks[i].At != 0 || marks[i].Portfolio != index {
			continue
		}
		if at == 0 {
			marks = append(marks[:i], marks[i+1:]...)
		} else {
			marks[i].At = at
		}
		h.keep(user, marks)
		return
	}
	if at != 0 {
		h.keep(user, append(marks, limits.Mark{At: at, Portfolio: index}))
	}
}

func (h *marketShard) keep(user wa.WaID, marks []limits.Mark) {
	if len(marks) == 0 {
		delete(h.marks, user)
		return
	}
	h.marks[user] = marks
}

// mark restores a mark of before a restart.
func (s *Service) mark(r limits.Reached) {
	n, ok := s.counts(r.Number)
	if !ok || !limits.Capped(n.WaID, r.User) {
		return
	}
	h := s.shard(r.User)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.marks[r.User] = append(h.marks[r.User], limits.Mark{At: r.At, Portfolio: s.portfolio(n.Business).index})
}
