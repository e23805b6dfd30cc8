package console

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/test/property"
)

// Whatever a business may legally send fits a screen of any width, obeys nothing in it, and can be read on one that is wide.
// Templates are drawn by test/property alone: it takes a platform to render them.
func TestBubblesOfWhatIsLegal(t *testing.T) {
	t.Parallel()
	file := property.File{ID: "1846720391557204", Link: "https://bistro.example/a.pdf"}
	w := &property.World{
		Files: map[string]property.File{"image": file, "video": file, "audio": file, "document": file, "sticker": file},
		Flow:  "900113355779911", Name: "party", Entry: "GUESTS", Heard: "wamid.A", Now: time.Unix(1783065600, 0),
	}
	var kinds []property.Kind
	for _, k := range property.Kinds() {
		if !strings.HasPrefix(k.Name, "template") && k.Name != "reaction" { // which shows at another message
			kinds = append(kinds, k)
		}
	}
	look := newTheme(true)
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(kinds).Draw(t, "kind")
		sent := k.Draw(t, w)
		request, err := json.Marshal(map[string]any{"messaging_product": "whatsapp", "to": "16505551234", "type": sent.Type, sent.Type: sent.Content})
		if err != nil {
			t.Fatal(err)
		}
		p, err := graph.Text("", string(request)).Object()
		if err != nil {
			t.Fatal(err)
		}
		o, err := message.Decode(p)
		if err == nil {
			err = o.Check()
		}
		if err != nil {
			t.Fatal(err)
		}
		body := o.Body
		for n := range o.Attachments {
			body, _ = message.AppendFilled(nil, body, n, []byte(`"mime_type":"application/pdf","size":48213`))
		}
		m := &device.Message{Direction: device.In, Type: sent.Type, Raw: []byte("{" + string(body) + "}")}
		const wide = 110
		for _, width := range []int{wide, rapid.IntRange(16, 200).Draw(t, "width")} {
			shown := ""
			for _, l := range look.draw(&bubble{m: m, width: width, zone: time.UTC, keys: true}) {
				if n := lipgloss.Width(l); n > width {
					t.Fatalf("a line of %d cells on %d: %q", n, width, strip(l))
				}
				shown += strip(l)
			}
			if i := strings.IndexFunc(shown, unicode.IsControl); i >= 0 {
				t.Fatalf("%s at %d of %q", strconv.QuoteToASCII(shown[i:i+1]), i, shown)
			}
			if width == wide {
				readable(t, shown, sent.Words)
			}
		}
	})
}

// readable looks for letters and digits alone: words are broken to fit.
func readable(t *rapid.T, shown string, want []string) {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, s)
	}
	has := bare(shown)
	for _, s := range want {
		if !strings.Contains(has, bare(s)) {
			t.Fatalf("%q is not in %q", s, shown)
		}
	}
}
