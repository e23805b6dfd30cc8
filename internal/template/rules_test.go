package template_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Sources: spec/templates.md sections 1 and 3.
func TestBounds(t *testing.T) {
	t.Parallel()
	s, clk, _ := registry(t, nil)
	accepted(t, s, draft("UTILITY", hello))
	_, err := submit(t, s, draft("UTILITY", hello))
	if got := said(err); got != "100/2388024 There is already English (US) content for this template. You can create a new template and try again." {
		t.Error(got)
	}
	_, err = submit(t, s, `{"name":"a","language":"de","category":"MARKETING","components":[`+hello+`]}`)
	if row := rowOf(err); row == nil || row.UserTitle != "Template Category Doesn't Match" {
		t.Error(err)
	}
	name := func(i int) string {
		return fmt.Sprintf(`{"name":"n_%d","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Number %d."}]}`, i, i)
	}
	for i := range 99 {
		accepted(t, s, name(i))
	}
	_, err = submit(t, s, name(99))
	if row := rowOf(err); row == nil || row.Code != 80007 || row.RetryIn != 3600 {
		t.Errorf("the 101st in an hour: %v", err)
	}
	for i := 99; i < 249; i++ {
		if (i-99)%100 == 0 {
			clk.Advance(time.Hour)
		}
		accepted(t, s, name(i))
	}
	clk.Advance(time.Hour)
	if _, err = submit(t, s, name(249)); !errors.Is(err, wa.ErrTemplateLimit) {
		t.Errorf("the 251st: %v", err)
	}
	d, err := template.ParseDraft(graph.Text("", draft("AUTHENTICATION", `{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Submit(t.Context(), "221", d, template.Allowance{Limit: 250}); !errors.Is(err, wa.ErrTemplateUnverifiedBusiness) {
		t.Error(err)
	}
}

// Source: spec/templates.md section 4.3.
func TestEdits(t *testing.T) {
	t.Parallel()
	s, clk, p, m := approved(t)
	edit := func(text string) error {
		t.Helper()
		e, err := template.ParseEdit(graph.Text("", text))
		if err != nil {
			return err
		}
		_, err = s.Change(t.Context(), m.ID, e)
		return err
	}
	if err := edit(`{"category":"MARKETING"}`); said(err) != "(#100) Param category must be the category of the approved template, which cannot be changed." {
		t.Error(said(err))
	}
	if err := edit(`{"category":"UTILITY","cta_url_link_tracking_opted_out":true,"message_send_ttl_seconds":"60"}`); err != nil {
		t.Error(said(err))
	}
	p.nothing(t, s)
	for i := range 11 {
		text := fmt.Sprintf("Hello there, this is edition %d.", i)
		err := edit(`{"components":[{"type":"BODY","text":"` + text + `"}]}`)
		if i == 10 {
			if got := said(err); got != "100/2388039 An approved message template can be edited 10 times in 30 days. Try again later." {
				t.Error(got)
			}
			break
		}
		if err != nil {
			t.Fatal(said(err))
		}
		p.want(t, components(m, text))
		p.want(t, status(m, "PENDING", "NONE", ""))
		p.want(t, status(m, "APPROVED", "NONE", ""))
		if i == 0 {
			if got := said(edit(`{"components":[` + hello + `]}`)); got != "100/2388039 An approved message template can be edited once in 24 hours. Try again later." {
				t.Error(got)
			}
		}
		clk.Advance(24 * time.Hour)
	}
	got, _ := s.Template(m.ID)
	if !got.UntrackedLink || got.TTL != 60 {
		t.Errorf("%+v", got)
	}
}

func TestNoticesSurvive(t *testing.T) {
	t.Parallel()
	s, _, m := registry(t, func(o *template.Options) { o.ByHand = true })
	first := accepted(t, s, draft("UTILITY", hello))
	again, err := template.New(t.Context(), m, template.Options{Clock: clock.NewFake(noon), ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	p := running(t, again)
	p.want(t, components(first, "Hello there, this is news."))
	p.nothing(t, again)
	third, err := template.New(t.Context(), m, template.Options{Clock: clock.NewFake(noon), ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	running(t, third).nothing(t, third)
}

func TestUpsertAndMigrate(t *testing.T) {
	t.Parallel()
	s, clk, _ := registry(t, nil)
	text := `{"name":"code","languages":["en_US","ja"],"category":"AUTHENTICATION","components":[{"type":"BODY","add_security_recommendation":true},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}]}`
	upsert := func() []*template.Template {
		d, list, err := template.ParseUpsert(graph.Text("", text))
		if err != nil {
			t.Fatal(said(err))
		}
		out, err := s.Upsert(t.Context(), "220", d, list, plenty)
		if err != nil {
			t.Fatal(said(err))
		}
		return out
	}
	a, b := upsert(), upsert()
	if len(a) != 2 || a[0].ID != b[0].ID || a[1].ID != b[1].ID || a[0].Status != template.Approved || a[1].Language != "ja" {
		t.Errorf("%+v %+v", a, b)
	}
	text = strings.Replace(text, "true", "false", 1)
	if c := upsert(); c[0].ID != a[0].ID || c[0].Component(template.Body).Text == a[0].Component(template.Body).Text {
		t.Errorf("%+v", c)
	}
	text = strings.Replace(text, "false", "true", 1)
	refused := func(want string) {
		t.Helper()
		d, list, err := template.ParseUpsert(graph.Text("", text))
		if err != nil {
			t.Fatal(said(err))
		}
		if _, err = s.Upsert(t.Context(), "220", d, list, plenty); said(err) != want {
			t.Errorf("got  %s\nwant %s", said(err), want)
		}
	}
	refused("100/2388039 An approved message template can be edited once in 24 hours. Try again later.")
	pending := accepted(t, s, draft("UTILITY", hello))
	done, failed, err := s.Migrate(t.Context(), "220", "221", []wa.TemplateID{a[0].ID, a[1].ID, pending.ID, "5"}, plenty)
	if err != nil || len(done) != 2 || len(failed) != 2 || failed[0].Why != "Only approved templates can be migrated" {
		t.Error(done, failed, err)
	}
	if _, err := s.Find("221", "code", "ja"); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Archive(t.Context(), "220", []wa.TemplateID{a[1].ID}); err != nil {
		t.Fatal(err)
	}
	clk.Advance(24 * time.Hour)
	refused("100/2388039 The status for this message template can't be changed. You can only delete or add templates.")
}

// Source: spec/errors.md section 10, 2388027.
func TestOneCatalog(t *testing.T) {
	t.Parallel()
	s, _, _ := registry(t, nil)
	show := func(name, language string) (*template.Template, error) {
		return submit(t, s, `{"name":"`+name+`","language":"`+language+`","category":"MARKETING","components":[{"type":"BODY","text":"See `+name+language+` here."},{"type":"BUTTONS","buttons":[{"type":"CATALOG"}]}]}`)
	}
	for _, language := range []string{"en_US", "de"} {
		if _, err := show("shop", language); err != nil {
			t.Fatal(said(err))
		}
	}
	if _, err := show("store", "en_US"); !errors.Is(err, wa.ErrCatalogTemplateLimit) {
		t.Error(err)
	}
	if err := s.RemoveName(t.Context(), "220", "shop"); err != nil {
		t.Fatal(err)
	}
	if _, err := show("store", "en_US"); err != nil {
		t.Error(said(err))
	}
}

// The store may fail; then nothing is there, and the business is told so.
func TestCreationFails(t *testing.T) {
	t.Parallel()
	s, _, m := registry(t, nil)
	m.fail = errors.New("no disk")
	if _, err := submit(t, s, draft("UTILITY", hello)); said(err) != "200002/2388109 This message template cannot be created." || !errors.Is(err, wa.ErrTemplateCreation) || !errors.Is(err, m.fail) {
		t.Error(err)
	}
	m.fail = nil
	accepted(t, s, draft("UTILITY", hello))
}

// Source: spec/templates.md sections 1 and 9.4: an edit is held to what a new template is held to.
func TestEditsOfTheCategory(t *testing.T) {
	t.Parallel()
	s, _, _ := registry(t, nil)
	one := accepted(t, s, draft("UTILITY", hello))
	other := accepted(t, s, strings.Replace(draft("UTILITY", hello), "en_US", "de", 1))
	for _, m := range []*template.Template{one, other} {
		if _, err := s.Decide(t.Context(), m.ID, template.Verdict{Reason: "INVALID_FORMAT"}); err != nil {
			t.Fatal(err)
		}
	}
	edit := func(text string, passcodes bool) error {
		e, err := template.ParseEdit(graph.Text("", text))
		if err != nil {
			t.Fatal(err)
		}
		e.Passcodes = passcodes
		_, err = s.Change(t.Context(), one.ID, e)
		return err
	}
	if err := edit(`{"category":"MARKETING"}`, true); !errors.Is(err, wa.ErrTemplateCategory) {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "220", "", other.ID); err != nil {
		t.Fatal(err)
	}
	const passcode = `{"category":"AUTHENTICATION","components":[{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}]}`
	if err := edit(passcode, false); !errors.Is(err, wa.ErrTemplateUnverifiedBusiness) {
		t.Error(err)
	}
	if err := edit(passcode, true); err != nil {
		t.Error(said(err))
	}
}
