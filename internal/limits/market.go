package limits

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// The cap of everybody. Source: spec/limits.md section 4 (ours: what the real service does is adaptive and unpublished).
const (
	capPerPortfolio = 2
	capOverall      = 10
	capWindow       = 24 * time.Hour
	// HoldoutPause is how long a marketing template that was delivered keeps a person out of the experiment.
	HoldoutPause = 12 * time.Hour
)

// MarketCap bounds the marketing templates that one person gets.
type MarketCap struct {
	PerPortfolio int // in Window, from one portfolio; 0: 2
	Overall      int // in Window, from all; 0: 10
	Window       time.Duration
}

// Mark is a marketing template that counts: delivered at At, or on its way with At 0.
type Mark struct {
	At        int64 // Unix milliseconds
	Portfolio uint32
}

// Room reports whether one more of the portfolio may be sent at now.
func (c MarketCap) Room(marks []Mark, portfolio uint32, now int64) bool {
	mine, all := 0, 0
	for _, m := range marks {
		if m.At != 0 && m.At <= now-c.millis() {
			continue
		}
		all++
		if m.Portfolio == portfolio {
			mine++
		}
	}
	return mine < orElse(c.PerPortfolio, capPerPortfolio) && all < orElse(c.Overall, capOverall)
}

// Forget removes marks that no longer count, in place.
func (c MarketCap) Forget(marks []Mark, now int64) []Mark {
	kept := marks[:0]
	for _, m := range marks {
		if m.At == 0 || m.At > now-c.millis() {
			kept = append(kept, m)
		}
	}
	return kept
}

func (c MarketCap) millis() int64 {
	if c.Window == 0 {
		return capWindow.Milliseconds()
	}
	return c.Window.Milliseconds()
}

func orElse(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// uncapped are the countries where no cap is active: the European Economic Area, the United Kingdom, Japan, South Korea.
// Source: spec/limits.md section 4.
var uncapped = map[string]bool{
	"AT": true, "BE": true, "BG": true, "HR": true, "CY": true, "CZ": true, "DK": true, "EE": true, "FI": true, "FR": true,
	"DE": true, "GR": true, "HU": true, "IE": true, "IT": true, "LV": true, "LT": true, "LU": true, "MT": true, "NL": true,
	"PL": true, "PT": true, "RO": true, "SK": true, "SI": true, "ES": true, "SE": true,
	"IS": true, "LI": true, "NO": true,
	"GB": true, "JP": true, "KR": true,
}

// Capped reports whether there is a cap between a sender and a person: not when either of them is where none is active.
func Capped(sender, user wa.WaID) bool {
	for _, id := range []wa.WaID{user, sender} {
		if iso, _ := wa.CountryOf(id); uncapped[iso] {
			return false
		}
	}
	return true
}

// HeldOut reports whether a person belongs to the share, in thousandths, who get no marketing templates for an experiment. It
// is always the same people, and fewer of them in a smaller share. Who got one less than HoldoutPause ago, the last one at last
// (Unix milliseconds, 0 for none), is exempt.
func HeldOut(user wa.WaID, share int, last, now int64) bool {
	return share > 0 && int(mix(person(user))%1000) < share && last <= now-HoldoutPause.Milliseconds()
}
