//go:build load && linux

package load

import (
	"flag"
	"sync"
	"testing"
	"time"
)

// rest is how long the ramp waits for memory to come back; without, that part is left out.
var rest = flag.Duration("rest", 5*time.Minute, "how long memory may take to come back after the ramp")

// level is a step of the ramp.
type level struct {
	WABAs    int     `json:"wabas"`
	Created  float64 `json:"created_in_seconds"` // those that are new
	Most     int     `json:"goroutines"`         // at the busiest moment
	Working  int     `json:"webhook_workers"`    // the same
	RestWork int     `json:"webhook_workers_after"`
	steady
}

// TestRamp goes from 10 to 1,000 messages a second and from one account to 500, each with a number and a callback of its own,
// in one process, without tuning: nothing is refused, lost or doubled, workers follow the load, and memory comes back (R61).
func TestRamp(t *testing.T) {
	s := newStage(t, 10_000)
	empty := rss(t, s.process.PID())
	shops := tenants{s: s}
	first, most := 0, 0.0
	for _, step := range []struct{ accounts, rate int }{{1, 10}, {10, 50}, {100, 200}, {250, 500}, {500, 1000}} {
		m := level{WABAs: step.accounts}
		began := time.Now()
		from := shops.grow(step.accounts)
		m.Created = time.Since(began).Seconds()
		s.open()
		stop := s.watchWorkers(&m)
		m.steady = s.run(from, step.rate, first, *span/10)
		stop()
		first += m.Asked
		most = max(most, m.RSS)
		m.RestWork = int(s.metric("hikyaku_webhook_workers"))
		figures(t, "a step", m)
		if m.RestWork != 0 {
			t.Errorf("%d accounts: %d workers post webhooks although there are none", step.accounts, m.RestWork)
		}
	}
	if *rest > 0 {
		s.comeBack(empty, most)
	}
}

// watchWorkers notes the most goroutines and webhook workers until the function returned is called.
func (s *stage) watchWorkers(m *level) (stop func()) {
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.NewTicker(250 * time.Millisecond); ; {
			select {
			case <-over:
				tick.Stop()
				return
			case <-tick.C:
				m.Most = max(m.Most, int(s.metric("go_goroutines")))
				m.Working = max(m.Working, int(s.metric("hikyaku_webhook_workers")))
			}
		}
	})
	return func() {
		close(over)
		wg.Wait()
	}
}

// memory is how much of it the platform takes, resident MB.
type memory struct {
	Empty      float64 `json:"before_mb"` // with the users, without the accounts
	Peak       float64 `json:"peak_mb"`
	After      float64 `json:"after_mb"`
	Waited     float64 `json:"after_seconds"`
	Fresh      float64 `json:"fresh_start_mb"` // a process started anew on the same directory
	Goroutines int     `json:"goroutines_after"`
	Anew       int     `json:"goroutines_fresh"`
}

// slack is what a process that was busy may take beyond a fresh one on the same data: a fourth and this, in MB.
const slack = 24

// comeBack waits for memory to come back, as far as the program would take it when it was started anew on the same data: the
// users keep what they were sent, the accounts stay.
func (s *stage) comeBack(empty, most float64) {
	s.t.Helper()
	m := memory{Empty: empty, Peak: most}
	began := time.Now()
	least := most
	for time.Since(began) < *rest {
		time.Sleep(5 * time.Second)
		if now := rss(s.t, s.process.PID()); now < 0.98*least {
			least, m.Waited = now, time.Since(began).Seconds()
		}
	}
	m.After, m.Goroutines = rss(s.t, s.process.PID()), int(s.metric("go_goroutines"))
	if err := s.process.Stop(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	var err error
	if s.process, err = s.place.Start(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Ready(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.process.Kill)
	s.control("POST", "idle", map[string]string{"timeout": "1m"})
	m.Fresh, m.Anew = rss(s.t, s.process.PID()), int(s.metric("go_goroutines"))
	figures(s.t, "memory", m)
	if m.After > 1.25*m.Fresh+slack {
		s.t.Errorf("%.0f MB are taken after the load, %.0f MB after a fresh start", m.After, m.Fresh)
	}
	if m.Goroutines > m.Anew+32 {
		s.t.Errorf("%d goroutines after the load, %d after a fresh start", m.Goroutines, m.Anew)
	}
}
