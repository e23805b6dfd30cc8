package template_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// memory is a Store in memory that can be told to fail.
type memory struct {
	mu   sync.Mutex
	set  map[wa.TemplateID]template.Template
	fail error
}

func (m *memory) LoadTemplates(context.Context) (out []*template.Template, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.set {
		out = append(out, &t)
	}
	return out, m.fail
}

func (m *memory) SaveTemplates(ctx context.Context, ts []*template.Template) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.fail, ctx.Err()); err != nil {
		return err
	}
	if m.set == nil {
		m.set = map[wa.TemplateID]template.Template{}
	}
	for _, t := range ts {
		m.set[t.ID] = *t
	}
	return nil
}

func (m *memory) ForgetTemplates(_ context.Context, ids []wa.TemplateID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.set, id)
	}
	return m.fail
}

type at struct {
	clock.Clock
	now time.Time
}

func (a *at) Now() time.Time { return a.now }

func open(t *testing.T, m *memory) *template.Service {
	t.Helper()
	s, err := template.New(t.Context(), m, template.Options{Clock: &at{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// request reads the JSON text of a template object as the API does.
func request(t *testing.T, text string) (*template.Request, error) {
	t.Helper()
	return template.ParseRequest(graph.Text("", `{"template":`+text+`}`).Get("template"))
}

// rowOf is the row of the table that err is, nil for none.
func rowOf(err error) *wa.Error {
	row, _ := errors.AsType[*wa.Error](err)
	return row
}

// message is what the wire carries of an error: "131008 details".
func message(err error) string {
	row := rowOf(err)
	if row == nil {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	if row.Details == "" {
		return row.Message()
	}
	return row.Message() + " | " + row.Details
}

func TestParseRequestErrors(t *testing.T) {
	t.Parallel()
	body := func(param string) string {
		return `{"name":"x","language":{"code":"en"},"components":[{"type":"body","parameters":[` + param + `]}]}`
	}
	for _, c := range []struct{ name, text, want string }{
		{"no name", `{"language":{"code":"en_US"}}`, "(#100) The parameter template['name'] is required."},
		{"no language", `{"name":"x"}`, "(#100) The parameter template['language'] is required."},
		{"no code", `{"name":"x","language":{}}`, "(#100) The parameter template['language']['code'] is required."},
		{"unknown key", `{"name":"x","language":{"code":"en","policystring":"y"}}`, `(#100) Unexpected key "policystring" on param "template['language']".`},
		{"policy", `{"name":"x","language":{"code":"en","policy":"fallback"}}`, `(#100) Param template['language']['policy'] must be one of {DETERMINISTIC} - got "fallback".`},
		{"namespace is ignored", `{"name":"x","namespace":"n","language":{"code":"en","policy":"deterministic"},"components":[]}`, ""},
		{"components is no list", `{"name":"x","language":{"code":"en"},"components":{}}`, "(#100) Param template['components'] must be an array."},
		{
			"footer is no component of a send", `{"name":"x","language":{"code":"en"},"components":[{"type":"footer"}]}`,
			`(#100) Param template['components'][0]['type'] must be one of {HEADER, BODY, BUTTON, CAROUSEL, LIMITED_TIME_OFFER, ORDER_STATUS, TAP_TARGET_CONFIGURATION} - got "footer".`,
		},
		{"index may be text", `{"name":"x","language":{"code":"en"},"components":[{"type":"BUTTON","sub_type":"URL","index":"0"}]}`, ""},
		{"index is no integer", `{"name":"x","language":{"code":"en"},"components":[{"type":"button","index":"a"}]}`, "(#100) Param template['components'][0]['index'] must be an integer."},
		{"unknown key of a parameter", body(`{"type":"text","text":"a","foo":1}`), `(#100) Unexpected key "foo" on param "template['components'][0]['parameters'][0]".`},
		{"text is a number", body(`{"type":"text","text":5}`), "(#100) Param template['components'][0]['parameters'][0]['text'] must be a string."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := request(t, c.text)
			if got := message(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	_, err := request(t, body(`{"type":"x"}`))
	if got := message(err); !strings.HasPrefix(got, "(#100) Param template['components'][0]['parameters'][0]['type'] must be one of {TEXT, CURRENCY,") {
		t.Errorf("unknown parameter type: %s", got)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{
			"text without text", `{"name":"x","language":{"code":"en"},"components":[{"type":"body","parameters":[{"type":"text"}]}]}`,
			"(#100) Invalid parameter | Parameter 'text' is mandatory for component parameter type 'text'",
		},
		{
			"empty text", `{"name":"x","language":{"code":"en"},"components":[{"type":"body","parameters":[{"type":"text","text":""}]}]}`,
			"(#131008) Required parameter is missing | Parameter 'text' must not be empty for component parameter type 'text'",
		},
		{
			"empty parameter name", `{"name":"x","language":{"code":"en"},"components":[{"type":"body","parameters":[{"type":"text","text":"a","parameter_name":""}]}]}`,
			"(#100) Invalid parameter | Parameter name is missing or empty",
		},
		{
			"button without index", `{"name":"x","language":{"code":"en"},"components":[{"type":"button","sub_type":"url"}]}`,
			"(#131008) Required parameter is missing | Parameters 'sub_type' and 'index' are mandatory for component type 'button' (template['components'][0])",
		},
		{"empty name", `{"name":"","language":{"code":"en"}}`, "(#131008) Required parameter is missing | Parameter 'name' is mandatory for type 'template'"},
		{"complete", `{"name":"x","language":{"code":"en"}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := request(t, c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := message(r.Check()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestHelloWorld(t *testing.T) {
	t.Parallel()
	m := &memory{}
	s := open(t, m)
	made, err := s.CreateSample(t.Context(), "220", "770220330440110")
	if err != nil || made.ID != "770220330440110" || !made.Sample || made.Category != template.Utility || made.Status != template.Approved {
		t.Fatal(err, made)
	}
	if again, err := s.CreateSample(t.Context(), "220", ""); err != nil || again != made {
		t.Error("a second sample")
	}
	s = open(t, m)
	found, err := s.Find("220", "hello_world", "en_US")
	if err != nil {
		t.Fatal(err)
	}
	r, err := request(t, `{"name":"hello_world","language":{"code":"en_US"}}`)
	if err != nil {
		t.Fatal(err)
	}
	out, err := template.Render(found, r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"header":{"type":"text","text":"Hello World"},"body":{"text":"Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message notification from the Cloud API, hosted by Meta. Thank you for taking the time to test with us."},"footer":{"text":"WhatsApp Business Platform sample message"}}`
	if got := string(out.AppendJSON(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if out.Category.Pricing() != "utility" || out.Life != 30*24*time.Hour {
		t.Error(out.Category, out.Life)
	}
	for _, c := range []struct {
		waba                 wa.WABAID
		name, language, want string
	}{
		{"220", "hello_world", "en", "(#132001) Template name does not exist in the translation | template name (hello_world) does not exist in en"},
		{"220", "order_x", "en_US", "(#132001) Template name does not exist in the translation | template name (order_x) does not exist in en_US"},
		{"221", "hello_world", "en_US", "(#132001) Template name does not exist in the translation | template name (hello_world) does not exist in en_US"},
	} {
		if _, err := s.Find(c.waba, c.name, c.language); message(err) != c.want {
			t.Errorf("got %s", message(err))
		}
	}
	if !strings.HasPrefix(string(found.AppendComponents(nil, nil)), `[{"type":"HEADER","format":"TEXT","text":"Hello World"},{"type":"BODY","text":"Welcome`) {
		t.Error("components are not readable")
	}
}

// Source: spec/messages.md section 11.6.
func TestSendable(t *testing.T) {
	t.Parallel()
	for status, code := range map[template.Status]int{
		template.Approved: 0, template.Flagged: 0, template.LockedStatus: 0,
		template.Paused: 132015, template.Disabled: 132016,
		template.Pending: 132001, template.Rejected: 132001, template.InAppeal: 132001, template.Deleted: 132001,
		template.PendingDeletion: 132001, template.Archived: 132001, template.LimitExceeded: 132001,
	} {
		var row *wa.Error
		errors.As(template.Sendable(&template.Template{Status: status}, "x", "en"), &row)
		if got := 0; row != nil && row.Code != code || row == nil && code != got {
			t.Errorf("%s: %v, want %d", status, row, code)
		}
		if code == 132001 && row.HTTP != 404 {
			t.Errorf("%s: HTTP %d", status, row.HTTP)
		}
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	m := &memory{}
	s := open(t, m)
	made, err := s.Create(t.Context(), template.Template{WABA: "220", Name: "a", Language: "en", Category: template.Marketing})
	if err != nil || made.Status != template.Pending || made.Format != template.Positional || len(made.ID) < 15 {
		t.Fatal(err, made)
	}
	if _, err = s.Create(t.Context(), template.Template{WABA: "220", Name: "a", Language: "en"}); !errors.Is(err, wa.ErrTemplateExists) {
		t.Errorf("twice: %v", err)
	}
	if _, err = s.Find("220", "a", "en"); !errors.Is(err, wa.ErrTemplateMissing) {
		t.Errorf("pending: %v", err)
	}
	m.fail = errors.New("disk full")
	approve := func(t *template.Template) error { t.Status, t.Name = template.Approved, "renamed"; return nil }
	if _, err = s.Update(t.Context(), made.ID, approve); !errors.Is(err, m.fail) {
		t.Errorf("failing store: %v", err)
	}
	if got, _ := s.Template(made.ID); got.Status != template.Pending {
		t.Error("a change that is not durable is visible")
	}
	m.fail = nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = s.Update(gone, made.ID, approve); err != nil {
		t.Error(err)
	}
	if _, err = s.Find("220", "a", "en"); err != nil {
		t.Errorf("approved: %v", err)
	}
	if _, err = s.Update(t.Context(), made.ID, func(t *template.Template) error { t.Status = template.Deleted; return nil }); err != nil {
		t.Error(err)
	}
	if _, ok := s.Template(made.ID); ok || len(s.List("220")) != 0 {
		t.Error("a deleted template is found")
	}
	if _, err = s.Create(t.Context(), template.Template{WABA: "220", Name: "a", Language: "en"}); err != nil {
		t.Errorf("after deletion: %v", err)
	}
	if l := s.List("220"); len(l) != 1 || len(s.List("221")) != 0 {
		t.Error("list")
	}
	if _, err = s.Update(t.Context(), "1", approve); !errors.Is(err, template.ErrUnknown) {
		t.Error(err)
	}
}
