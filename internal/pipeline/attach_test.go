package pipeline_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// linker answers what the test tells it to: at once, or when its gate opens.
type linker struct {
	mu      sync.Mutex
	asked   []string
	waiting []func()
	gate    bool   // answers wait for open
	quick   string // but for this link
	answer  func(link string) (members, fault string)
}

func (k *linker) Link(_ wa.WABAID, a *message.Attachment, done func([]byte, string)) {
	k.mu.Lock()
	k.asked = append(k.asked, a.Link)
	members, fault := `"blob":{"id":"`+a.Link+`"}`, ""
	if k.answer != nil {
		members, fault = k.answer(a.Link)
	}
	call := func() {
		if members == "" {
			done(nil, fault)
			return
		}
		done([]byte(members), fault)
	}
	if k.gate && a.Link != k.quick {
		k.waiting = append(k.waiting, call)
		k.mu.Unlock()
		return
	}
	k.mu.Unlock()
	call()
}

// open lets everything through.
func (k *linker) open() {
	k.mu.Lock()
	list := k.waiting
	k.waiting, k.gate = nil, false
	k.mu.Unlock()
	for _, f := range list {
		f()
	}
}

func (k *linker) links() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.asked...)
}

// pictures is a message with a link for each picture.
func pictures(to wa.WaID, links ...string) *pipeline.Outgoing {
	m := text(to, "")
	m.Type = message.TypeImage
	m.Body = []byte(`"type":"image","image":{`)
	for i, link := range links {
		if i > 0 {
			m.Body = append(m.Body, `},"more":{`...)
		}
		m.Body = message.AppendPlaceholder(m.Body, i)
		m.Attachments = append(m.Attachments, message.Attachment{Kind: message.TypeImage, Link: link, N: i})
	}
	m.Body = append(m.Body, '}')
	return m
}

func withLinks(k *linker) func(*world) {
	return func(w *world) { w.set = func(o *pipeline.Options) { o.Links = k } }
}

func TestMediaByLink(t *testing.T) {
	t.Parallel()
	for _, gate := range []bool{false, true} {
		k := &linker{gate: gate}
		w := newWorld(t, withLinks(k))
		f := w.phone(ana)
		f.say(shop, "hi")
		id := w.accept(pictures(ana, "https://a/1", "https://a/2"))
		if gate {
			w.ladder(id, accepted) // nothing else is known before the files are
			after := w.accept(text(ana, "later"))
			for kinds, _ := w.statuses(after); len(kinds) < 3; kinds, _ = w.statuses(after) { // and others do not wait
				w.check(w.pace.Sleep(t.Context(), time.Millisecond))
			}
			k.open()
		}
		w.settle()
		w.ladder(id, accepted, sent, delivered)
		if got := f.texts[id]; !strings.Contains(got, `"image":{"blob":{"id":"https://a/1"}},"more":{"blob":{"id":"https://a/2"}}`) {
			t.Errorf("the device has %s", got)
		}
		f.healthy(t)
	}
}

// Source: spec/media.md section 20.2.
func TestAFileThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const details = "Downloading media from weblink failed with http code 404, status message Not Found"
	k := &linker{answer: func(link string) (string, string) {
		if strings.HasSuffix(link, "/404") {
			return "", details
		}
		return `"blob":{}`, ""
	}}
	w := newWorld(t, withLinks(k))
	f := w.phone(ana)
	f.say(shop, "hi")
	known := text(ana, "x")
	known.Attachments = []message.Attachment{{Kind: message.TypeImage, ID: "1", Fault: details}}
	for name, m := range map[string]*pipeline.Outgoing{
		"a link": pictures(ana, "https://a/404"), "the second link": pictures(ana, "https://a/1", "https://a/404"), "known before": known,
	} {
		id := w.accept(m)
		w.settle()
		if s := w.ladder(id, accepted, failed)[0]; s.Code != 131053 || s.Details != details {
			t.Errorf("%s: %d %s", name, s.Code, s.Details)
		}
	}
	late := w.accept(pictures(bob, "https://a/404")) // who never wrote: the window comes first
	w.settle()
	if s := w.ladder(late, accepted, failed)[0]; s.Code != 131047 {
		t.Errorf("outside of the window: %d", s.Code)
	}
	if got := f.received(); len(got) != 0 {
		t.Errorf("the device got %v", got)
	}
}

