package pipeline_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// composed makes what the lane gets of a send: an object with type and content.
func composed(tb testing.TB, to wa.WaID, object string) *pipeline.Outgoing {
	tb.Helper()
	p, err := graph.Text("", `{"messaging_product":"whatsapp","to":"+`+string(to)+`",`+object[1:]).Object()
	if err != nil {
		tb.Fatal(err)
	}
	m, err := message.Decode(p)
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		tb.Fatalf("%s: %v", object, err)
	}
	return &pipeline.Outgoing{Number: shop, To: to, Type: m.Type, Category: m.Category, Life: m.Life, Body: m.Body}
}

func reaction(tb testing.TB, to wa.WaID, id wa.MessageID, emoji string) *pipeline.Outgoing {
	return composed(tb, to, `{"type":"reaction","reaction":{"message_id":"`+string(id)+`","emoji":"`+emoji+`"}}`)
}

// Source: spec/messages.md section 9.10: a reaction is sent and no more, and fails when there is nothing to react to.
func TestReactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, other := w.phone(ana), w.phone(bob)
	in, ours := f.say(shop, "hi"), w.accept(text(ana, "hello"))
	foreign := other.say(shop, "me too")
	w.settle()
	first := w.accept(reaction(t, ana, in, "👍"))
	w.settle()
	for what, id := range map[string]wa.MessageID{
		"to the user's": first, "another": w.accept(reaction(t, ana, in, "❤️")), "taken back": w.accept(reaction(t, ana, in, "")), "to our own": w.accept(reaction(t, ana, ours, "👍")),
	} {
		w.settle()
		if kinds, _ := w.statuses(id); len(kinds) != 2 {
			t.Errorf("%s: %v", what, kinds)
		}
		w.ladder(id, accepted, sent)
	}
	fails := func(what string, id wa.MessageID) {
		t.Helper()
		w.settle()
		for _, s := range w.ladder(id, accepted, failed) {
			if s.Code != wa.ErrValue.Code || s.Details == "" {
				t.Errorf("%s: %+v", what, s)
			}
		}
	}
	unknown := wa.NewMessageID(ana, false, append([]byte{0x3a, 1, 2, 3, 4, 5, 6, 7, 8}, byte(w.p.Partition(shop))))
	fails("unknown", w.accept(reaction(t, ana, unknown, "👍")))
	fails("no id", w.accept(reaction(t, ana, "wamid.x", "👍")))
	fails("a reaction", w.accept(reaction(t, ana, first, "👍")))
	fails("of another user", w.accept(reaction(t, ana, foreign, "👍")))
	w.kill()
	w.start()
	w.clock.Advance(30 * 24 * time.Hour)
	f.say(shop, "are you there?")
	w.ladder(w.settled(reaction(t, ana, in, "👍")), accepted, sent)
	w.clock.Advance(time.Millisecond)
	fails("older than 30 days", w.accept(reaction(t, ana, in, "👍")))
}

func (w *world) settled(m *pipeline.Outgoing) wa.MessageID {
	w.tb.Helper()
	id := w.accept(m)
	w.settle()
	return id
}

// Source: spec/messages.md sections 6 (row 36) and 10.9.
func TestAddressMessagesShowInOneCountry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const india = wa.WaID("919812345678")
	for user, last := range map[wa.WaID]int{ana: wa.ErrUndeliverable.Code, india: 0} {
		w.phone(user).say(shop, "hi")
		_, list := w.statuses(w.settled(composed(t, user, `{"type":"interactive","interactive":{"type":"address_message","body":{"text":"Where to?"},"action":{"name":"address_message","parameters":{"country":"IN"}}}}`)))
		if len(list) == 0 || list[0].Code != last {
			t.Errorf("%s: %+v", user, list)
		}
	}
}

// Source: spec/messages.md section 18.
func TestSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.phone(ana).say(shop, "hi")
	id := w.settled(text(ana, "x"))
	m, err := w.p.Sent(t.Context(), shop, id)
	if err != nil || m.ID != id || m.SentAt == 0 || m.DeliveredAt == 0 {
		t.Errorf("%+v, %v", m, err)
	}
	for what, of := range map[wa.MessageID]wa.PhoneNumberID{id: shop2, in: shop, "wamid.x": shop} {
		if _, err := w.p.Sent(t.Context(), of, what); !errors.Is(err, pipeline.ErrUnknown) {
			t.Errorf("%s of %s: %v", what, of, err)
		}
	}
}

