package pipeline_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func errorIs(err, row error) bool { return errors.Is(err, row) }

func person(i int) wa.WaID { return wa.WaID(strconv.Itoa(16505600000 + i)) }

// sends tries n messages to as many people, all at once, and returns how many passed; others must be refused with 130429.
func (w *world) sends(number wa.PhoneNumberID, from, n int) (passed int) {
	w.tb.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range n {
		wg.Go(func() {
			m := template(person(from+i), "x")
			m.Number = number
			_, err := w.p.Accept(w.tb.Context(), m)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				passed++
			case !errors.Is(err, wa.ErrThroughput):
				w.tb.Errorf("refused with %v", err)
			}
		})
	}
	wg.Wait()
	return passed
}

// The vectors of spec/limits.md section 1.3 that need the lane.
func TestThroughput(t *testing.T) {
	t.Parallel()
	type step struct {
		at      time.Duration
		n, want int
		inbound bool
	}
	for _, c := range []struct {
		fact  string
		level func(n *business.Number)
		steps []step
	}{
		{"T1 to T3", nil, []step{{0, 80, 80, false}, {0, 1, 0, false}, {500 * time.Millisecond, 1, 0, false}, {999 * time.Millisecond, 1, 0, false}, {time.Second, 80, 80, false}}},
		{"T4", nil, []step{{0, 30, 30, true}, {100 * time.Millisecond, 51, 50, false}}},
		{"T5 and T6", nil, []step{{0, 100, 100, true}, {500 * time.Millisecond, 1, 0, false}, {time.Second, 1, 1, false}}},
		{"T7", nil, []step{{0, 40, 40, false}, {600 * time.Millisecond, 40, 40, false}, {990 * time.Millisecond, 1, 0, false}, {time.Second, 40, 40, false}, {time.Second, 1, 0, false}}},
		{"T8", func(n *business.Number) { n.OnBizApp = true }, []step{{0, 21, 20, false}}},
		{"T9", func(n *business.Number) { n.Level = business.High }, []step{{0, 1001, 1000, false}}},
		{"1,000 clients at once", nil, []step{{0, 1000, 80, false}, {time.Second, 1000, 80, false}}},
	} {
		t.Run(c.fact, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.level != nil {
				w.numbers.change(shop, c.level)
			}
			f := w.phone(ana)
			now, people := time.Duration(0), 0
			for i, s := range c.steps {
				w.clock.Advance(s.at - now)
				now = s.at
				got := 0
				if s.inbound {
					for range s.n {
						f.say(shop, "x")
						got++
					}
				} else {
					got = w.sends(shop, people, s.n)
				}
				people += s.n
				if got != s.want {
					t.Errorf("step %d: %d of %d passed, want %d", i+1, got, s.n, s.want)
				}
			}
			w.settle()
		})
	}
}

func TestNumbersDoNotShareThroughput(t *testing.T) { // T13
	t.Parallel()
	w := newWorld(t)
	if a, b := w.sends(shop, 0, 81), w.sends(shop2, 100, 81); a != 80 || b != 80 {
		t.Errorf("%d and %d passed", a, b)
	}
}

// What was used up is used up after a restart, too.
func TestThroughputSurvivesRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if n := w.sends(shop, 0, 60); n != 60 {
		t.Fatalf("%d passed", n)
	}
	w.clock.Advance(999 * time.Millisecond)
	w.kill()
	w.start()
	if n := w.sends(shop, 100, 60); n != 20 {
		t.Errorf("%d passed after the restart, want 20", n)
	}
	w.clock.Advance(time.Millisecond)
	if n := w.sends(shop, 200, 100); n != 60 {
		t.Errorf("%d passed a second later, want 60", n)
	}
}

