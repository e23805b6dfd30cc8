package flow_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// An endpoint that hangs keeps nobody but its own flow waiting.
func TestSlowEndpointLeavesRoom(t *testing.T) {
	t.Parallel()
	r := open(t)
	slow, quick := r.published("slow", talks), r.published("quick", talks)
	const places = 32
	asked, free := make(chan struct{}), make(chan struct{})
	r.net.instead(func(*http.Request) (*http.Response, error) {
		asked <- struct{}{}
		<-free
		return nil, errors.New("gone")
	})
	var all sync.WaitGroup
	for range places {
		all.Go(func() { _, _ = r.Exchange(t.Context(), step(slow)) })
		<-asked
	}
	if _, err := r.Exchange(t.Context(), step(slow)); kindOf(err) != flow.Busy {
		t.Errorf("one more of the slow flow: %v", err)
	}
	r.net.instead(nil)
	if _, err := r.Exchange(t.Context(), step(quick)); err != nil {
		t.Errorf("another flow: %v", err)
	}
	close(free)
	all.Wait()
	if _, err := r.Exchange(t.Context(), step(slow)); err != nil {
		t.Errorf("the slow flow, later: %v", err)
	}
}

func kindOf(err error) flow.Kind {
	if e, ok := errors.AsType[*flow.ExchangeError](err); ok {
		return e.Kind
	}
	return ""
}

// What is tried with a draft says nothing of the published flow, and is signed only under a token that somebody was sent.
func TestDraftsAreNotMeasured(t *testing.T) {
	t.Parallel()
	r := open(t)
	f, end := r.draft("f", strings.Replace(talks, `"3.0"`, `"4.0"`, 1)), uri
	if _, err := r.Update(t.Context(), f.ID, flow.Change{Endpoint: &end}); err != nil {
		t.Fatal(err)
	}
	st := step(f)
	st.Draft, st.Unsigned = true, true
	if _, err := r.Exchange(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	if asked, _ := r.end.Asked(); len(asked) != 1 || asked[0].Signature != "" {
		t.Errorf("asked %+v", asked)
	}
	same(t, "requests", r.metric(f.ID, flow.RequestCount), "")
}

// late publishes a notice while another one is handed over.
type late struct {
	once sync.Once
	do   func()
	got  chan string
}

func (l *late) Notify(_ context.Context, _ wa.WABAID, _ string, value []byte) error {
	l.once.Do(l.do)
	l.got <- string(value)
	return nil
}

func TestNoticesThatComeMeanwhile(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.published("f", plain)
	l := &late{do: func() { r.state(f.ID, flow.Throttled) }, got: make(chan string, 4)}
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { r.Run(ctx, l) })
	for _, want := range []string{"from DRAFT to PUBLISHED", "from PUBLISHED to THROTTLED"} {
		if got := <-l.got; !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	cancel()
	run.Wait()
}
