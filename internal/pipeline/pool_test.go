package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/pipeline"
)

// Loads go first, but however many there are, the other work goes on.
func TestLoadsDoNotStarveJobs(t *testing.T) {
	t.Parallel()
	p := pipeline.NewPool(1)
	var order []string // of the one worker
	note := func(what string) func(context.Context) {
		return func(context.Context) { order = append(order, what) }
	}
	begun, hold := make(chan struct{}), make(chan struct{})
	p.Do(func(context.Context) { close(begun); <-hold })
	<-begun
	p.Do(note("j"))
	p.Do(note("j"))
	for range 20 {
		p.Load(note("l"))
	}
	p.Do(note("j"))
	close(hold)
	p.Close()
	eight := strings.Repeat("l", 8)
	if got, want := strings.Join(order, ""), eight+"j"+eight+"j"+"llll"+"j"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
}