// The vectors of spec/limits.md section 2.3 through Accept.
func TestPair(t *testing.T) {
	t.Parallel()
	type try struct{ at, refused float64 }
	burst := func(n int, every float64, then ...try) (list []try) {
		for i := range n {
			list = append(list, try{float64(i) * every, 0})
		}
		return append(list, then...)
	}
	w := newWorld(t, func(w *world) {
		w.numbers.change(shop, func(n *business.Number) { n.Level = business.High })
	})
	zero := time.Duration(0)
	for i, tries := range [][]try{
		{{0, 0}, {6, 0}, {12, 0}, {18, 0}},
		{{0, 0}, {3, 0}, {6, 6}, {11.999, 0.001}, {12, 0}},
		{{0, 0}, {5.999, 0}, {6, 6}, {12, 0}},
		{{0, 0}, {1, 0}, {2, 0}, {6, 12}, {17.9, 0.1}, {18, 0}, {24, 0}},
		{{0, 0}, {5, 0}, {10, 2}, {15, 0}, {20, 0}, {25, 2}, {30, 0}, {35, 0}},
		burst(45, 0, try{0, 270}, try{5.999, 264.001}, try{6, 264}, try{100, 170}, try{269.999, 0.001}, try{270, 0}),
		burst(20, 0.3, try{6, 114}, try{60, 60}, try{114, 6}, try{119.999, 0.001}, try{120, 0}),
		burst(30, 0.2, try{6, 174}, try{179.999, 0.001}, try{180, 0}),
	} {
		begin := zero
		for j, s := range tries {
			at := begin + time.Duration(s.at*1000+0.5)*time.Millisecond
			w.clock.Advance(at - zero)
			zero = at
			_, err := w.p.Accept(t.Context(), template(person(i), "x"))
			var row *wa.Error
			switch {
			case s.refused == 0 && err != nil:
				t.Errorf("vector %d, message %d: %v", i+1, j+1, err)
			case s.refused > 0 && (!errors.As(err, &row) || !errors.Is(err, wa.ErrPairRate) || fmt.Sprintf("%.3f", row.RetryIn) != fmt.Sprintf("%.3f", s.refused)):
				t.Errorf("vector %d, message %d: %v, want to wait %v", i+1, j+1, err, s.refused)
			}
		}
		w.clock.Advance(time.Hour)
		zero += time.Hour
	}
	// P10 and P11: other users and other numbers are not concerned, P6 survives a restart.
	for range 45 {
		w.accept(template(ana, "x"))
	}
	w.accept(template(bob, "x"))
	other := template(ana, "x")
	other.Number = shop2
	w.accept(other)
	w.kill()
	w.start()
	if _, err := w.p.Accept(t.Context(), template(ana, "x")); !errors.Is(err, wa.ErrPairRate) {
		t.Errorf("after a restart: %v", err)
	}
}

// A lane that is too far ahead of the store refuses sends, and goes on when the store has caught up.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	slow := &slowStore{gate: make(chan struct{})}
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) {
			slow.Store = o.Store
			o.Store, o.MaxLag = slow, 50
		}
		w.numbers.change(shop, func(n *business.Number) { n.Level = business.High })
	})
	passed := 0
	for i := range 200 {
		if _, err := w.p.Accept(t.Context(), template(person(i), "x")); err == nil {
			passed++
		} else if !errors.Is(err, wa.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if passed < 20 || passed > 60 {
		t.Errorf("%d passed with a bound of 50 records", passed)
	}
	f := w.phone(ana)
	prekey, wire := f.encrypt(shop, "hi")
	if a := <-f.post(shop, "c1", prekey, wire); !errors.Is(a.err, pipeline.ErrBusy) {
		t.Errorf("inbound: %v", a.err)
	}
	close(slow.gate)
	w.projected()
	w.accept(template(ana, "x"))
	if a := <-f.post(shop, "c1", prekey, wire); a.err != nil {
		t.Errorf("inbound after that: %v", a.err)
	}
}

// A campaign to people whom the number never wrote to is held up, not piled up.
func TestFirstContactsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) { o.Queue, o.Workers = 10, 200 } // the gate blocks workers
		w.numbers.change(shop, func(n *business.Number) { n.Level = business.High })
	})
	for i := range 100 {
		w.phone(person(i))
	}
	w.people.gate = make(chan struct{})
	var ids []wa.MessageID
	for i := range 100 {
		id, err := w.p.Accept(t.Context(), template(person(i), "x"))
		if err == nil {
			ids = append(ids, id)
		} else if !errors.Is(err, wa.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if len(ids) < 40 || len(ids) > 60 {
		t.Errorf("%d passed with a bound of 40", len(ids))
	}
	close(w.people.gate)
	w.settle()
	for _, id := range ids {
		w.ladder(id, accepted, sent, delivered)
	}
	w.accept(template(person(99), "x"))
	w.settle()
}
