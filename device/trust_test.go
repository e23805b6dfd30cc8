package device_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

func TestIdentityChange(t *testing.T) {
	t.Parallel()
	t.Run("business writes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.connect()
		r.p.Text(deviceID, "old")
		r.push()
		before, err := r.d.SafetyNumber(business)
		if err != nil || len(before) != 60 {
			t.Fatalf("safety number %q: %v", before, err)
		}
		equal(t, "safety number", before, signal.SafetyNumber(r.p.Identity(), business, r.d.Identity(), user))
		equal(t, "notices", r.count(device.EventIdentity), 0)
		r.p.NewKeys()
		r.p.Text(deviceID, "new")
		r.push()
		equal(t, "notices", r.count(device.EventIdentity), 1)
		equal(t, "shown", strings.Join(r.texts, " "), "old new")
		if after, _ := r.d.SafetyNumber(business); after == before {
			t.Error("the number did not change with the key")
		}
		r.send("answer")
		equal(t, "arrived", strings.Join(r.inbox(), " "), "answer")
	})
	t.Run("announced, then the user writes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.connect()
		r.send("old")
		r.p.NewKeys()
		r.p.Event(deviceID, frame.Event{Kind: frame.EventIdentity, Of: business})
		r.push()
		equal(t, "notices", r.count(device.EventIdentity), 1)
		r.send("new")
		equal(t, "arrived", strings.Join(r.inbox(), " "), "old new")
		list := r.d.Messages(business, 0, 0)
		equal(t, "notice in chat", list[1].Direction, device.Notice)
	})
	t.Run("not announced: undecryptable, then resent", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.connect()
		r.send("old")
		r.p.NewKeys()
		m := r.send("new")
		equal(t, "arrived", strings.Join(r.inbox(), " "), "old new")
		got, _ := r.d.Message(m.ClientID)
		equal(t, "status", got.Status, device.Sent)
		equal(t, "notices", r.count(device.EventIdentity), 1)
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	t.Run("undecryptable for ever", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.connect()
		n := 0
		r.p.Refuse = func(f frame.Frame) *frame.Error {
			s, ok := f.(*frame.Send)
			if !ok {
				return nil
			}
			n++
			return frame.Refuse(frame.ErrUndecryptable, "").To(s.R)
		}
		m := r.send("x")
		got, _ := r.d.Message(m.ClientID)
		equal(t, "encryptions", n, 4)
		equal(t, "status", got.Status, device.Failed)
		equal(t, "error", got.Error, frame.ErrUndecryptable)
		r.p.Refuse = nil
		again, eff, err := r.d.Resend(m.ClientID)
		r.do(eff, err)
		got, _ = r.d.Message(again.ClientID)
		equal(t, "status", got.Status, device.Sent)
	})
	t.Run("busy and rate keep order and bytes", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.connect()
		r.send("zero")
		busy := true
		var first []byte
		r.p.Refuse = func(f frame.Frame) *frame.Error {
			s, ok := f.(*frame.Send)
			if !ok || !busy {
				return nil
			}
			busy = false
			first = s.Ct
			e := frame.Refuse(frame.ErrRate, "").To(s.R)
			e.After = 350
			return e
		}
		r.send("one")
		r.send("two")
		equal(t, "arrived", strings.Join(r.inbox(), " "), "zero")
		equal(t, "due", r.d.Due().Sub(r.clock.Now()), 350*time.Millisecond)
		r.clock.advance(350 * time.Millisecond)
		var second []byte
		r.lost = func(up bool, f frame.Frame) bool {
			if s, ok := f.(*frame.Send); ok && second == nil {
				second = s.Ct
			}
			return false
		}
		r.do(r.d.Tick())
		equal(t, "arrived", strings.Join(r.inbox(), " "), "zero one two")
		if !slices.Equal(first, second) {
			t.Error("a refusal for the moment must not change the ciphertext")
		}
	})
	t.Run("final", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.connect()
		m, eff, err := r.d.Send("19999999999", []byte(`{"type":"text","text":{"body":"x"}}`))
		r.do(eff, err)
		got, _ := r.d.Message(m.ClientID)
		equal(t, "error", got.Error, frame.ErrNotFound)
		equal(t, "unanswered", r.d.Unanswered(), 0)
		r.do(r.d.Handle(&frame.Error{Code: frame.ErrGone}))
		equal(t, "gone", r.d.Gone(), true)
		if _, _, err := r.d.Send(business, []byte(`{"type":"text","text":{"body":"x"}}`)); !errors.Is(err, device.ErrGone) {
			t.Errorf("send after gone: %v", err)
		}
	})
}