// What no device takes is not accepted either: a lane would try to write and to send it for ever.
func TestTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana).say(shop, "hi")
	if _, err := w.p.Accept(t.Context(), template(ana, strings.Repeat("x", message.MaxPlaintext))); !errors.Is(err, wa.ErrValue) {
		t.Errorf("64 KiB: %v", err)
	}
	w.ladder(w.settled(template(ana, strings.Repeat("x", message.MaxPlaintext-1<<10))), accepted, sent, delivered)
}

// R43: one send of every type takes one message of the number's throughput each. The sends are those of the message room.
func TestThroughputCountsEveryType(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../message/testdata/sends.txt")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.phone(ana).say(shop, "hi")
	w.clock.Advance(time.Second)
	n, kinds := 0, map[string]bool{}
	for line := range strings.SplitSeq(string(file), "\n") {
		if !strings.HasPrefix(line, `{"type"`) {
			continue
		}
		m := composed(t, person(n), line)
		w.accept(m)
		kinds[m.Type] = true
		n++
	}
	if len(kinds) != 10 {
		t.Fatalf("kinds %v", kinds)
	}
	if passed := w.sends(shop, n, 100); passed != 80-n {
		t.Errorf("%d sends of every type left room for %d messages", n, passed)
	}
}

// Source: spec/messages.md section 17.
func TestBlocklist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, silent := w.phone(ana), w.phone(bob)
	f.say(shop, "hi")
	_ = silent
	block := func(on bool, users ...wa.WaID) []error {
		t.Helper()
		each, err := w.p.BlockUsers(t.Context(), shop, users, on)
		w.check(err)
		return each
	}
	blocked := func() []wa.WaID {
		t.Helper()
		list, err := w.p.Blocked(t.Context(), shop, "", "", 10)
		w.check(err)
		return list
	}
	each := block(true, ana, bob, "16505559999")
	if each[0] != nil || !errors.Is(each[1], wa.ErrWindow) || !errors.Is(each[2], wa.ErrWindow) {
		t.Errorf("blocking somebody, a silent one, nobody: %v", each)
	}
	if each := block(true, ana); each[0] != nil {
		t.Errorf("again: %v", each)
	}
	if list := blocked(); len(list) != 1 || list[0] != ana {
		t.Errorf("blocked %v", list)
	}
	if _, err := w.p.Accept(t.Context(), text(ana, "x")); !errors.Is(err, wa.ErrBlockedByBusiness) {
		t.Errorf("a send: %v", err)
	}
	prekey, wire := f.encrypt(shop, "hello?")
	if a := <-f.post(shop, "c", prekey, wire); !errors.Is(a.err, pipeline.ErrBlocked) {
		t.Errorf("an answer: %v", a.err)
	}
	w.kill()
	w.start()
	if list := blocked(); len(list) != 1 {
		t.Errorf("after a start blocked %v", list)
	}
	w.clock.Advance(25 * time.Hour)
	if each := block(false, ana, bob); each[0] != nil || each[1] != nil {
		t.Errorf("lifting: %v", each)
	}
	if list := blocked(); len(list) != 0 {
		t.Errorf("blocked %v", list)
	}
	w.accept(template(ana, "x"))
}

// longBlocklist says how many people a number blocks.
type longBlocklist struct {
	pipeline.Blocklist
	n int
}

func (b *longBlocklist) CountBlocked(context.Context, wa.PhoneNumberID) (int, error) { return b.n, nil }

// A number blocks 64,000 people at most; a call that would exceed it does nothing. Source: spec/limits.md section 7.
func TestLongestBlocklist(t *testing.T) {
	t.Parallel()
	list := &longBlocklist{n: pipeline.MaxBlocked - 1}
	w := newWorld(t, func(w *world) {
		w.set = func(o *pipeline.Options) { list.Blocklist, o.Blocks = o.Blocks, list }
	})
	w.phone(ana).say(shop, "hi")
	w.phone(bob).say(shop, "hi")
	if _, err := w.p.BlockUsers(t.Context(), shop, []wa.WaID{ana, bob}, true); !errors.Is(err, wa.ErrBlockLimit) {
		t.Errorf("two more than 63,999: %v", err)
	}
	if each, err := w.p.BlockUsers(t.Context(), shop, []wa.WaID{ana}, true); err != nil || each[0] != nil {
		t.Errorf("the last one: %v, %v", each, err)
	}
	list.n++
	if _, err := w.p.BlockUsers(t.Context(), shop, []wa.WaID{bob}, true); !errors.Is(err, wa.ErrBlockLimit) {
		t.Errorf("one more than 64,000: %v", err)
	}
}
