package document_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// values are one of every kind that JSON has, alone and inside each other.
func values() []any {
	plain := []any{nil, true, 0., -1e300, "x", "2026-06-20"}
	return append(plain, []any{}, plain, []any{plain, map[string]any{}}, map[string]any{}, map[string]any{"start-date": 1., "end-date": plain},
		map[string]any{"id": plain, "start-date": map[string]any{}})
}

// Two fields may share a name if only one of them is shown, and a path may come from anywhere: whatever is held under a name, the
// screen stands.
func TestAFieldHoldsWhatIsNotItsKind(t *testing.T) {
	t.Parallel()
	for kind := range strings.FieldsSeq(`TextHeading TextSubheading TextBody TextCaption RichText TextInput TextArea CheckboxGroup RadioButtonsGroup
		ChipsSelector Dropdown DatePicker CalendarPicker OptIn EmbeddedLink NavigationList Image ImageCarousel PhotoPicker DocumentPicker`) {
		for _, more := range []string{`"mode":"range","required":true`, `"min-uploaded-photos":1,"min-uploaded-documents":1`} {
			d, _, err := document.Parse([]byte(`{"version":"7.3","screens":[{"id":"A","title":"A","terminal":true,"layout":{"type":"SingleColumnLayout","children":[
				{"type":"` + kind + `","name":"a","label":"A","text":"${form.a}","data-source":[{"id":"x","title":"X"}],"list-items":[{"id":"x"}],` + more + `},
				{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{"a":"${form.a}"}}}]}}]}`))
			if err != nil {
				t.Fatal(err)
			}
			for _, held := range values() {
				s := d.Open("", nil)
				if err := s.Resume([]document.Visit{{Screen: "A", Form: map[string]any{"a": held}}}); err != nil {
					t.Fatal(err)
				}
				v := s.View()
				if len(v.Elements) != 2 || v.Elements[0].Type != kind {
					t.Fatalf("%s with %v: %s", kind, held, kinds(v))
				}
				for i := range v.Elements {
					e := &v.Elements[i]
					_ = e.Check()
					_, _ = e.Read("1")
					_ = s.Set(t.Context(), e.Name, e.Sample())
					_, _ = s.Tap(t.Context(), e.ID)
				}
				for _, given := range values() {
					_ = s.Set(t.Context(), "a", given)
				}
			}
		}
	}
}

// A flow without problems, of which one branch gives the other's field a value.
func TestBranchesShareAName(t *testing.T) {
	t.Parallel()
	s := open(t, `{"version":"7.3","screens":[{"id":"A","title":"A","terminal":true,"data":{"ok":{"type":"boolean","__example__":true}},
		"layout":{"type":"SingleColumnLayout","children":[{"type":"If","condition":"${data.ok}",
			"then":[{"type":"PhotoPicker","name":"a","label":"A","min-uploaded-photos":1}],
			"else":[{"type":"TextInput","name":"a","label":"A","init-value":"x"}]},
		{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{"a":"${form.a}"}}}]}}]}`, nil)
	if err := s.Start("", map[string]any{"ok": true}); err != nil {
		t.Fatal(err)
	}
	if err := tapFooter(t, s); !reflect.DeepEqual(err, document.FieldErrors{"a": "This is required."}) {
		t.Errorf("%v", err)
	}
	if _, err := s.Fill(t.Context(), nil, true); err == nil {
		t.Error("the photo is not asked for")
	}
}

// References multiply what they stand for. A document without problems must not make more of itself than a screen can show.
func TestWhatExpressionsMakeIsBounded(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 100<<10)
	list := make([]any, 1000)
	for i := range list {
		list[i] = -1e300
	}
	for _, text := range []string{
		"`" + strings.Repeat("${data.x} ", 400) + "`",
		"`${data.x}" + strings.Repeat(" + ${data.x}", 300) + "`",
		"`" + strings.Repeat("${data.list} ", 300) + "`",
	} {
		elements := strings.Repeat(`{"type":"RichText","text":"`+text+`"},`, 45)
		sent := `"a":"` + text + `"`
		s := open(t, `{"version":"7.3","screens":[{"id":"A","title":"A","terminal":true,
			"data":{"x":{"type":"string","__example__":"x"},"list":{"type":"array","items":{"type":"number"},"__example__":[1]}},
			"layout":{"type":"SingleColumnLayout","children":[`+elements+`{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{`+sent+`}}}]}}]}`, nil)
		if err := s.Start("", map[string]any{"x": big, "list": list}); err != nil {
			t.Fatal(err)
		}
		size := 0
		v := s.View()
		for i := range v.Elements {
			size += len(v.Elements[i].Text)
		}
		if size > 4<<20 {
			t.Errorf("%.30s…: %d bytes on a screen", text, size)
		}
		if err := tapFooter(t, s); err == nil {
			b, _ := json.Marshal(s.Path())
			if r, _ := s.Response(); len(document.Text(r["a"])) > 64<<10 || len(b) > 4<<20 {
				t.Errorf("%.30s…: too much was sent", text)
			}
		}
	}
}

// A value used once is shown whole: pictures come as data.
func TestLargeDataIsShown(t *testing.T) {
	t.Parallel()
	s := open(t, `{"version":"7.3","screens":[{"id":"A","title":"A","terminal":true,"data":{"p":{"type":"string","__example__":"x"}},
		"layout":{"type":"SingleColumnLayout","children":[{"type":"Image","src":"${data.p}"},
		{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{"p":"${data.p}"}}}]}}]}`, nil)
	if err := s.Start("", map[string]any{"p": strings.Repeat("x", 2<<20)}); err != nil {
		t.Fatal(err)
	}
	if v := s.View(); len(v.Elements[0].Images[0].Data) != 2<<20 {
		t.Errorf("%d bytes of the picture", len(v.Elements[0].Images[0].Data))
	}
	if err := tapFooter(t, s); !errors.Is(err, document.ErrElement) {
		t.Errorf("it was sent: %v", err)
	}
}

// A draft may hold any number of components, and whoever walks through it may go away.
func TestAWalkEnds(t *testing.T) {
	t.Parallel()
	fields := strings.Repeat(`{"type":"TextInput","name":"a","label":"A","visible":"${data.no}"},`, 5000) + strings.Repeat(`{"type":"OptIn","name":"b","label":"B"},`, 5000)
	d, _, err := document.Parse([]byte(`{"version":"7.3","screens":[{"id":"A","title":"A","terminal":true,"layout":{"type":"SingleColumnLayout","children":[` + fields + `{}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := d.Open("", nil)
	if err := s.Start("", map[string]any{"no": false}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.View().Elements); n > 200 {
		t.Errorf("%d elements are shown", n)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fill(gone, nil, true); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}
