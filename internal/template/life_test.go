package template_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// postbox takes notices; it fails as often as it is told to.
type postbox struct {
	c    chan string
	fail chan error
}

func (p postbox) Notify(ctx context.Context, w wa.WABAID, field string, value []byte) error {
	select {
	case err := <-p.fail:
		return err
	default:
	}
	select {
	case p.c <- string(w) + " " + field + " " + string(value):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// running starts Run, and stops it with the test.
func running(t *testing.T, s *template.Service) postbox {
	t.Helper()
	p := postbox{make(chan string, 100), make(chan error, 10)}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx, p) }()
	t.Cleanup(func() { stop(); <-done })
	return p
}

func (p postbox) want(t *testing.T, text string) {
	t.Helper()
	select {
	case got := <-p.c:
		if got != text {
			t.Fatalf("got  %s\nwant %s", got, text)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing came, want %s", text)
	}
}

func (p postbox) nothing(t *testing.T, s *template.Service) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for !s.Idle() {
		select {
		case <-deadline:
			t.Fatal("never idle")
		default:
			time.Sleep(time.Millisecond)
		}
	}
	select {
	case got := <-p.c:
		t.Fatalf("got %s", got)
	default:
	}
}

const hello = `{"type":"BODY","text":"Hello there, this is news."}`

func identity(t *template.Template) string {
	return `"message_template_id":` + string(t.ID) + `,"message_template_name":"` + t.Name + `","message_template_language":"` + t.Language + `"`
}

func status(t *template.Template, event, reason, extra string) string {
	return `220 message_template_status_update {"event":"` + event + `",` + identity(t) + `,"reason":"` + reason + `","message_template_category":"` + string(t.Category) + `"` + extra + `}`
}

func components(t *template.Template, text string) string {
	return `220 message_template_components_update {` + identity(t) + `,"message_template_element":"` + text + `"}`
}

func accepted(t *testing.T, s *template.Service, text string) *template.Template {
	t.Helper()
	m, err := submit(t, s, text)
	if err != nil {
		t.Fatal(said(err))
	}
	return m
}

func TestReview(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, category, body, event, reason, extra string }{
		{"nothing wrong", "UTILITY", "Hello there, this is news.", "APPROVED", "NONE", ""},
		{"a threat", "MARKETING", "We know where you live, Mio.", "REJECTED", "ABUSIVE_CONTENT", ""},
		{"asks for a card", "UTILITY", "Please send your full card number.", "REJECTED", "SCAM", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, clk, _ := registry(t, func(o *template.Options) { o.ReviewAfter = 2 * time.Second })
			p := running(t, s)
			m := accepted(t, s, draft(c.category, `{"type":"BODY","text":"`+c.body+`"}`))
			p.want(t, components(m, c.body))
			p.nothing(t, s)
			clk.Advance(2 * time.Second)
			p.want(t, status(m, c.event, c.reason, c.extra))
			p.nothing(t, s)
			if got, _ := s.Template(m.ID); string(got.Status) != c.event {
				t.Errorf("status %s", got.Status)
			}
		})
	}
	t.Run("a passcode is in the wrong category", func(t *testing.T) {
		t.Parallel()
		s, _, _ := registry(t, nil)
		p := running(t, s)
		m := accepted(t, s, draft("UTILITY", `{"type":"BODY","text":"The verification code is {{1}} as asked.","example":{"body_text":[["1"]]}}`))
		p.want(t, components(m, "The verification code is {{1}} as asked."))
		p.want(t, status(m, "REJECTED", "INCORRECT_CATEGORY", ""))
	})
	t.Run("a second template with the same text", func(t *testing.T) {
		t.Parallel()
		s, clk, _ := registry(t, nil)
		p := running(t, s)
		first := accepted(t, s, draft("UTILITY", hello))
		p.want(t, components(first, "Hello there, this is news."))
		p.want(t, status(first, "APPROVED", "NONE", ""))
		clk.Advance(time.Second)
		second := accepted(t, s, strings.Replace(draft("UTILITY", hello), `"a"`, `"b"`, 1))
		p.want(t, components(second, "Hello there, this is news."))
		p.want(t, status(second, "REJECTED", "INVALID_FORMAT", `,"rejection_info":{"reason":"The body and footer are those of the template a.","recommendation":"Use the existing template, or change the text."}`))
		if _, err := s.Appeal(t.Context(), second.ID); err != nil {
			t.Fatal(err)
		}
		p.want(t, status(second, "IN_APPEAL", "NONE", ""))
		if _, err := s.Decide(t.Context(), second.ID, template.Verdict{}); err != nil {
			t.Fatal(err)
		}
		p.want(t, status(second, "APPROVED", "NONE", ""))
	})
	t.Run("an appeal that nobody hears", func(t *testing.T) {
		t.Parallel()
		s, clk, _ := registry(t, nil)
		p := running(t, s)
		m := accepted(t, s, draft("UTILITY", `{"type":"BODY","text":"Please send your full card number."}`))
		p.want(t, components(m, "Please send your full card number."))
		p.want(t, status(m, "REJECTED", "SCAM", ""))
		if _, err := s.Appeal(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
		p.want(t, status(m, "IN_APPEAL", "NONE", ""))
		clk.Advance(24*time.Hour - time.Second)
		p.nothing(t, s)
		clk.Advance(time.Second)
		p.want(t, status(m, "REJECTED", "SCAM", ""))
	})
	t.Run("a person reviews", func(t *testing.T) {
		t.Parallel()
		s, clk, _ := registry(t, func(o *template.Options) { o.ByHand = true })
		p := running(t, s)
		m := accepted(t, s, draft("UTILITY", hello))
		p.want(t, components(m, "Hello there, this is news."))
		clk.Advance(48 * time.Hour)
		p.nothing(t, s)
		if _, err := s.Decide(t.Context(), m.ID, template.Verdict{Reason: "PROMOTIONAL"}); err != nil {
			t.Fatal(err)
		}
		p.want(t, status(m, "REJECTED", "PROMOTIONAL", ""))
	})
}

