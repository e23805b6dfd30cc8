package webhook

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
	"pgregory.net/rapid"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	d := builderOnly()
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		in, out := 0, 0
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "push") {
				events := testEvents(d, rapid.IntRange(0, 20).Draw(t, "n"), "1")
				for i := range events {
					events[i].id = wa.MessageID(fmt.Sprint(in + i))
				}
				in += len(events)
				q.push(events)
				continue
			}
			size := rapid.IntRange(0, 5000).Draw(t, "size")
			got := q.pop(nil, rapid.IntRange(1, 8).Draw(t, "n"), size)
			total := 0
			for _, e := range got {
				if want := fmt.Sprint(out); string(e.id) != want {
					t.Fatalf("event %s, want %s", e.id, want)
				}
				out++
				total += len(e.body)
			}
			if len(got) > 1 && total > size {
				t.Fatalf("%d bytes, limit %d", total, size)
			}
			if len(got) == 0 && in > out {
				t.Fatal("nothing taken from a queue that is not empty")
			}
		}
		want := 0
		for i := q.head; i < len(q.items); i++ {
			want += q.items[i].cost()
		}
		if q.len() != in-out || q.bytes != want {
			t.Fatalf("%d events, %d bytes; want %d, %d", q.len(), q.bytes, in-out, want)
		}
	})
}

// Whatever comes in and however jobs overlap: updates of one message leave in order and never in two jobs at once, and
// nothing is lost.
func TestQueueKeepsMessagesInOrder(t *testing.T) {
	t.Parallel()
	d := builderOnly()
	one := testEvents(d, 1, "1")[0]
	rapid.Check(t, func(t *rapid.T) {
		var (
			q    queue
			in   int
			jobs [][]event
			seen = map[wa.MessageID]int64{}
			out  int
		)
		finish := func(i int) {
			q.free(jobs[i])
			jobs = slices.Delete(jobs, i, i+1)
		}
		pop := func(n, size int) {
			got := q.pop(nil, n, size)
			if len(got) == 0 {
				return
			}
			for _, e := range got {
				for _, other := range jobs {
					if e.id != "" && slices.ContainsFunc(other, func(o event) bool { return o.id == e.id }) {
						t.Fatalf("message %s is on its way twice", e.id)
					}
				}
				if e.id != "" && e.born < seen[e.id] {
					t.Fatalf("update %d of message %s after %d", e.born, e.id, seen[e.id])
				}
				seen[e.id] = e.born
			}
			out += len(got)
			jobs = append(jobs, got)
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				var events []event
				for range rapid.IntRange(1, 8).Draw(t, "n") {
					in++
					e := one
					e.id, e.born = wa.MessageID(rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "id")), int64(in)
					events = append(events, e)
				}
				q.push(events)
			case 1:
				pop(rapid.IntRange(1, 5).Draw(t, "most"), rapid.IntRange(0, 5000).Draw(t, "size"))
			default:
				if len(jobs) > 0 {
					finish(rapid.IntRange(0, len(jobs)-1).Draw(t, "job"))
				}
			}
			if want := in - out; q.len()+q.aside != want || q.bytes != want*one.cost() {
				t.Fatalf("%d ready, %d aside, %d bytes; want %d events", q.len(), q.aside, q.bytes, want)
			}
		}
		for out < in { // nothing waits for ever
			for len(jobs) > 0 {
				finish(0)
			}
			if pop(1, maxBody); len(jobs) == 0 {
				t.Fatalf("%d of %d events came out", out, in)
			}
		}
		if q.bytes != 0 || q.aside != 0 {
			t.Fatalf("%d bytes, %d aside in an empty queue", q.bytes, q.aside)
		}
	})
}

func TestOneUpdateOfAMessageAtATime(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, maxUpdates} {
		t.Run(fmt.Sprint("batch=", batch), func(t *testing.T) {
			t.Parallel()
			r, h := newRig(t, func(o *Options) { o.BatchMax, o.BatchAbove = batch, 3 }), newHook(t)
			r.subscribe(testApp, testWABA, h.URL)
			h.hold()
			r.d.Start()
			r.logs[0].append(r.clock.Now(), r.status("A"), r.status("B"))
			r.wait("both in flight", func() bool { return h.inside.Load() == 2 })
			steps := []record.Kind{record.KindDelivered, record.KindRead, record.KindPlayed}
			for _, k := range steps {
				var recs []record.Record
				for _, id := range []string{"A", "B", "C"} {
					s := r.status(id)
					s.Of = k
					recs = append(recs, s)
				}
				r.logs[0].append(r.clock.Now(), recs...)
			}
			r.wait("C in flight, the others aside", func() bool {
				s := r.d.Stats()
				return h.inside.Load() == 3 && s[0].InFlight == 3 && s[0].Queued >= 6
			})
			h.release()
			r.idle()
			all := strings.Join(h.got(), "\n")
			for _, id := range []string{"A", "B", "C"} {
				last := -1
				for _, k := range steps {
					i := strings.Index(all, fmt.Sprintf(`"id":"wamid.%s","status":"%s"`, id, record.StatusOf(k)))
					if i < last {
						t.Errorf("message %s: %s is missing or early", id, record.StatusOf(k))
					}
					last = i
				}
			}
			if got := strings.Count(all, `"statuses"`); got != 11 {
				t.Errorf("%d statuses, want 11", got)
			}
			if m := r.d.memory.Load(); m != 0 {
				t.Errorf("%d bytes are still counted", m)
			}
		})
	}
}
