package virtual_test

import (
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

const business = "15550783881"

// net connects a fleet with the platform of the tests.
type net struct {
	*platformtest.Platform

	mu      sync.Mutex
	sinks   map[string]func(frame.Frame)
	created int
	refuse  error
	calls   int
}

func newNet() *net {
	return &net{Platform: platformtest.New(business), sinks: map[string]func(frame.Frame){}}
}

func (n *net) CreateUsers(_ context.Context, users []virtual.Registration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		return n.refuse
	}
	n.calls++
	for _, u := range users {
		n.Register(u.WaID, u.Device)
		n.created++
	}
	return nil
}

func (n *net) MoveUser(_ context.Context, _ string, to virtual.Registration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		return n.refuse
	}
	n.Register(to.WaID, to.Device)
	return nil
}

// files keeps encrypted files of all devices.
type files struct {
	mu   sync.Mutex
	list map[string][]byte
}

func (f *files) Upload(_ context.Context, sealed []byte) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := strconv.Itoa(len(f.list))
	f.list[id] = slices.Clone(sealed)
	return id, nil
}

func (f *files) Download(_ context.Context, id string, _ int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.list[id]), nil
}

type conn struct {
	n      *net
	device string
	sink   func(frame.Frame)
}

func (n *net) Attach(device string, _ uint64, sink func(frame.Frame)) (virtual.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sinks[device] = sink
	for _, f := range n.Pending(device, 100) {
		sink(f)
	}
	return &conn{n, device, sink}, nil
}

func (c *conn) Handle(f frame.Frame) {
	for _, answer := range c.n.Handle(c.device, f) {
		c.sink(answer)
	}
}

func (c *conn) Close() {
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	delete(c.n.sinks, c.device)
}

// text sends a message to a user, now or when the device comes back.
func (n *net) text(waID, body string) string {
	return n.send(waID, `"type":"text","text":{"body":`+strconv.Quote(body)+`}`)
}

func (n *net) send(waID, members string) string {
	n.mu.Lock() // items reach the sink in their order
	defer n.mu.Unlock()
	id := n.Message(waID+".1", members)
	if sink := n.sinks[waID+".1"]; sink != nil {
		list := n.Pending(waID+".1", 1)
		sink(list[len(list)-1])
	}
	return id
}

func (n *net) history(waID, id string) (h string) {
	n.Look(waID+".1", func(p *platformtest.Peer) { h = strings.Join(p.History[id], " ") })
	return h
}

func (n *net) inbox(waID string) (h string) {
	n.Look(waID+".1", func(p *platformtest.Peer) {
		for _, m := range p.Inbox {
			h += (&device.Message{Type: "text", Raw: []byte(m)}).Text() + " "
		}
	})
	return strings.TrimSpace(h)
}

type handClock struct {
	mu      sync.Mutex
	now     time.Time
	changed chan struct{}
}

func newClock() *handClock {
	return &handClock{now: time.Unix(1767225600, 0), changed: make(chan struct{})}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *handClock) Sleep(ctx context.Context, d time.Duration) error {
	until := c.Now().Add(d)
	for {
		c.mu.Lock()
		now, changed := c.now, c.changed
		c.mu.Unlock()
		if !now.Before(until) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type rig struct {
	t     *testing.T
	n     *net
	f     *virtual.Fleet
	clock *handClock
}

func newRig(t *testing.T, change func(o *virtual.Options)) *rig {
	t.Helper()
	r := &rig{t: t, n: newNet(), clock: newClock()}
	o := virtual.Options{Network: r.n, Clock: r.clock, Seed: 1, Workers: 2}
	if change != nil {
		change(&o)
	}
	r.f = virtual.New(o)
	r.f.Start()
	t.Cleanup(r.f.Close)
	return r
}

// idle waits until the fleet has nothing to do.
func (r *rig) idle() {
	r.t.Helper()
	for !r.f.Idle() {
		if r.t.Context().Err() != nil {
			r.t.Fatal("never idle")
		}
		runtime.Gosched()
	}
}

func (r *rig) advance(d time.Duration) {
	r.clock.advance(d)
	r.f.Poke()
	r.idle()
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) add(waID, behaviour string) {
	r.t.Helper()
	u := virtual.User{WaID: waID, Name: "Ann"}
	if behaviour != "" {
		u.Behaviour = new(virtual.Behaviour)
		r.must(json.Unmarshal([]byte(behaviour), u.Behaviour))
	}
	r.must(r.f.Add(r.t.Context(), u))
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
