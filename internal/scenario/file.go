package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/goccy/go-yaml"
)

// Scenario is a file.
type Scenario struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
	Steps []Step `yaml:"steps"`
}

// Step is one thing to do: exactly one field is set.
type Step struct {
	Say      string        `yaml:"say"`      // a line of the story
	Number   *NumberStep   `yaml:"number"`   // a business number of its own
	Users    *UsersStep    `yaml:"users"`    // people, or another behaviour for them
	Template *TemplateStep `yaml:"template"` // created and approved
	Send     *SendStep     `yaml:"send"`
	People   *PeopleStep   `yaml:"people"`  // what people do
	Set      *SetStep      `yaml:"set"`     // what the operator decides
	Advance  Duration      `yaml:"advance"` // time passes
	Until    string        `yaml:"until"`   // time passes to the next "15:04" UTC
	Evaluate bool          `yaml:"evaluate"`
	Control  *ControlStep  `yaml:"control"` // any call of the control API
	Graph    *ControlStep  `yaml:"graph"`   // any call of the Graph API
	Expect   *ExpectStep   `yaml:"expect"`
}

// NumberStep adds a number for which limits count.
type NumberStep struct {
	Name  string `yaml:"name"`
	Phone string `yaml:"phone"` // digits; empty: one that is free
}

// People are users whose numbers are a prefix and a count.
type People struct {
	Prefix string `yaml:"prefix"`
	From   int    `yaml:"from"`
	Count  int    `yaml:"count"` // 0 means one
}

// UsersStep creates people; behaviour is that of the control API.
type UsersStep struct {
	Prefix    string         `yaml:"prefix"`
	Count     int            `yaml:"count"`
	Behaviour map[string]any `yaml:"behaviour"`
}

// TemplateStep creates a template without variables.
type TemplateStep struct {
	Name     string `yaml:"name"`
	Category string `yaml:"category"`
	Body     string `yaml:"body"`
}

// SendStep sends one message to each of the people.
type SendStep struct {
	Template  string         `yaml:"template"`
	Text      string         `yaml:"text"`
	To        People         `yaml:"to"`
	Messages  int            `yaml:"messages"`   // in all, going round the people; 0: one to each
	PerSecond int            `yaml:"per_second"` // of platform time; 0: all in the same moment
	Refused   map[string]int `yaml:"refused"`    // by code; the rest must be accepted
	Then      map[string]int `yaml:"then"`       // once nothing is in flight: by status, or by code of those that failed
}

// PeopleStep lets each of the people do or write something.
type PeopleStep struct {
	People `yaml:",inline"`
	Do     string `yaml:"do"` // an action of the control API
	Reason string `yaml:"reason"`
	Text   string `yaml:"text"` // what they write, instead of Do
}

// SetStep is what an operator decides; every field that is set is done.
type SetStep struct {
	Tier         string `yaml:"tier"`
	TierUsers    int    `yaml:"tier_users"` // people instead of those of Tier
	Nudge        int    `yaml:"nudge"`      // steps of the messaging limit, up or down
	Quality      string `yaml:"quality"`    // of the number, or of Of
	Of           string `yaml:"of"`         // name of a template
	Level        string `yaml:"level"`
	Verification string `yaml:"verification"`
	Enforcement  string `yaml:"enforcement"` // mode
	Sanction     *int   `yaml:"sanction"`    // step of the ladder
	Violation    string `yaml:"violation"`
	Appeal       string `yaml:"appeal"`  // FILE, APPROVED or REJECTED
	Reached      int    `yaml:"reached"` // people that count as reached by the number, besides those who were
}

// ControlStep is a call.
type ControlStep struct {
	Method string         `yaml:"method"`
	Path   string         `yaml:"path"`
	Body   map[string]any `yaml:"body"`
	Error  int            `yaml:"error"` // code that a call of the Graph API must end with; 0: it must succeed
}

