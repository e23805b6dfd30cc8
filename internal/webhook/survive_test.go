package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// moody is a receiver that fails at random and remembers what it accepted.
type moody struct {
	mu     sync.Mutex
	random *rand.Rand
	fail   float64 // share of attempts
	seen   map[string]string
	bad    string
}

func (m *moody) Abort() {}

func (m *moody) Post(p *Post, _ time.Duration) (status int, err error) {
	if h, _ := Signature(testSecret, p.Body); p.SHA256 != h {
		m.bad = "signature"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.random.Float64() < m.fail {
		if m.random.IntN(2) == 0 {
			return 0, errors.New("connection reset")
		}
		return 503, nil
	}
	var in struct {
		Entry []struct {
			Changes []struct {
				Value struct{ Statuses []json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(p.Body, &in); err != nil {
		m.bad = err.Error()
	}
	for _, e := range in.Entry {
		for _, c := range e.Changes {
			for _, s := range c.Value.Statuses {
				m.take(s)
			}
		}
	}
	return 200, nil
}

// take notes a status; a repeat must have the same content.
func (m *moody) take(s json.RawMessage) {
	var id struct{ ID string }
	if err := json.Unmarshal(s, &id); err != nil {
		m.bad = err.Error()
	}
	if was, ok := m.seen[id.ID]; ok && was != string(s) {
		m.bad = "a repeat with another content"
	}
	m.seen[id.ID] = string(s)
}

func (m *moody) mood(fail float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// Whatever fails, whenever the process dies and however small the queues are: in the end every update has arrived.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &moody{random: rand.New(rand.NewPCG(1, rapid.Uint64().Draw(rt, "seed"))), seen: map[string]string{}}
		queue, batch := rapid.SampledFrom([]int{3, 20, 8192}).Draw(rt, "queue"), rapid.SampledFrom([]int{1, 10, 1000}).Draw(rt, "batch")
		r := newRig(t, func(o *Options) {
			o.Poster, o.QueueEvents, o.BatchMax, o.BatchAbove, o.SuspendAfter = m, queue, batch, 5, 6
		})
		err := r.subs.Subscribe(t.Context(), SubscribeRequest{
			App: testApp, Object: Object, CallbackURL: "https://hooks.example/wa", Fields: []Field{{Name: FieldMessages}}, Trusted: true,
		})
		if err == nil {
			err = r.subs.Link(t.Context(), testApp, testWABA, "", "")
		}
		if err != nil {
			rt.Fatal(err)
		}
		r.d.Start()
		n := 0
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "append", "mood", "pass", "save", "crash", "stop"}).Draw(rt, "step") {
			case "append":
				for range rapid.IntRange(1, 40).Draw(rt, "n") {
					r.logs[n%2].append(r.clock.Now(), r.status(fmt.Sprint(n)))
					n++
				}
			case "mood":
				m.mood(rapid.SampledFrom([]float64{0, 0.3, 0.9, 1}).Draw(rt, "fail"))
			case "pass":
				r.walk(time.Duration(rapid.IntRange(1, 3600).Draw(rt, "s")) * time.Second)
			case "save":
				if err := r.d.save(t.Context()); err != nil {
					rt.Fatal(err)
				}
			case "crash":
				r.crash(r.d)
				r.open()
				r.d.Start()
			case "stop":
				if err := r.d.Close(t.Context()); err != nil {
					rt.Fatal(err)
				}
				r.open()
				r.d.Start()
			}
		}
		m.mood(0)
		r.walk(3 * time.Hour)
		if len(m.seen) != n || m.bad != "" {
			rt.Fatalf("%d of %d updates arrived; %s", len(m.seen), n, m.bad)
		}
		if r.store.rowCount() != 0 || r.tally.lost.Load() != 0 || r.d.memory.Load() != 0 {
			rt.Fatalf("%d rows, %d lost, %d bytes counted", r.store.rowCount(), r.tally.lost.Load(), r.d.memory.Load())
		}
		for _, e := range r.d.all() {
			if e.pending != 0 || e.waiting != 0 || e.held != 0 || e.lagging() {
				rt.Fatalf("pending %d, waiting %d, held %d, lagging %v", e.pending, e.waiting, e.held, e.lagging())
			}
		}
		r.crash(r.d)
	})
}
