package business_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Whatever is tried and when: no more than ten codes are sent in 72 hours, no two within a minute, none before the time that a
// refusal named; and where nothing stands in the way one is sent, so that what is refused counts nothing. The model keeps every
// time for ever. Source: spec/limits.md section 7.
func TestCodesAgainstModel(t *testing.T) {
	t.Parallel()
	const minute, window = time.Minute, 72 * time.Hour
	s, c, _, cr := office(t, nil)
	digits := 81505556_0000
	rapid.Check(t, func(r *rapid.T) {
		digits++
		id := wa.WaID(fmt.Sprint(digits))
		n, err := s.AddNumber(t.Context(), business.NewNumber{WABA: "11", WaID: id, Name: "Aozora"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.RemoveNumber(t.Context(), n.ID, ""); err != nil {
				t.Error(err)
			}
		}()
		var sent []time.Time
		var blocked time.Time
		wrong := 0 // guesses since the last code
		for range rapid.IntRange(1, 40).Draw(r, "events") {
			c.now = c.now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, minute, minute, minute, time.Hour, 12 * time.Hour, window}).Draw(r, "pause"))
			if len(sent) > 0 && rapid.IntRange(0, 3).Draw(r, "guess") == 0 {
				guess := "000000"
				if guess == cr.codes[id] {
					guess = "000001"
				}
				var row *wa.Error
				wrong++
				if _, err := s.VerifyCode(t.Context(), n.ID, guess); !errors.As(err, &row) {
					r.Fatalf("a wrong code: %v", err)
				} else if row.RetryIn > 0 {
					blocked = c.now.Add(time.Duration(row.RetryIn * float64(time.Second)))
				}
				continue
			}
			live := 0
			for _, at := range sent {
				if c.now.Sub(at) < window {
					live++
				}
			}
			soon := len(sent) > 0 && c.now.Sub(sent[len(sent)-1]) < minute
			free := live < 10 && !soon && !c.now.Before(blocked)
			var row *wa.Error
			switch err := s.RequestCode(t.Context(), n.ID, business.BySMS, "ja"); {
			case err == nil && !free:
				r.Fatalf("sent, with %d in 72 hours, the last one at %v, blocked until %v", live, sent[max(len(sent)-1, 0)], blocked)
			case err == nil:
				sent, wrong = append(sent, c.now), 0
			case !errors.As(err, &row) || row.RetryIn <= 0:
				r.Fatal(err)
			case free && wrong < 5:
				r.Fatalf("refused, with %d in 72 hours: %v", live, err)
			default:
				blocked = c.now.Add(time.Duration(row.RetryIn * float64(time.Second)))
			}
		}
	})
}
