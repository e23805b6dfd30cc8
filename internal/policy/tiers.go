package policy

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pricing"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// tierNote is the note of what a portfolio was told about volume tiers.
const tierNote = "tiers/"

// told is which tier was told last, by its first message: of an account, month, market and category.
type told struct {
	From map[string]int64 `json:"from"`
}

// volumes are the charged messages of a portfolio in a month, by pricing category and market.
type volumes map[string]map[string]int64

// tieredCategories have volume tiers. Those of authentication count together, whichever rate they cost. Source:
// spec/pricing.md section 3, "Volume tiers".
var tieredCategories = map[string][]string{"utility": {"utility"}, "authentication": {"authentication", "authentication-international"}}

// tierMemory is how long after a month its tiers are told: what was reached in its last hour, or while the platform was away.
const tierMemory = 24 * time.Hour

// tellTiers tells the accounts of a portfolio which volume tiers it has reached in the month, each in its own time zone. A
// notice is owed before it is remembered: a crash repeats it, which the contract allows. It needs Service.working.
func (s *Service) tellTiers(ctx context.Context, p *business.Portfolio) error {
	if len(s.o.Rates) == 0 {
		return nil
	}
	now := s.o.Clock.Now()
	key := tierNote + string(p.ID)
	note := s.noteOf(key)
	known := map[string]int64{}
	if note.Tiers != nil {
		known = maps.Clone(note.Tiers.From)
	}
	accounts := s.o.Business.WABAs(p.ID)
	months := map[string]volumes{}
	changed := false
	var failed error
	for _, w := range accounts {
		zone := analytics.Zone(w.TimezoneID)
		for _, at := range []time.Time{now.Add(-tierMemory), now} {
			card := s.o.Rates.At(at.In(zone), w.Currency)
			month := at.In(zone).Format(pricing.Month)
			if card == nil || !card.Tiered() || at.Before(now) && month == now.In(zone).Format(pricing.Month) {
				continue
			}
			v, ok := months[month]
			if !ok {
				var err error
				if v, err = s.volumes(ctx, accounts, month, now); err != nil {
					return errors.Join(failed, err)
				}
				months[month] = v
			}
			n, err := s.tellVolumes(ctx, w, card, v, month, known)
			changed, failed = changed || n > 0, errors.Join(failed, err)
		}
	}
	if !changed {
		return failed
	}
	old := now.AddDate(0, -2, 0).Format("2006-01")
	maps.DeleteFunc(known, func(k string, _ int64) bool { return strings.SplitN(k, "|", 3)[1] < old })
	note.Tiers = &told{From: known}
	return errors.Join(failed, s.save(ctx, key, note))
}

// tellVolumes tells one account, and notes it in known.
func (s *Service) tellVolumes(ctx context.Context, w *business.WABA, card *pricing.Card, v volumes, month string, known map[string]int64) (n int, err error) {
	for category, markets := range v {
		for market, count := range markets {
			t := card.At(market, category, max(count, 1))
			k := strings.Join([]string{string(w.ID), month, market, category}, "|")
			if t.From <= 1 || known[k] >= t.From {
				continue
			}
			if err := s.o.Business.TellTier(ctx, w.ID, business.VolumeTier{
				At: s.o.Clock.Now().Unix(), Category: strings.ToUpper(category), Tier: t.Range(), Month: month, Region: market,
			}); err != nil {
				return n, err
			}
			known[k] = t.From
			n++
		}
	}
	return n, nil
}

// volumes adds up what the accounts together were charged for in a month, which begins and ends for each of them at midnight in
// its own time zone: around the border a portfolio adds up two months at once.
func (s *Service) volumes(ctx context.Context, accounts []*business.WABA, month string, now time.Time) (volumes, error) {
	v := volumes{}
	for category, words := range tieredCategories {
		v[category] = map[string]int64{}
		var what []string
		for _, c := range words {
			what = append(what, analytics.Priced("regular", c))
		}
		for _, w := range accounts {
			start, err := time.ParseInLocation("2006-01", month, analytics.Zone(w.TimezoneID))
			if err != nil {
				return nil, err
			}
			if !start.Before(now) {
				continue // the month has not begun there
			}
			from, to := start.Unix(), start.AddDate(0, 1, 0).Unix()
			list, err := s.o.Counts.Sum(ctx, &analytics.Sum{Subject: string(w.ID), What: what, From: from, To: to, Step: to - from, ByCountry: true})
			if err != nil {
				return nil, err
			}
			for _, c := range list {
				v[category][pricing.MarketOf(c.Country, wa.CallingCodeOf(c.Country))] += c.N
			}
		}
	}
	return v, nil
}
