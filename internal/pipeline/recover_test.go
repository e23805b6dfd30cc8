package pipeline_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// load is traffic whose every promise is remembered.
type load struct {
	w      *world
	phones []*phone
	logs   []*faultyLog
	rand   *rand.Rand

	mu      sync.Mutex
	promise map[wa.MessageID]bool   // acknowledged sends
	said    map[string]wa.MessageID // acknowledged messages of devices, by device and client id
	wg      sync.WaitGroup
}

func newLoad(t *testing.T, seed uint64) *load {
	l := &load{rand: rand.New(rand.NewPCG(seed, 1)), promise: map[wa.MessageID]bool{}, said: map[string]wa.MessageID{}}
	l.w = newWorld(t, func(w *world) {
		for _, id := range []wa.PhoneNumberID{shop, shop2} {
			w.numbers.change(id, func(n *business.Number) { n.Level = business.High })
		}
		w.wrap = func(log pipeline.Log) pipeline.Log {
			f := newFaultyLog(log)
			l.logs = append(l.logs, f)
			return f
		}
		w.set = func(o *pipeline.Options) { o.Peers, o.Messages = 4, 16 }
	})
	for i := range 6 {
		l.phones = append(l.phones, l.w.phone(person(i)))
	}
	return l
}

// step starts a random piece of traffic and does not wait for it.
func (l *load) step(i int) {
	w, f := l.w, l.phones[l.rand.IntN(len(l.phones))]
	number := []wa.PhoneNumberID{shop, shop2}[l.rand.IntN(2)]
	p := w.p
	switch n := l.rand.IntN(10); {
	case n < 6:
		for range 1 + l.rand.IntN(8) {
			l.wg.Go(func() { l.send(p, f, number) })
		}
	case n < 9:
		l.say(f, number, fmt.Sprintf("client-%d", i))
	default:
		f.switchOn(l.rand.IntN(3) > 0)
	}
}

func (l *load) send(p *pipeline.Pipeline, f *phone, number wa.PhoneNumberID) {
	m := template(f.user, "x")
	m.Number, m.Opaque = number, "order"
	id, err := p.Accept(l.w.tb.Context(), m)
	if err != nil {
		if !errors.Is(err, wa.ErrUnavailable) && !errors.Is(err, wa.ErrPairRate) {
			l.w.tb.Errorf("accept: %v", err)
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.promise[id] {
		l.w.tb.Errorf("%s was given twice", id)
	}
	l.promise[id] = true
}

// say sends a message of a device and repeats it, the same bytes, until it is answered. Only one at a time, as sessions
// belong to the test's goroutine.
func (l *load) say(f *phone, number wa.PhoneNumberID, client string) {
	prekey, wire := f.encrypt(number, client)
	for range 200 {
		select {
		case a := <-f.post(number, client, prekey, wire):
			if a.err == nil {
				l.mu.Lock()
				l.said[string(f.device)+client] = a.id
				l.mu.Unlock()
				f.mu.Lock()
				f.sessions[number].Confirm()
				f.mu.Unlock()
				return
			}
			if !errors.Is(a.err, pipeline.ErrBusy) {
				l.w.tb.Errorf("device's message: %v", a.err)
				return
			}
			l.w.check(l.w.pace.Sleep(l.w.tb.Context(), 100*time.Millisecond))
		case <-l.w.tb.Context().Done():
			return
		}
	}
	l.w.tb.Errorf("the device's message %s finds no end", client)
}

// check settles everything and compares the journal with the promises.
func (l *load) check() {
	w := l.w
	w.tb.Helper()
	l.wg.Wait()
	w.settle()
	for _, f := range l.phones {
		f.switchOn(true)
	}
	w.connect()
	w.projected()
	accepted, counts := map[wa.MessageID]int{}, map[wa.MessageID]map[record.Kind]int{}
	inbound := map[string]int{}
	for _, r := range w.records() {
		switch r := r.(type) {
		case *record.Accepted:
			accepted[r.ID]++
			counts[r.ID] = map[record.Kind]int{}
		case *record.Status:
			if counts[r.ID] == nil {
				w.tb.Fatalf("%s has a status and was never accepted", r.ID)
			}
			counts[r.ID][r.Of]++
		case *record.Received:
			inbound[string(r.Device)+r.ClientID]++
			if id, ok := l.said[string(r.Device)+r.ClientID]; ok && id != r.ID {
				w.tb.Errorf("%s was told %s, recorded %s", r.Device, id, r.ID)
			}
		}
	}
	for id := range l.promise {
		if accepted[id] != 1 {
			w.tb.Errorf("%s was acknowledged and accepted %d times", id, accepted[id])
		}
	}
	for id, c := range counts {
		if c[sent] != 1 || c[delivered] != 1 || len(c) != 2 {
			w.tb.Errorf("%s has %d sent, %d delivered, %d failed", id, c[sent], c[delivered], c[failed])
		}
	}
	for key := range l.said {
		if inbound[key] != 1 {
			w.tb.Errorf("%s was received %d times", key, inbound[key])
		}
	}
	got := 0
	for _, f := range l.phones {
		got += len(f.received())
		for _, err := range f.broken {
			w.tb.Errorf("phone %s: %v", f.user, err)
		}
		if left, err := w.store.MailboxAfter(w.tb.Context(), f.device, 0, 100); err != nil || len(left) > 0 {
			w.tb.Errorf("mailbox of %s keeps %d items, %v", f.user, len(left), err)
		}
	}
	if got != len(counts) {
		w.tb.Errorf("%d accepted, %d on phones", len(counts), got)
	}
	if n := w.boxes.reserved(); n != 0 {
		w.tb.Errorf("%d positions are neither put nor skipped", n)
	}
	if w.p.Lag() != 0 || w.p.Queued() != 0 {
		w.tb.Errorf("at rest with a lag of %d and %d queued", w.p.Lag(), w.p.Queued())
	}
}

// A kill anywhere loses nothing acknowledged, sends nothing twice and uses no message key twice.
func TestKills(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			l := newLoad(t, seed)
			for i := range 60 {
				l.step(i)
				l.w.clock.Advance(time.Duration(l.rand.IntN(20)) * time.Second)
				if l.rand.IntN(12) == 0 {
					l.w.kill()
					l.w.start()
				}
			}
			l.check()
			t.Logf("%d accepted, %d items left the process", len(l.promise), l.w.wires.count)
		})
	}
}

