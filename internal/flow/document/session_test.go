package document_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// endpoint answers by action and screen, and remembers what it was asked.
type endpoint struct {
	answers map[string]string
	asked   []document.Question
}

func (e *endpoint) Exchange(_ context.Context, q document.Question) (a document.Answer, err error) {
	e.asked = append(e.asked, q)
	said, ok := e.answers[q.Action+" "+q.Screen]
	if !ok {
		return a, errors.New("the endpoint is down")
	}
	return a, json.Unmarshal([]byte(said), &a)
}

func open(t *testing.T, src string, e document.Endpoint) *document.Session {
	t.Helper()
	d, problems, err := document.Parse([]byte(src))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return d.Open("order-2210", e)
}

func kinds(v document.View) string {
	var list []string
	for _, e := range v.Elements {
		list = append(list, strings.Trim(e.Type+":"+e.Name, ":"))
	}
	return strings.Join(list, " ")
}

func tapFooter(t *testing.T, s *document.Session) error {
	t.Helper()
	v := s.View()
	f := v.Footer()
	if f == nil {
		t.Fatalf("screen %s has no footer", v.ID)
	}
	_, err := s.Tap(t.Context(), f.ID)
	return err
}

func set(t *testing.T, s *document.Session, values map[string]any) {
	t.Helper()
	for name, v := range values {
		if err := s.Set(t.Context(), name, v); err != nil {
			t.Fatalf("set %s: %v", name, err)
		}
	}
}

// A person walks through the flow of testdata/slot.json.
func TestAWalkThroughAFlow(t *testing.T) {
	t.Parallel()
	e := &endpoint{answers: map[string]string{
		"INIT ":              `{"screen":"PICK","data":{"slots":[{"id":"10-30","title":"10:30"},{"id":"11-00","title":"11:00","enabled":false}]}}`,
		"data_exchange PICK": `{"screen":"DETAILS","data":{}}`,
	}}
	s := open(t, slot(t), e)
	if err := s.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	if got := kinds(v); v.Title != "Pick a slot" || got != "TextHeading RadioButtonsGroup:slot Footer" || len(v.Field("slot").Options) != 2 {
		t.Fatalf("%s: %s", v.Title, got)
	}
	if err := tapFooter(t, s); !reflect.DeepEqual(err, document.FieldErrors{"slot": "This is required."}) {
		t.Errorf("nothing chosen: %v", err)
	}
	v = s.View()
	if v.Field("slot").Wrong != "This is required." {
		t.Error("the field does not say what is wrong")
	}
	set(t, s, map[string]any{"slot": "11-00"})
	if err := tapFooter(t, s); err == nil || !strings.Contains(err.Error(), "slot: This is none of the choices.") {
		t.Errorf("a disabled choice: %v", err)
	}
	set(t, s, map[string]any{"slot": "10-30"})
	if err := tapFooter(t, s); err != nil {
		t.Fatal(err)
	}
	if q := e.asked[len(e.asked)-1]; q.Token != "order-2210" || !reflect.DeepEqual(q.Data, map[string]any{"slot": "10-30"}) {
		t.Errorf("asked %+v", q)
	}
	if got := kinds(s.View()); got != "TextInput:name TextInput:email OptIn:news TextCaption Footer" {
		t.Errorf("before the opt-in: %s", got)
	}
	set(t, s, map[string]any{"name": "Aiko", "email": "aiko", "news": true})
	if got := kinds(s.View()); got != "TextInput:name TextInput:email OptIn:news ChipsSelector:topics Footer" {
		t.Errorf("after it: %s", got)
	}
	if err := tapFooter(t, s); err == nil || !strings.Contains(err.Error(), "email: This is not an e-mail address.") {
		t.Errorf("a wrong address: %v", err)
	}
	set(t, s, map[string]any{"email": "aiko@example.test"})
	if err := tapFooter(t, s); err != nil {
		t.Fatal(err)
	}
	v = s.View()
	if v.Elements[0].Text != "Dear Aiko" || !v.CanBack {
		t.Errorf("%+v", v)
	}
	if url, err := s.Tap(t.Context(), v.Elements[1].ID); url != "https://example.test/terms" || err != nil {
		t.Errorf("the link: %q, %v", url, err)
	}
	if err := tapFooter(t, s); err != nil {
		t.Fatal(err)
	}
	got, ok := s.Response()
	if want := map[string]any{"slot": "10-30", "name": "Aiko", "flow_token": "order-2210"}; !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if err := s.Set(t.Context(), "name", "x"); !errors.Is(err, document.ErrOver) {
		t.Errorf("after the end: %v", err)
	}
}

