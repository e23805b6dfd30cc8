package console

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

func TestSendingAndHistory(t *testing.T) {
	t.Parallel()
	f := conversation()
	m := screenOf(t, f, 80, 24)
	press(m, "one", "enter", "two", "enter", "enter", "thr", "ctrl+p", "ctrl+p")
	if got := m.in.value(); got != "one" {
		t.Errorf("history gives %q", got)
	}
	m.in.walk(9)
	if got := m.in.value(); got != "thr" {
		t.Errorf("the line being written became %q", got)
	}
	want := []string{market + ` {"text":{"body":"one"},"type":"text"}`, market + ` {"text":{"body":"two"},"type":"text"}`}
	if !slices.Equal(f.sent, want) {
		t.Errorf("sent %q", f.sent)
	}
	f.fail = device.ErrQueue
	press(m, "ee", "enter")
	if m.in.value() != "three" || !strings.Contains(show(t, m), "Not sent") {
		t.Errorf("after an error the line is %q:\n%s", m.in.value(), show(t, m))
	}
}

func TestReplyAndButtons(t *testing.T) {
	t.Parallel()
	f := conversation()
	m := screenOf(t, f, 80, 24)
	press(m, "alt+2")
	want := market + ` {"button":{"payload":"BACK","text":"Send it back"},"type":"button","context":{"id":"wamid.4"}}`
	if len(f.sent) != 1 || f.sent[0] != want {
		t.Fatalf("sent %q", f.sent)
	}
	press(m, "pgup")
	if s := show(t, m); !strings.Contains(s, "✓ Send it back") || strings.Contains(s, "[1]") {
		t.Errorf("an answered message looks like\n%s", s)
	}
	press(m, "alt+1")
	if len(f.sent) != 1 {
		t.Errorf("answered twice: %q", f.sent)
	}
	press(m, "ctrl+r", "yes", "enter")
	if got := f.sent[1]; !strings.HasSuffix(got, `"context":{"id":"wamid.4"}}`) {
		t.Errorf("reply %s", got)
	}
	if m.reply != "" {
		t.Error("the next message is a reply too")
	}
}

func TestInteractiveReplies(t *testing.T) {
	t.Parallel()
	f := &fakePhone{}
	f.add(device.Message{Chat: market, Direction: device.In, Type: "interactive", Raw: []byte(`{"type":"interactive","interactive":{
		"type":"list","body":{"text":"When?"},"action":{"button":"Times","sections":[{"title":"Today","rows":[
		{"id":"a","title":"Noon"},{"id":"b","title":"Six","description":"after work"}]}]}}}`)})
	m := screenOf(t, f, 80, 24)
	m.Update(tea.KeyPressMsg{Code: tea.KeyF2})
	want := market + ` {"interactive":{"list_reply":{"id":"b","title":"Six","description":"after work"},"type":"list_reply"},` +
		`"type":"interactive","context":{"id":"wamid.1"}}`
	if len(f.sent) != 1 || f.sent[0] != want {
		t.Errorf("sent %q", f.sent)
	}
	if s := show(t, m); !strings.Contains(s, "✓ Six") {
		t.Errorf("the choice is not marked:\n%s", s)
	}
}

// Only what the person can see is read.
func TestReadWhenShown(t *testing.T) {
	t.Parallel()
	f := conversation()
	m := screenOf(t, f, 80, 24)
	show(t, m)
	last := func() string { return f.shown[len(f.shown)-1] }
	if last() != market {
		t.Fatalf("shown %q", f.shown)
	}
	for _, c := range []struct {
		what string
		do   func()
		want string
	}{
		{"scrolled up", func() { press(m, "pgup") }, ""},
		{"back at the end", func() { press(m, "esc") }, market},
		{"dialog", func() { press(m, "ctrl+n") }, ""},
		{"dialog closed", func() { press(m, "esc") }, market},
		{"window left", func() { m.Update(tea.BlurMsg{}) }, ""},
		{"window back", func() { m.Update(tea.FocusMsg{}) }, market},
		{"other chat", func() { press(m, "tab") }, rail},
	} {
		c.do()
		show(t, m)
		if last() != c.want {
			t.Errorf("%s: in front is %q, want %q", c.what, last(), c.want)
		}
	}
	if m.unreadTotal() != 0 {
		t.Errorf("%d unread", m.unreadTotal())
	}
}