// approved is a service with one approved template, whose first notices have been taken.
func approved(t *testing.T) (*template.Service, *clock.Controlled, postbox, *template.Template) {
	t.Helper()
	s, clk, _ := registry(t, nil)
	p := running(t, s)
	m := accepted(t, s, draft("UTILITY", hello))
	p.want(t, components(m, "Hello there, this is news."))
	p.want(t, status(m, "APPROVED", "NONE", ""))
	p.nothing(t, s)
	return s, clk, p, m
}

// Source: spec/quality.md sections 3.1 and 9, QC2 and QC3.
func TestPauseLadder(t *testing.T) {
	t.Parallel()
	s, clk, p, m := approved(t)
	rate := func(from, to template.Quality) {
		t.Helper()
		if _, err := s.Rate(t.Context(), m.ID, to, false); err != nil {
			t.Fatal(err)
		}
		p.want(t, `220 message_template_quality_update {"previous_quality_score":"`+string(from)+`","new_quality_score":"`+string(to)+`",`+identity(m)+`}`)
	}
	find := func() string {
		_, err := s.Find("220", "a", "en_US")
		return said(err)
	}
	rate("UNKNOWN", "RED")
	p.want(t, status(m, "PAUSED", "NONE", `,"other_info":{"title":"FIRST_PAUSE","description":"Your template has been paused for 3 hours because of low quality."}`))
	if got := find(); !strings.HasPrefix(got, "(#132015)") {
		t.Error(got)
	}
	clk.Advance(3 * time.Hour)
	unpaused := status(m, "APPROVED", "NONE", `,"other_info":{"title":"UNPAUSE","description":"Your template can be sent again."}`)
	p.want(t, unpaused)
	if got := find(); got != "" {
		t.Error(got)
	}
	if _, err := s.Rate(t.Context(), m.ID, "RED", false); err != nil { // no better, and more of it
		t.Fatal(err)
	}
	p.want(t, status(m, "PAUSED", "NONE", `,"other_info":{"title":"SECOND_PAUSE","description":"Your template has been paused for 6 hours because of low quality."}`))
	if why, err := s.Unpause(t.Context(), m.ID); why != "" || err != nil {
		t.Error(why, err)
	}
	p.want(t, unpaused)
	if why, err := s.Unpause(t.Context(), m.ID); why != "The template is not paused." || err != nil {
		t.Error(why, err)
	}
	rate("RED", "YELLOW")
	rate("YELLOW", "RED")
	p.want(t, status(m, "DISABLED", "NONE", fmt.Sprintf(`,"disable_info":{"disable_date":%d},"other_info":{"title":"DISABLED","description":"Your template has been disabled because of low quality."}`, clk.Now().Unix())))
	if got := find(); !strings.HasPrefix(got, "(#132016)") {
		t.Error(got)
	}
	if err := s.RemoveName(t.Context(), "220", "a"); rowOf(err) == nil || rowOf(err).Code != 100 {
		t.Errorf("a disabled template was deleted: %v", err)
	}
}

