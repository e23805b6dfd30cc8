package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

func subscriptions(t *testing.T, s *store.Store) {
	want := func(what, text string) {
		t.Helper()
		subs, links, overrides, err := s.Subscriptions(t.Context())
		must(t, err)
		var out strings.Builder
		for _, v := range subs {
			fmt.Fprintf(&out, "%s=%s%v ", v.App, v.CallbackURL, v.Fields)
		}
		for _, v := range links {
			fmt.Fprintf(&out, "%s+%s=%s ", v.App, v.WABA, v.OverrideURL)
		}
		for _, v := range overrides {
			fmt.Fprintf(&out, "%s#%s=%s ", v.App, v.Number, v.URL)
		}
		same(t, what, out.String(), text)
	}
	want("nothing", "")
	must(t, s.SaveSubscription(t.Context(), webhook.Subscription{App: "a", CallbackURL: "u", VerifyToken: []byte{0}, Updated: noon}))
	must(t, s.SaveSubscription(t.Context(), webhook.Subscription{App: "a", CallbackURL: "v", Fields: []webhook.Field{{Name: "messages", Version: "v23.0"}}}))
	must(t, s.SaveLink(t.Context(), webhook.Link{App: "a", WABA: "1"}))
	must(t, s.SaveLink(t.Context(), webhook.Link{App: "a", WABA: "2", OverrideURL: "w"}))
	must(t, s.SaveLink(t.Context(), webhook.Link{App: "a", WABA: "1", OverrideURL: "x"}))
	must(t, s.SaveNumberOverride(t.Context(), webhook.NumberOverride{App: "a", WABA: "1", Number: "11", URL: "n"}))
	must(t, s.SaveNumberOverride(t.Context(), webhook.NumberOverride{App: "a", WABA: "2", Number: "21", URL: "n"}))
	must(t, s.SaveNumberOverride(t.Context(), webhook.NumberOverride{App: "b", WABA: "1", Number: "11", URL: "n"}))
	want("saved twice is replaced", "a=v[{messages v23.0}] a+1=x a+2=w a#11=n a#21=n b#11=n ")
	must(t, s.DeleteLink(t.Context(), "a", "1"))
	want("a link takes its overrides with it", "a=v[{messages v23.0}] a+2=w a#21=n b#11=n ")
	must(t, s.DeleteNumberOverride(t.Context(), "b", "11"))
	must(t, s.DeleteNumberOverride(t.Context(), "b", "11"))
	must(t, s.DeleteSubscription(t.Context(), "a"))
	must(t, s.DeleteSubscription(t.Context(), "a"))
	want("deleted", "a+2=w a#21=n ")
}

func cursors(t *testing.T, s *store.Store) {
	e, f := webhook.EndpointID{App: "a"}, webhook.EndpointID{App: "a", Scope: "w1"}
	must(t, s.SaveCursors(t.Context(), nil))
	must(t, s.SaveCursors(t.Context(), []webhook.Cursor{{Endpoint: f, Seq: 1}, {Partition: 1, Seq: 9}, {Endpoint: e, Partition: 2, Seq: 5}}))
	must(t, s.SaveCursors(t.Context(), []webhook.Cursor{{Endpoint: e, Partition: 2, Seq: 6}, {Endpoint: e, Partition: 3, Seq: 7}}))
	got, err := s.Cursors(t.Context())
	must(t, err)
	same(t, "cursors", got, []webhook.Cursor{{Partition: 1, Seq: 9}, {Endpoint: e, Partition: 2, Seq: 6}, {Endpoint: e, Partition: 3, Seq: 7}, {Endpoint: f, Seq: 1}})
	must(t, s.DeleteCursors(t.Context(), e))
	got, err = s.Cursors(t.Context())
	must(t, err)
	same(t, "deleted", got, []webhook.Cursor{{Partition: 1, Seq: 9}, {Endpoint: f, Seq: 1}})
}

func retries(t *testing.T, s *store.Store) {
	e, f := webhook.EndpointID{App: "a"}, webhook.EndpointID{App: "a", Scope: "n7"}
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	for i, p := range []webhook.Pending{
		{ID: "1", Endpoint: e, Updates: 2, Born: at(5), Next: at(30)},
		{ID: "2", Endpoint: e, Updates: 3, Born: at(4), Next: at(20)},
		{ID: "3", Endpoint: f, Updates: 1, Born: at(3), Next: at(10)},
		{ID: "4", Endpoint: e, Updates: 1, Born: at(6), Next: at(40), WABA: "w", Message: "m", Attempts: 1, Status: 503, Brief: "7"},
	} {
		p.Body = []byte{byte(i), 0, 255}
		must(t, s.AddPending(t.Context(), &p))
	}
	due := func(now time.Time, limit int) string {
		ps, err := s.DuePending(t.Context(), e, now, limit)
		must(t, err)
		var out strings.Builder
		for _, p := range ps {
			out.WriteString(p.ID + " ")
		}
		return out.String()
	}
	same(t, "nothing due", due(at(19), 9), "")
	same(t, "due, earliest first", due(at(30), 9), "2 1 ")
	same(t, "limit", due(at(99), 2), "2 1 ")
	for now, want := range map[int]time.Time{0: at(20), 20: at(30), 40: {}} {
		next, err := s.NextPending(t.Context(), e, at(now))
		must(t, err)
		if !next.Equal(want) {
			t.Errorf("next after %d: %s, want %s", now, next, want)
		}
	}
	p, err := s.PendingByID(t.Context(), "4")
	must(t, err)
	same(t, "row", *p, webhook.Pending{ID: "4", Endpoint: e, WABA: "w", Message: "m", Updates: 1, Born: at(6), Attempts: 1, Status: 503, Next: at(40), Body: []byte{3, 0, 255}, Brief: "7"})
	must(t, s.UpdatePending(t.Context(), "4", 2, 500, at(15)))
	must(t, s.UpdatePending(t.Context(), "gone", 2, 500, at(15)))
	same(t, "put off", due(at(15), 9), "4 ")
	counts, err := s.PendingCounts(t.Context())
	must(t, err)
	same(t, "counts", counts, []webhook.PendingCount{
		{Endpoint: e, Rows: 3, Updates: 6, Oldest: at(4), Next: at(15)}, {Endpoint: f, Rows: 1, Updates: 1, Oldest: at(3), Next: at(10)},
	})
	for _, want := range []bool{true, false} {
		if there, err := s.DeletePending(t.Context(), "4"); there != want || err != nil {
			t.Errorf("delete: %t, %v; want %t", there, err, want)
		}
	}
	if p, err := s.PendingByID(t.Context(), "4"); p != nil || err != nil {
		t.Errorf("deleted row: %v, %v", p, err)
	}
	for _, want := range []int{5, 0} {
		if n, err := s.DeleteAllPending(t.Context(), e); n != want || err != nil {
			t.Errorf("delete all: %d, %v; want %d", n, err, want)
		}
	}
	if p, err := s.PendingByID(t.Context(), "3"); p == nil || err != nil {
		t.Errorf("another endpoint's row: %v, %v", p, err)
	}
}
