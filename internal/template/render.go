package template

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Rendered is a template with its variables filled in, as a device shows it.
type Rendered struct {
	Category Category
	Header   string // empty: none
	Body     string
	Footer   string // empty: none
	Buttons  []RenderedButton
	Life     time.Duration // until an undelivered message is dropped
}

// RenderedButton is a button as a device shows it.
type RenderedButton struct {
	Type    ButtonType
	Text    string
	URL     string // URL
	Phone   string // PHONE_NUMBER
	Payload string // QUICK_REPLY: comes back when it is tapped
	Code    string // COPY_CODE
}

// Limits of the filled-in text in code points. Source: spec/errors.md section 9, 132005.
const (
	maxHeader   = 60
	maxBody     = 1024
	maxBodyOnly = 4096 // a template that is nothing but a body
	maxCoupon   = 20
	maxPayload  = 256
	maxSpaces   = 4
)

// Sendable says whether t may be sent, by its state. t is nil when there is none. Errors: [wa.ErrTemplateMissing],
// [wa.ErrTemplatePaused], [wa.ErrTemplateDisabled]. Source: spec/messages.md section 11.6.
func Sendable(t *Template, name, language string) error {
	if t != nil {
		switch t.Status {
		case Approved, Flagged, LockedStatus:
			return nil
		case Paused:
			return wa.ErrTemplatePaused
		case Disabled:
			return wa.ErrTemplateDisabled.With("This message template is disabled.")
		case Pending, Rejected, InAppeal, PendingDeletion, Deleted, LimitExceeded, Archived:
		}
	}
	return wa.ErrTemplateMissing.Withf("template name (%s) does not exist in %s", clip(name), clip(language))
}

// Render fills in t: gate 10 of spec/errors.md section 2, after [Sendable]. Components are looked at in the order header,
// body, buttons, and the first fault answers. Errors: [wa.ErrTemplateParamCount], [wa.ErrTemplateFormat],
// [wa.ErrTemplatePolicy], [wa.ErrTemplateTooLong], [wa.ErrRequired], [wa.ErrValue], [wa.ErrParameterName], and
// [wa.ErrUnsupportedType] for kinds of parameters that cannot be filled in yet: media and location headers, currency and
// date_time, and what belongs to carousels, offers, catalogs and flows.
func Render(t *Template, r *Request) (*Rendered, error) {
	if err := unfillable(r); err != nil {
		return nil, err
	}
	out := &Rendered{Category: t.Category, Life: t.Life()}
	var err error
	if out.Header, err = t.renderHeader(r); err != nil {
		return nil, err
	}
	body := t.Component(Body)
	if body == nil {
		return nil, wa.ErrTemplateParams
	}
	if out.Body, err = t.fill("body", body.Text, r.find("body")); err != nil {
		return nil, err
	}
	limit := maxBody
	if len(t.Components) == 1 {
		limit = maxBodyOnly
	}
	if utf8.RuneCountInString(out.Body) > limit {
		return nil, wa.ErrTemplateTooLong.Withf("body: hydrated text too long, at most %d characters are allowed", limit)
	}
	if f := t.Component(Footer); f != nil {
		out.Footer = f.Text
	}
	if out.Buttons, err = t.renderButtons(r); err != nil {
		return nil, err
	}
	return out, nil
}

// unfillable refuses what cannot be sent whatever the template is.
func unfillable(r *Request) error {
	seen := map[string]bool{}
	for i := range r.Components {
		f := &r.Components[i]
		key := f.Type
		switch f.Type {
		case "header", "body":
		case "button":
			key += strconv.Itoa(f.Index)
		default:
			return wa.ErrUnsupportedType.Withf("Template components of type '%s' are not currently supported.", f.Type)
		}
		if seen[key] {
			return wa.ErrValue.Withf("%s: the same component is given twice", f.path)
		}
		seen[key] = true
	}
	return nil
}

func (r *Request) find(kind string) *Filling {
	for i := range r.Components {
		if r.Components[i].Type == kind {
			return &r.Components[i]
		}
	}
	return nil
}