// Source: spec/templates.md section 12.
func TestRecategorise(t *testing.T) {
	t.Parallel()
	s, clk, p, m := approved(t)
	if _, err := s.Recategorise(t.Context(), m.ID, template.Marketing, time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.want(t, fmt.Sprintf(`220 template_category_update {%s,"correct_category":"MARKETING","new_category":"UTILITY","category_update_timestamp":%d}`, identity(m), clk.Now().Add(24*time.Hour).Unix()))
	clk.Advance(24 * time.Hour)
	p.want(t, `220 template_category_update {`+identity(m)+`,"previous_category":"UTILITY","new_category":"MARKETING"}`)
	got, _ := s.Template(m.ID)
	if got.Category != template.Marketing || got.Previous != template.Utility || got.CorrectCategory() != template.Marketing || got.Status != template.Approved {
		t.Errorf("%+v", got)
	}
}

// Source: spec/templates.md section 4.5.
func TestArchival(t *testing.T) {
	t.Parallel()
	s, clk, p, m := approved(t)
	done, failed, err := s.Archive(t.Context(), "220", []wa.TemplateID{m.ID, "1"})
	if err != nil || len(done) != 1 || len(failed) != 1 {
		t.Fatal(done, failed, err)
	}
	p.want(t, status(m, "ARCHIVED", "NONE", ""))
	if _, err := s.Find("220", "a", "en_US"); !errors.Is(err, wa.ErrTemplateMissing) {
		t.Error(err)
	}
	if _, _, err = s.Unarchive(t.Context(), "220", done); err != nil {
		t.Fatal(err)
	}
	p.want(t, status(m, "UNARCHIVED", "NONE", ""))
	clk.Advance(200 * 24 * time.Hour)
	if _, err := s.Find("220", "a", "en_US"); err != nil { // a send keeps it
		t.Fatal(err)
	}
	p.nothing(t, s)
	clk.Advance(200 * 24 * time.Hour)
	p.nothing(t, s)
	clk.Advance(166 * 24 * time.Hour)
	p.want(t, status(m, "ARCHIVED", "NONE", ""))
	clk.Advance(28 * 24 * time.Hour)
	p.want(t, status(m, "DELETED", "NONE", ""))
	clk.Advance(31 * 24 * time.Hour)
	p.nothing(t, s)
	if n := len(s.Deleted("220")); n != 0 {
		t.Errorf("%d deleted templates are still remembered", n)
	}
}

// Sources: spec/templates.md sections 1 and 4.4.
func TestRemoval(t *testing.T) {
	t.Parallel()
	s, clk, p, m := approved(t)
	if err := s.RemoveName(t.Context(), "220", "b"); !errors.Is(err, wa.ErrTemplateDeleteName) {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "220", "", m.ID, "1"); !errors.Is(err, wa.ErrTemplateNotFound) {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "220", "b", m.ID); !errors.Is(err, wa.ErrTemplateNotFound) {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "220", "a", m.ID); err != nil {
		t.Fatal(err)
	}
	p.want(t, status(m, "DELETED", "NONE", ""))
	_, err := submit(t, s, draft("UTILITY", hello))
	if got := said(err); got != "100/2388023 New English (US) content can't be added while the existing English (US) content is being deleted. Try again in 30 days or create a new message template." {
		t.Error(got)
	}
	clk.Advance(30 * 24 * time.Hour)
	if _, err = submit(t, s, draft("UTILITY", hello)); err != nil {
		t.Error(said(err))
	}
}

// sends is what messages of a template do.
type sends struct {
	underway atomic.Bool
	stuck    chan struct{} // what waits there; nil: nobody waits
}

func (s *sends) Underway(ctx context.Context, ids []wa.TemplateID) ([]wa.TemplateID, error) {
	if s.stuck != nil {
		s.stuck <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if !s.underway.Load() {
		return nil, nil
	}
	return ids, nil
}

// While nobody knows what is on its way, the account can be written, and the template goes later.
func TestRemovalDoesNotHoldTheAccount(t *testing.T) {
	t.Parallel()
	way := &sends{stuck: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, clk, _ := registry(t, func(o *template.Options) { o.Sends, o.AskFor = way, 200*time.Millisecond })
	p := running(t, s)
	m := accepted(t, s, draft("UTILITY", hello))
	p.want(t, components(m, "Hello there, this is news."))
	p.want(t, status(m, "APPROVED", "NONE", ""))
	done := make(chan error)
	go func() { done <- s.RemoveName(ctx, "220", "a") }()
	<-way.stuck
	if _, err := s.Update(t.Context(), m.ID, func(*template.Template) error { return nil }); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatalf("it did not wait for what is on its way: %v", err)
	default:
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Template(m.ID); !ok || got.Status != template.PendingDeletion {
		t.Errorf("%+v", got)
	}
	clk.Advance(5 * time.Minute)
	<-way.stuck // and Run does not hang either
	p.want(t, strings.Replace(status(m, "PENDING_DELETION", "NONE", ""), `"NONE"`, "null", 1))
}

// A template whose messages are under way goes when they have arrived, after 30 days at the latest; until then its name is taken.
// Sources: spec/templates.md sections 4.4 and 11, spec/webhooks.md section 44.
func TestRemovalWaitsForMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		arrived bool
	}{{"they arrive", true}, {"they never do", false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			way := new(sends)
			s, clk, _ := registry(t, func(o *template.Options) { o.Sends = way })
			p := running(t, s)
			m := accepted(t, s, draft("UTILITY", hello))
			p.want(t, components(m, "Hello there, this is news."))
			p.want(t, status(m, "APPROVED", "NONE", ""))
			way.underway.Store(true)
			remove := func() {
				t.Helper()
				if err := s.RemoveName(t.Context(), "220", "a"); err != nil {
					t.Fatal(err)
				}
			}
			remove()
			p.want(t, strings.Replace(status(m, "PENDING_DELETION", "NONE", ""), `"NONE"`, "null", 1))
			remove() // once more is fine
			if _, err := s.Find("220", "a", "en_US"); !errors.Is(err, wa.ErrTemplateMissing) {
				t.Error(err)
			}
			if _, err := submit(t, s, draft("UTILITY", hello)); !strings.HasPrefix(said(err), "100/2388023 ") {
				t.Error(said(err))
			}
			if done, _, err := s.Archive(t.Context(), "220", []wa.TemplateID{m.ID}); len(done) > 0 || err != nil {
				t.Error("it was archived", err)
			}
			clk.Advance(29 * 24 * time.Hour)
			p.nothing(t, s)
			if got, ok := s.Template(m.ID); !ok || got.Status != template.PendingDeletion {
				t.Fatalf("%+v", got)
			}
			if c.arrived {
				way.underway.Store(false)
				clk.Advance(5 * time.Minute)
			} else {
				clk.Advance(24 * time.Hour)
			}
			p.want(t, status(m, "DELETED", "NONE", ""))
			if _, err := submit(t, s, draft("UTILITY", hello)); (err != nil) != c.arrived {
				t.Error(said(err))
			}
			clk.Advance(24 * time.Hour)
			if _, err := submit(t, s, draft("UTILITY", hello)); (err == nil) != c.arrived {
				t.Error(said(err))
			}
		})
	}
}

