package kit_test

import (
	"strings"
	"testing"
	"time"

	parse "golang.org/x/net/html"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		zone *time.Location
		want string
	}{
		"UTC":   {time.UTC, "2026-03-04 12:00 UTC"},
		"Tokyo": {time.FixedZone("", 9*3600), "2026-03-04 21:00 UTC+9"},
		"Delhi": {time.FixedZone("", 5*3600+1800), "2026-03-04 17:30 UTC+5:30"},
		"Lima":  {time.FixedZone("", -5*3600), "2026-03-04 07:00 UTC-5"},
		"Apia":  {time.FixedZone("", 13*3600), "2026-03-05 01:00 UTC+13"},
	} {
		if got := words(t, kit.Time(noon, c.zone)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for since, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 59 * time.Minute: "59 minutes ago", 47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago",
	} {
		if got := words(t, kit.Ago(i18n.English, noon, noon.Add(since))); got != want {
			t.Errorf("%s: %s, want %s", since, got, want)
		}
	}
}

func TestStatesHaveOneWord(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"CONNECTED": "接続済み", "SOMETHING_NEW": "SOMETHING_NEW"} {
		if got := words(t, kit.State(i18n.Japanese, value)); got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
	if got := words(t, kit.Quality(i18n.English, "")); got != "No rating yet" {
		t.Error(got)
	}
}

// A bar is never longer than its whole, whatever it is told.
func TestBars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{1, 4, "--part:25%"}, {9, 4, "--part:100%"}, {-1, 4, "--part:0%"}, {3, 0, "--part:0%"}, {1 << 62, 1 << 60, "--part:100%"}} {
		if got := html.String(kit.Bar(kit.Info, nil, c.part, c.whole)); !strings.Contains(got, c.want+`"`) {
			t.Errorf("%d of %d: %s", c.part, c.whole, got)
		}
	}
}

// FuzzPayload holds that a payload is shown whole, whatever it is.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{`{"a":"b\"c","d":[1,null]}`, `"`, `{"a`, `"\`, "", `{"</pre>":"\u0000"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := strings.Join(strings.Fields(strings.ReplaceAll(string([]rune(s)), "\x00", "\ufffd")), "")
		if got := strings.Join(strings.Fields(words(t, kit.JSON(i18n.English, "payload", []byte(s)))), ""); got != want {
			t.Errorf("%q is shown as %q", want, got)
		}
	})
}

func words(t *testing.T, n html.Node) string {
	t.Helper()
	root, err := parse.Parse(strings.NewReader(html.String(n)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for d := range root.Descendants() {
		if d.Type == parse.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}