func (t *Template) renderHeader(r *Request) (string, error) {
	given := r.find("header")
	h := t.Component(Header)
	switch {
	case h == nil:
		return t.fill("header", "", given)
	case h.Format == HeaderText:
		text, err := t.fill("header", h.Text, given)
		if err == nil && utf8.RuneCountInString(text) > maxHeader {
			err = wa.ErrTemplateTooLong.Withf("header: hydrated text too long, at most %d characters are allowed", maxHeader)
		}
		return text, err
	}
	received := "UNKNOWN"
	if given != nil && len(given.Params) > 0 {
		received = strings.ToUpper(given.Params[0].Type)
	}
	if received != string(h.Format) {
		return "", wa.ErrTemplateFormat.Withf("header: Format mismatch, expected %s, received %s", h.Format, received)
	}
	if len(given.Params) != 1 {
		return "", miscounted("header", len(given.Params), 1)
	}
	return "", unsupported(given.Params[0].Type)
}

func miscounted(where string, got, want int) error {
	return wa.ErrTemplateParamCount.Withf(
		"%s: number of localizable_params (%d) does not match the expected number of params (%d)", where, got, want)
}

func unsupported(kind string) error {
	return wa.ErrUnsupportedType.Withf("Template parameters of type '%s' are not currently supported.", kind)
}

// fill replaces the variables of a text by the parameters given for it.
func (t *Template) fill(where, text string, given *Filling) (string, error) {
	var params []Param
	if given != nil {
		params = given.Params
	}
	for i := range params {
		if err := t.fits(where, &params[i]); err != nil {
			return "", err
		}
	}
	names := Variables(text)
	if len(params) != len(names) {
		return "", miscounted(where, len(params), len(names))
	}
	if len(names) == 0 {
		return text, nil
	}
	values := make(map[string]string, len(names))
	for i := range params {
		name := params[i].Name
		if t.Format != Named {
			name = strconv.Itoa(i + 1)
		}
		values[name] = params[i].Text
	}
	for _, name := range names { // a repeated or foreign name leaves another one without value
		if _, ok := values[name]; !ok {
			return "", wa.ErrTemplateParamCount.Withf("%s: the parameter (%s) is missing", where, clip(name))
		}
	}
	return substitute(text, values), nil
}

// fits checks one parameter of a text component.
func (t *Template) fits(where string, p *Param) error {
	switch p.Type {
	case "text":
	case "currency", "date_time":
		return unsupported(p.Type)
	default:
		return wa.ErrTemplateFormat.Withf("%s: Format mismatch, expected TEXT, received %s", where, strings.ToUpper(p.Type))
	}
	if t.Format == Named && p.Name == "" {
		return wa.ErrParameterName
	}
	if t.Format != Named && p.hasName {
		return wa.ErrCloudParameter.Withf("%s: parameter_name is only allowed for templates with named parameters", where)
	}
	if !clean(p.Text) {
		return wa.ErrTemplatePolicy
	}
	return nil
}

// clean reports whether a parameter text has no line break, no tab and at most four spaces in a row. Source:
// spec/errors.md section 9, 132007.
func clean(s string) bool {
	run := 0
	for i := range len(s) {
		switch s[i] {
		case '\n', '\r', '\t':
			return false
		case ' ':
			if run++; run > maxSpaces {
				return false
			}
		default:
			run = 0
		}
	}
	return true
}

// Variables lists the names of the variables of a text, each once, in the order they appear.
func Variables(text string) (names []string) {
	eachVariable(text, func(_, _ int, name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// eachVariable calls f with the place of every "{{name}}" and the name.
func eachVariable(text string, f func(from, to int, name string)) {
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			return
		}
		open += at
		end := strings.Index(text[open:], "}}")
		if end < 0 {
			return
		}
		end += open
		name := strings.TrimSpace(text[open+2 : end])
		if !variableName(name) {
			at = open + 1
			continue
		}
		f(open, end+2, name)
		at = end + 2
	}
}

// variableName is digits, or [a-z][a-z0-9_]*. Source: spec/templates.md section 7.
func variableName(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

func substitute(text string, values map[string]string) string {
	var b strings.Builder
	last := 0
	eachVariable(text, func(from, to int, name string) {
		b.WriteString(text[last:from])
		b.WriteString(values[name])
		last = to
	})
	b.WriteString(text[last:])
	return b.String()
}
