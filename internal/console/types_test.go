package console

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/hikyaku/hikyaku/device"
)

// everything is one message of every type, of both sides.
func everything(t *testing.T) *fakePhone {
	t.Helper()
	f := &fakePhone{names: map[string]string{market: "Jasper's Market"}}
	for _, name := range []string{"business", "user"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "device", "testdata", name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var head struct {
				Type    string
				Context struct{ ID string }
			}
			if err := json.Unmarshal([]byte(line), &head); err != nil {
				t.Fatal(err)
			}
			m := device.Message{Chat: market, Direction: device.In, Type: head.Type, Raw: []byte(line)}
			if name == "user" {
				m.Direction, m.Context = device.Out, head.Context.ID
			}
			f.add(m)
		}
	}
	f.list[3].Status = device.Played
	f.list[1].Saved, f.list[0].Theirs = "terrace.jpg", "👍"
	f.list[len(f.list)-1].Revoked = true
	return f
}

func TestEveryTypeIsShown(t *testing.T) {
	t.Parallel()
	f := everything(t)
	theme := newTheme(true)
	for _, width := range []int{30, 80} {
		var b strings.Builder
		for i := range f.list {
			m := &f.list[i]
			b.WriteString("# " + m.Type + "\n")
			for _, l := range theme.draw(&bubble{m: m, width: width, zone: time.UTC, keys: m.Direction == device.In}) {
				if n := lipgloss.Width(l); n > width {
					t.Errorf("%s: a line of %d cells: %q", m.Type, n, strip(l))
				}
				b.WriteString(strings.TrimRight(strip(l), " ") + "\n")
			}
		}
		golden(t, map[int]string{30: "types-30", 80: "types-80"}[width], b.String())
	}
	var b strings.Builder
	for i := range f.list {
		b.WriteString(Line(&f.list[i]) + "\n")
	}
	golden(t, "types-lines", b.String())
	for _, w := range []int{24, 50, 110} {
		m := screenOf(t, f, w, 30)
		for range len(f.list) {
			show(t, m)
			press(m, "up")
		}
	}
}

func TestHelpScrolls(t *testing.T) {
	t.Parallel()
	m := screenOf(t, conversation(), 80, 24)
	press(m, "/help", "enter")
	golden(t, "help-80x24", show(t, m))
	press(m, "pgdown", "pgdown", "pgdown", "pgdown", "pgdown")
	if s := show(t, m); !strings.Contains(s, "//text") {
		t.Errorf("the end of the help:\n%s", s)
	}
	press(m, "esc")
	if s := show(t, m); strings.Contains(s, "/press") {
		t.Errorf("the help stays:\n%s", s)
	}
}

// What a button needs besides being pressed is asked for on the line.
func TestFormsAreFilledInOnTheLine(t *testing.T) {
	t.Parallel()
	f := &fakePhone{}
	f.add(device.Message{Chat: market, Direction: device.In, Type: "interactive", Raw: []byte(`{"type":"interactive","interactive":{
		"type":"location_request_message","body":{"text":"Where?"},"action":{"name":"send_location"}}}`)})
	m := screenOf(t, f, 80, 24)
	press(m, "alt+1")
	if got := m.in.value(); got != "/press #1 1 lat= lon= name=" {
		t.Errorf("the line is %q", got)
	}
	if len(f.sent) > 0 {
		t.Errorf("sent %q", f.sent)
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	m := screenOf(t, conversation(), 120, 40)
	press(m, "/info", "enter")
	m.Update(found(""))
	if s := show(t, m); !strings.Contains(s, "Jasper's Market (verified)") || !strings.Contains(s, "about: Fruit and more") {
		t.Errorf("who the business is:\n%s", s)
	}
}