// A server that does not answer stops the links of the number that names it, and nothing else of the lane.
func TestASlowServerIsItsOwnNumbersMatter(t *testing.T) {
	t.Parallel()
	k := &linker{gate: true}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Links, o.Queue = k, 4 } })
	neighbour := shop
	for i := 0; neighbour == shop || w.p.Partition(neighbour) != w.p.Partition(shop); i++ {
		neighbour = wa.PhoneNumberID("10654035224293" + strconv.Itoa(i))
	}
	w.addNumber(neighbour, "15550003333")
	f := w.phone(ana)
	f.say(shop, "hi")
	f.say(neighbour, "hi")
	var refused error
	for n := 1; n <= 9; n++ {
		w.accept(pictures(ana, "https://slow/"+strconv.Itoa(n)))
		for len(k.links()) < n {
			w.check(w.pace.Sleep(t.Context(), time.Millisecond))
		}
	}
	if _, refused = w.p.Accept(t.Context(), pictures(ana, "https://slow/10")); !errors.Is(refused, wa.ErrUnavailable) {
		t.Errorf("one link more: %v", refused)
	}
	w.accept(text(ana, "without a link"))
	other := pictures(ana, "https://quick/1")
	other.Number = neighbour
	w.accept(other)
	k.open()
	w.settle()
	w.accept(pictures(ana, "https://slow/11"))
	w.settle()
}

func TestWithoutLinker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana).say(shop, "hi")
	id := w.accept(pictures(ana, "https://a/1"))
	w.settle()
	if s := w.ladder(id, accepted, failed)[0]; s.Code != 131053 {
		t.Errorf("code %d", s.Code)
	}
}

// A message whose file was being fetched when the process died is taken up with the next start.
func TestLinksSurviveAKill(t *testing.T) {
	t.Parallel()
	k := &linker{gate: true}
	w := newWorld(t, withLinks(k))
	f := w.phone(ana)
	f.say(shop, "hi")
	id := w.accept(pictures(ana, "https://a/1"))
	for len(k.links()) == 0 {
		w.check(w.pace.Sleep(t.Context(), time.Millisecond))
	}
	w.projectedStore()
	w.kill()
	k.open() // too late for that life
	w.start()
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	if n := len(k.links()); n != 2 || len(f.received()) != 1 {
		t.Errorf("%d fetches, %d messages", n, len(f.received()))
	}
	f.healthy(t)
}

// projectedStore waits until the store shows the journal, with work still in flight.
func (w *world) projectedStore() {
	w.tb.Helper()
	for !w.p.Projected() {
		w.check(w.pace.Sleep(w.tb.Context(), time.Millisecond))
	}
}

// An orderly stop does not fail what is being fetched: it goes on with the next start.
func TestLinksSurviveAStop(t *testing.T) {
	t.Parallel()
	k := &linker{gate: true, answer: func(string) (string, string) { return "", "" }}
	w := newWorld(t, withLinks(k))
	f := w.phone(ana)
	f.say(shop, "hi")
	id := w.accept(pictures(ana, "https://a/1"))
	for len(k.links()) == 0 {
		w.check(w.pace.Sleep(t.Context(), time.Millisecond))
	}
	k.open() // gives up
	w.stop()
	k.answer = nil
	w.start()
	w.settle()
	w.ladder(id, accepted, sent, delivered)
	f.healthy(t)
}

// What was sent once is not fetched again when the device asks for it, or when the user has a new phone.
func TestASentFileIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	k := &linker{}
	w := newWorld(t, withLinks(k))
	f := w.phone(ana)
	f.say(shop, "hi")
	f.switchOn(false)
	id := w.accept(pictures(ana, "https://a/1"))
	w.projected()
	f.install()
	w.p.UserChanged(ana, true)
	w.settle()
	f.switchOn(true)
	w.settle()
	if got := f.texts[id]; !strings.Contains(got, `"blob":{"id":"https://a/1"}`) {
		t.Errorf("the device has %s", got)
	}
	if n := len(k.links()); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// ---- files of users ----

