package network_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOneTimePreKeysGoOutOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	s := networktest.NewSink(0)
	w.attach(t, d, 0, s)
	s.Take()
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := make(map[uint32]int)
	for range 15 { // of 12
		wg.Go(func() {
			b, err := w.dir.Bundle(t.Context(), d)
			if err != nil {
				t.Error(err)
				return
			}
			if err := b.Verify(); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if b.OneTimePreKey == nil {
				seen[0]++
			} else {
				seen[b.OneTimePreKey.ID]++
			}
		})
	}
	wg.Wait()
	if seen[0] != 3 || len(seen) != 13 {
		t.Errorf("handed out %v", seen)
	}
	frames, _ := s.Take()
	if len(frames) != 13 { // 9 … 0, and three times 0
		t.Errorf("%d low notices, want 13", len(frames))
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	keys := networktest.NewKeys(2)
	ctx := t.Context()
	if _, err := w.dir.Register(ctx, "15550142233", "Ann", &keys.Device); err != nil {
		t.Fatal(err)
	}
	const d = wa.DeviceID("15550142233.1")
	signed := keys.Sign(9, networktest.NewKeys(0).Signed.Public().Bytes())
	left, err := w.dir.Upload(ctx, d, &frame.PreKeys{SignedPreKey: &signed, OneTime: []frame.OneTimeKey{{ID: 40, Key: keys.OneTime[0].Public().Bytes()}}})
	if err != nil || left != 3 {
		t.Fatalf("%d left, %v", left, err)
	}
	b, err := w.dir.Bundle(ctx, d)
	if err != nil || b.SignedPreKey.ID != 9 || b.KEMPreKey.ID != 2 {
		t.Errorf("bundle %+v, %v", b, err)
	}
	foreign := networktest.NewKeys(0).Sign(10, signed.Key)
	if _, err := w.dir.Upload(ctx, d, &frame.PreKeys{SignedPreKey: &foreign}); !errors.Is(err, frame.Refuse(frame.ErrBadSignature, "")) {
		t.Errorf("foreign signature: %v", err)
	}
	many := make([]frame.OneTimeKey, 99)
	for i := range many {
		many[i] = frame.OneTimeKey{ID: uint32(100 + i), Key: keys.OneTime[0].Public().Bytes()}
	}
	if _, err := w.dir.Upload(ctx, d, &frame.PreKeys{OneTime: many}); !errors.Is(err, frame.Refuse(frame.ErrTooLarge, "")) {
		t.Errorf("101 one-time prekeys: %v", err)
	}
}

func TestEnsureIsAskedOnceForManyLookups(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	var dir *network.Directory
	var mu sync.Mutex
	asked := 0
	dir = network.NewDirectory(network.DirectoryConfig{
		Store: w.store, Clock: w.clock, Mailbox: w.box,
		Ensure: func(ctx context.Context, id wa.WaID) error {
			mu.Lock()
			asked++
			mu.Unlock()
			_, err := dir.Create(ctx, []network.NewUser{{WaID: id, Device: sharedKeys().Device}})
			return err
		},
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if u, err := dir.Lookup(t.Context(), "15550142299"); err != nil || u == nil {
				t.Errorf("%+v, %v", u, err)
			}
		})
	}
	wg.Wait()
	if n, err := dir.Count(t.Context()); err != nil || n != 1 {
		t.Errorf("%d users, %v", n, err)
	}
	if u, err := w.dir.Lookup(t.Context(), "15550142298"); u != nil || err != nil {
		t.Errorf("a user from nowhere: %+v, %v", u, err)
	}
}

func TestMoveKeepsTheUser(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	w.user(t, "15550142233")
	w.user(t, "15550142234")
	ctx := t.Context()
	before, _ := w.dir.Lookup(ctx, "15550142233")
	s := networktest.NewSink(0)
	w.attach(t, "15550142233.1", 0, s)
	dev := networktest.NewKeys(0).Device
	if _, err := w.dir.Move(ctx, "15550142233", "15550142234", &dev); !errors.Is(err, network.ErrTaken) {
		t.Errorf("onto a taken number: %v", err)
	}
	after, err := w.dir.Move(ctx, "15550142233", "15550142235", &dev)
	if err != nil || after.ID != before.ID || after.Generation != 1 || after.Devices[0].ID != "15550142235.1" {
		t.Fatalf("moved to %+v, %v", after, err)
	}
	if _, code := s.Take(); code != frame.CloseRemoved {
		t.Errorf("the old number's device closed with %d", code)
	}
	if u, err := w.dir.Lookup(ctx, "15550142233"); u != nil || err != nil {
		t.Errorf("the old number still has %+v, %v", u, err)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	s := networktest.NewSink(0)
	w.attach(t, d, 0, s)
	if err := w.dir.Remove(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, code := s.Take(); code != frame.CloseRemoved {
		t.Errorf("closed with %d", code)
	}
	if _, err := w.hub.Attach(t.Context(), d, 0, s); !errors.Is(err, network.ErrNoDevice) {
		t.Errorf("attach: %v", err)
	}
	if _, err := w.dir.Bundle(t.Context(), d); !errors.Is(err, network.ErrNoDevice) {
		t.Errorf("bundle: %v", err)
	}
}

func TestSeenIsWrittenOnceAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(nil)
	defer w.stop(t)
	d := w.user(t, "15550142233")
	for _, step := range []struct{ wait, want time.Duration }{{10 * time.Minute, 0}, {50 * time.Minute, time.Hour}, {time.Minute, time.Hour}} {
		w.clock.Advance(step.wait)
		w.attach(t, d, 0, networktest.NewSink(0)).Close()
		u, err := w.store.User(t.Context(), "15550142233")
		if err != nil || u.Seen != start.Add(step.want).UnixMilli() {
			t.Errorf("seen at %d, want %v after the start (%v)", u.Seen, step.want, err)
		}
	}
}
