package storetest

import (
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// history: what a number sent, in pages to and fro, wherever it lies among what others did.
func history(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if p, err := s.History(ctx, "1", 0, false, 3); err != nil || len(p.List) != 0 || p.More || p.Rest != 0 {
		t.Errorf("of nothing: %+v, %v", p, err)
	}
	var insert []*pipeline.Message
	add := func(number wa.PhoneNumberID, state pipeline.State, times int) {
		for range times {
			insert = append(insert, &pipeline.Message{ID: wa.MessageID(fmt.Sprint("m", len(insert))), Number: number, User: "1555", State: state, Code: len(insert)})
		}
	}
	add("1", pipeline.StateRead, 2)
	add("2", pipeline.StateRead, 6000)
	add("1", pipeline.StateReceived, 1)
	add("1", pipeline.StateFailed, 3)
	add("2", pipeline.StateRead, 5500)
	must(t, s.Apply(ctx, &pipeline.Batch{Position: 1, Insert: insert}))
	page := func(from int64, newer bool, limit int) (p pipeline.HistoryPage, text string) {
		t.Helper()
		p, err := s.History(ctx, "1", from, newer, limit)
		must(t, err)
		for _, m := range p.List {
			text += string(m.ID) + " "
		}
		return p, text + fmt.Sprint(p.More, p.Rest)
	}
	want := func(name, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	first, got := page(0, false, 2)
	want("first page", got, "m6005 m6004 true 0")
	second, got := page(first.List[1].Row, false, 2)
	want("second page", got, "m6003 m1 true 0")
	third, got := page(second.List[1].Row, false, 2)
	want("last page", got, "m0 false 0")
	_, got = page(third.List[0].Row, true, 2)
	want("back", got, "m6003 m1 true 0")
	_, got = page(second.List[0].Row, true, 2)
	want("to the beginning", got, "m6005 m6004 false 0")
	_, got = page(0, true, 10)
	want("from the other end", got, "m6005 m6004 m6003 m1 m0 false 0")
	for name, get := range map[string]func() (*pipeline.Sent, error){
		"by id":  func() (*pipeline.Sent, error) { return s.HistoryOf(ctx, "m6004") },
		"by row": func() (*pipeline.Sent, error) { return s.HistoryAt(ctx, first.List[1].Row) },
	} {
		if m, err := get(); err != nil || m == nil || m.Row != first.List[1].Row || m.Code != 6004 || m.State != pipeline.StateFailed {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	for name, get := range map[string]func() (*pipeline.Sent, error){
		"unknown":       func() (*pipeline.Sent, error) { return s.HistoryOf(ctx, "m") },
		"inbound":       func() (*pipeline.Sent, error) { return s.HistoryOf(ctx, "m6002") },
		"no row":        func() (*pipeline.Sent, error) { return s.HistoryAt(ctx, 1<<40) },
		"inbound's row": func() (*pipeline.Sent, error) { return s.HistoryAt(ctx, first.List[1].Row-2) },
	} {
		if m, err := get(); err != nil || m != nil {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

func blocked(t *testing.T, s *store.Store) {
	yes, no := true, false
	key := func(number, user string) pipeline.PeerKey {
		return pipeline.PeerKey{Number: wa.PhoneNumberID(number), User: wa.WaID(user)}
	}
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 1, Peers: []pipeline.PeerChange{
		{Key: key("1", "1555"), BlockedByBusiness: &yes},
		{Key: key("1", "1444"), BlockedByBusiness: &yes},
		{Key: key("1", "1666"), BlockedByBusiness: &yes},
		{Key: key("1", "1777"), BlockedByBusiness: &yes},
		{Key: key("1", "1888"), BlockedByUser: &yes},
		{Key: key("2", "1999"), BlockedByBusiness: &yes},
	}, Sessions: []pipeline.Session{{Number: "1", Device: "1555.1", LastSeq: 1}}}))
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 2, Peers: []pipeline.PeerChange{{Key: key("1", "1777"), BlockedByBusiness: &no}}}))
	for _, c := range []struct {
		after, before wa.WaID
		limit         int
		want          []wa.WaID
	}{
		{"", "", 10, []wa.WaID{"1444", "1555", "1666"}},
		{"", "", 2, []wa.WaID{"1444", "1555"}},
		{"1500", "", 2, []wa.WaID{"1555", "1666"}},
		{"1666", "", 2, nil},
		{"", "1666", 1, []wa.WaID{"1555"}},
		{"", "1666", 5, []wa.WaID{"1444", "1555"}},
		{"1444", "1666", 5, []wa.WaID{"1555", "1666"}},
	} {
		got, err := s.Blocked(t.Context(), "1", c.after, c.before, c.limit)
		must(t, err)
		same(t, fmt.Sprintf("after %q, before %q", c.after, c.before), got, c.want)
	}
	if n, err := s.CountBlocked(t.Context(), "1"); n != 3 || err != nil {
		t.Errorf("%d blocked, %v", n, err)
	}
}
