package bench

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func after(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func TestLedger(t *testing.T) {
	t.Parallel()
	var complete atomic.Int64
	l := NewLedger(start, func() { complete.Add(1) })
	status := func(id, s string, ms int) { l.Status([]byte(id), []byte(s), after(ms)) }
	l.Accepted([]byte("whole"), after(10))
	status("whole", "sent", 12)
	status("whole", "delivered", 15)
	status("whole", "read", 20)
	status("early", "sent", 5) // overtakes the accept answer
	status("early", "delivered", 6)
	status("early", "read", 7)
	l.Accepted([]byte("early"), after(8))
	l.Accepted([]byte("unread"), after(10))
	status("unread", "sent", 11)
	status("unread", "delivered", 11)
	l.Accepted([]byte("lost"), after(10))
	l.Accepted([]byte("failed"), after(10))
	status("failed", "failed", 11)
	l.Accepted([]byte("doubled"), after(10))
	for _, s := range []string{"sent", "sent", "delivered", "read", "read", "read"} {
		status("doubled", s, 11)
	}
	status("stranger", "sent", 11)
	status("whole", "played", 30) // none of ours
	l.Inbound([]byte("hello"), after(12))
	l.Inbound([]byte("hello"), after(13))
	want := Tally{
		Accepted: 6, Sent: 5, Delivered: 4, Read: 3, Failed: 1, Inbound: 1,
		MissingSent: 1, MissingDelivered: 1, MissingRead: 2, Doubled: 4, Strangers: 1, Opened: 8, Complete: 3,
	}
	if got := l.Tally(); got != want || got.Missing() != 4 {
		t.Errorf("tally %+v\nwant  %+v", got, want)
	}
	if l.Open() != 2 || complete.Load() != 4 {
		t.Errorf("%d open, %d complete", l.Open(), complete.Load())
	}
	// whole, early, unread, doubled and the stranger; what overtook the answer counts as 0.
	if q := l.toSent.Quantiles(); q.Count != 5 || q.Max != 2 || q.P50 != 1 {
		t.Errorf("sent after %+v", q)
	}
	if q := l.toRead.Quantiles(); q.Count != 3 || q.Max < 10 || q.Max > 10.1 {
		t.Errorf("read after %+v", q)
	}
	l.forgetLatencies()
	if q := l.toSent.Quantiles(); q.Count != 0 {
		t.Errorf("forgotten: %+v", q)
	}
}

// In whatever order events of many messages come, from many goroutines, and however often: nothing is lost, nothing is
// counted twice, and a message is complete once.
func TestLedgerAgainstAModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var complete atomic.Int64
		l := NewLedger(start, func() { complete.Add(1) })
		type step struct {
			id string
			do event
		}
		names := map[event]string{sent: "sent", delivered: "delivered", read: "read", failed: "failed"}
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				strconv.Itoa(rapid.IntRange(0, 12).Draw(t, "id")),
				rapid.SampledFrom([]event{accepted, accepted, sent, delivered, read, failed, inbound}).Draw(t, "event"),
			}
		}), 0, 150).Draw(t, "steps")
		model, doubled := map[string]event{}, int64(0)
		for _, s := range steps {
			if model[s.id]&s.do != 0 {
				doubled++
			}
			model[s.id] |= s.do
		}
		var wg sync.WaitGroup
		for part := range 4 {
			wg.Go(func() {
				for i := part; i < len(steps); i += 4 {
					switch s := steps[i]; s.do {
					case accepted:
						l.Accepted([]byte(s.id), after(i))
					case inbound:
						l.Inbound([]byte(s.id), after(i))
					default:
						l.Status([]byte(s.id), []byte(names[s.do]), after(i))
					}
				}
			})
		}
		wg.Wait()
		want, done := Tally{Doubled: doubled}, int64(0)
		for _, seen := range model {
			want.add(entry{seen: seen})
			if (entry{seen: seen}).done() {
				done++
			}
		}
		if got := l.Tally(); got != want {
			t.Fatalf("tally %+v\nwant  %+v", got, want)
		}
		if complete.Load() != done || l.Open() != want.Accepted-done {
			t.Fatalf("%d complete of %d, %d open", complete.Load(), done, l.Open())
		}
	})
}

// Budget: 400 ns and 60 bytes per event on one core of the reference machine.
func BenchmarkLedger(b *testing.B) {
	l := NewLedger(start, nil)
	id := []byte(messageID("16505551234", 0))
	b.ReportAllocs()
	for i := range b.N {
		copy(id[20:], strconv.AppendInt(nil, int64(i/4), 36))
		if i%4 == 0 {
			l.Accepted(id, start)
		} else {
			l.Status(id, []byte([]string{"sent", "delivered", "read"}[i%4-1]), start)
		}
	}
}