// ExpectStep says what must be so: of an answer, or of a webhook that nobody expected yet.
type ExpectStep struct {
	Get     string         `yaml:"get"`     // of the Graph API
	Control string         `yaml:"control"` // of the control API
	Webhook string         `yaml:"webhook"` // field
	Is      map[string]any `yaml:"is"`      // path with dots to value
}

// Duration is written "25h".
type Duration time.Duration

// UnmarshalYAML reads "25h".
func (d *Duration) UnmarshalYAML(b []byte) error {
	v, err := time.ParseDuration(string(bytes.Trim(bytes.TrimSpace(b), `"'`)))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q: want a duration such as 25h", b)
	}
	*d = Duration(v)
	return nil
}

// ErrFile is returned for a file that is no scenario.
var ErrFile = errors.New("not a scenario")

const (
	maxFile   = 1 << 20
	maxSteps  = 1000
	maxPeople = 100_000
)

// Parse reads a file of up to 1 MiB. Errors are [ErrFile] and name the place.
func Parse(r io.Reader) (*Scenario, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	s := &Scenario{}
	switch {
	case len(b) > maxFile:
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	default:
		err = yaml.UnmarshalWithOptions(b, s, yaml.Strict())
	}
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return s, nil
}

func (s *Scenario) check() error {
	if s.Name == "" || len(s.Steps) == 0 || len(s.Steps) > maxSteps {
		return fmt.Errorf("want a name and 1 to %d steps", maxSteps)
	}
	for i := range s.Steps {
		if err := s.Steps[i].check(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *Step) check() error {
	set := 0
	for _, is := range []bool{
		s.Say != "", s.Number != nil, s.Users != nil, s.Template != nil, s.Send != nil, s.People != nil, s.Set != nil, s.Advance != 0,
		s.Until != "", s.Evaluate, s.Control != nil, s.Graph != nil, s.Expect != nil,
	} {
		if is {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("want one thing to do, this has %d", set)
	}
	switch {
	case s.Users != nil && (s.Users.Prefix == "" || s.Users.Count < 1 || s.Users.Count > maxPeople):
		return fmt.Errorf("users: want prefix, and count up to %d", maxPeople)
	case s.Template != nil && (s.Template.Name == "" || s.Template.Category == "" || s.Template.Body == ""):
		return errors.New("template: want name, category and body")
	case s.Send != nil && (s.Send.Template == "") == (s.Send.Text == ""):
		return errors.New("send: want template or text")
	case s.Send != nil && (s.Send.Messages < 0 || s.Send.Messages > maxPeople || s.Send.PerSecond < 0):
		return fmt.Errorf("send: want up to %d messages", maxPeople)
	case s.People != nil && (s.People.Do == "") == (s.People.Text == ""):
		return errors.New("people: want do or text")
	case s.Expect != nil && (len(s.Expect.Is) == 0 || one(s.Expect.Get, s.Expect.Control, s.Expect.Webhook) != 1):
		return errors.New("expect: want is, and one of get, control and webhook")
	}
	for _, p := range []*People{s.to(), s.people()} {
		if p != nil && (p.Prefix == "" || p.Count < 0 || p.Count > maxPeople || p.From < 0 || p.From > maxPeople) {
			return fmt.Errorf("people: want prefix, and from and count up to %d", maxPeople)
		}
	}
	if s.Until != "" {
		if _, err := time.Parse("15:04", s.Until); err != nil {
			return errors.New("until: want a time of day such as 12:00")
		}
	}
	return nil
}

func (s *Step) to() *People {
	if s.Send == nil {
		return nil
	}
	return &s.Send.To
}

func (s *Step) people() *People {
	if s.People == nil {
		return nil
	}
	return &s.People.People
}

func one(list ...string) (n int) {
	for _, s := range list {
		if s != "" {
			n++
		}
	}
	return n
}

// numbers are the digits of the people, as the control API counts them.
func (p *People) numbers() []string {
	list := make([]string, max(p.Count, 1))
	for i := range list {
		list[i] = fmt.Sprintf("%s%0*d", p.Prefix, max(11-len(p.Prefix), 1), p.From+i)
	}
	return list
}
