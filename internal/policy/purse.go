package policy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// loadTill reads the purses back, and adds up what the ledger says of the months since they were saved. Months that are over are
// added to the notes, so that a start looks at the present one alone; and there at the sums that are kept with the ledger, but for a
// quarter of an hour where an account's first payment lies, or where several accounts crossed the border of a tier together.
func (s *Service) loadTill(ctx context.Context) error {
	s.till.mu.Lock()
	s.till.purses, s.till.meter = map[wa.WABAID]*purse{}, pricing.NewMeter(s.o.Rates)
	s.till.mu.Unlock()
	if !s.o.Billing.Refuses() {
		return nil
	}
	var err error
	for _, p := range s.o.Business.Portfolios() {
		accounts := s.o.Business.WABAs(p.ID)
		for _, w := range accounts {
			if n := s.noteOf(billNote + string(w.ID)); n.Purse != nil {
				p := *n.Purse
				s.till.purses[w.ID] = &p
			}
		}
		err = errors.Join(err, s.loadPurses(ctx, p.ID, accounts))
	}
	return err
}

// loadPurses does so for the accounts of a portfolio, which count together.
func (s *Service) loadPurses(ctx context.Context, owner wa.BusinessID, accounts []*business.WABA) error {
	now := s.o.Clock.Now()
	first, last := "9999-12", ""
	for _, w := range accounts {
		zone := analytics.Zone(w.TimezoneID)
		here := now.In(zone).Format(pricing.Month)
		first, last = min(first, here), max(last, here)
		if p := s.till.purses[w.ID]; p != nil {
			first = min(first, p.next(zone))
		}
	}
	for month := first; month <= last; month = after(month) {
		if err := s.loadMonth(ctx, owner, accounts, month, now); err != nil {
			return err
		}
	}
	return nil
}

// next is the first month whose charges are not in Spent.
func (p *purse) next(zone *time.Location) string {
	if p.Through != "" {
		return after(p.Through)
	}
	return time.UnixMilli(p.Since).In(zone).Format(pricing.Month)
}

func after(month string) string {
	t, err := time.Parse(pricing.Month, month)
	if err != nil {
		return "9999-12" // never written
	}
	return t.AddDate(0, 1, 0).Format(pricing.Month)
}

func (s *Service) loadMonth(ctx context.Context, owner wa.BusinessID, accounts []*business.WABA, month string, now time.Time) error {
	had := map[wa.WABAID]pricing.Micro{}
	for id, p := range s.till.purses {
		had[id] = p.Spent
	}
	if err := s.count(ctx, owner, accounts, month); err != nil {
		return err
	}
	s.till.mu.Lock()
	var over []wa.WABAID // accounts for which the month has ended
	for _, w := range accounts {
		p := s.till.purses[w.ID]
		switch {
		case p == nil:
		case month < p.next(analytics.Zone(w.TimezoneID)): // it is in the note already
			p.Spent = had[w.ID]
		case month < now.In(analytics.Zone(w.TimezoneID)).Format(pricing.Month):
			p.Through = month
			over = append(over, w.ID)
		}
	}
	s.till.mu.Unlock()
	for _, id := range over {
		key, p := billNote+string(id), *s.till.purses[id]
		n := s.noteOf(key)
		n.Purse = &p
		if err := s.save(ctx, key, n); err != nil {
			return err
		}
	}
	return nil
}

// count charges what the accounts were charged in a month: piece by piece of time, at whose ends an account's month begins or ends, or
// its purse does begin.
func (s *Service) count(ctx context.Context, owner wa.BusinessID, accounts []*business.WABA, month string) error {
	type span struct{ from, to int64 }
	spans := make([]span, len(accounts))
	var ends []int64
	for i, w := range accounts {
		start, err := time.ParseInLocation(pricing.Month, month, analytics.Zone(w.TimezoneID))
		if err != nil {
			return err
		}
		x := span{start.UnixMilli(), start.AddDate(0, 1, 0).UnixMilli()}
		spans[i], ends = x, append(ends, x.from, x.to)
		if p := s.till.purses[w.ID]; p != nil && x.from < p.Since && p.Since < x.to {
			ends = append(ends, p.Since)
		}
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	for i := 1; i < len(ends); i++ {
		r := reading{s: s, owner: owner}
		for k, w := range accounts {
			if spans[k].from <= ends[i-1] && ends[i] <= spans[k].to {
				r.ids = append(r.ids, w.ID)
			}
		}
		if len(r.ids) == 0 {
			continue
		}
		if err := r.piece(ctx, ends[i-1], ends[i]); err != nil {
			return err
		}
	}
	return nil
}

// reading charges the accounts of a portfolio what is in the ledger.
type reading struct {
	s     *Service
	owner wa.BusinessID
	ids   []wa.WABAID
}

// piece reads a time that does not have to begin and end at a quarter of an hour.
func (r *reading) piece(ctx context.Context, from, to int64) error {
	quarter := pricing.Quarter.Milliseconds()
	first, last := (from+quarter-1)/quarter*quarter, to/quarter*quarter
	if first >= last {
		return r.rows(ctx, from, to)
	}
	if err := r.rows(ctx, from, first); err != nil {
		return err
	}
	if err := r.sums(ctx, first, last); err != nil {
		return err
	}
	return r.rows(ctx, last, to)
}

// sums reads a time as a whole where the order of its charges does not matter, else its halves.
func (r *reading) sums(ctx context.Context, from, to int64) error {
	list, err := r.s.o.Ledger.Charged(ctx, r.ids, from, to)
	if err != nil || len(list) == 0 || r.bulk(from, list) {
		return err
	}
	quarter := pricing.Quarter.Milliseconds()
	if to-from <= quarter {
		return r.rows(ctx, from, to)
	}
	middle := from + (to-from)/quarter/2*quarter
	if err := r.sums(ctx, from, middle); err != nil {
		return err
	}
	return r.sums(ctx, middle, to)
}

// bulk is false, and nothing is charged, when the order matters.
func (r *reading) bulk(from int64, list []pricing.Volume) bool {
	t := &r.s.till
	t.mu.Lock()
	defer t.mu.Unlock()
	costs, ok := t.meter.Bulk(string(r.owner), from, list, func(id wa.WABAID) (pricing.Account, bool) {
		w, ok := r.s.o.Business.WABA(id)
		if !ok {
			return pricing.Account{}, false
		}
		return pricing.Account{Currency: w.Currency, Zone: analytics.Zone(w.TimezoneID)}, true
	})
	for id, cost := range costs {
		if p := t.purses[id]; p != nil && from >= p.Since {
			p.Spent += cost
		}
	}
	return ok
}

// rows reads charge by charge.
func (r *reading) rows(ctx context.Context, from, to int64) error {
	if from >= to {
		return nil
	}
	return r.s.o.Ledger.EachCharge(ctx, r.ids, from, to, func(c pricing.Charge) {
		r.s.till.mu.Lock()
		defer r.s.till.mu.Unlock()
		r.s.charge(c)
	})
}
