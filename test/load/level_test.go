//go:build load && linux

package load

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/test/child"
)

// stage is a sandbox with a live number, people, and an account without messaging limit.
type stage struct {
	t       *testing.T
	place   *child.Place
	start   child.Starter
	process *child.Process
	people  int
}

func newStage(t *testing.T, people int) *stage {
	t.Helper()
	p, start, log := newPlace(t, t.TempDir())
	p.HTTP.Transport = &http.Transport{MaxIdleConnsPerHost: 512}
	s := &stage{t, p, start, launch(t, p, log), people}
	s.control("POST", "portfolios/"+start.Business+"/limit", map[string]any{"tier": "TIER_UNLIMITED"})
	s.control("POST", "users", map[string]any{"prefix": "1555", "count": people})
	return s
}

func (s *stage) control(method, path string, body any) []byte {
	s.t.Helper()
	a, err := s.place.Do(s.t.Context(), method, "/control/v1/"+path, body)
	if err != nil || a.Status != http.StatusOK {
		s.t.Fatalf("%s %s: %v %+v", method, path, err, a)
	}
	return a.Body
}

// number adds a live number.
func (s *stage) number(i int) string {
	s.t.Helper()
	var n struct{ ID string }
	b := s.control("POST", "numbers", map[string]any{"phone": fmt.Sprintf("1202555%04d", i), "name": "Shop", "live": true})
	if err := json.Unmarshal(b, &n); err != nil {
		s.t.Fatal(err)
	}
	return n.ID
}

// send sends message i and returns the code of a refusal.
func (s *stage) send(number string, i int) int {
	a, err := s.place.Graph(s.t.Context(), "POST", "v23.0/"+number+"/messages", s.start.Token, map[string]any{
		"messaging_product": "whatsapp", "to": fmt.Sprintf("+1555%07d", i%s.people), "type": "template",
		"template": map[string]any{"name": "hello_world", "language": map[string]string{"code": "en_US"}},
	})
	switch {
	case err != nil:
		return -1
	case a.Status != http.StatusOK:
		return a.Code()
	}
	return 0
}

// sustain sends rate messages in every second for span, from as many numbers as there are in turn: message i leaves a second
// after message i-rate was answered, or when it is due, whichever is later. So no second holds more than rate, and every
// refusal is one too many. It returns how many were accepted, refused by code, and how long it took.
func (s *stage) sustain(numbers []string, rate, first int, span time.Duration) (accepted int, refused map[int]int, took time.Duration) {
	n := int(span.Seconds()) * rate
	answered := make([]chan time.Time, n)
	for i := range answered {
		answered[i] = make(chan time.Time, 1)
	}
	var ok atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	refused = map[int]int{}
	workers := min(rate, 256)
	began := time.Now()
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				at := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
				if i >= rate {
					if free := (<-answered[i-rate]).Add(time.Second + time.Millisecond); free.After(at) {
						at = free
					}
				}
				time.Sleep(time.Until(at))
				code := s.send(numbers[i%len(numbers)], first+i)
				answered[i] <- time.Now()
				if code == 0 {
					ok.Add(1)
					continue
				}
				mu.Lock()
				refused[code]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return int(ok.Load()), refused, time.Since(began)
}

// burst sends n messages at once.
func (s *stage) burst(number string, n, first int) (accepted int, refused map[int]int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	refused = map[int]int{}
	for i := range n {
		wg.Go(func() {
			code := s.send(number, first+i)
			mu.Lock()
			defer mu.Unlock()
			if code == 0 {
				accepted++
			} else {
				refused[code]++
			}
		})
	}
	wg.Wait()
	return accepted, refused
}

// TestEightyASecond sends at the first level for a minute, real time: nothing is refused, and the 81st message of a second is.
func TestEightyASecond(t *testing.T) {
	s := newStage(t, 2000)
	number := s.number(1)
	accepted, refused, took := s.sustain([]string{number}, 80, 0, time.Minute)
	t.Logf("%d accepted in %v, %.1f a second; refused %v", accepted, took.Round(time.Millisecond), float64(accepted)/took.Seconds(), refused)
	if accepted != 4800 || len(refused) != 0 {
		t.Error("want 4,800 accepted, none refused")
	}
	time.Sleep(1100 * time.Millisecond)
	accepted, refused = s.burst(number, 81, 0)
	if accepted != 80 || refused[130429] != 1 {
		t.Errorf("81 at once: %d accepted, refused %v", accepted, refused)
	}
}

// TestThousandASecond earns the next level by the rules, is away for the upgrade, and sends at that level for a minute.
func TestThousandASecond(t *testing.T) {
	s := newStage(t, 10_000)
	number := s.number(1)
	s.control("POST", "numbers/"+number+"/reached", map[string]any{"users": 100_000})
	s.control("POST", "evaluate", nil)
	if code := s.send(number, 0); code != 131057 {
		t.Errorf("during the upgrade: code %d", code)
	}
	began := time.Now()
	for s.send(number, 0) == 131057 && time.Since(began) < time.Minute {
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("away for %v", time.Since(began).Round(100*time.Millisecond))
	time.Sleep(1100 * time.Millisecond)
	accepted, refused, took := s.sustain([]string{number}, 1000, 1, time.Minute)
	t.Logf("%d accepted in %v, %.0f a second; refused %v; %.0f MB", accepted, took.Round(time.Millisecond), float64(accepted)/took.Seconds(), refused, rss(t, s.process.PID()))
	if accepted != 60_000 || len(refused) != 0 {
		t.Error("want 60,000 accepted, none refused")
	}
}

// TestRamp goes from 10 to 1,000 messages a second and from one number to 500 in one process, without tuning, and looks what
// is left of its memory a while after (R61).
func TestRamp(t *testing.T) {
	s := newStage(t, 10_000)
	idle := rss(t, s.process.PID())
	var numbers []string
	first, most := 0, 0.0
	for _, step := range []struct{ numbers, rate int }{{1, 10}, {10, 50}, {100, 200}, {250, 500}, {500, 1000}} {
		for len(numbers) < step.numbers {
			numbers = append(numbers, s.number(len(numbers)))
		}
		accepted, refused, took := s.sustain(numbers, step.rate, first, 6*time.Second)
		first += 6 * step.rate
		most = max(most, rss(t, s.process.PID()))
		t.Logf("%d numbers, %d a second: %d accepted in %v, refused %v, %.0f MB", step.numbers, step.rate, accepted, took.Round(time.Millisecond), refused, rss(t, s.process.PID()))
		if accepted != 6*step.rate {
			t.Errorf("want all accepted")
		}
	}
	s.control("POST", "idle", map[string]string{"timeout": "30s"})
	// The store gives its pages back after a quiet minute, the runtime its heap meanwhile.
	after := most
	for range 26 {
		time.Sleep(5 * time.Second)
		if after = rss(t, s.process.PID()); after < idle+(most-idle)/2 {
			break
		}
	}
	t.Logf("idle %.0f MB, under load %.0f MB, after it %.0f MB", idle, most, after)
	if after > idle+(most-idle)/2 {
		t.Error("more than half of what the load needed is still taken")
	}
}
