package device_test

import (
	"cmp"
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
// forgetful platform. In the end every message of either side must be there once, and in order, unless a session had more
// states than it keeps: only items in a dropped state may be asked for again.
func TestEveryMessageOnceInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := &schedule{rig: newRigWith(t, 2), rt: rt}
		rt.Repeat(s.actions())
		s.finish()
	})
}

// TestEveryMessageOnceDespiteDamage also damages ciphertexts on their way to the device. What is asked for again comes out
// of order, but still once.
func TestEveryMessageOnceDespiteDamage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := &schedule{rig: newRigWith(t, 2), rt: rt, damage: true}
		actions := s.actions()
		actions["damage"] = func(*rapid.T) {
			s.down++
			s.p.Text(deviceID, fmt.Sprintf("d%d", s.down))
			s.p.Damage(deviceID)
		}
		rt.Repeat(actions)
		s.finish()
	})
}

func (s *schedule) actions() map[string]func(*rapid.T) {
	s.lost = func(bool, frame.Frame) bool { return s.cut }
	return map[string]func(*rapid.T){
		"business writes": func(*rapid.T) {
			s.down++
			s.p.Text(deviceID, fmt.Sprintf("d%d", s.down))
		},
		"user writes": func(*rapid.T) { s.write() },
		"push":        func(rt *rapid.T) { s.push(rapid.IntRange(1, 5).Draw(rt, "items")) },
		"cut":         func(*rapid.T) { s.cut = true },
		"reconnect":   func(*rapid.T) { s.reconnect() },
		"crash":       func(*rapid.T) { s.reopen(); s.reconnect() },
		"disk full":   func(*rapid.T) { s.store.failing = !s.store.failing },
		"platform forgets": func(*rapid.T) {
			// Every time both sides may begin anew, and again for late items in forgotten states: more often, and most
			// schedules would need more states than a session keeps.
			if s.forgot++; s.forgot <= 2 {
				s.p.Forget(deviceID)
			}
		},
		"time passes": func(*rapid.T) { s.clock.advance(13 * time.Hour); s.step(s.d.Tick()) },
	}
}

type schedule struct {
	*rig
	rt       *rapid.T
	cut      bool
	down, up int
	forgot   int
	damage   bool
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
	if s.store.early != 0 {
		s.rt.Fatalf("%d states were dropped although there was room", s.store.early)
	}
	ordered := !s.damage
	s.look(func(p *platformtest.Peer) {
		if p.Waiting() != 0 {
			s.rt.Fatalf("%d items are never acknowledged", p.Waiting())
		}
		for _, r := range p.Retries {
			// What is encrypted again comes later than it was written.
			ordered = false
			if !s.damage && !slices.Contains(s.store.dropped, p.States[r.Seq]) {
				s.rt.Fatalf("retry %v of an item in a state that was not dropped", r)
			}
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
	shown := slices.Clone(s.texts)
	if !ordered {
		slices.SortFunc(shown, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	}
	// A step that was not stored showed nothing, so what was shown is what is stored.
	if got := strings.Join(shown, " "); got != want("d", s.down) {
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

// TestSixthStateCostsOneRetry makes both sides begin anew three times before the device gets anything: one state more than
// a session keeps. Only the item in the dropped state is asked for again.
func TestSixthStateCostsOneRetry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	for i := range 3 {
		r.p.Forget(deviceID)
		r.p.Text(deviceID, fmt.Sprintf("mine%d", i+1)) // in a state of the platform's
		r.send(fmt.Sprintf("u%d", i+1))                // which the device does not have yet, so it makes one
		r.p.Text(deviceID, fmt.Sprintf("yours%d", i+1))
	}
	r.push()
	r.look(func(p *platformtest.Peer) {
		if len(p.Retries) != 1 || !slices.Contains(r.store.dropped, p.States[p.Retries[0].Seq]) {
			t.Errorf("retries: %v", p.Retries)
		}
	})
	r.push()
	if got := strings.Join(r.texts, " "); got != "mine1 yours1 mine2 yours2 mine3 yours3" {
		t.Errorf("device showed %q", got)
	}
	if got := strings.Join(r.inbox(), " "); got != "u1 u2 u3" {
		t.Errorf("platform got %q", got)
	}
	if r.store.early != 0 {
		t.Errorf("%d states were dropped although there was room", r.store.early)
	}
}
