package device_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestBothDirections(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.p.Text(deviceID, "Your parcel is here.")
	r.push()
	m := r.send("Thank you!")
	equal(t, "shown", strings.Join(r.texts, "|"), "Your parcel is here.")
	equal(t, "arrived", strings.Join(r.inbox(), "|"), "Thank you!")
	got, _ := r.d.Message(m.ClientID)
	equal(t, "status", got.Status, device.Sent)
	equal(t, "wamid", got.ID, "wamid.000002")
	if _, err := r.d.MarkRead("nothing"); err != nil {
		t.Fatal(err)
	}
	r.do(r.d.MarkChatRead(business))
	r.look(func(p *platformtest.Peer) {
		equal(t, "history", strings.Join(p.History["wamid.000001"], " "), "delivered read")
		equal(t, "waiting", p.Waiting(), 0)
	})
	r.p.Event(deviceID, frame.Event{Kind: frame.EventRead, IDs: []string{"wamid.000002"}})
	r.push()
	got, _ = r.d.Message(m.ClientID)
	equal(t, "status", got.Status, device.Read)
	chats := r.d.Chats()
	equal(t, "chats", len(chats), 1)
	equal(t, "unread", chats[0].Unread, 0)
}

func TestFirstMessageByUserWaitsForBundle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, body := range []string{"one", "two", "three"} {
		r.send(body) // offline: no session, no keys
	}
	equal(t, "unanswered", r.d.Unanswered(), 3)
	r.reopen()
	r.connect()
	equal(t, "arrived", strings.Join(r.inbox(), " "), "one two three")
	equal(t, "unanswered", r.d.Unanswered(), 0)
	var kinds []frame.Kind
	r.lost = func(up bool, f frame.Frame) bool {
		if s, ok := f.(*frame.Send); ok && up {
			kinds = append(kinds, s.K)
		}
		return false
	}
	r.send("four")
	equal(t, "kind after sent", kinds[0], frame.KindMessage)
}

func TestOpenChatReadsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.d.OpenChat(business)
	id := r.p.Text(deviceID, "hello")
	r.push()
	r.look(func(p *platformtest.Peer) { equal(t, "history", strings.Join(p.History[id], " "), "read") })

	off := false
	r.do(r.d.SetProfile(frame.Profile{ReadReceipts: &off}))
	id = r.p.Text(deviceID, "secret reader")
	r.push()
	r.look(func(p *platformtest.Peer) { equal(t, "history", strings.Join(p.History[id], " "), "delivered") })
	r.do(r.d.MarkChatRead(""))
	r.look(func(p *platformtest.Peer) { equal(t, "history", strings.Join(p.History[id], " "), "delivered") })
	m, _ := r.d.Message(id)
	equal(t, "here", m.Status, device.Read)
}

func TestLostAckIsRepeatedWithoutDecrypting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.lost = func(up bool, f frame.Frame) bool { _, ack := f.(*frame.Ack); return up && ack }
	r.p.Text(deviceID, "once")
	r.push()
	r.push() // a duplicate on the same connection
	r.lost = nil
	r.d.Disconnected()
	r.reopen()
	r.connect()
	r.push()
	equal(t, "shown", strings.Join(r.texts, "|"), "once")
	r.look(func(p *platformtest.Peer) {
		equal(t, "waiting", p.Waiting(), 0)
		equal(t, "retries", len(p.Retries), 0)
	})
}

func TestLostSentIsAnsweredWithSameBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.send("first")
	var sends []*frame.Send
	r.lost = func(up bool, f frame.Frame) bool {
		if s, ok := f.(*frame.Send); ok {
			sends = append(sends, s)
		}
		_, sent := f.(*frame.Sent)
		return sent && len(sends) == 1
	}
	m := r.send("second")
	r.reopen()
	r.connect()
	equal(t, "sends", len(sends), 2)
	equal(t, "id", sends[0].ID, sends[1].ID)
	if !slices.Equal(sends[0].Ct, sends[1].Ct) {
		t.Error("the repeat was encrypted anew")
	}
	equal(t, "arrived", strings.Join(r.inbox(), " "), "first second")
	got, _ := r.d.Message(m.ClientID)
	equal(t, "status", got.Status, device.Sent)
}

