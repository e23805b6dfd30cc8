package webhook

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
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
