package device_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

const (
	user     = "15550142233"
	business = "15550783881"
	deviceID = user + ".1"
)

// handClock stands still until a test moves it; sleepers wake when it passes their time.
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

// frailStore fails when told to, and notes which states sessions lose.
type frailStore struct {
	device.MemoryStore
	failing bool
	steps   int
	kept    map[string][]signal.PublicKey // base keys of the states, by record
	dropped []signal.PublicKey
	early   int // of them, those for which there was room
}

// archived is how many states a session keeps besides the current one. Source: design "The user network", section 5.
const archived = 4

var errDisk = errors.New("disk is full")

func (s *frailStore) Commit(step device.Step) error {
	if s.failing {
		return errDisk
	}
	s.steps++
	for _, r := range step.Put {
		if strings.HasPrefix(r.Key, "session/") {
			if err := s.compare(r); err != nil {
				return err
			}
		}
	}
	return s.MemoryStore.Commit(step)
}

func (s *frailStore) compare(r device.Record) error {
	session, err := signal.ParseSession(r.Value)
	if err != nil {
		return err
	}
	now, full := session.BaseKeys(), archived
	if session.Ready() {
		full++
	}
	for _, k := range s.kept[r.Key] {
		if !slices.Contains(now, k) {
			s.dropped = append(s.dropped, k)
			if len(now) < full {
				s.early++
			}
		}
	}
	if s.kept == nil {
		s.kept = map[string][]signal.PublicKey{}
	}
	s.kept[r.Key] = now
	return nil
}

// rig is a device and a platform with a wire between them that the test cuts and spoils.
type rig struct {
	t      *testing.T
	p      *platformtest.Platform
	d      *device.Device
	o      device.Options
	store  *frailStore
	clock  *handClock
	events []device.Event
	texts  []string // of messages shown, in order
	lost   func(toPlatform bool, f frame.Frame) bool
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigWith(t, 20)
}

func newRigWith(t *testing.T, oneTime int) *rig {
	t.Helper()
	r := &rig{t: t, p: platformtest.New(business), store: &frailStore{}, clock: newClock()}
	r.o = device.Options{Clock: r.clock, Store: r.store, OneTime: oneTime}
	d, err := device.Generate(r.o)
	if err != nil {
		t.Fatal(err)
	}
	_, reg := r.p.Register(user, d.Describe("test", frame.PlatformOther))
	r.d = d
	r.do(d.Adopt(reg))
	return r
}

func (r *rig) look(f func(p *platformtest.Peer)) { r.p.Look(deviceID, f) }

// do carries out the effects of a call, and those of the answers.
func (r *rig) do(eff device.Effects, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("step: %v", err)
	}
	r.carry(eff)
}

func (r *rig) carry(eff device.Effects) {
	r.t.Helper()
	for _, e := range eff.Events {
		if e.Kind == device.EventMessage && e.Message.Direction == device.In {
			r.texts = append(r.texts, e.Message.Text())
		}
		if e.Message != nil {
			m := *e.Message
			e.Message = &m
		}
		r.events = append(r.events, e)
	}
	for _, f := range eff.Frames {
		if r.lost != nil && r.lost(true, f) {
			continue
		}
		for _, answer := range r.p.Handle(deviceID, f) {
			if r.lost != nil && r.lost(false, answer) {
				continue
			}
			r.do(r.d.Handle(answer))
		}
	}
}

func (r *rig) connect() {
	r.t.Helper()
	r.do(r.d.Handle(r.p.Welcome(deviceID)))
}

// reopen is a new process on the same store.
func (r *rig) reopen() {
	r.t.Helper()
	d, err := device.Open(r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.d = d
}

func (r *rig) push() {
	r.t.Helper()
	for _, f := range r.p.Pending(deviceID, 100) {
		r.do(r.d.Handle(f))
	}
}

func (r *rig) send(body string) device.Message {
	r.t.Helper()
	m, eff, err := r.d.Send(business, []byte(`{"type":"text","text":{"body":"`+body+`"}}`))
	r.do(eff, err)
	return m
}

func (r *rig) inbox() (list []string) {
	r.look(func(p *platformtest.Peer) {
		for _, m := range p.Inbox {
			list = append(list, (&device.Message{Type: "text", Raw: []byte(m)}).Text())
		}
	})
	return list
}

func (r *rig) count(kind device.EventKind) (n int) {
	for _, e := range r.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// receive lets the business send a message of these members and returns its id.
func (r *rig) receive(members string) string {
	r.t.Helper()
	id := r.p.Message(deviceID, members)
	r.push()
	return id
}
