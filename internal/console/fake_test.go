package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

const (
	me     = "16505555555"
	market = "15550783881"
	rail   = "815012345678"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// fakePhone is a device that a test writes by hand.
type fakePhone struct {
	list  []device.Message
	names map[string]string
	shown []string
	finds []string
	sent  []string
	fail  error
}

func (f *fakePhone) add(m device.Message) *device.Message {
	m.N = uint64(len(f.list) + 1)
	m.Time = cmp.Or(m.Time, noon.Unix()-int64(3600-60*m.N))
	if m.Direction != device.Notice {
		m.ID = cmp.Or(m.ID, fmt.Sprintf("wamid.%d", m.N))
	}
	if m.Status == "" {
		m.Status = map[device.Direction]device.Status{device.In: device.Received, device.Out: device.Sent}[m.Direction]
	}
	f.list = append(f.list, m)
	return &f.list[len(f.list)-1]
}

func (f *fakePhone) text(d device.Direction, chat, body string) *device.Message {
	return f.add(device.Message{Chat: chat, Direction: d, Type: "text", Raw: textContent(body, "")})
}

func (f *fakePhone) Name() string { return "Aiko" }

func (f *fakePhone) Chats() (list []device.Chat) {
	for _, m := range slices.Backward(f.list) {
		i := slices.IndexFunc(list, func(c device.Chat) bool { return c.WaID == m.Chat })
		if i < 0 {
			i = len(list)
			list = append(list, device.Chat{WaID: m.Chat, Name: f.names[m.Chat], Verified: m.Chat == market, Last: m})
		}
		if m.Direction == device.In && m.Status == device.Received {
			list[i].Unread++
		}
	}
	return list
}

func (f *fakePhone) Messages(chat string, limit int) (list []device.Message) {
	for _, m := range f.list {
		if m.Chat == chat {
			list = append(list, m)
		}
	}
	return list[max(0, len(list)-limit):]
}

func (f *fakePhone) Message(id string) (device.Message, bool) {
	i := slices.IndexFunc(f.list, func(m device.Message) bool { return m.ID == id && id != "" })
	if i < 0 {
		return device.Message{}, false
	}
	return f.list[i], true
}

func (f *fakePhone) Send(to string, raw []byte) error {
	if f.fail != nil {
		return f.fail
	}
	f.sent = append(f.sent, to+" "+string(raw))
	typ, context := "text", ""
	switch s := string(raw); {
	case strings.Contains(s, `"type":"button"`):
		typ = "button"
	case strings.Contains(s, `"type":"interactive"`):
		typ = "interactive"
	}
	if _, rest, ok := strings.Cut(string(raw), `"context":{"id":"`); ok {
		context, _, _ = strings.Cut(rest, `"`)
	}
	f.add(device.Message{Chat: to, Direction: device.Out, Type: typ, Raw: raw, Status: device.Pending, Context: context})
	return nil
}

func (f *fakePhone) Resend(id string) error {
	f.sent = append(f.sent, "again "+id)
	return f.fail
}

func (f *fakePhone) Show(chat string) error {
	f.shown = append(f.shown, chat)
	for i := range f.list {
		if m := &f.list[i]; m.Chat == chat && m.Status == device.Received {
			m.Status = device.Read
		}
	}
	return nil
}

func (f *fakePhone) Find(q string) error {
	f.finds = append(f.finds, q)
	return f.fail
}

func (f *fakePhone) SafetyNumber(string) (string, error) {
	if f.fail != nil {
		return "", errors.New("unknown")
	}
	return strings.Repeat("1234567890", 6), nil
}

// screenOf is a model on a phone, w by h.
func screenOf(t *testing.T, f *fakePhone, w, h int) *model {
	t.Helper()
	m := newModel(context.Background(), f, clock.NewFake(noon), time.UTC, me, "")
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	m.Update(eventsMsg{{Kind: device.EventConnected}})
	return m
}

// show renders without colours and checks the promise of every screen: h lines, none wider than w.
func show(t *testing.T, m *model) string {
	t.Helper()
	content := m.View().Content
	lines := strings.Split(content, "\n")
	if len(lines) != m.h {
		t.Errorf("%d lines on a screen of %d", len(lines), m.h)
	}
	for i, l := range lines {
		if n := lipgloss.Width(l); n > m.w {
			t.Errorf("line %d is %d cells wide, the screen %d: %q", i+1, n, m.w, strip(l))
		}
		lines[i] = strings.TrimRight(strip(l), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// strip takes colours away.
func strip(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		s = rest[strings.IndexByte(rest, 'm')+1:]
	}
}

// press hands keys to a model: names as Bubble Tea spells them, or words to type.
func press(m *model, keys ...string) (cmd tea.Cmd) {
	named := map[string]tea.Key{
		"enter": {Code: tea.KeyEnter}, "tab": {Code: tea.KeyTab}, "esc": {Code: tea.KeyEscape}, "up": {Code: tea.KeyUp},
		"down": {Code: tea.KeyDown}, "pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown},
		"backspace": {Code: tea.KeyBackspace}, "left": {Code: tea.KeyLeft}, "home": {Code: tea.KeyHome},
	}
	for _, k := range keys {
		key, ok := named[k]
		switch rest, ctrl := strings.CutPrefix(k, "ctrl+"); {
		case ok:
		case ctrl:
			key = tea.Key{Code: rune(rest[0]), Mod: tea.ModCtrl}
		case strings.HasPrefix(k, "alt+"):
			key = tea.Key{Code: rune(k[4]), Mod: tea.ModAlt}
		default:
			for _, r := range k {
				_, cmd = m.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
			}
			continue
		}
		_, cmd = m.Update(tea.KeyPressMsg(key))
	}
	return cmd
}

// found is the answer to a search.
func found(string) tea.Msg {
	return eventsMsg{{Kind: device.EventFound, Found: []frame.Business{
		{WaID: market, Name: "Jasper's Market", Verified: true, About: "Fruit and more"},
		{WaID: rail, Name: "日本鉄道サポートセンター"},
	}}}
}

// encode writes JSON of strings and maps, which cannot fail.
func encode(v any) []byte { return must(json.Marshal(v)) }

func mediaOf(name string) device.Media {
	return device.Media{Kind: "document", MIME: "application/pdf", Filename: name}
}