func TestBackKeepsWhatWasFilledIn(t *testing.T) {
	t.Parallel()
	s := open(t, slot(t), nil)
	if err := s.Start("DETAILS", nil); err != nil {
		t.Fatal(err)
	}
	set(t, s, map[string]any{"name": "Aiko"})
	if err := tapFooter(t, s); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.Back(t.Context()); !ok || err != nil || s.View().ID != "DETAILS" {
		t.Fatal(ok, err)
	}
	if v := s.View(); v.Field("name").Value != "Aiko" {
		t.Errorf("%v", v.Field("name").Value)
	}
	if ok, err := s.Back(t.Context()); ok || err != nil {
		t.Errorf("there is nothing before the first screen: %v, %v", ok, err)
	}
	other := open(t, slot(t), nil)
	if err := other.Resume(s.Path()); err != nil || kinds(other.View()) != kinds(s.View()) {
		t.Errorf("another session does not go on: %v", err)
	}
	if err := other.Resume([]document.Visit{{Screen: "NOWHERE"}}); !errors.Is(err, document.ErrScreen) {
		t.Errorf("a path through a screen that is not there: %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, answer, want string // want is of the error, or the note
		screen             string
	}{
		{"the same screen with a notice", `{"screen":"PICK","data":{"error_message":"The slot is gone."}}`, "", "PICK"},
		{"a notice alone", `{"data":{"error_message":"The slot is gone."}}`, "", "PICK"},
		{"completion", `{"screen":"SUCCESS","data":{"extension_message_response":{"params":{"flow_token":"order-2210","slot":"a"}}}}`, "", ""},
		{"completion without parameters", `{"screen":"SUCCESS","data":{}}`, "extension_message_response", "PICK"},
		{"an unknown screen", `{"screen":"NOWHERE","data":{}}`, "unexpected", "PICK"},
		{"no screen", `{"data":{}}`, "unexpected", "PICK"},
		{"an error", `{`, "unexpected end", "PICK"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, slot(t), &endpoint{answers: map[string]string{"data_exchange PICK": tc.answer}})
			if err := s.Start("", map[string]any{"slots": []any{map[string]any{"id": "a", "title": "A"}}}); err != nil {
				t.Fatal(err)
			}
			set(t, s, map[string]any{"slot": "a"})
			err := tapFooter(t, s)
			v := s.View()
			switch {
			case (tc.want == "") != (err == nil), err != nil && !strings.Contains(err.Error(), tc.want):
				t.Errorf("got %v, want %q", err, tc.want)
			case v.ID != tc.screen:
				t.Errorf("on screen %q", v.ID)
			case err == nil && v.ID != "" && (v.Note != "The slot is gone." || v.Field("slot").Value != "a"):
				t.Errorf("%+v", v)
			}
		})
	}
	s := open(t, slot(t), nil)
	if err := s.Init(t.Context()); !errors.Is(err, document.ErrNoEndpoint) {
		t.Errorf("without an endpoint: %v", err)
	}
}