func TestCrashBeforeCommit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.p.Text(deviceID, "before")
	r.push()
	r.p.Text(deviceID, "during")
	r.store.failing = true
	eff, err := r.d.Handle(r.p.Pending(deviceID, 100)[0])
	if !errors.Is(err, device.ErrBroken) || !errors.Is(err, errDisk) || len(eff.Frames) > 0 {
		t.Fatalf("a step that was not stored: %v, %d frames", err, len(eff.Frames))
	}
	if _, _, err := r.d.Send(business, []byte(`{"type":"text","text":{"body":"x"}}`)); !errors.Is(err, device.ErrBroken) {
		t.Fatalf("broken device sends: %v", err)
	}
	r.store.failing = false
	if err := r.d.Reload(); err != nil {
		t.Fatal(err)
	}
	r.connect()
	r.push()
	equal(t, "shown", strings.Join(r.texts, " "), "before during")
	r.look(func(p *platformtest.Peer) {
		equal(t, "waiting", p.Waiting(), 0)
		equal(t, "retries", len(p.Retries), 0)
	})
}

func TestOneCallIsOneStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	for range 5 {
		r.p.Text(deviceID, "x")
	}
	before := r.store.steps
	r.push()
	equal(t, "steps", r.store.steps-before, 1)
}

func TestRetryWhenDamaged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.p.Text(deviceID, "fine")
	r.push()
	id := r.p.Text(deviceID, "spoiled")
	r.p.Damage(deviceID)
	r.push()
	r.look(func(p *platformtest.Peer) {
		equal(t, "retries", len(p.Retries), 1)
		equal(t, "reason", p.Retries[0].Reason, frame.RetryBadMAC)
		equal(t, "status", p.Statuses[id], "")
	})
	r.push()
	equal(t, "shown", strings.Join(r.texts, " "), "fine spoiled")
	r.look(func(p *platformtest.Peer) { equal(t, "status", p.Statuses[id], "delivered") })
	equal(t, "resume", r.d.ResumeSeq(), 3)
}

func TestLostRetryIsRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	id := r.p.Text(deviceID, "spoiled")
	r.p.Damage(deviceID)
	r.p.Text(deviceID, "behind it, in the same session")
	r.lost = func(up bool, _ frame.Frame) bool { return up } // the connection dies with everything in it
	r.push()
	r.lost = nil
	r.reopen()
	equal(t, "resume", r.d.ResumeSeq(), 0)
	r.connect()
	r.push()
	r.push()
	r.look(func(p *platformtest.Peer) {
		equal(t, "status", p.Statuses[id], "delivered")
		equal(t, "waiting", p.Waiting(), 0)
	})
	slices.Sort(r.texts)
	equal(t, "shown", strings.Join(r.texts, "|"), "behind it, in the same session|spoiled")
}

func TestUnknownPreKeyUploadsBeforeRetry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.p.Text(deviceID, "old keys")
	// The device loses the keys the platform has used: a new installation whose old item is still there.
	d, err := device.Generate(r.o)
	if err != nil {
		t.Fatal(err)
	}
	r.d = d
	r.do(d.Adopt(frame.Registered{WaID: user, Device: 1}))
	r.clock.advance(time.Hour)
	r.do(r.d.Connected())
	var order []frame.Type
	r.lost = func(up bool, f frame.Frame) bool {
		if up {
			order = append(order, f.Type())
		}
		return up
	}
	r.push()
	if len(order) != 3 || order[0] != frame.TypePreKeys || order[1] != frame.TypeRetry || order[2] != frame.TypeAck {
		t.Fatalf("order of frames: %v", order)
	}
}

func TestKeysAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.look(func(p *platformtest.Peer) { equal(t, "uploads", p.Uploads, 0) })
	r.do(r.d.Handle(&frame.Low{OneTimeLeft: 20}))
	r.look(func(p *platformtest.Peer) { equal(t, "uploads", p.Uploads, 0) })
	r.do(r.d.Handle(&frame.Low{OneTimeLeft: 5}))
	r.look(func(p *platformtest.Peer) {
		equal(t, "uploads", p.Uploads, 1)
		equal(t, "one-time keys", p.OneTimeLeft(), 35)
	})
	equal(t, "due", r.d.Due().Sub(r.clock.Now()), 7*24*time.Hour)
	r.clock.advance(7 * 24 * time.Hour)
	r.lost = func(bool, frame.Frame) bool { return true }
	r.do(r.d.Tick())
	r.lost = nil
	r.reopen()
	r.connect() // the lost upload is repeated
	r.look(func(p *platformtest.Peer) { equal(t, "uploads", p.Uploads, 2) })
	equal(t, "due", r.d.Due().Sub(r.clock.Now()), 7*24*time.Hour)
	r.p.Text(deviceID, "with new keys")
	r.push()
	equal(t, "shown", strings.Join(r.texts, " "), "with new keys")
}

func TestPreviewReactionUnsupported(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	id := r.p.Text(deviceID, "https://bistro.example/menu")
	r.p.Companion(deviceID, id, `{"url":"https://bistro.example/menu","title":"Menu","description":"Tonight"}`)
	r.p.Message(deviceID, `"type":"reaction","reaction":{"message_id":"`+id+`","emoji":"👍"}`)
	odd := r.p.Message(deviceID, `"type":"hologram","hologram":{"z":1}`)
	r.p.Raw(deviceID, "wamid.broken", []byte("no padding, no JSON"))
	other := r.p.Message(deviceID, `"type":"text","text":{"body":"swapped"},"id":"wamid.else"`)
	r.push()
	m, _ := r.d.Message(id)
	card, ok := m.Card()
	if !ok || card.Title != "Menu" || card.URL != "https://bistro.example/menu" {
		t.Errorf("card: %+v %v", card, ok)
	}
	equal(t, "reaction", m.Theirs, "👍")
	for _, id := range []string{odd, "wamid.broken", other} {
		m, ok := r.d.Message(id)
		if !ok || m.Type != device.TypeUnsupported {
			t.Errorf("%s: %v, type %q", id, ok, m.Type)
		}
	}
	r.look(func(p *platformtest.Peer) { equal(t, "retries", len(p.Retries), 0) })
	_, eff, err := r.d.Send(business, []byte(`{"type":"reaction","reaction":{"message_id":"`+id+`","emoji":"🎉"}}`))
	r.do(eff, err)
	m, _ = r.d.Message(id)
	equal(t, "own reaction", m.Ours, "🎉")
}

func TestTypingAndProfile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	r.do(r.d.Handle(&frame.Deliver{Items: []frame.Item{
		{K: frame.KindEvent, Ev: &frame.Event{Kind: frame.EventTyping, For: 25, Of: business}},
	}}))
	equal(t, "typing", r.count(device.EventTyping), 1)
	r.do(r.d.Find("shop"))
	equal(t, "found", r.count(device.EventFound), 1)
	r.do(r.d.Block(business, true))
	r.look(func(p *platformtest.Peer) {
		equal(t, "acts", len(p.Acts), 1)
		equal(t, "act", p.Acts[0].Do, frame.DoBlock)
	})
	equal(t, "blocked", r.d.Chats()[0].Blocked, true)
	equal(t, "unanswered", r.d.Unanswered(), 0)
}

