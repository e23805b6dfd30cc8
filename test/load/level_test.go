//go:build load && linux

package load

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/bench"
)

// awayMost is how long an upgrade may take. Source: spec/limits.md section 3.
const awayMost = time.Minute

// steady is what a load at one level measured.
type steady struct {
	result
	Away        float64     `json:"away_seconds,omitempty"`
	Tally       bench.Tally `json:"messages"`
	ToSent      quantiles   `json:"webhook_sent"` // from the accept answer to the answer of the webhook
	ToDelivered quantiles   `json:"webhook_delivered"`
	ToRead      quantiles   `json:"webhook_read"`
	CPU         float64     `json:"platform_cpu"` // share of one processor
	RSS         float64     `json:"platform_rss_mb"`
}

type quantiles = bench.Quantiles

// run puts a steady load on and waits until everything is in.
func (s *stage) run(from []sender, rate, first int, long time.Duration) steady {
	before := cpu(s.t, s.process.PID())
	m := steady{result: s.sustain(from, rate, first, long)}
	m.CPU = (cpu(s.t, s.process.PID()) - before).Seconds() / m.Seconds
	m.RSS = rss(s.t, s.process.PID())
	m.Tally = s.settle(m.Accepted, 0)
	m.ToSent, m.ToDelivered, m.ToRead = s.ledger.Quantiles()
	return m
}

// TestEightyASecond sends at the first level for a minute, real time: nothing is refused, and the 81st message of a second is.
func TestEightyASecond(t *testing.T) {
	s := newStage(t, 2000)
	from := s.live(1)
	figures(t, "80 a second", s.run([]sender{from}, 80, 0, *span))
	time.Sleep(1100 * time.Millisecond)
	s.open()
	accepted, refused := s.burst(from, 81, 0)
	if accepted != 80 || refused[130429] != 1 {
		t.Errorf("81 at once: %d accepted, refused %v", accepted, refused)
	}
	s.settle(80, 0)
}

// TestThousandASecond earns the next level by the rules, is away for the upgrade while people write to it, and sends at that
// level for a minute.
func TestThousandASecond(t *testing.T) {
	s := newStage(t, 10_000)
	from := s.live(1)
	s.control("POST", "numbers/"+from.number+"/reached", map[string]any{"users": 100_000})
	s.control("POST", "evaluate", nil)
	began := time.Now()
	if code := s.send(from, 0); code != 131057 {
		t.Fatalf("during the upgrade: code %d", code)
	}
	const writers = 100
	var writing sync.WaitGroup
	for w := range 10 { // nobody of them is told no
		writing.Go(func() {
			for i := w; i < writers; i += 10 {
				a, err := s.place.Do(t.Context(), "POST", "/control/v1/users/"+strings.TrimPrefix(s.person(i), "+")+"/messages", map[string]any{
					"to": "12025550001", "type": "text", "text": map[string]string{"body": "Are you open?"},
				})
				if err != nil || a.Status != 200 {
					t.Errorf("a person writes: %v %s", err, answer(a))
				}
			}
		})
	}
	accepted := 0
	for code := 131057; code == 131057; time.Sleep(20 * time.Millisecond) {
		arrived := s.ledger.Tally().Inbound
		switch code = s.send(from, 0); {
		case code == 0:
			accepted++
		case code != 131057 || time.Since(began) > awayMost:
			t.Fatalf("after %v: code %d", time.Since(began), code)
		case arrived > 0:
			t.Errorf("%d messages of people arrived while the number was away", arrived)
		}
	}
	away := time.Since(began).Seconds()
	writing.Wait()
	s.settle(accepted, writers)
	if a, err := s.place.Graph(t.Context(), "GET", "v23.0/"+from.number+"?fields=throughput", from.token, nil); err != nil ||
		!strings.Contains(string(a.Body), `"level":"HIGH"`) {
		t.Errorf("the number says: %v %s", err, answer(a))
	}
	time.Sleep(1100 * time.Millisecond)
	s.open()
	m := s.run([]sender{from}, 1000, 1, *span)
	m.Away = away
	figures(t, "1,000 a second", m)
}
