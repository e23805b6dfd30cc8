package quality

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Event is something a user did with the chat of a business.
type Event struct {
	Number   wa.PhoneNumberID
	WABA     wa.WABAID
	Template wa.TemplateID // it is about; empty for none
	User     wa.WaID
	At       int64  // Unix milliseconds
	What     string // "block", "unblock", "report", "mute", "archive", "stop", "dislike"; others weigh nothing
	Reason   string // of a block
	Light    bool   // it weighs nothing: the number has not written to the user for a week
}

// TakeBack is how soon lifting a block takes its points back. Source: spec/quality.md section 7.1.
const TakeBack = 10 * time.Minute

const (
	dayMillis  = int64(24 * time.Hour / time.Millisecond)
	weekMillis = 7 * dayMillis
)

// points are those of an event for a number, or for a template. Source: spec/quality.md section 7.1.
func (e *Event) points(template bool) int {
	switch e.What {
	case "report":
		return 5
	case "block":
		switch e.Reason {
		case "spam", "offensive", "did_not_sign_up":
			return 4
		}
		return 3
	case "stop":
		if template {
			return 3
		}
		return 1
	case "mute", "archive", "dislike":
		return 1
	}
	return 0
}

// Points sums events into the last seven days before now, by UTC days. Events are in the order of time. The same kind by
// the same user counts once in seven days, the highest of them; a block that is lifted within ten minutes does not count.
func Points(events []Event, template bool, now int64) (days [Span]int) {
	type key struct {
		user wa.WaID
		what string
	}
	type counted struct {
		at     int64
		points int
	}
	seen := map[key]counted{}
	book := func(c counted, sign int) {
		if age := now/dayMillis - c.at/dayMillis; age >= 0 && age < Span {
			days[age] += sign * c.points
		}
	}
	for i := range events {
		e := &events[i]
		if e.What == "unblock" {
			k := key{e.User, "block"}
			if c, ok := seen[k]; ok && e.At-c.at <= TakeBack.Milliseconds() {
				book(c, -1)
				delete(seen, k)
			}
			continue
		}
		p := e.points(template)
		if p == 0 || e.Light {
			continue
		}
		k, c := key{e.User, e.What}, counted{e.At, p}
		old, again := seen[k]
		switch {
		case again && e.At-old.at < weekMillis && p <= old.points:
			continue
		case again && e.At-old.at < weekMillis:
			book(old, -1)
		}
		seen[k] = c
		book(c, 1)
	}
	return days
}