// Whoever blocked a business must lift the block to write to it, also after the app was closed. Source: spec/quality.md QC5.
func TestBlockedBusinessIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	id := r.receive(`"type":"text","text":{"body":"offer"}`)
	r.do(r.d.Block(business, true))
	r.reopen()
	r.connect()
	for name, content := range map[string][]byte{
		"text": []byte(`{"type":"text","text":{"body":"stop"}}`), "reaction": device.ReactionContent(id, "👎"),
	} {
		if _, eff, err := r.d.Send(business, content); !errors.Is(err, device.ErrBlocked) || len(eff.Frames) > 0 {
			t.Errorf("%s: %v, %d frames", name, err, len(eff.Frames))
		}
	}
	if _, err := r.d.Flow(id, 0); !errors.Is(err, device.ErrBlocked) {
		t.Errorf("a flow: %v", err)
	}
	r.do(r.d.Block(business, false))
	r.send("hello again")
	equal(t, "arrived", strings.Join(r.inbox(), "|"), "hello again")
}

func TestReceiptsAndActsSurviveOffline(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	id := r.p.Text(deviceID, "hello")
	r.push()
	r.d.Disconnected()
	r.do(r.d.MarkRead(id))
	r.do(r.d.Block(business, true))
	r.reopen()
	r.connect()
	r.look(func(p *platformtest.Peer) {
		equal(t, "status", p.Statuses[id], "read")
		equal(t, "acts", len(p.Acts), 1)
	})
}

// Source: spec/messages.md section 9.4.
func TestOnlyVoiceMessagesArePlayed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.connect()
	note := r.receive(`"type":"audio","audio":{"mime_type":"audio/ogg; codecs=opus","voice":true}`)
	song := r.receive(`"type":"audio","audio":{"mime_type":"audio/mpeg"}`)
	text := r.p.Text(deviceID, "hello")
	r.push()
	r.do(r.d.MarkPlayed(note, song, text))
	r.look(func(p *platformtest.Peer) {
		equal(t, "voice message", p.Statuses[note], "played")
		equal(t, "other sound", p.Statuses[song], "delivered")
		equal(t, "text", p.Statuses[text], "delivered")
	})
}

func TestHostIsChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.o.Host = "chat.example:8443"
	r.reopen()
	for host, want := range map[string]error{
		"chat.example:8443": nil, "Chat.example": nil, "evil.example": device.ErrHost, "": device.ErrHost,
	} {
		eff, err := r.d.Handle(&frame.Hello{V: 1, Nonce: make([]byte, 32), Host: host})
		if !errors.Is(err, want) || (err == nil) != (len(eff.Frames) == 1) {
			t.Errorf("host %q: %v, %d frames", host, err, len(eff.Frames))
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.o.History = 10
	r.reopen()
	r.send("unanswered") // offline: must stay
	for range 3 {
		for range 10 {
			r.p.Text(deviceID, "x")
		}
		r.push()
	}
	check := func() {
		list := r.d.Messages("", 0, 0)
		equal(t, "messages", len(list), 10)
		equal(t, "oldest", list[0].Text(), "unanswered")
	}
	check()
	r.reopen()
	check()
	equal(t, "page", len(r.d.Messages(business, r.d.Messages("", 0, 3)[0].N, 4)), 4)
}

func TestContentIsChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, content := range []string{
		``, `x`, `[]`, `null`, `{}`, `{"type":"text"}`, `{"type":1,"text":{}}`, "{\"type\":\"text\",\"text\":\"\xff\"}",
		`{"type":"text","text":{"body":"` + strings.Repeat("x", frame.MaxPlaintext) + `"}}`,
	} {
		if _, _, err := r.d.Send(business, []byte(content)); !errors.Is(err, device.ErrContent) {
			t.Errorf("%.40q: %v", content, err)
		}
	}
	if _, _, err := r.d.Send("+1 555", []byte(`{"type":"text","text":{"body":"x"}}`)); !errors.Is(err, device.ErrContent) {
		t.Errorf("number: %v", err)
	}
}
