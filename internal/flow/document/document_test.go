package document_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/flow/document"
)

func slot(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/slot.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAFlowWithoutProblems(t *testing.T) {
	t.Parallel()
	d, problems, err := document.Parse([]byte(slot(t)))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	if d.Version.String() != "7.3" || d.DataAPIVersion != "3.0" || !d.HasEndpoint() || d.Entry().ID != "PICK" || len(d.Screens) != 3 {
		t.Errorf("read %+v", d)
	}
	if s := d.Screen("CONFIRM"); !s.Terminal || !s.Success || strings.Join(s.DataKeys(), " ") != "name greeting" || s.Example()["name"] != "Aiko" {
		t.Errorf("read %+v", s)
	}
}

// The item of spec/flows.md, section 4.
func TestAProblemAsTheAPITellsIt(t *testing.T) {
	t.Parallel()
	src := strings.Replace(slot(t), `"type": "TextHeading"`, `"type": "TextHedaing"`, 1)
	_, problems, err := document.Parse([]byte(src))
	if err != nil || len(problems) != 1 {
		t.Fatal(err, problems)
	}
	got, _ := json.Marshal(problems[0])
	const want = `{"error":"INVALID_PROPERTY_VALUE","error_type":"FLOW_JSON_ERROR","message":"Invalid value found for property 'type'.",` +
		`"line_start":19,"line_end":19,"column_start":21,"column_end":33,` +
		`"pointers":[{"line_start":19,"line_end":19,"column_start":21,"column_end":33,"path":"screens[0].layout.children[0].type"}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Each row changes the flow without problems in one place and must be told about that, and nothing else.
func TestProblems(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, old, new string
		code           document.Code
		path           string
	}{
		{"unknown version", `"7.3"`, `"7.9"`, document.InvalidValue, "version"},
		{"unknown property", `"title": "Confirm"`, `"titel": "Confirm"`, document.InvalidKey, "screens[2].titel"},
		{"property twice", `"title": "Confirm"`, `"title": "Confirm", "title": "Again"`, document.InvalidKey, "screens[2].title"},
		{"wrong type", `"title": "Confirm"`, `"title": 5`, document.InvalidType, "screens[2].title"},
		{"missing property", `"label": "Book",`, ``, document.MissingRequired, "screens[2].layout.children[2]"},
		{"no terminal screen", `"terminal": true`, `"terminal": false`, document.MissingTerminal, "screens"},
		{"screen id with a digit", `"id": "DETAILS"`, `"id": "DETAILS2"`, document.InvalidScreenID, "screens[1].id"},
		{"screen id SUCCESS", `"id": "DETAILS"`, `"id": "SUCCESS"`, document.InvalidScreenID, "screens[1].id"},
		{"screen id twice", `"id": "DETAILS"`, `"id": "PICK"`, document.DuplicateScreen, "screens[1].id"},
		{"another layout", `"SingleColumnLayout"`, `"TwoColumns"`, document.InvalidValue, "screens[0].layout.type"},
		{"no routing model", `"routing_model"`, `"routing"`, document.MissingRequired, "routing_model"},
		{"a cycle", `"CONFIRM": []`, `"CONFIRM": ["PICK"]`, document.InvalidRouting, "routing_model"},
		{"a route to nowhere", `"CONFIRM": []`, `"CONFIRM": ["END"]`, document.InvalidRouting, "routing_model.CONFIRM[0]"},
		{"navigate to nowhere", `"name": "CONFIRM"`, `"name": "END"`, document.InvalidNavigate, "screens[1].layout.children[4].on-click-action.next.name"},
		{"navigate without a route", `"DETAILS": ["CONFIRM"]`, `"DETAILS": []`, document.InvalidNavigate, "screens[1].layout.children[4].on-click-action.next.name"},
		{"navigate without the data", `"name": "${form.name}", "greeting"`, `"greeting"`, document.InvalidNavigate, "screens[1].layout.children[4].on-click-action"},
		{"unknown field", `"${form.slot}"`, `"${form.slott}"`, document.InvalidReference, "screens[0].layout.children[1].children[1].on-click-action.payload.slot"},
		{"unknown data", `"${data.slots}"`, `"${data.slotz}"`, document.InvalidReference, "screens[0].layout.children[1].children[0].data-source"},
		{"unknown field of another screen", `${screen.PICK.form.slot}`, `${screen.PICK.form.slut}`, document.InvalidReference, "screens[2].layout.children[2].on-click-action.payload.slot"},
		{"unreadable condition", `${form.news} && (`, `${form.news} & (`, document.InvalidReference, "screens[1].layout.children[3].condition"},
		{"component of a later version", `"7.3"`, `"6.2"`, document.InvalidValue, "screens[1].layout.children[3].then[0].type"},
		{"a sensitive field that is not there", `"Pick a slot"`, `"Pick a slot", "sensitive": ["nothing"]`, document.InvalidValue, "screens[0].sensitive"},
		{"no example", `, "__example__": "Aiko"`, ``, document.InvalidDataModel, "screens[2].data.name"},
		{"an example of another type", `"__example__": "Aiko"`, `"__example__": 1`, document.InvalidDataModel, "screens[2].data.name.__example__"},
		{"unknown word", `"input-type": "email"`, `"input-type": "mail"`, document.InvalidValue, "screens[1].layout.children[1].input-type"},
		{"field name twice", `"name": "email"`, `"name": "news"`, document.InvalidValue, "screens[1].layout.children[2].name"},
		{"a script as URL", `"https://example.test/terms"`, `"javascript:alert(1)"`, document.InvalidValue, "screens[2].layout.children[1].on-click-action.url"},
		{"too many options", `[{ "id": "a", "title": "Art" }, `, `[`, document.InvalidValue, "screens[1].layout.children[3].then[0].data-source"},
		{"captions that do not pair", `"label": "Book",`, `"label": "Book", "left-caption": "x",`, document.InvalidComponent, "screens[2].layout.children[2]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			src := strings.Replace(slot(t), tc.old, tc.new, 1)
			_, problems, err := document.Parse([]byte(src))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				if p.Code == tc.code && p.Pointer[0].Path == tc.path {
					if p.LineStart < 1 || p.ColumnStart < 1 || p.LineEnd < p.LineStart {
						t.Errorf("the place is %+v", p.Span)
					}
					return
				}
			}
			t.Errorf("want %s at %s, got %+v", tc.code, tc.path, problems)
		})
	}
}

func TestRulesOfAScreen(t *testing.T) {
	t.Parallel()
	footer := `{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{}}}`
	caption := `{"type":"TextCaption","text":"x"}`
	for _, tc := range []struct {
		name, version, children, want string
	}{
		{"one Footer", "7.3", footer, ""},
		{"two Footers", "7.3", footer + "," + footer, "one Footer"},
		{"a Footer in each branch", "7.3", `{"type":"If","condition":"true","then":[` + footer + `],"else":[` + footer + `]}`, ""},
		{"no Footer on a terminal screen", "7.3", caption, "needs a Footer"},
		{"50 components", "7.3", footer + strings.Repeat(","+caption, 49), ""},
		{"51 components", "7.3", footer + strings.Repeat(","+caption, 50), "at most 50"},
		{"data_exchange without an endpoint", "7.3", `{"type":"Footer","label":"Go","on-click-action":{"name":"data_exchange"}}`, "data_api_version"},
		{"open_url before 6.0", "5.1", footer + `,{"type":"EmbeddedLink","text":"x","on-click-action":{"name":"open_url","url":"https://a.test"}}`, "from version 6.0"},
		{"a field outside of a Form before 4.0", "3.1", footer + `,{"type":"TextArea","name":"a","label":"a"}`, "inside of a Form"},
		{"a Form in a Form", "7.3", footer + `,{"type":"Form","name":"f","children":[{"type":"Form","name":"g","children":[` + caption + `]}]}`, "inside of a Form"},
		{"nested expression before 6.0", "5.1", footer + ",{\"type\":\"TextCaption\",\"text\":\"`1 + 1`\"}", "from version 6.0"},
		{"two pickers", "7.3", footer + `,{"type":"PhotoPicker","name":"p","label":"p"},{"type":"DocumentPicker","name":"d","label":"d"}`, "at most one PhotoPicker"},
		{"files at the top", "7.3", `{"type":"PhotoPicker","name":"p","label":"p"},{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{"p":"${form.p}"}}}`, ""},
		{"files inside of something", "7.3", `{"type":"PhotoPicker","name":"p","label":"p"},{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{"a":{"p":"${form.p}"}}}}`, "must be a property of the payload itself"},
		{"four Ifs deep", "7.3", footer + "," + nested(4, caption), "at most 3 deep"},
		{"three Ifs deep", "7.3", footer + "," + nested(3, caption), ""},
		{"a min above the max", "7.3", footer + `,{"type":"TextInput","name":"t","label":"t","min-chars":5,"max-chars":4}`, "greater than 'max-chars'"},
		{"no children", "7.3", "", "has 0 items"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, problems, err := document.Parse([]byte(`{"version":"` + tc.version + `","screens":[{"id":"A","title":"a","terminal":true,` +
				`"layout":{"type":"SingleColumnLayout","children":[` + tc.children + `]}}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" && len(problems) > 0 {
				t.Errorf("want no problem, got %+v", problems)
			}
			if tc.want != "" && (len(problems) == 0 || !strings.Contains(problems[0].Message, tc.want)) {
				t.Errorf("want %q, got %+v", tc.want, problems)
			}
		})
	}
}

