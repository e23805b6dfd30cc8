package webhook

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
	"pgregory.net/rapid"
)

func testEvents(d *Dispatcher, n int, wabas ...wa.WABAID) []event {
	var out []event
	for i := range n {
		s := sampleStatus(record.KindSent)
		s.ID, s.WABA = wa.MessageID(fmt.Sprint("wamid.", i)), wabas[i%len(wabas)]
		u, _ := updateOf(s)
		e, _ := d.event(&u, newest, nil)
		out = append(out, e)
	}
	return out
}

func builderOnly() *Dispatcher { return &Dispatcher{build: sampleBuilder()} }

func TestBatchHoldsEveryChangeOnce(t *testing.T) {
	t.Parallel()
	d := builderOnly()
	events := testEvents(d, 5, "1", "2", "3")
	got := string(batch(nil, events))
	want := payloadOpen + `{"id":"1","changes":[` + string(events[0].change()) + `,` + string(events[3].change()) + `]},` +
		`{"id":"2","changes":[` + string(events[1].change()) + `,` + string(events[4].change()) + `]},` +
		`{"id":"3","changes":[` + string(events[2].change()) + `]}]}`
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if one := string(batch(nil, events[:1])); one != string(events[0].body) {
		t.Errorf("a batch of one differs from the single POST:\n%s\n%s", one, events[0].body)
	}
}

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