const shop = `{"version":"7.3","data_api_version":"4.0","routing_model":{"LIST":["ITEM"],"ITEM":[]},"screens":[
 {"id":"LIST","title":"Shop","data":{"n":{"type":"number","__example__":1}},"layout":{"type":"SingleColumnLayout","children":[
  {"type":"TextBody","text":["You have","` + "`${data.n} + 1`" + `"]},
  {"type":"NavigationList","name":"items","list-items":[
   {"id":"tea","main-content":{"title":"Tea"},"on-click-action":{"name":"navigate","next":{"type":"screen","name":"ITEM"},"payload":{"id":"tea","kinds":[]}}},
   {"id":"rice","main-content":{"title":"Rice"},"on-click-action":{"name":"data_exchange","payload":{}}}]}]}},
 {"id":"ITEM","title":"Item","terminal":true,"refresh_on_back":true,"data":{"id":{"type":"string","__example__":"tea"},"kinds":{"type":"array","__example__":[]}},
  "layout":{"type":"SingleColumnLayout","children":[
  {"type":"Form","name":"f","init-values":{"size":"l","extras":["x"]},"error-messages":{"size":"Choose well."},"children":[
   {"type":"Dropdown","name":"size","label":"Size","data-source":[{"id":"s","title":"Small"},
     {"id":"l","title":"Large","on-unselect-action":{"name":"update_data","payload":{"id":"changed"}}}]},
   {"type":"CheckboxGroup","name":"extras","label":"Extras","max-selected-items":1,"data-source":[{"id":"x","title":"X"},{"id":"y","title":"Y"}]},
   {"type":"Dropdown","name":"kind","label":"Kind","visible":"${form.size}","data-source":"${data.kinds}"},
   {"type":"Switch","value":"${data.id}","cases":{"tea":[{"type":"DatePicker","name":"day","label":"Day","required":true,"min-date":"2026-06-20"}],
     "changed":[{"type":"TextCaption","text":"changed"}]}},
   {"type":"CalendarPicker","name":"stay","label":{"start-date":"From","end-date":"To"},"mode":"range","min-days":2},
   {"type":"Footer","label":"Buy","on-click-action":{"name":"complete","payload":{"what":{"id":"${data.id}","extras":"${form.extras}","day":"${form.day}"}}}}]}]}}]}`