type arrivals struct {
	mu   sync.Mutex
	took []message.File
	gate chan struct{}
	fail error
	none bool
}

func (a *arrivals) Arrive(ctx context.Context, _ wa.DeviceID, _ *business.Number, f *message.File) ([]byte, error) {
	if a.gate != nil {
		select {
		case <-a.gate:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.took = append(a.took, *f)
	switch {
	case a.fail != nil:
		err := a.fail
		a.fail = nil
		return nil, err
	case a.none:
		return nil, nil
	}
	return []byte(`"id":"1846720391557999","mime_type":"image/png","sha256":"x"`), nil
}

const picture = `{"v":1,"type":"image","image":{"mime_type":"image/png","caption":"c","blob":{"id":"b","key":"secret"}}}`

func TestAFileIsTakenOverBeforeItIsRecorded(t *testing.T) {
	t.Parallel()
	a := &arrivals{gate: make(chan struct{})}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Arrivals = a } })
	f := w.phone(ana)
	f.say(shop, "hi")
	pre, wire := f.encrypt(shop, picture)
	first := f.post(shop, "picture-1", pre, wire)
	again := f.post(shop, "picture-1", pre, wire)
	pre, wire = f.encrypt(shop, "behind it")
	second := f.post(shop, "text-1", pre, wire)
	if n := len(of[*record.Received](w.records())); n != 1 {
		t.Errorf("%d messages are recorded before the file is there", n)
	}
	close(a.gate)
	one, two, three := <-first, <-again, <-second
	if one.err != nil || one.id != two.id || two.err != nil || three.err != nil {
		t.Fatalf("%+v, %+v, %+v", one, two, three)
	}
	w.settle()
	got := of[*record.Received](w.records())
	if len(got) != 3 || got[1].ID != one.id || got[2].ID != three.id || got[1].Type != "image" {
		t.Fatalf("the journal has %d messages", len(got))
	}
	body, err := w.vault.Open([]byte("message/"+string(one.id)+"/body"), got[1].SealedBody)
	if want := `{"v":1,"type":"image","image":{"id":"1846720391557999","mime_type":"image/png","sha256":"x","caption":"c"}}`; err != nil || string(body) != want {
		t.Errorf("recorded %s, %v", body, err)
	}
	if len(a.took) != 1 || a.took[0].Kind != "image" || a.took[0].MIME != "image/png" || string(a.took[0].Blob) != `{"id":"b","key":"secret"}` {
		t.Errorf("took %+v", a.took)
	}
}

func TestAFileThatCannotBeHad(t *testing.T) {
	t.Parallel()
	a := &arrivals{none: true}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Arrivals = a } })
	f := w.phone(ana)
	id := f.say(shop, picture)
	w.settle()
	got := of[*record.Received](w.records())
	body, err := w.vault.Open([]byte("message/"+string(id)+"/body"), got[0].SealedBody)
	if want := `{"v":1,"type":"image","image":{"caption":"c"}}`; err != nil || string(body) != want {
		t.Errorf("recorded %s, %v", body, err)
	}
}

// When the store of files does not answer, the device is told to come again, which costs it nothing: the same bytes are taken
// although their key is spent.
func TestAFileThatCannotBeStoredNow(t *testing.T) {
	t.Parallel()
	a := &arrivals{fail: errors.New("the bucket does not answer")}
	w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Arrivals = a } })
	f := w.phone(ana)
	f.say(shop, "hi")
	pre, wire := f.encrypt(shop, picture)
	if got := <-f.post(shop, "picture-1", pre, wire); !errors.Is(got.err, pipeline.ErrBusy) {
		t.Fatalf("%+v", got)
	}
	if id := f.say(shop, "behind it"); id == "" {
		t.Error("not taken")
	}
	if got := <-f.post(shop, "picture-1", pre, append(wire[:len(wire)-1:len(wire)-1], wire[len(wire)-1]^1)); !errors.Is(got.err, pipeline.ErrUndecryptable) {
		t.Errorf("other bytes: %+v", got)
	}
	first := <-f.post(shop, "picture-1", pre, wire)
	if again := <-f.post(shop, "picture-1", pre, wire); first.err != nil || again != first {
		t.Errorf("the same bytes: %+v, then %+v", first, again)
	}
	w.settle()
	if n := len(of[*record.Received](w.records())); n != 3 {
		t.Errorf("%d messages", n)
	}
}

