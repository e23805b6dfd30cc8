package flow_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// A throttled flow goes out ten times an hour; what was refused after all does not count. Source: spec/flows.md section 1.
func TestThrottle(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.published("f", plain)
	for range 20 {
		if undo, err := r.Take(f); undo != nil || err != nil {
			t.Fatalf("a flow that is not throttled: %v", err)
		}
	}
	f = r.state(f.ID, flow.Throttled)
	take := func() func() {
		t.Helper()
		undo, err := r.Take(f)
		must(t, err)
		return undo
	}
	full := func(retry float64) {
		t.Helper()
		_, err := r.Take(f)
		saying(t, err, wa.ErrFlowThrottled, "10 messages")
		if e, ok := errors.AsType[*wa.Error](err); ok {
			same(t, "retry in", e.RetryIn, retry)
		}
	}
	take()
	r.clock.Advance(10 * time.Minute)
	for range 8 {
		take()
	}
	undo := take()
	full(50 * 60)
	undo()
	take()
	full(50 * 60)
	r.clock.Advance(50*time.Minute - 1)
	full(1e-9)
	r.clock.Advance(1)
	take()
	full(10 * 60)
	r.state(f.ID, flow.Published)
	f = r.state(f.ID, flow.Throttled) // it begins anew
	var all sync.WaitGroup
	sent := make(chan bool, 50)
	for range cap(sent) {
		all.Go(func() {
			if _, err := r.Take(f); err == nil {
				sent <- true
			}
		})
	}
	all.Wait()
	same(t, "at once", len(sent), 10)
}

// Sources: spec/flows.md sections 1, 7 and 12.
func TestSendable(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.draft("draft", talks)
	r.draft("empty", "")
	r.draft("faulty", `{"version":"7.3"}`)
	live := r.published("live", plain)
	if _, err := r.Upload(t.Context(), live.ID, []byte(strings.ReplaceAll(plain, "FORM", "NEXT"))); err != nil {
		t.Fatal(err)
	}
	r.published("talks", talks)
	r.state(r.published("throttled", plain).ID, flow.Throttled)
	r.state(r.published("blocked", plain).ID, flow.Blocked)
	if _, err := r.Deprecate(t.Context(), r.published("deprecated", plain).ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		from  wa.WABAID
		ref   flow.Ref
		row   *wa.Error // nil: it may be sent
		words string
	}{
		{"by name", waba, flow.Ref{Name: "live"}, nil, ""},
		{"by id", waba, flow.Ref{ID: string(live.ID)}, nil, ""},
		{"a screen", waba, flow.Ref{Name: "live", Screen: "FORM"}, nil, ""},
		{"a screen of the draft", waba, flow.Ref{Name: "live", Draft: true, Screen: "NEXT"}, nil, ""},
		{"a screen that is not live", waba, flow.Ref{Name: "live", Screen: "NEXT"}, wa.ErrValue, "no screen of this name"},
		{"throttled", waba, flow.Ref{Name: "throttled"}, nil, ""},
		{"with an endpoint", waba, flow.Ref{Name: "talks", Exchange: true}, nil, ""},
		{"without endpoint", waba, flow.Ref{Name: "live", Exchange: true}, wa.ErrValue, "needs a Flow with an endpoint"},
		{"a test of a draft", waba, flow.Ref{Name: "draft", Draft: true}, nil, ""},
		{"a draft", waba, flow.Ref{Name: "draft"}, wa.ErrValue, "is not published"},
		{"an empty draft", waba, flow.Ref{Name: "empty", Draft: true}, wa.ErrValue, "has no Flow JSON"},
		{"a faulty draft", waba, flow.Ref{Name: "faulty", Draft: true}, wa.ErrValue, "has validation errors"},
		{"blocked", waba, flow.Ref{Name: "blocked"}, wa.ErrFlowBlocked, "blocked"},
		{"deprecated", waba, flow.Ref{Name: "deprecated"}, wa.ErrValue, "deprecated"},
		{"nothing", waba, flow.Ref{Name: "x"}, wa.ErrValue, "does not exist"},
		{"of another account", "w2", flow.Ref{ID: string(live.ID)}, wa.ErrValue, "does not exist"},
	} {
		f, err := r.Sendable(c.from, c.ref)
		switch {
		case c.row != nil:
			saying(t, err, c.row, c.words)
		case err != nil || (c.ref.Name != "" && f.Name != c.ref.Name):
			t.Errorf("%s: %v %v", c.name, f, err)
		}
	}
}
