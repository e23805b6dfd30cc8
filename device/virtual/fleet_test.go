package virtual_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

func TestActions(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, nil)
	ctx := t.Context()
	r.add(ann, `{"read_rate":0}`)
	id := r.n.text(ann, "hello")
	r.idle()
	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "read", IDs: []string{id}}))
	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "play", IDs: []string{id}}))
	equal(t, "history, since a text cannot be played", r.n.history(ann, id), "delivered read")

	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "offline"}))
	second := r.n.text(ann, "are you there?")
	r.idle()
	equal(t, "offline", r.n.history(ann, second), "")
	content := json.RawMessage(`{"messaging_product":"whatsapp","type":"text","text":{"body":"answer"}}`)
	m, err := r.f.Send(ctx, ann, business, content)
	r.must(err)
	equal(t, "status", m.Status, "pending")
	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "online"}))
	r.idle()
	equal(t, "online", r.n.history(ann, second), "delivered")
	equal(t, "inbox", r.n.inbox(ann), "answer")

	list, err := r.f.Messages(ann)
	r.must(err)
	equal(t, "messages", len(list), 3)
	data, err := json.Marshal(list[1])
	r.must(err)
	equal(t, "as JSON", strings.Contains(string(data), `"content":{"body":"answer"}`) &&
		strings.Contains(string(data), `"direction":"out","status":"sent"`), true)

	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "read"}))
	equal(t, "read all", r.n.history(ann, second), "delivered read")

	before := r.hash(ann)
	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "new_device"}))
	if r.hash(ann) == before {
		t.Error("a new device has the old identity")
	}
	third := r.n.text(ann, "new keys")
	r.idle()
	equal(t, "new device", r.n.history(ann, third), "delivered")

	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "receipts_off"}))
	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "read"}))
	r.idle()
	equal(t, "receipts off", r.n.history(ann, third), "delivered")
	r.must(r.f.Do(ctx, ann, virtual.UserAction{Do: "offline", For: virtual.Duration(time.Minute)}))
	r.idle()
	u, _ := r.f.User(ann)
	equal(t, "away", u.Online, false)
	r.advance(time.Minute)
	u, _ = r.f.User(ann)
	equal(t, "back", u.Online, true)

	for name, tc := range map[string]struct {
		waID string
		a    virtual.UserAction
		want error
	}{
		"nobody":       {"1", virtual.UserAction{Do: "online"}, virtual.ErrUnknown},
		"no action":    {ann, virtual.UserAction{Do: "dance"}, virtual.ErrAction},
		"no number":    {ann, virtual.UserAction{Do: "block"}, virtual.ErrAction},
		"no message":   {ann, virtual.UserAction{Do: "read", IDs: []string{"x"}}, virtual.ErrUnknown},
		"no ids":       {ann, virtual.UserAction{Do: "play"}, virtual.ErrAction},
		"no content":   {ann, virtual.UserAction{Do: "send", To: business}, device.ErrContent},
		"not a number": {ann, virtual.UserAction{Do: "block", To: "x"}, device.ErrContent},
	} {
		if err := r.f.Do(ctx, tc.waID, tc.a); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (r *rig) hash(waID string) (h string) {
	r.must(r.f.Look(waID, func(d *device.Device) { h = d.IdentityHash() }))
	return h
}

func TestUpdateAndWatch(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, nil)
	r.add(ann, `{"read_rate":0}`)
	r.add(ann, `{"read_at_once":true}`)
	equal(t, "registrations", r.n.created, 1)
	var events []device.EventKind
	stop, err := r.f.Watch(ann, func(e device.Event) { events = append(events, e.Kind) })
	r.must(err)
	id := r.n.text(ann, "x")
	r.idle()
	equal(t, "history", r.n.history(ann, id), "read")
	equal(t, "events", len(events), 1)
	stop()
	r.n.text(ann, "y")
	r.idle()
	equal(t, "events", len(events), 1)
	equal(t, "users", len(r.f.Users("", 0)), 1)
}

func TestFullQueueLosesNothing(t *testing.T) {
	t.Parallel()
	const ann, bob = "15550200001", "15550200002"
	r := newRig(t, func(o *virtual.Options) { o.Queue, o.Workers = 4, 1 })
	r.add(ann, "")
	r.add(bob, "")
	// Hold the worker in a watcher while frames pile up.
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stop, err := r.f.Watch(ann, func(device.Event) {
		once.Do(func() {
			close(held)
			<-release
		})
	})
	r.must(err)
	r.n.text(ann, "0")
	<-held
	var ids []string
	for i := range 20 {
		ids = append(ids, r.n.text(bob, fmt.Sprint(i)))
	}
	close(release)
	r.idle()
	stop()
	for _, id := range ids {
		equal(t, "history", r.n.history(bob, id), "delivered read")
	}
	list, err := r.f.Messages(bob)
	r.must(err)
	equal(t, "messages", len(list), 20)
	if r.f.Stats().Overflow == 0 {
		t.Error("the queue was never full")
	}
}

