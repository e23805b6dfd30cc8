package network_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// herald notes what it hears: "was>is". It fails the first times, and may lose its life while it listens.
type herald struct {
	mu    sync.Mutex
	fail  int
	die   context.CancelFunc
	heard []string
}

func (h *herald) Tell(ctx context.Context, n *network.News) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail > 0 {
		h.fail--
		return errors.New("queue is full")
	}
	h.heard = append(h.heard, string(n.Was)+">"+string(n.WaID)+" "+n.Name)
	if h.die != nil {
		h.die()
		return context.Cause(ctx)
	}
	return nil
}

// News survive a herald that fails and a process that dies before, while and after it told them; what was told is forgotten.
func TestNewsAreToldAtLeastOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer func() { w.stop(t) }()
	wall := clock.NewFake(start)
	boot := func() {
		w.boot()
		w.dir = network.NewDirectory(network.DirectoryConfig{Store: w.store, Clock: w.clock, Wall: wall, Mailbox: w.box})
	}
	boot()
	const ann, moved = wa.WaID("15550142233"), wa.WaID("15550142244")
	w.user(t, ann)
	register := func(k *networktest.Keys) {
		t.Helper()
		if _, err := w.dir.Register(t.Context(), ann, "", &k.Device); err != nil {
			t.Fatal(err)
		}
	}
	// run tells until nothing is left, or the process dies.
	run := func(h *herald) []string {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if h.die != nil {
			h.die = cancel
		}
		done := make(chan struct{})
		go func() { w.dir.Run(ctx, h); close(done) }()
		for !w.dir.Idle() && ctx.Err() == nil {
			wall.Advance(time.Second)
		}
		cancel()
		<-done
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.heard
	}
	want := func(fact string, got []string, list ...string) {
		t.Helper()
		if !slices.Equal(got, list) {
			t.Errorf("%s: heard %q, want %q", fact, got, list)
		}
	}
	register(sharedKeys())
	want("the same keys again are no news", run(&herald{}))

	other := networktest.NewKeys(0)
	register(other)
	if w.dir.Idle() {
		t.Error("idle with news")
	}
	boot() // the process dies before anybody is told
	want("another identity, told by the next start", run(&herald{fail: 3}), ">15550142233 Ann")
	want("once", run(&herald{}))

	register(sharedKeys())
	if _, err := w.dir.Move(t.Context(), ann, moved, &other.Device); err != nil {
		t.Fatal(err)
	}
	want("dies while it tells", run(&herald{die: func() {}}), ">15550142233 Ann")
	boot()
	want("repeats, in their order", run(&herald{}), ">15550142233 Ann", "15550142233>15550142244 Ann")
	boot()
	want("nothing is left", run(&herald{}))
}
