package document

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Errors of a session.
var (
	// ErrScreen reports a screen that the flow does not have.
	ErrScreen = errors.New("the flow has no such screen")
	// ErrElement reports an element that is not on the screen, is disabled, or does nothing.
	ErrElement = errors.New("the screen has nothing of that name to use")
	// ErrNoEndpoint reports a step that needs a data endpoint, of a session that has none.
	ErrNoEndpoint = errors.New("the flow's data endpoint cannot be reached from here")
	// ErrAnswer reports an answer of a data endpoint that leads nowhere.
	ErrAnswer = errors.New("the flow's data endpoint answered with something unexpected")
	// ErrOver reports a session that has ended, or has not begun.
	ErrOver = errors.New("the flow is not open")
)

// maxVisits bounds the screens of a session, and what an endpoint can send a person around.
const maxVisits = 100

// success is what an endpoint answers to end a flow. Source: spec/flows.md section 8.2.
const success = "SUCCESS"

// Question is one step that a data endpoint is asked to answer. Source: spec/flows.md section 8.2.
type Question struct {
	Action string         `json:"action"` // INIT, data_exchange or BACK
	Screen string         `json:"screen"`
	Data   map[string]any `json:"data"`
	Token  string         `json:"flow_token"`
}

// Answer is what a data endpoint says: the screen to show and its data.
type Answer struct {
	Screen string         `json:"screen"`
	Data   map[string]any `json:"data"`
}

// Endpoint answers questions. An error is shown to the person, and nothing has changed.
type Endpoint interface {
	Exchange(ctx context.Context, q Question) (Answer, error)
}

// Visit is a screen that a person has come to, and what it holds. Values are those of encoding/json.
type Visit struct {
	Screen string         `json:"screen"`
	Data   map[string]any `json:"data"`
	Form   map[string]any `json:"form"`
}

// Session is one person's way through a flow: it shows a screen, takes values, and does what is tapped.
//
//	Start, Init ──► View ◄──── Set (a value), Tap (a button), Back
//	                  │ Tap on a complete action, or an endpoint's SUCCESS
//	                  ▼
//	               Response
//
// A session is used by one goroutine at a time. Whatever the flow or its endpoint say, it neither panics nor grows beyond
// 100 screens, and what a screen shows does not outgrow what its references stand for.
type Session struct {
	doc      *Document
	endpoint Endpoint
	picker   Picker // of files, for Fill; nil: none
	token    string
	path     []Visit
	note     string            // error_message of the endpoint's last answer
	wrong    map[string]string // fields that were refused, until they change
	response map[string]any
}

// Open makes a session of a flow. Token is the flow_token; empty means "unused", as in messages. A nil endpoint makes steps that
// need one end in [ErrNoEndpoint].
func (d *Document) Open(token string, e Endpoint) *Session {
	if token == "" {
		token = "unused"
	}
	return &Session{doc: d, endpoint: e, token: token}
}

// Start shows the first screen: flow_action navigate. Screen "" means the flow's own. Errors: [ErrScreen].
func (s *Session) Start(screen string, data map[string]any) error {
	first := s.doc.Entry()
	if screen != "" {
		first = s.doc.Screen(screen)
	}
	if first == nil {
		return fmt.Errorf("%q: %w", short(screen), ErrScreen)
	}
	s.path, s.response = nil, nil
	return s.enter(first, data)
}

// Init lets the endpoint choose the first screen: flow_action data_exchange. Errors: those of Endpoint, [ErrNoEndpoint],
// [ErrAnswer].
func (s *Session) Init(ctx context.Context) error {
	s.path, s.response = nil, nil
	return s.ask(ctx, Question{Action: "INIT"})
}

// Path is where the session is and what it knows, to be given to [Session.Resume] of another one. It must not be changed.
func (s *Session) Path() []Visit { return s.path }

// Resume takes over the path of an earlier session; it may come from anywhere. Errors: [ErrScreen], [ErrOver].
func (s *Session) Resume(path []Visit) error {
	if len(path) == 0 || len(path) > maxVisits {
		return ErrOver
	}
	for i := range path {
		v := &path[i]
		if s.doc.Screen(v.Screen) == nil {
			return fmt.Errorf("%q: %w", short(v.Screen), ErrScreen)
		}
		if v.Data == nil {
			v.Data = map[string]any{}
		}
		if v.Form == nil {
			v.Form = map[string]any{}
		}
	}
	s.path, s.response = path, nil
	return nil
}

// Response is what the flow ended with, the flow_token included: the response_json of the nfm_reply. It is false before.
func (s *Session) Response() (map[string]any, bool) { return s.response, s.response != nil }

// here is the screen shown, with its visit. Errors: [ErrOver].
func (s *Session) here() (*Screen, *Visit, error) {
	if len(s.path) == 0 || s.response != nil {
		return nil, nil, ErrOver
	}
	v := &s.path[len(s.path)-1]
	return s.doc.Screen(v.Screen), v, nil
}

// scope is what expressions of the screen shown speak of.
func (s *Session) scope() *scope { return &scope{find: s.find, left: maxScreen} }