func TestByeComesBack(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, nil)
	r.add(ann, "")
	r.n.mu.Lock()
	sink := r.n.sinks[ann+".1"]
	r.n.mu.Unlock()
	sink(&frame.Bye{Reason: "restart", After: 2000})
	r.idle()
	id := r.n.text(ann, "meanwhile")
	r.idle()
	equal(t, "away", r.n.history(ann, id), "")
	r.advance(2 * time.Second)
	equal(t, "back", r.n.history(ann, id), "delivered read")
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	const ann, bob = "15550200001", "15550200002"
	r := newRig(t, nil)
	r.add(ann, `{"read_rate":0}`)
	r.add(bob, "")
	r.n.text(ann, "before")
	r.idle()
	r.f.Close()
	saved, err := r.f.Save()
	r.must(err)

	again := virtual.New(virtual.Options{Network: r.n, Clock: r.clock, Workers: 1})
	r.must(again.Load(saved))
	id := r.n.text(ann, "while down")
	again.Start()
	t.Cleanup(again.Close)
	r.f = again
	r.idle()
	equal(t, "registrations", r.n.created, 2)
	equal(t, "history", r.n.history(ann, id), "delivered")
	list, err := again.Messages(ann)
	r.must(err)
	equal(t, "messages", len(list), 2)
	r.must(again.Do(t.Context(), ann, virtual.UserAction{Do: "send", To: business, Content: []byte(`{"type":"text","text":{"body":"still me"}}`)}))
	r.idle()
	equal(t, "inbox", r.n.inbox(ann), "still me")
	for _, bad := range [][]byte{nil, saved[:len(saved)-1], append([]byte("hikyaku fleet 1\n"), 0xff), []byte("x")} {
		if err := virtual.New(virtual.Options{Network: r.n, Clock: r.clock}).Load(bad); !errors.Is(err, virtual.ErrSaved) {
			t.Errorf("load of %d bytes: %v", len(bad), err)
		}
	}
}

func TestRecoverRegistersAgain(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, nil)
	r.add(ann, "")
	first := r.hash(ann)
	r.f.Close()

	again := virtual.New(virtual.Options{Network: r.n, Clock: r.clock, Workers: 1})
	again.Start()
	t.Cleanup(again.Close)
	r.f = again
	r.must(again.Recover(t.Context(), virtual.User{WaID: ann}, virtual.User{WaID: "15550200002"}))
	r.must(again.Do(t.Context(), ann, virtual.UserAction{Do: "online"})) // does not wait for the background
	if r.hash(ann) == first {
		t.Error("the identity came back from nowhere")
	}
	r.idle()
	u, ok := again.User("15550200002")
	equal(t, "recovered", ok && u.Online && u.Registered, true)
	id := r.n.text(ann, "hello again")
	r.idle()
	equal(t, "history", r.n.history(ann, id), "delivered read")
}

func TestRefusedRegistration(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.n.refuse = errors.New("no room")
	if err := r.f.Add(t.Context(), virtual.User{WaID: "15550200001"}); !errors.Is(err, r.n.refuse) {
		t.Fatal(err)
	}
	r.n.refuse = nil
	r.add("15550200001", "")
	u, _ := r.f.User("15550200001")
	equal(t, "online", u.Online, true)
	r.f.Close()
	if err := r.f.Add(t.Context(), virtual.User{WaID: "15550200002"}); !errors.Is(err, virtual.ErrClosed) {
		t.Error(err)
	}
}

// TestCrowd holds the goroutines of many users; the bench runs ten thousand.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const crowd = 500
	r := newRig(t, nil)
	users := make([]virtual.User, crowd)
	for i := range users {
		users[i].WaID = fmt.Sprintf("1555%07d", i)
	}
	before := runtime.NumGoroutine()
	r.must(r.f.Add(t.Context(), users...))
	equal(t, "users", r.f.Stats().Users, crowd)
	if n := runtime.NumGoroutine() - before; n > 8 {
		t.Errorf("%d goroutines for %d users", n, crowd)
	}
	ids := make([]string, crowd)
	for i, u := range users {
		ids[i] = r.n.text(u.WaID, "hello")
	}
	r.idle()
	for i, u := range users {
		if h := r.n.history(u.WaID, ids[i]); h != "delivered read" {
			t.Fatalf("%s: %q", u.WaID, h)
		}
	}
}

// TestConcurrentUse does everything at once; the race detector judges.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *virtual.Options) { o.Queue = 8 })
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = fmt.Sprintf("1555%07d", i)
		r.add(ids[i], `{"reply_rate":0.5,"read_delay":"1s","offline":{"every":"10s","for":"1s"}}`)
	}
	var jobs sync.WaitGroup
	for w := range 4 {
		jobs.Go(func() {
			for i := range 50 {
				id := ids[(i*7+w)%len(ids)]
				switch (i + w) % 6 {
				case 0, 1:
					r.n.text(id, "x")
				case 2:
					_, _ = r.f.Messages(id)
					r.f.Users("", 5)
				case 3:
					_, _ = r.f.Send(t.Context(), id, business, []byte(`{"type":"text","text":{"body":"y"}}`))
				case 4:
					r.clock.advance(time.Second)
					r.f.Poke()
				case 5:
					_ = r.f.Do(t.Context(), id, virtual.UserAction{Do: "new_device"})
				}
			}
		})
	}
	jobs.Wait()
	r.idle()
	for range 60 {
		r.advance(time.Second)
	}
	for _, id := range ids {
		r.must(r.f.Do(t.Context(), id, virtual.UserAction{Do: "online"}))
		r.idle()
		r.n.Look(id+".1", func(p *platformtest.Peer) { equal(t, id+" waiting", p.Waiting(), 0) })
		u, _ := r.f.User(id)
		equal(t, id+" unanswered", u.Unanswered, 0)
	}
}