// What happens while a file is taken over counts: the message of a user whom the business has blocked meanwhile is not
// recorded, nor is one of a phone that was replaced, whose session must not take the place of the new one's.
func TestWhatHappensWhileAFileIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(w *world, f *phone)
		want   error
	}{
		"nothing":       {func(*world, *phone) {}, nil},
		"blocked":       {func(w *world, _ *phone) { w.blocks(ana) }, pipeline.ErrBlocked},
		"another phone": {(*world).reinstall, pipeline.ErrUndecryptable},
		"another phone, known already": {func(w *world, f *phone) {
			w.reinstall(f)
			w.accept(text(ana, "loads the pair"))
		}, pipeline.ErrUndecryptable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &arrivals{gate: make(chan struct{})}
			w := newWorld(t, func(w *world) { w.set = func(o *pipeline.Options) { o.Arrivals = a } })
			f := w.phone(ana)
			f.say(shop, "hi")
			w.accept(text(ana, "so that the session is confirmed"))
			w.settle()
			w.clock.Advance(time.Minute)
			f.switchOn(false)
			pre, wire := f.encrypt(shop, picture)
			heard := f.post(shop, "picture-1", pre, wire)
			c.change(w, f)
			close(a.gate)
			if got := <-heard; !errors.Is(got.err, c.want) {
				t.Errorf("%+v, want %v", got, c.want)
			}
			f.switchOn(true)
			w.settle()
			want := 1
			if c.want == nil {
				want = 2
			}
			if n := len(of[*record.Received](w.records())); n != want {
				t.Errorf("%d messages are recorded, want %d", n, want)
			}
			if errors.Is(c.want, pipeline.ErrBlocked) {
				return
			}
			w.clock.Advance(time.Minute)
			f.say(shop, "again")
			id := w.accept(text(ana, "and back"))
			w.settle()
			w.ladder(id, accepted, sent, delivered)
			f.healthy(t)
		})
	}
}

// blocks lets the business block a user.
func (w *world) blocks(user wa.WaID) {
	w.tb.Helper()
	_, err := w.p.BlockUsers(w.tb.Context(), shop, []wa.WaID{user}, true)
	w.check(err)
}

// After a start a page of messages that wait for a slow server does not hold up those behind them.
func TestABacklogDoesNotWaitForSlowServers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a page is a thousand messages")
	}
	const page, each = 1000, 40
	k := &linker{gate: true}
	w := newWorld(t, func(w *world) {
		w.numbers.change(shop, func(n *business.Number) { n.Level = business.High })
		w.set = func(o *pipeline.Options) { o.Links = k }
	})
	var all sync.WaitGroup
	for i := range page / each {
		f := w.phone(person(i))
		f.say(shop, "hi")
		if i == page/each/2 {
			all.Wait()
			w.clock.Advance(time.Second)
		}
		all.Go(func() {
			for n := range each {
				w.accept(pictures(f.user, "https://slow/"+strconv.Itoa(n)))
			}
		})
	}
	all.Wait()
	f := w.phone(ana)
	f.say(shop, "hi")
	w.clock.Advance(time.Second)
	last := w.accept(pictures(ana, "https://quick/1"))
	w.projectedStore()
	w.kill()
	k.mu.Lock()
	k.waiting, k.quick = nil, "https://quick/1"
	k.mu.Unlock()
	w.start()
	for kinds, _ := w.statuses(last); len(kinds) < 3; kinds, _ = w.statuses(last) {
		w.check(w.pace.Sleep(t.Context(), time.Millisecond))
	}
	k.open()
	w.settle()
	f.healthy(t)
}