func TestListsFormsAndUpdates(t *testing.T) {
	t.Parallel()
	e := &endpoint{answers: map[string]string{"BACK ITEM": `{"screen":"LIST","data":{"n":4}}`}}
	s := open(t, shop, e)
	if err := s.Start("", map[string]any{"n": 2.}); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	if v.Elements[0].Text != "You have\n3" || v.Footer() != nil {
		t.Errorf("%q", v.Elements[0].Text)
	}
	if _, err := s.Tap(t.Context(), v.Elements[1].ID+":milk"); !errors.Is(err, document.ErrElement) {
		t.Errorf("an entry that is not there: %v", err)
	}
	if _, err := s.Tap(t.Context(), v.Elements[1].ID+":rice"); err == nil || !reflect.DeepEqual(e.asked[0].Data, map[string]any{"id": "rice"}) {
		t.Errorf("an entry that asks: %v, %v", err, e.asked)
	}
	if _, err := s.Tap(t.Context(), v.Elements[1].ID+":tea"); err != nil {
		t.Fatal(err)
	}
	v = s.View()
	if size := v.Field("size"); size.Value != "l" || size.Wrong != "Choose well." {
		t.Errorf("%+v", size)
	}
	if v.Field("day") == nil || v.Field("kind") == nil {
		t.Errorf("%s", kinds(v))
	}
	set(t, s, map[string]any{"day": "2026-06-19", "extras": []any{"x", "y"}, "stay": map[string]any{"start-date": "2026-01-02", "end-date": "2026-01-02"}})
	err := tapFooter(t, s)
	if want := (document.FieldErrors{
		"day": "This is before 2026-06-20.", "extras": "At most 1 may be chosen.", "stay": "At least 2 days must be chosen.",
	}); !reflect.DeepEqual(err, want) {
		t.Errorf("%v", err)
	}
	set(t, s, map[string]any{"size": "s"})
	if got := kinds(s.View()); !strings.Contains(got, "TextCaption") || strings.Contains(got, "DatePicker") {
		t.Errorf("update_data did not change what is shown: %s", got)
	}
	if ok, err := s.Back(t.Context()); !ok || err != nil || s.View().Elements[0].Text != "You have\n5" {
		t.Errorf("back with a refresh: %v %v", ok, err)
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		values map[string]any
		sample bool
		want   string // JSON of the response, or a part of the error
	}{
		{"values", map[string]any{"items": "tea", "day": "2026-07-01", "extras": []any{}}, false, `{"flow_token":"order-2210","what":{"day":"2026-07-01","extras":[],"id":"tea"}}`},
		{"samples", nil, true, `{"flow_token":"order-2210","what":{"day":"2026-06-20","extras":["x"],"id":"tea"}}`},
		{"a value that is missing", map[string]any{"items": "tea"}, false, "day: This is required."},
		{"a value that nothing asks for", map[string]any{"items": "tea", "day": "2026-07-01", "dya": "x"}, false, `no screen asked for "dya"`},
		{"a value of another kind", map[string]any{"items": "tea", "day": []any{}}, false, "another kind"},
		{"nothing chosen from a list", nil, false, "does not go on"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, shop, nil)
			if err := s.Start("", nil); err != nil {
				t.Fatal(err)
			}
			r, err := s.Fill(t.Context(), tc.values, tc.sample)
			if got, _ := json.Marshal(r); err == nil && string(got) != tc.want {
				t.Errorf("got %s", got)
			}
			if err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWhatPeopleType(t *testing.T) {
	t.Parallel()
	s := open(t, shop, nil)
	if err := s.Start("ITEM", map[string]any{"id": "tea", "kinds": []any{}}); err != nil {
		t.Fatal(err)
	}
	v := s.View()
	for _, tc := range []struct {
		field, typed string
		want         any
		ok           bool
	}{
		{"size", "2", "l", true},
		{"size", "small", "s", true},
		{"size", "3", nil, false},
		{"size", "", "", true},
		{"extras", "1, y", []any{"x", "y"}, true},
		{"extras", "1;2", nil, false},
		{"extras", "", []any{}, true},
		{"day", " 2026-07-01 ", "2026-07-01", true},
		{"stay", "2026-07-01 2026-07-03", map[string]any{"start-date": "2026-07-01", "end-date": "2026-07-03"}, true},
		{"stay", "2026-07-01", map[string]any{"start-date": "2026-07-01", "end-date": ""}, false},
	} {
		if got, ok := v.Field(tc.field).Read(tc.typed); ok != tc.ok || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s %q: %#v %v", tc.field, tc.typed, got, ok)
		}
	}
}

// Whatever a flow says, a person may try everything on it.
func FuzzSession(f *testing.F) {
	f.Add([]byte(slot(f)), uint8(3))
	f.Add([]byte(shop), uint8(9))
	f.Fuzz(func(t *testing.T, src []byte, turns uint8) {
		d, _, err := document.Parse(src)
		if err != nil {
			return
		}
		s := d.Open("", &endpoint{answers: map[string]string{"data_exchange PICK": `{"screen":"DETAILS"}`}})
		if s.Start("", nil) != nil {
			return
		}
		for i := range int(turns % 16) {
			v := s.View()
			for j := range v.Elements {
				e := &v.Elements[j]
				_ = s.Set(t.Context(), e.Name, e.Sample())
				if i%2 == j%2 {
					_, _ = s.Tap(t.Context(), e.ID)
				}
				for _, o := range e.Options {
					_, _ = s.Tap(t.Context(), e.ID+":"+o.ID)
				}
			}
			if _, err := json.Marshal(s.Path()); err != nil {
				t.Fatal(err)
			}
		}
		path := slices.Clone(s.Path()) // what one screen holds, shown by another that has the same names
		for _, held := range values() {
			if len(path) == 0 {
				break
			}
			form := map[string]any{}
			for name := range path[len(path)-1].Form {
				form[name] = held
			}
			path[len(path)-1].Form = form
			resumed := d.Open("", nil)
			if err := resumed.Resume(path); err != nil {
				t.Fatal(err)
			}
			v := resumed.View()
			for i := range v.Elements {
				_ = v.Elements[i].Check()
				_, _ = resumed.Tap(t.Context(), v.Elements[i].ID)
			}
		}
	})
}