// What is beyond the limit of its account cannot be sent, newest first, and comes back when there is room. Source:
// spec/templates.md sections 3 and 11.
func TestBeyondTheLimit(t *testing.T) {
	t.Parallel()
	limit := new(atomic.Int64)
	limit.Store(2)
	s, clk, _ := registry(t, func(o *template.Options) { o.Limit = func(wa.WABAID) int { return int(limit.Load()) } })
	p := running(t, s)
	make := func(name, text string) *template.Template {
		t.Helper()
		m := accepted(t, s, strings.Replace(draft("UTILITY", `{"type":"BODY","text":"`+text+`"}`), `"a"`, `"`+name+`"`, 1))
		p.want(t, components(m, text))
		p.want(t, status(m, "APPROVED", "NONE", ""))
		clk.Advance(time.Second)
		return m
	}
	first, second := make("a", "Hello there, this is news."), make("b", "Good evening, this is news.")
	limit.Store(1)
	p.nothing(t, s)
	clk.Advance(time.Hour)
	p.want(t, status(second, "LIMIT_EXCEEDED", "NONE", ""))
	if _, err := s.Find("220", "b", "en_US"); !errors.Is(err, wa.ErrTemplateMissing) {
		t.Error(err)
	}
	if _, err := s.Find("220", "a", "en_US"); err != nil {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "220", "", first.ID); err != nil {
		t.Fatal(err)
	}
	p.want(t, status(first, "DELETED", "NONE", ""))
	if err := s.Hold(t.Context(), "220"); err != nil {
		t.Fatal(err)
	}
	p.want(t, status(second, "REINSTATED", "NONE", ""))
	if _, err := s.Find("220", "b", "en_US"); err != nil {
		t.Error(err)
	}
}
