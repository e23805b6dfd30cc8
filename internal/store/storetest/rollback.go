package storetest

import (
	"context"
	"testing"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
)

// Rollback checks that a batch that cannot be written as a whole leaves nothing, its position least of all. sabotage makes
// the database refuse mailbox items with the message id "boom" until it is called with false.
func Rollback(t *testing.T, s *store.Store, sabotage func(on bool)) {
	t.Helper()
	first := &pipeline.Batch{Position: 1, Insert: []*pipeline.Message{{ID: "first", State: pipeline.StateSent}}}
	bad := &pipeline.Batch{
		Position: 2, Insert: []*pipeline.Message{{ID: "second", State: pipeline.StateSent}},
		Update:   []*pipeline.Message{{ID: "first", State: pipeline.StateRead}},
		Peers:    []pipeline.PeerChange{{Key: pipeline.PeerKey{Number: "1", User: "2"}, LastInbound: 1}},
		Sessions: []pipeline.Session{{Number: "1", Device: "2.1", State: []byte("s")}},
		Items:    []*pipeline.MailboxItem{{Device: "2.1", Seq: 1}, {Device: "2.1", Seq: 2, ID: "boom"}},
	}
	must(t, s.Apply(t.Context(), first))
	sabotage(true)
	for range 2 {
		if err := s.Apply(t.Context(), bad); err == nil {
			t.Fatal("the batch was written")
		}
	}
	if at, err := s.Position(t.Context(), 0); err != nil || at != 1 {
		t.Errorf("position %d, %v; want 1", at, err)
	}
	if m := row(t, s, "first"); m.State != pipeline.StateSent {
		t.Errorf("an update stayed: %+v", m)
	}
	if m := row(t, s, "second"); m != nil {
		t.Errorf("an insert stayed: %+v", m)
	}
	if ps, err := s.Peers(t.Context(), []pipeline.PeerKey{{Number: "1", User: "2"}}); err != nil || len(ps) != 0 {
		t.Errorf("a pair stayed: %v, %v", ps, err)
	}
	sabotage(false)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Apply(ended, bad); err == nil {
		t.Error("written although the context had ended")
	}
	must(t, s.SaveNumberKeys(t.Context(), "1", []byte("k"))) // the connection still works for the control plane
	must(t, s.Apply(t.Context(), bad))
	if m := row(t, s, "second"); m == nil {
		t.Error("the batch did not go through when it could")
	}
}
