package console

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/device"
)

var update = flag.Bool("update", false, "write what the screens look like now")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s changed (-update writes it); now:\n%s", path, got)
	}
}

// conversation has one of everything.
func conversation() *fakePhone {
	f := &fakePhone{names: map[string]string{market: "Jasper's Market", rail: "日本鉄道サポートセンター"}}
	f.text(device.In, rail, "ご乗車ありがとうございます。🚄 列車は定刻です。")
	first := f.text(device.In, market, "Hello! *Your parcel* is here: https://example.org/parcels/7261?from=market_mail")
	first.Preview = []byte(`{"url":"https://example.org/parcels","title":"Parcel 7261","description":"Waiting at the counter"}`)
	first.Theirs, first.Ours = "", "👍"
	read := f.text(device.Out, market, "Great, I will come at six")
	read.Status, read.Context = device.Read, first.ID
	f.add(device.Message{Chat: market, Direction: device.In, Type: "template", Raw: []byte(`{"type":"template","template":{
		"header":{"type":"text","text":"Order 7261"},"body":{"text":"Shall we keep it for you until Friday?\nIt is 2*3*4 cm."},
		"footer":{"text":"Jasper's Market"},"buttons":[{"type":"quick_reply","text":"Keep it","payload":"KEEP"},
		{"type":"quick_reply","text":"Send it back","payload":"BACK"},{"type":"url","text":"Track","url":"https://example.org/t"}]}}`)})
	f.add(device.Message{Chat: market, Direction: device.Notice, Type: "notice", Raw: []byte(`{"type":"notice","notice":{"kind":"identity_changed"}}`)})
	f.text(device.Out, market, "一つ質問があります 👩‍👩‍👧 café").Status = device.Pending
	failed := f.text(device.Out, market, "too fast")
	failed.Status, failed.Error, failed.ID, failed.ClientID = device.Failed, "blocked", "", "client-1"
	return f
}

func TestScreens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		w, h int
		keys []string
	}{
		{"conversation-80x24", 80, 24, nil},
		{"conversation-120x40", 120, 40, nil},
		{"conversation-40x20", 40, 20, nil},
		{"scrolled-80x24", 80, 24, []string{"pgup", "pgup"}},
		{"picked-80x24", 80, 24, []string{"up", "up", "up", "up", "ctrl+r"}},
		{"rail-80x24", 80, 24, []string{"tab", "何時ですか"}},
		{"safety-80x24", 80, 24, []string{"ctrl+s"}},
		{"find-80x24", 80, 24, []string{"ctrl+n", "jas", "enter"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := screenOf(t, conversation(), c.w, c.h)
			show(t, m)
			press(m, c.keys...)
			if m.dialog.kind == findDialog {
				m.Update(found("jas"))
			}
			golden(t, c.name, show(t, m))
		})
	}
}

func TestScreenOfNothing(t *testing.T) {
	t.Parallel()
	m := screenOf(t, &fakePhone{}, 80, 24)
	golden(t, "welcome-80x24", show(t, m))
}

// Every size must keep the promise that show checks.
func TestEverySizeFits(t *testing.T) {
	t.Parallel()
	m := screenOf(t, conversation(), 80, 24)
	for w := minWidth; w < 140; w += 11 {
		for h := minHeight; h < 50; h += 11 {
			m.w, m.h = w, h
			show(t, m)
			press(m, "up", "ctrl+r")
			show(t, m)
			press(m, "esc", "esc", "ctrl+n", "a business with a long name", "enter")
			show(t, m)
			press(m, "esc", "ctrl+s")
			show(t, m)
			press(m, "esc", "tab")
			show(t, m)
			press(m, "tab")
		}
	}
}

// Nothing that a business writes may reach the terminal as a command.
func TestForeignTextIsHarmless(t *testing.T) {
	t.Parallel()
	const evil = "a\x1b[2Jb\x1b]0;owned\x07c\x9b31md\u202egnp.exe\r\x00e"
	f := &fakePhone{names: map[string]string{market: evil}}
	m := f.text(device.In, market, evil)
	m.Preview = encode(map[string]string{"url": "https://x.example/" + evil, "title": evil, "description": evil})
	m.Theirs = evil
	f.add(device.Message{Chat: market, Direction: device.In, Type: "template", Raw: encode(map[string]any{
		"type": "template", "template": map[string]any{
			"header": map[string]string{"text": evil}, "body": evil, "footer": evil,
			"buttons": []map[string]string{{"type": "quick_reply", "text": evil}, {"type": "url", "text": evil, "url": evil}},
		},
	})})
	screen := show(t, screenOf(t, f, 100, 40))
	for _, bad := range []string{"\x1b", "\x07", "\x00", "\r", "\u202e", "\u009b"} {
		if strings.Contains(screen, bad) {
			t.Errorf("%q reached the screen", bad)
		}
	}
	if !strings.Contains(screen, "a[2Jb") {
		t.Errorf("the text itself is missing:\n%s", screen)
	}
}