// What arrives does not move what is being read.
func TestReadingIsNotDisturbed(t *testing.T) {
	t.Parallel()
	f := &fakePhone{}
	for i := range 40 {
		f.text(device.In, market, fmt.Sprintf("line %02d", i))
	}
	m := screenOf(t, f, 80, 24)
	show(t, m)
	press(m, "pgup")
	thread := func() string { return strings.Join(strings.Split(show(t, m), "\n")[2:20], "\n") }
	before := thread()
	for i := range 3 {
		m.Update(eventsMsg{{Kind: device.EventMessage, Chat: market, Message: f.text(device.In, market, fmt.Sprint("new ", i))}})
	}
	if after := thread(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if s := show(t, m); !strings.Contains(s, "3 new ↓") {
		t.Errorf("nothing says that there is more:\n%s", s)
	}
	press(m, "esc")
	if s := show(t, m); !strings.Contains(s, "new 2") || strings.Contains(s, "new ↓") {
		t.Errorf("the end is not shown:\n%s", s)
	}
}

func TestScrollingReachesBothEnds(t *testing.T) {
	t.Parallel()
	f := &fakePhone{}
	for i := range 260 {
		f.text(device.In, market, fmt.Sprintf("line %03d", i))
	}
	m := screenOf(t, f, 80, 24)
	show(t, m)
	for range 60 {
		press(m, "pgup")
		show(t, m)
	}
	if s := show(t, m); !strings.Contains(s, "line 000") {
		t.Errorf("the beginning:\n%s", s)
	}
	for range 60 {
		press(m, "pgdown")
	}
	if s := show(t, m); !strings.Contains(s, "line 259") || m.off != 0 {
		t.Errorf("the end:\n%s", s)
	}
	for i := range 260 {
		press(m, "up")
		if s := show(t, m); !strings.Contains(s, fmt.Sprintf("line %03d", 259-i)) {
			t.Fatalf("%d up, the chosen message is not on the screen:\n%s", i+1, s)
		}
	}
}

func TestFailedMessageIsSentAgain(t *testing.T) {
	t.Parallel()
	f := conversation()
	m := screenOf(t, f, 80, 24)
	press(m, "up", "enter")
	if !slices.Equal(f.sent, []string{"again client-1"}) {
		t.Errorf("sent %q", f.sent)
	}
}

func TestFindOpensAChat(t *testing.T) {
	t.Parallel()
	f := &fakePhone{}
	m := screenOf(t, f, 80, 24)
	press(m, "ctrl+n", "jas", "enter")
	m.Update(found("jas"))
	press(m, "down", "enter", "hello", "enter")
	if !slices.Equal(f.finds, []string{"jas"}) || len(f.sent) != 1 || !strings.HasPrefix(f.sent[0], rail+" ") {
		t.Errorf("looked for %q, sent %q", f.finds, f.sent)
	}
	if s := show(t, m); !strings.Contains(s, "日本鉄道サポートセンター") {
		t.Errorf("the name is forgotten:\n%s", s)
	}
	press(m, "ctrl+n", "x", "enter")
	m.Update(eventsMsg{{Kind: device.EventRefused, Error: frame.Refuse(frame.ErrRate, "slow down")}})
	if s := show(t, m); !strings.Contains(s, "slow down") {
		t.Errorf("the refusal is not shown:\n%s", s)
	}
}

func TestConnectionLine(t *testing.T) {
	t.Parallel()
	m := screenOf(t, conversation(), 100, 24)
	for _, c := range []struct {
		msg  tea.Msg
		want string
	}{
		{nil, "● connected"},
		{eventsMsg{{Kind: device.EventOffline, Err: errors.New("read: EOF")}}, "○ the server ended the connection, trying again"},
		{failedMsg{errors.New("connect: dial tcp 127.0.0.1:1: connect: connection refused")}, "○ the server does not answer, trying again"},
		{eventsMsg{{Kind: device.EventConnected}}, "● connected"},
		{endedMsg{device.ErrReplaced}, "This phone is in use in another window. ctrl+c quits."},
	} {
		m.Update(c.msg)
		if s := show(t, m); !strings.Contains(s, c.want) {
			t.Errorf("after %v no %q:\n%s", c.msg, c.want, s)
		}
	}
}

func TestTypingEnds(t *testing.T) {
	t.Parallel()
	m := screenOf(t, conversation(), 80, 24)
	m.Update(eventsMsg{{Kind: device.EventTyping, Chat: market, Seconds: 25}})
	if s := show(t, m); !strings.Contains(s, "typing…") || !strings.Contains(s, "typing ···") {
		t.Errorf("no sign of typing:\n%s", s)
	}
	m.Update(eventsMsg{{Kind: device.EventTyping, Chat: market, Seconds: 25}})
	m.Update(typedMsg{market, 1})
	if m.typing[market] == 0 {
		t.Error("the first indication ended the second")
	}
	m.Update(typedMsg{market, 2})
	if s := show(t, m); strings.Contains(s, "typing") {
		t.Errorf("still typing:\n%s", s)
	}
}

func TestGoneBeforeTheFirstGreetingQuits(t *testing.T) {
	t.Parallel()
	m := screenOf(t, &fakePhone{}, 80, 24)
	m.greeted = false
	if _, cmd := m.Update(endedMsg{device.ErrGone}); cmd == nil {
		t.Error("stays, though the caller can register again")
	}
	m = screenOf(t, &fakePhone{}, 80, 24)
	if _, cmd := m.Update(endedMsg{device.ErrGone}); cmd != nil {
		t.Error("fights for a number that another device has taken")
	}
}
