package pipeline_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// However many files of users hang, messages go out to users whom nobody has loaded yet.
func TestFilesOfUsersDoNotHoldLanesUp(t *testing.T) {
	t.Parallel()
	a := &arrivals{gate: make(chan struct{})}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Arrivals, o.Workers = a, 2 } })
	w.phone(bob).say(shop, "hi")
	var posted []chan answer
	for i := range 6 {
		f := w.phone(wa.WaID("1650555010" + strconv.Itoa(i)))
		pre, wire := f.encrypt(shop, picture)
		posted = append(posted, f.post(shop, "picture", pre, wire))
	}
	id := w.accept(text(bob, "meanwhile"))
	for kinds, _ := w.statuses(id); len(kinds) < 3; kinds, _ = w.statuses(id) {
		w.check(w.pace.Sleep(t.Context(), time.Millisecond))
	}
	w.phone(ana).say(shop, "who is new")
	close(a.gate)
	for _, c := range posted {
		if got := <-c; got.err != nil {
			t.Error(got.err)
		}
	}
	w.settle()
}

// A store of files that hangs costs a device a while, and no worker for ever.
func TestAFileThatTakesTooLong(t *testing.T) {
	t.Parallel()
	a := &arrivals{gate: make(chan struct{})} // never opens
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) { o.Arrivals, o.FileTime = a, 10*time.Millisecond }
	})
	f := w.phone(ana)
	f.say(shop, "hi")
	pre, wire := f.encrypt(shop, picture)
	if got := <-f.post(shop, "picture-1", pre, wire); !errors.Is(got.err, pipeline.ErrBusy) {
		t.Errorf("%+v", got)
	}
	w.settle()
}

// One account can neither have all workers nor fill the room where others wait.
func TestAccountsHaveTurns(t *testing.T) {
	t.Parallel()
	in := pipeline.NewIntake(4, time.Minute)
	gate, began := make(chan struct{}), make(chan string, 1000)
	job := func(name string) func(context.Context) {
		return func(context.Context) { began <- name; <-gate }
	}
	taken := 0
	for range 1000 {
		if in.Do("loud", job("loud")) {
			taken++
		}
	}
	if taken != 2+pipeline.MaxFilesOf {
		t.Errorf("%d of one account are taken", taken)
	}
	if !in.Do("quiet", job("quiet")) {
		t.Error("another account finds no room")
	}
	count := map[string]int{}
	for range 3 {
		count[<-began]++
	}
	if count["loud"] != 2 || count["quiet"] != 1 {
		t.Errorf("began %v", count)
	}
	close(gate)
	in.Close()
	if n := len(began) + 3; n != taken+1 {
		t.Errorf("%d of %d ran", n, taken+1)
	}
}

// A device cannot name media by leaving its file out. Source: design "The user network", section 10.
func TestMediaThatIsOnlyClaimed(t *testing.T) {
	t.Parallel()
	for _, a := range []pipeline.Arrivals{nil, &arrivals{}} {
		w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Arrivals = a } })
		f := w.phone(ana)
		id := f.say(shop, `{"v":1,"type":"image","image":{"mime_type":"image/png","sha256":"AAAA","id":"1846720391557204","caption":"c"}}`)
		w.settle()
		body, err := w.vault.Open([]byte("message/"+string(id)+"/body"), of[*record.Received](w.records())[0].SealedBody)
		if want := `{"v":1,"type":"image","image":{"caption":"c"}}`; err != nil || string(body) != want {
			t.Errorf("recorded %s, %v", body, err)
		}
	}
}
