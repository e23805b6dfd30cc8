package storetest

import (
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/store"
)

// flows keeps flows with the documents they still name.
func flows(t *testing.T, s *store.Store) {
	ctx := t.Context()
	f := &flow.Flow{
		ID: "880330110220440", WABA: "w", Name: "a\x00\"é", Status: flow.Draft, Categories: []flow.Category{"OTHER"}, Created: noon, Updated: noon,
		Draft: flow.Revision{
			N: 1, At: noon, Version: 703, Screens: []string{"A"},
			Problems: []document.Problem{{Code: "INVALID_PROPERTY", Message: "m", Pointer: []document.Pointer{{Path: "screens[0]"}}}},
		},
		Alerts: map[flow.Event]float64{flow.EndpointError: 10}, Outbox: []flow.Notice{flow.Notice(`{"a":1}`)},
	}
	documents := func(want ...string) {
		t.Helper()
		for n, w := range want {
			got, err := s.FlowJSON(ctx, f.ID, int64(n+1))
			must(t, err)
			sameBytes(t, "document", got, []byte(w))
		}
	}
	must(t, s.SaveFlow(ctx, f, []byte("one")))
	list, err := s.LoadFlows(ctx)
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%d flows", len(list))
	}
	same(t, "flow", *list[0], *f)
	f.Live, f.Status = f.Draft, flow.Published
	must(t, s.SaveFlow(ctx, f, nil))
	f.Draft.N = 2
	must(t, s.SaveFlow(ctx, f, []byte("two")))
	documents("one", "two", "")
	f.Draft.N = 3
	must(t, s.SaveFlow(ctx, f, []byte("three")))
	documents("one", "", "three")
	f.Live = f.Draft
	must(t, s.SaveFlow(ctx, f, nil))
	documents("", "", "three")
	r := flow.Retirement{Version: 501, Freezes: noon}
	must(t, s.SaveRetirement(ctx, r))
	r.Expires = noon.Add(time.Hour)
	must(t, s.SaveRetirement(ctx, r))
	ends, err := s.LoadRetirements(ctx)
	must(t, err)
	if len(ends) != 1 || ends[0].Version != 501 || !ends[0].Freezes.Equal(noon) || !ends[0].Expires.Equal(r.Expires) {
		t.Errorf("ends of versions: %v", ends)
	}
	must(t, s.SaveFlow(ctx, &flow.Flow{ID: "2", Draft: flow.Revision{N: 3}}, []byte("other")))
	must(t, s.DeleteFlow(ctx, f.ID))
	must(t, s.DeleteFlow(ctx, f.ID)) // it is gone
	documents("", "", "")
	list, err = s.LoadFlows(ctx)
	must(t, err)
	if len(list) != 1 || list[0].ID != "2" {
		t.Errorf("after deletion: %v", list)
	}
}

// flowCounts adds up by the hour.
func flowCounts(t *testing.T, s *store.Store) {
	ctx := t.Context()
	add := func(list ...flow.Count) { t.Helper(); must(t, s.AddFlowCounts(ctx, list)) }
	add(flow.Count{Flow: "1", Hour: 3600, What: "request", N: 2}, flow.Count{Flow: "1", Hour: 3600, What: "error/timeout_error", N: 1}, flow.Count{Flow: "2", Hour: 3600, What: "request", N: 9})
	add(flow.Count{Flow: "1", Hour: 3600, What: "request", N: 3}, flow.Count{Flow: "1", Hour: 7200, What: "request", N: 1})
	counts := func(from, to int64) []flow.Count {
		t.Helper()
		list, err := s.FlowCounts(ctx, "1", from, to)
		must(t, err)
		return list
	}
	same(t, "counts", counts(0, 7200), []flow.Count{
		{Flow: "1", Hour: 3600, What: "error/timeout_error", N: 1}, {Flow: "1", Hour: 3600, What: "request", N: 5},
	})
	same(t, "all", len(counts(0, 1<<40)), 3)
	same(t, "from an hour on", counts(7200, 1<<40), []flow.Count{{Flow: "1", Hour: 7200, What: "request", N: 1}})
	must(t, s.ForgetFlowCounts(ctx, 7200))
	same(t, "after the end", counts(0, 1<<40), []flow.Count{{Flow: "1", Hour: 7200, What: "request", N: 1}})
	must(t, s.DeleteFlow(ctx, "1"))
	same(t, "deleted", len(counts(0, 1<<40)), 0)
}