// The same with a journal that refuses, or takes frames and does not say so.
func TestJournalFails(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			l := newLoad(t, 100+seed)
			for i := range 60 {
				l.step(i)
				l.w.clock.Advance(time.Duration(l.rand.IntN(20)) * time.Second)
				switch l.rand.IntN(24) {
				case 0, 1, 2:
					l.logs[len(l.logs)-1-l.rand.IntN(2)].fail(1+l.rand.IntN(3), l.rand.IntN(2) == 0)
				case 3:
					l.w.kill()
					l.w.start()
				case 4:
					l.w.check(l.w.pace.Sleep(t.Context(), 200*time.Millisecond))
				}
			}
			l.check()
			faults := 0
			for _, f := range l.logs {
				faults += f.faults
			}
			t.Logf("%d accepted, %d faults, %d recoveries since the last start", len(l.promise), faults, l.w.p.Counts().Recovered.Load())
		})
	}
}

// While the journal refuses, sends are refused with 131016; afterwards all goes on by itself.
func TestRefusesWhileJournalFails(t *testing.T) {
	t.Parallel()
	for _, landed := range []bool{false, true} {
		t.Run(fmt.Sprint("landed ", landed), func(t *testing.T) {
			t.Parallel()
			l := newLoad(t, 7)
			w, f := l.w, l.phones[0]
			log := l.logs[w.p.Partition(shop)]
			first := w.accept(template(f.user, "before"))
			w.settle()
			log.fail(1, landed)
			_, err := w.p.Accept(t.Context(), template(f.user, "lost"))
			if !errors.Is(err, wa.ErrUnavailable) {
				t.Fatalf("accept: %v", err)
			}
			w.settle()
			if n := w.p.Counts().Recovered.Load(); n != 1 {
				t.Errorf("%d recoveries", n)
			}
			w.ladder(first, accepted, sent, delivered)
			again := w.accept(template(f.user, "after"))
			w.settle()
			w.ladder(again, accepted, sent, delivered)
			want := 2
			if landed {
				want = 3 // what was refused may still go out
			}
			if got := len(f.received()); got != want {
				t.Errorf("%d messages came, want %d", got, want)
			}
			l.check()
		})
	}
}

// A failure at each single append of a short story, refused or landed.
func TestFailureAtEveryAppend(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 9; n++ {
		for _, landed := range []bool{false, true} {
			t.Run(fmt.Sprint(n, landed), func(t *testing.T) {
				t.Parallel()
				l := newLoad(t, 1)
				w, f := l.w, l.phones[0]
				l.logs[w.p.Partition(shop)].fail(n, landed)
				for i := range 3 {
					l.say(f, shop, fmt.Sprint("client-", i))
					l.send(w.p, f, shop)
					for id, number := range l.said {
						if err := w.p.Mark(t.Context(), shop, number, false); err != nil && !errors.Is(err, wa.ErrUnavailable) {
							t.Errorf("mark %s: %v", id, err)
						}
					}
					w.settle()
					w.clock.Advance(time.Minute)
				}
				l.check()
			})
		}
	}
}

// seeds are those of the random stories. SOAK=100 makes a hundred more.
func seeds() (list []uint64) {
	n, _ := strconv.ParseUint(os.Getenv("SOAK"), 10, 64)
	for i := range 6 + n {
		list = append(list, i)
	}
	return list
}
