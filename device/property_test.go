package device_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// TestEveryMessageOnceInOrder runs random schedules of loss, repetition, cut connections, crashes, full disks and a
// forgetful platform. In the end every message of either side must be there once, in order.
func TestEveryMessageOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t)
		s := &schedule{rig: r, rt: rt}
		r.lost = func(bool, frame.Frame) bool { return s.cut }
		rt.Repeat(map[string]func(*rapid.T){
			"business writes": func(*rapid.T) {
				s.down++
				r.p.Text(deviceID, fmt.Sprintf("d%d", s.down))
			},
			"user writes": func(*rapid.T) { s.write() },
			"push":        func(rt *rapid.T) { s.push(rapid.IntRange(1, 5).Draw(rt, "items")) },
			"cut":         func(*rapid.T) { s.cut = true },
			"reconnect":   func(*rapid.T) { s.reconnect() },
			"crash":       func(*rapid.T) { r.reopen(); s.reconnect() },
			"disk full": func(*rapid.T) {
				r.store.failing = !r.store.failing
			},
			"platform forgets": func(*rapid.T) {
				// More than a session keeps states would make old items undecryptable: retries, out of order by nature.
				if s.forgot++; s.forgot <= 2 {
					r.p.Forget(deviceID)
				}
			},
			"time passes": func(*rapid.T) { r.clock.advance(13 * time.Hour); s.step(r.d.Tick()) },
		})
		s.finish()
	})
}

type schedule struct {
	*rig
	rt       *rapid.T
	cut      bool
	down, up int
	forgot   int
}

// step is rig.do for steps that may fail to be stored.
func (s *schedule) step(eff device.Effects, err error) {
	if err != nil {
		if reload := s.d.Reload(); reload != nil {
			s.rt.Fatalf("reload: %v", reload)
		}
		s.cut = true // the connection ends
		return
	}
	failing := s.store.failing
	s.store.failing = false // answers are carried at once; their failures are another schedule
	s.carry(eff)
	s.store.failing = failing
}

func (s *schedule) write() {
	_, eff, err := s.d.Send(business, fmt.Appendf(nil, `{"type":"text","text":{"body":"u%d"}}`, s.up+1))
	if err == nil {
		s.up++
	}
	s.step(eff, err)
}

// push delivers part of the mailbox, perhaps not for the first time.
func (s *schedule) push(items int) {
	if s.cut {
		return
	}
	for _, f := range s.p.Pending(deviceID, items) {
		s.step(s.d.Handle(f))
		if s.cut {
			return
		}
	}
}

func (s *schedule) reconnect() {
	s.d.Disconnected()
	s.cut = false
	s.step(s.d.Handle(s.p.Welcome(deviceID)))
}

func (s *schedule) finish() {
	s.store.failing = false
	for range 4 {
		s.reconnect()
		s.push(100)
		s.clock.advance(time.Minute)
		s.step(s.d.Tick())
	}
	s.look(func(p *platformtest.Peer) {
		if p.Waiting() != 0 {
			s.rt.Fatalf("%d items are never acknowledged", p.Waiting())
		}
		if len(p.Retries) != 0 {
			s.rt.Fatalf("retries: %v", p.Retries)
		}
	})
	want := func(prefix string, n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%s%d", prefix, i+1))
		}
		return strings.Join(list, " ")
	}
	if got := strings.Join(s.inbox(), " "); got != want("u", s.up) {
		s.rt.Fatalf("platform got %q", got)
	}
	// A step that was not stored showed nothing, so what was shown is what is stored.
	if got := strings.Join(s.texts, " "); got != want("d", s.down) {
		s.rt.Fatalf("device showed %q of %d", got, s.down)
	}
	var kept []string
	for _, m := range s.d.Messages(business, 0, 0) {
		if m.Direction == device.In {
			kept = append(kept, m.Text())
		} else if m.Direction == device.Out && m.Status != device.Sent {
			s.rt.Fatalf("message %q is %s", m.Text(), m.Status)
		}
	}
	if !slices.Equal(kept, s.texts) {
		s.rt.Fatalf("device kept %q", kept)
	}
	if s.d.Unanswered() != 0 {
		s.rt.Fatalf("%d unanswered", s.d.Unanswered())
	}
}
