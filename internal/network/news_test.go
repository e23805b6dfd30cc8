package network_test

import (
	"context"
	"errors"
	"runtime"
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

// deaf never hears of one person.
type deaf struct {
	herald
	to wa.WaID
}

func (h *deaf) Tell(ctx context.Context, n *network.News) error {
	if n.WaID == h.to {
		return errors.New("the lane is broken")
	}
	return h.herald.Tell(ctx, n)
}

// More news of one person than a page holds cannot be told: those of others are, and the person's own later ones wait.
func TestBrokenNewsStarveNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer func() { w.stop(t) }()
	const ann, bob = wa.WaID("15550142233"), wa.WaID("15550142244")
	w.user(t, ann)
	w.user(t, bob)
	keys := []*networktest.Keys{sharedKeys(), networktest.NewKeys(0)}
	change := func(id wa.WaID, i int) {
		t.Helper()
		if _, err := w.dir.Register(t.Context(), id, "", &keys[i%2].Device); err != nil {
			t.Fatal(err)
		}
	}
	const many = 300 // a page has 256
	for i := range many {
		change(ann, i+1)
	}
	change(bob, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h, done := &deaf{to: ann}, make(chan struct{})
	go func() { w.dir.Run(ctx, h); close(done) }()
	for ctx.Err() == nil {
		h.mu.Lock()
		n := len(h.heard)
		h.mu.Unlock()
		if n > 0 {
			break
		}
		runtime.Gosched()
	}
	cancel()
	<-done
	if list, err := w.store.News(t.Context(), "", 2*many); len(list) != many || err != nil {
		t.Errorf("%d news are left, want %d of the one person, %v", len(list), many, err)
	}
}

// wound is a clock that somebody sets.
type wound struct {
	clock.Clock
	at time.Time
}

func (w *wound) Now() time.Time { return w.at }

// News keep their order under a clock that is set back, over a restart too.
func TestNewsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer func() { w.stop(t) }()
	const ann = wa.WaID("15550142233")
	w.user(t, ann)
	hands := &wound{w.clock, start}
	boot := func() {
		w.dir = network.NewDirectory(network.DirectoryConfig{Store: w.store, Clock: hands, Mailbox: w.box})
	}
	boot()
	other := networktest.NewKeys(0)
	numbers := []wa.WaID{ann, "15550142244", "15550142255", "15550142266"}
	for i, to := range numbers[1:] {
		if _, err := w.dir.Move(t.Context(), numbers[i], to, &other.Device); err != nil {
			t.Fatal(err)
		}
		hands.at = hands.at.Add(-time.Hour)
		if i == 1 {
			boot()
		}
	}
	list, err := w.store.News(t.Context(), "", 9)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d news, %v", len(list), err)
	}
	for i, n := range list {
		if n.Was != numbers[i] || n.WaID != numbers[i+1] {
			t.Errorf("news %d: from %s to %s, want from %s to %s", i, n.Was, n.WaID, numbers[i], numbers[i+1])
		}
	}
}
