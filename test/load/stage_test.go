//go:build load && linux

package load

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/bench"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/test/child"
)

// span is how long a steady load lasts; a step of the ramp takes a tenth of it.
var span = flag.Duration("span", time.Minute, "how long a steady load lasts")

// stage is a sandbox with people, a receiver, and a ledger of every message and webhook.
type stage struct {
	t        *testing.T
	place    *child.Place
	start    child.Starter
	process  *child.Process
	people   int
	receiver *bench.Receiver
	ledger   *bench.Ledger
}

// newStage makes a multiple of 1,000 people.
func newStage(t *testing.T, people int) *stage {
	t.Helper()
	p, start, log := newPlace(t, t.TempDir())
	p.HTTP.Transport = &http.Transport{MaxIdleConnsPerHost: 512}
	s := &stage{t: t, place: p, start: start, process: launch(t, p, log), people: people}
	var err error
	if s.receiver, err = bench.NewReceiver(t.Context(), clock.System(), start.Secret, start.Verify, 1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.receiver.Close)
	s.open()
	s.graph("POST", start.App+"/subscriptions", start.App+"|"+start.Secret, map[string]any{
		"object": "whatsapp_business_account", "callback_url": s.receiver.URL(), "verify_token": start.Verify, "fields": "messages",
	})
	for block := range people / 1000 { // a call makes as many as it can within the client's patience
		s.control("POST", "users", map[string]any{"prefix": fmt.Sprintf("1555%04d", block), "count": 1000})
	}
	return s
}

// open begins a ledger for what is sent from now on.
func (s *stage) open() {
	s.ledger = bench.NewLedger(time.Now(), nil)
	s.receiver.Count(s.ledger)
}

// settle waits until nothing is on its way, and checks that nothing was lost, doubled or refused: accepted messages have all
// their statuses, and as many messages of users came as the platform took.
func (s *stage) settle(accepted, inbound int) bench.Tally {
	s.t.Helper()
	s.control("POST", "idle", map[string]string{"timeout": "1m"})
	var got bench.Tally
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = s.ledger.Tally(); got.Complete == int64(accepted) && got.Inbound == int64(inbound) {
			break
		}
	}
	if got.Accepted != int64(accepted) || got.Complete != int64(accepted) || got.Inbound != int64(inbound) ||
		got.Doubled+got.Strangers+got.Failed+got.Missing() != 0 {
		s.t.Errorf("want %d accepted with all statuses and %d of users, nothing else; got %+v", accepted, inbound, got)
	}
	return got
}

func (s *stage) control(method, path string, body any) []byte {
	s.t.Helper()
	a, err := s.place.Do(s.t.Context(), method, "/control/v1/"+path, body)
	if err != nil || a.Status != http.StatusOK {
		s.t.Fatalf("%s %s: %v %+v", method, path, err, a)
	}
	return a.Body
}

// graph calls the Graph API, insists on 200, and returns the answer's id, if any.
func (s *stage) graph(method, path, token string, body any) string {
	s.t.Helper()
	a, err := s.place.Graph(s.t.Context(), method, "v23.0/"+path, token, body)
	if err != nil || a.Status != http.StatusOK {
		s.t.Fatalf("%s %s: %v %s", method, path, err, answer(a))
	}
	return idOf(a.Body)
}

func answer(a *child.Answer) string {
	if a == nil {
		return ""
	}
	return string(a.Body)
}

func idOf(b []byte) string {
	var v struct{ ID string }
	_ = json.Unmarshal(b, &v) // an answer without id
	return v.ID
}

// sender is a number that sends, with what it needs for it.
type sender struct{ number, token, template string }

// live adds a live number to the starter account, which gets its webhooks, and lifts the account's messaging limit.
func (s *stage) live(i int) sender {
	s.t.Helper()
	s.control("POST", "portfolios/"+s.start.Business+"/limit", map[string]any{"tier": "TIER_UNLIMITED"})
	s.graph("POST", s.start.WABA+"/subscribed_apps", s.start.Token, nil)
	id := idOf(s.control("POST", "numbers", map[string]any{"phone": fmt.Sprintf("1202555%04d", i), "name": "Shop", "live": true}))
	return sender{id, s.start.Token, "hello_world"}
}

// send sends message i and returns the code of a refusal: -1 when nobody answered.
func (s *stage) send(from sender, i int) int {
	a, err := s.place.Graph(s.t.Context(), "POST", "v23.0/"+from.number+"/messages", from.token, map[string]any{
		"messaging_product": "whatsapp", "to": s.person(i), "type": "template",
		"template": map[string]any{"name": from.template, "language": map[string]string{"code": "en_US"}},
	})
	switch {
	case err != nil:
		return -1
	case a.Status != http.StatusOK:
		return a.Code()
	}
	s.ledger.Accepted([]byte(a.MessageID()), time.Now())
	return 0
}

// person is the number of a user.
func (s *stage) person(i int) string { return fmt.Sprintf("+1555%07d", i%s.people) }

// result is what became of a load.
type result struct {
	Rate     int             `json:"mps_asked"`
	Asked    int             `json:"asked"`
	Accepted int             `json:"accepted"`
	Refused  map[int]int     `json:"refused,omitempty"`
	Seconds  float64         `json:"seconds"`
	Accept   bench.Quantiles `json:"accept"` // from the instant a message was due to its answer
}

// sustain sends rate messages in every second for a time, from all senders in turn: message i leaves a second after message
// i-rate was answered, or when it is due, whichever is later. So no second holds more than rate, and every refusal is one
// too many.
func (s *stage) sustain(from []sender, rate, first int, long time.Duration) result {
	r := result{Rate: rate, Asked: int(long.Seconds() * float64(rate)), Refused: map[int]int{}}
	answered := make([]chan time.Time, r.Asked)
	for i := range answered {
		answered[i] = make(chan time.Time, 1)
	}
	took := bench.NewLatencies()
	var mu sync.Mutex
	var wg sync.WaitGroup
	workers := min(rate, 256)
	began := time.Now()
	for w := range workers {
		wg.Go(func() {
			for i := w; i < r.Asked; i += workers {
				at := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
				if i >= rate {
					if free := (<-answered[i-rate]).Add(time.Second + time.Millisecond); free.After(at) {
						at = free
					}
				}
				time.Sleep(time.Until(at))
				code := s.send(from[i%len(from)], first+i)
				now := time.Now()
				answered[i] <- now
				took.Record(now.Sub(at))
				mu.Lock()
				if code == 0 {
					r.Accepted++
				} else {
					r.Refused[code]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r.Seconds, r.Accept = time.Since(began).Seconds(), took.Quantiles()
	if r.Accepted != r.Asked {
		s.t.Errorf("%d messages a second: %d of %d accepted, refused %v", rate, r.Accepted, r.Asked, r.Refused)
	}
	return r
}

// burst sends n messages at once.
func (s *stage) burst(from sender, n, first int) (accepted int, refused map[int]int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	refused = map[int]int{}
	for i := range n {
		wg.Go(func() {
			code := s.send(from, first+i)
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

// metric reads a gauge or counter of the platform.
func (s *stage) metric(name string) float64 {
	s.t.Helper()
	a, err := s.place.Do(s.t.Context(), "GET", "/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(a.Body)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return v
		}
	}
	s.t.Fatalf("no metric %s", name)
	return 0
}

// figures logs measured values as a line of JSON.
func figures(t *testing.T, what string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("figures of %s: %s", what, b)
}