func nested(n int, inner string) string {
	return strings.Repeat(`{"type":"If","condition":"true","then":[`, n) + inner + strings.Repeat("]}", n)
}

func TestWhatCannotBeParsed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, src, want string }{
		{"empty", "", "line 1, column 1"},
		{"no object", "[]", "of type array"},
		{"cut off", "{\n \"version\": ", "line 2"},
		{"two objects", "{} {}", "something follows"},
		{"too deep", strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), "64 levels"},
		{"too many values", `{"a":[` + strings.Repeat("1,", document.MaxValues) + "1]}", "200000 values"},
		{"too large", strings.Repeat(" ", document.MaxSize+1), "bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := document.Parse([]byte(tc.src))
			if !errors.Is(err, document.ErrSyntax) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
	if _, problems, err := document.Parse([]byte("{}")); err != nil || len(problems) != 2 {
		t.Errorf("an empty object misses two properties, got %v, %v", problems, err)
	}
}

// Work is bounded, too: what has many parts that name each other must not take long.
func TestLargeDocuments(t *testing.T) {
	t.Parallel()
	var screens, routes, model, payload strings.Builder
	name := func(i int) string { return strings.Map(func(r rune) rune { return r - '0' + 'A' }, fmt.Sprint(i)) }
	for i := range 10_000 {
		fmt.Fprintf(&screens, `{"id":"%s","layout":{"type":"SingleColumnLayout","children":[]}},`, name(i))
		fmt.Fprintf(&routes, `"%s":["%s","%s"],`, name(i), name((i+1)%10_000), name(9_999-i))
		fmt.Fprintf(&model, `"%s":{"type":"string","__example__":""},`, name(i))
		fmt.Fprintf(&payload, `"%s":"",`, name(i))
	}
	trim := func(b *strings.Builder) string { return strings.TrimSuffix(b.String(), ",") }
	for _, src := range []string{
		`{"version":"7.3","routing_model":{` + trim(&routes) + `},"screens":[` + trim(&screens) + `]}`,
		`{"version":"7.3","screens":[{"id":"A","data":{` + trim(&model) + `},"layout":{"type":"SingleColumnLayout","children":[{"type":"Footer","label":"x",` +
			`"on-click-action":{"name":"update_data","payload":{` + trim(&payload) + `}}}]}}]}`,
	} {
		if _, problems, err := document.Parse([]byte(src)); err != nil || len(problems) == 0 {
			t.Errorf("%v, %d problems", err, len(problems))
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	_, problems, err := document.Parse([]byte(`{"screens":[` + strings.Repeat("1,", 5000) + `1]}`))
	if err != nil || len(problems) != document.MaxProblems {
		t.Errorf("got %d problems, %v", len(problems), err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(slot(f)))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Add([]byte(`{"version":"7.3","screens":[{"id":"A","layout":{"children":[{"type":"If","condition":"!${form.a}"}]}}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, problems, err := document.Parse(src)
		if (err == nil) != (d != nil) {
			t.Fatal("a document or an error, not both")
		}
		for _, p := range problems {
			if p.LineStart < 1 || p.ColumnStart < 1 || p.LineEnd < p.LineStart || len(p.Pointer) != 1 {
				t.Errorf("a problem without a place: %+v", p)
			}
		}
	})
}
