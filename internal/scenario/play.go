package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// ErrExpectation is returned when something was not as the scenario expects it.
var ErrExpectation = errors.New("not as expected")

// Options of Play. Target, Client, Clock and Out are needed.
type Options struct {
	Target Target
	Client *http.Client
	Clock  clock.Clock // real time: how long it took
	Out    io.Writer   // the transcript
	Colour bool
}

// player is a scenario being played.
type player struct {
	o         Options
	mail      mailroom
	number    string            // id of the number that sends
	templates map[string]string // names in the file to those on the platform
	ids       map[string]string // names in the file to ids
	run       string            // makes names of this run
	first     time.Time         // platform time of the start
	now       time.Time         // platform time
	met       int               // expectations that were met
}

// Play plays s to its end or its first failure. Errors: [ErrExpectation], and those of calls that failed.
func Play(ctx context.Context, s *Scenario, o Options) error {
	p := &player{o: o, templates: map[string]string{}, ids: map[string]string{}}
	p.mail = mailroom{verify: o.Target.VerifyToken, secret: o.Target.AppSecret, statuses: map[string][]string{}}
	began := o.Clock.Now()
	var at struct{ Scale float64 }
	if err := p.control(ctx, http.MethodGet, "clock", nil, &at); err != nil {
		return fmt.Errorf("the control API of a sandbox: %w", err)
	}
	if err := p.tick(ctx, map[string]any{"scale": 0}); err != nil {
		return err
	}
	p.first = p.now
	p.run = strconv.FormatInt(p.now.UnixMilli()%(36*36*36*36*36), 36)
	end, err := p.listen(ctx)
	if err != nil {
		return err
	}
	// The clock runs again and the webhooks go where they went, whatever happens in between.
	defer func() {
		ctx := context.WithoutCancel(ctx)
		end(ctx)
		_ = p.tick(ctx, map[string]any{"scale": at.Scale})
	}()
	p.title(s)
	for i := range s.Steps {
		if err := p.step(ctx, &s.Steps[i]); err != nil {
			p.line("✗", "step "+strconv.Itoa(i+1), err.Error())
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		p.hooks()
	}
	p.verdict(len(s.Steps), o.Clock.Now().Sub(began))
	return nil
}

func (p *player) step(ctx context.Context, s *Step) error {
	switch {
	case s.Say != "":
		p.story(s.Say)
		return nil
	case s.Number != nil:
		return p.addNumber(ctx, s.Number)
	case s.Users != nil:
		return p.addUsers(ctx, s.Users)
	case s.Template != nil:
		return p.addTemplate(ctx, s.Template)
	case s.Send != nil:
		return p.send(ctx, s.Send)
	case s.People != nil:
		return p.people(ctx, s.People)
	case s.Set != nil:
		return p.set(ctx, s.Set)
	case s.Advance != 0:
		return p.advance(ctx, time.Duration(s.Advance))
	case s.Until != "":
		return p.until(ctx, s.Until)
	case s.Evaluate:
		p.line("", "evaluate", "limits, levels and ratings")
		return errors.Join(p.control(ctx, http.MethodPost, "evaluate", nil, nil), p.idle(ctx))
	case s.Control != nil:
		p.line("", "control", s.Control.Method+" "+s.Control.Path)
		return errors.Join(p.control(ctx, s.Control.Method, p.fill(s.Control.Path), s.Control.Body, nil), p.idle(ctx))
	case s.Graph != nil:
		return p.ask(ctx, s.Graph)
	default:
		return p.expect(ctx, s.Expect)
	}
}

// ---- time ----

func (p *player) tick(ctx context.Context, body any) error {
	var at struct{ Now time.Time }
	if err := p.control(ctx, http.MethodPost, "clock", body, &at); err != nil {
		return err
	}
	p.now = at.Now
	return nil
}

func (p *player) idle(ctx context.Context) error {
	return p.control(ctx, http.MethodPost, "idle", map[string]string{"timeout": "2m"}, nil)
}

func (p *player) pass(ctx context.Context, d time.Duration) error {
	if err := p.tick(ctx, map[string]any{"advance": d.String()}); err != nil {
		return err
	}
	return p.idle(ctx)
}

func (p *player) advance(ctx context.Context, d time.Duration) error {
	if err := p.pass(ctx, d); err != nil {
		return err
	}
	p.line("", "time", span(d)+" pass")
	return nil
}

func (p *player) until(ctx context.Context, clock string) error {
	at, err := time.Parse("15:04", clock)
	if err != nil {
		return err
	}
	now := p.now.UTC()
	next := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
	if !next.After(now) {
		next = next.Add(24 * time.Hour)
	}
	if err := p.pass(ctx, next.Sub(now)); err != nil {
		return err
	}
	p.line("", "time", "it is "+clock+" UTC")
	return nil
}

// ---- what there is ----

func (p *player) addNumber(ctx context.Context, s *NumberStep) error {
	phones := []string{s.Phone}
	if s.Phone == "" {
		phones = nil
		for i := range 20 {
			phones = append(phones, fmt.Sprintf("1555079%04d", (p.first.UnixMilli()/7+int64(i)*37)%10000))
		}
	}
	var err error
	for _, phone := range phones {
		var n struct {
			ID      string
			Display string `json:"display_phone_number"`
		}
		if err = p.control(ctx, http.MethodPost, "numbers", map[string]any{"phone": phone, "name": s.Name, "live": true}, &n); err == nil {
			p.number = n.ID
			p.line("", "number", n.Display+" "+s.Name)
			return nil
		}
	}
	return err
}

func (p *player) addUsers(ctx context.Context, s *UsersStep) error {
	body := map[string]any{"prefix": s.Prefix, "count": s.Count}
	if s.Behaviour != nil {
		body["behaviour"] = s.Behaviour
	}
	if err := p.control(ctx, http.MethodPost, "users", body, nil); err != nil {
		return err
	}
	p.line("", "users", fmt.Sprintf("%d people, +%s…%s", s.Count, s.Prefix, pairs(s.Behaviour)))
	return nil
}

func (p *player) addTemplate(ctx context.Context, s *TemplateStep) error {
	name := s.Name + "_" + p.run
	a, err := p.must(ctx, http.MethodPost, p.o.Target.WABAID+"/message_templates", map[string]any{
		"name": name, "language": "en_US", "category": s.Category, "components": []any{
			map[string]any{"type": "BODY", "text": s.Body},
			map[string]any{"type": "FOOTER", "text": "Run " + p.run}, // the reviewer wants no text twice
		},
	})
	if err != nil {
		return err
	}
	var made struct{ ID, Status string }
	if err := json.Unmarshal(a.body, &made); err != nil {
		return err
	}
	p.templates[s.Name], p.ids[s.Name] = name, made.ID
	if err := p.pass(ctx, 3*time.Second); err != nil { // the reviewer takes two
		return err
	}
	if a, err = p.must(ctx, http.MethodGet, made.ID+"?fields=status", nil); err != nil {
		return err
	}
	if err := json.Unmarshal(a.body, &made); err != nil || made.Status != "APPROVED" {
		return fmt.Errorf("template %s is %s: %w", s.Name, made.Status, ErrExpectation)
	}
	p.line("", "template", s.Name+", "+s.Category)
	return nil
}

// fill replaces {number}, {waba}, {business} and names of templates in braces.
func (p *player) fill(path string) string {
	list := []string{"{number}", p.number, "{waba}", p.o.Target.WABAID, "{business}", p.o.Target.BusinessID, "{app}", p.o.Target.AppID}
	for name, id := range p.ids {
		list = append(list, "{"+name+"}", id)
	}
	return strings.NewReplacer(list...).Replace(path)
}

// ---- what happens ----

func (p *player) people(ctx context.Context, s *PeopleStep) error {
	path, body, what := "actions", map[string]any{"do": s.Do, "to": p.number}, s.Do
	if s.Reason != "" {
		body["reason"] = s.Reason
		what += " (" + s.Reason + ")"
	}
	if s.Text != "" {
		path, body, what = "messages", map[string]any{"to": p.number, "type": "text", "text": map[string]string{"body": s.Text}}, strconv.Quote(s.Text)
	}
	list := s.numbers()
	if err := each(list, func(_ int, user string) error {
		return p.control(ctx, http.MethodPost, "users/"+user+"/"+path, body, nil)
	}); err != nil {
		return err
	}
	p.line("", "people", fmt.Sprintf("%d: %s", len(list), what))
	return p.idle(ctx)
}

// ask is any call of the Graph API.
func (p *player) ask(ctx context.Context, s *ControlStep) error {
	a, err := p.graph(ctx, s.Method, p.fill(s.Path), s.Body)
	if err != nil {
		return err
	}
	p.line("", "graph", fmt.Sprintf("%s %s: HTTP %d", s.Method, s.Path, a.status))
	if code := a.code(); code != s.Error || (s.Error == 0 && a.status != http.StatusOK) {
		return fmt.Errorf("code %d, want %d: %s: %w", code, s.Error, a.body, ErrExpectation)
	}
	p.met++
	return p.idle(ctx)
}

// ---- what must be so ----

func (p *player) expect(ctx context.Context, s *ExpectStep) error {
	if s.Webhook != "" {
		return p.expectWebhook(s)
	}
	var got any
	if s.Control != "" {
		if err := p.control(ctx, http.MethodGet, p.fill(s.Control), nil, &got); err != nil {
			return err
		}
	} else {
		a, err := p.must(ctx, http.MethodGet, p.fill(s.Get), nil)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(a.body, &got); err != nil {
			return err
		}
	}
	if path, ok := differs(got, s.Is); ok {
		return fmt.Errorf("%s is %v, want %v: %w", path, lookup(got, path), s.Is[path], ErrExpectation)
	}
	p.met++
	p.line("✓", "expect", pairs(s.Is)[2:])
	return nil
}

func (p *player) expectWebhook(s *ExpectStep) error {
	p.hooks()
	p.mail.mu.Lock()
	defer p.mail.mu.Unlock()
	for _, u := range p.mail.updates {
		if _, no := differs(u.value, s.Is); u.field == s.Webhook && !u.seen && !no {
			u.seen = true
			p.met++
			p.line("✓", "expect", s.Webhook+pairs(s.Is))
			return nil
		}
	}
	return fmt.Errorf("no webhook %s%s: %w", s.Webhook, pairs(s.Is), ErrExpectation)
}

// differs returns the first path at which got is not what is says.
func differs(got any, is map[string]any) (string, bool) {
	for _, path := range slices.Sorted(maps.Keys(is)) {
		if fmt.Sprint(lookup(got, path)) != fmt.Sprint(is[path]) {
			return path, true
		}
	}
	return "", false
}