func (s *Session) find(ref []string) any {
	if len(s.path) == 0 {
		return nil
	}
	v := &s.path[len(s.path)-1]
	if ref[0] == "screen" && len(ref) > 3 {
		i := slices.IndexFunc(s.path, func(v Visit) bool { return v.Screen == ref[1] })
		if i < 0 {
			return nil
		}
		v, ref = &s.path[i], ref[2:]
	}
	if len(ref) < 2 {
		return nil
	}
	var at any
	switch ref[0] {
	case "data":
		at = v.Data[ref[1]]
	case "form":
		at = v.Form[ref[1]]
	}
	for _, name := range ref[2:] {
		m, _ := at.(map[string]any)
		at = m[name]
	}
	return at
}

// enter shows a screen. One that was visited before keeps what was filled in, and what came after it is gone.
func (s *Session) enter(to *Screen, data map[string]any) error {
	s.note, s.wrong = "", nil
	if i := slices.IndexFunc(s.path, func(v Visit) bool { return v.Screen == to.ID }); i >= 0 {
		s.path = s.path[:i+1]
		v := &s.path[i]
		v.Data = maps.Clone(v.Data)
		maps.Copy(v.Data, data)
		s.forget(to, v)
		return nil
	}
	if len(s.path) >= maxVisits {
		return fmt.Errorf("more than %d screens: %w", maxVisits, ErrAnswer)
	}
	v := Visit{Screen: to.ID, Data: maps.Clone(data), Form: map[string]any{}}
	if v.Data == nil {
		v.Data = map[string]any{}
	}
	s.path = append(s.path, v)
	s.begin(to, &s.path[len(s.path)-1])
	return nil
}

// begin gives the fields of a screen their first values.
func (s *Session) begin(to *Screen, v *Visit) {
	of := s.scope()
	var walk func(list []*Component, init map[string]any)
	walk = func(list []*Component, init map[string]any) {
		for _, c := range list {
			inner := init
			if c.Type == "Form" {
				inner, _ = resolve(c.props.get("init-values"), of, s.doc.Version).(map[string]any)
			}
			if components[c.Type].field && c.Name != "" {
				first := resolve(c.props.get("init-value"), of, s.doc.Version)
				if first == nil {
					first = init[c.Name]
				}
				v.Form[c.Name] = shape(c, first)
			}
			walk(c.Children, inner)
			walk(c.Else, inner)
			for _, cs := range c.Cases {
				walk(cs.Children, inner)
			}
		}
	}
	walk(to.Children, nil)
}

// forget takes away choices that the new data of a screen no longer offers.
func (s *Session) forget(to *Screen, v *Visit) {
	of := s.scope()
	each(to.Children, func(c *Component) {
		if c.props.get("data-source") == nil || c.Name == "" {
			return
		}
		offered := options(resolve(c.props.get("data-source"), of, s.doc.Version))
		known := func(id any) bool {
			return slices.ContainsFunc(offered, func(o Option) bool { return o.ID == id })
		}
		switch x := v.Form[c.Name].(type) {
		case string:
			if !known(x) {
				v.Form[c.Name] = ""
			}
		case []any:
			v.Form[c.Name] = slices.DeleteFunc(slices.Clone(x), func(id any) bool { return !known(id) })
		}
	})
}

// ask brings a question to the endpoint and does what it answers.
func (s *Session) ask(ctx context.Context, q Question) error {
	if s.endpoint == nil {
		return ErrNoEndpoint
	}
	q.Token = s.token
	a, err := s.endpoint.Exchange(ctx, q)
	if err != nil {
		return err //nolint:wrapcheck // the caller's own
	}
	if a.Screen == success {
		return s.finish(a.Data)
	}
	note, _ := a.Data["error_message"].(string)
	to := s.doc.Screen(a.Screen)
	if to == nil && a.Screen == "" && note != "" && len(s.path) > 0 {
		to = s.doc.Screen(s.path[len(s.path)-1].Screen)
	}
	if to == nil {
		return fmt.Errorf("screen %q: %w", short(a.Screen), ErrAnswer)
	}
	if err := s.enter(to, a.Data); err != nil {
		return err
	}
	s.note = note
	return nil
}

// finish ends the flow with what the endpoint says.
func (s *Session) finish(data map[string]any) error {
	message, _ := data["extension_message_response"].(map[string]any)
	params, ok := message["params"].(map[string]any)
	if !ok {
		return fmt.Errorf("SUCCESS without extension_message_response.params: %w", ErrAnswer)
	}
	s.complete(params)
	return nil
}

func (s *Session) complete(with map[string]any) {
	s.response = maps.Clone(with)
	if s.response == nil {
		s.response = map[string]any{}
	}
	s.response["flow_token"] = s.token
}

// Back goes to the screen before. It is false on the first one. Errors: as for [Session.Tap].
func (s *Session) Back(ctx context.Context) (bool, error) {
	at, _, err := s.here()
	if err != nil || len(s.path) < 2 {
		return false, err
	}
	if at.RefreshOnBack && s.doc.HasEndpoint() {
		err := s.ask(ctx, Question{Action: "BACK", Screen: at.ID})
		return err == nil, err
	}
	s.path = s.path[:len(s.path)-1]
	s.note, s.wrong = "", nil
	return true, nil
}

// FieldErrors says which fields keep a screen from being sent, and why.
type FieldErrors map[string]string

// Error names them all.
func (f FieldErrors) Error() string {
	var text strings.Builder
	text.WriteString("the screen is not filled in")
	for _, name := range sorted(f) {
		text.WriteString("; " + name + ": " + f[name])
	}
	return text.String()
}
