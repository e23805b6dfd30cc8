package template

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Ready is a template of the library. Source: spec/templates.md section 15. The texts are ours.
type Ready struct {
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Language string        `json:"language"`
	Category Category      `json:"category"`
	Topic    string        `json:"topic"`
	UseCase  string        `json:"usecase"`
	Industry []string      `json:"industry"`
	Header   string        `json:"header"`
	Body     string        `json:"body"`
	Params   []string      `json:"body_params"`
	Types    []string      `json:"body_param_types"`
	Buttons  []ReadyButton `json:"buttons"`
	// Extras are the sentences that library_template_body_inputs adds to the body, by the name of the input.
	Extras map[string]string `json:"extras"`
}

// ReadyButton is a button of a library template.
type ReadyButton struct {
	Type  ButtonType `json:"type"`
	Text  string     `json:"text"`
	URL   string     `json:"url,omitempty"`
	Phone string     `json:"phone_number,omitempty"`
}

//go:embed library.json
var libraryJSON []byte

var library = func() (list []*Ready) {
	if err := json.Unmarshal(libraryJSON, &list); err != nil {
		panic(err) // the file is part of the program
	}
	return list
}()

// Library returns the ready-made templates, which must not be changed.
func Library() []*Ready { return library }

// LibraryInputs are what a business adds to a library template.
type LibraryInputs struct {
	Name     string
	Buttons  []LibraryButton
	Body     []string // of bodyInputs: sentences the body gets
	Security bool     // add_security_recommendation
	Expiry   int      // code_expiration_minutes; 0: no footer
}

// bodyInputs are the sentences that a body may get, in their order. Source: spec/templates.md section 15.
var bodyInputs = []string{"add_contact_number", "add_learn_more_link", "add_track_package_link"}

// LibraryButton fills in a URL or phone number button of a library template.
type LibraryButton struct {
	Type        ButtonType
	URL, Suffix string
	Phone       string
	OTP         *OTP // of an authentication template
}

func parseLibrary[V Value[V]](v V) (*LibraryInputs, error) {
	in := &LibraryInputs{}
	var err error
	if in.Name, err = v.Get("library_template_name").Str(); err != nil {
		return nil, err
	}
	if err := parseBodyInputs(in, v.Get("library_template_body_inputs")); err != nil {
		return nil, err
	}
	list, err := v.Get("library_template_button_inputs").ListOr()
	if err != nil {
		return nil, err
	}
	if len(list) > maxButtons {
		return nil, wa.ErrParamType.Fill("library_template_button_inputs", "an array of at most 10 buttons")
	}
	in.Buttons = make([]LibraryButton, len(list))
	for i, e := range list {
		if err := parseLibraryButton(&in.Buttons[i], e); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// parseBodyInputs reads what is added to the body; a member that nobody knows is refused, since its text would be missing.
func parseBodyInputs[V Value[V]](in *LibraryInputs, v V) error {
	if !v.Present() {
		return nil
	}
	o, err := v.Object()
	if err != nil {
		return err
	}
	if err := o.Only(append([]string{"add_security_recommendation", "code_expiration_minutes"}, bodyInputs...)...); err != nil {
		return err
	}
	for _, k := range bodyInputs {
		yes, err := o.Get(k).BoolOr(false)
		if err != nil {
			return err
		}
		if yes {
			in.Body = append(in.Body, k)
		}
	}
	if in.Security, err = o.Get("add_security_recommendation").BoolOr(false); err != nil {
		return err
	}
	c := Component{}
	if o.Get("code_expiration_minutes").Present() {
		err = parseExpiry(&c, o)
	}
	in.Expiry = c.Expiry
	return err
}

func parseLibraryButton[V Value[V]](b *LibraryButton, v V) error {
	o, err := v.Object()
	if err != nil {
		return err
	}
	kind, err := o.Get("type").Enum(string(URLButton), string(PhoneButton), string(QuickReply), string(OTPButton))
	if err != nil {
		return err
	}
	switch b.Type = ButtonType(kind); b.Type {
	case URLButton:
		u, err := o.Get("url").Object()
		if err != nil {
			return err
		}
		if b.URL, err = u.Get("base_url").Str(); err != nil {
			return err
		}
		b.Suffix, err = u.Get("url_suffix_example").StrOr("")
		return err
	case PhoneButton:
		p := o.Get("phone_number")
		if b.Phone, err = p.ID(); err != nil {
			return err
		}
		if _, err := wa.ParsePhone(b.Phone); err != nil {
			return wa.ErrTemplatePhoneNumber.Fill(p.Path())
		}
	case OTPButton:
		var made Button
		if err := parseOTP(&made, o); err != nil {
			return err
		}
		b.OTP = made.OTP
	}
	return nil
}

// components builds the template's components. Errors have code 100.
func (in *LibraryInputs) components(language string, c Category) ([]Component, error) {
	i := slices.IndexFunc(library, func(r *Ready) bool { return r.Name == in.Name && r.Language == language })
	if i < 0 {
		return nil, wa.ErrParamType.Fill("library_template_name", "the name of a library template in this language")
	}
	r := library[i]
	if c != r.Category {
		return nil, wa.ErrParamType.Fill("category", string(r.Category)+" for this library template")
	}
	if r.Category == Authentication {
		return in.passcode(language)
	}
	var out []Component
	if r.Header != "" {
		out = append(out, Component{Type: Header, Format: HeaderText, Text: r.Header})
	}
	body := Component{Type: Body, Text: r.Body}
	if len(r.Params) > 0 {
		b := []byte(`{"body_text":[[`)
		for i, p := range r.Params {
			if i > 0 {
				b = append(b, ',')
			}
			b = quote(b, p)
		}
		body.Example = append(b, `]]}`...)
	}
	if in.Security || in.Expiry != 0 {
		return nil, wa.ErrParamType.Fill("library_template_body_inputs", "without add_security_recommendation and code_expiration_minutes, which are for authentication templates")
	}
	for _, k := range in.Body {
		more, ok := r.Extras[k]
		if !ok {
			return nil, wa.ErrParamType.Fill("library_template_body_inputs['"+k+"']", "false or absent: this library template has no such part")
		}
		body.Text += " " + more
	}
	out = append(out, body)
	list, err := in.buttons(r)
	if len(list) > 0 {
		out = append(out, Component{Type: Buttons, Buttons: list})
	}
	return out, err
}

// passcode builds an authentication template, whose only button is described by the inputs.
func (in *LibraryInputs) passcode(language string) ([]Component, error) {
	if len(in.Body) > 0 {
		return nil, wa.ErrParamType.Fill("library_template_body_inputs", "only add_security_recommendation and code_expiration_minutes for an authentication template")
	}
	if len(in.Buttons) != 1 || in.Buttons[0].OTP == nil {
		return nil, wa.ErrParamType.Fill("library_template_button_inputs", "a list with one entry of type OTP")
	}
	list := []Component{{Type: Body}}
	if in.Security {
		list[0].Security = &in.Security
	}
	if in.Expiry > 0 {
		list = append(list, Component{Type: Footer, Expiry: in.Expiry})
	}
	list = append(list, Component{Type: Buttons, Buttons: []Button{{Type: OTPButton, OTP: in.Buttons[0].OTP}}})
	return localise(list, language), nil
}

func (in *LibraryInputs) buttons(r *Ready) (out []Button, err error) {
	given := in.Buttons
	for _, rb := range r.Buttons {
		b := Button{Type: rb.Type, Text: rb.Text}
		if rb.Type == URLButton || rb.Type == PhoneButton {
			if len(given) == 0 || given[0].Type != rb.Type {
				return nil, wa.ErrParamType.Fill("library_template_button_inputs", "a list with one entry for every URL and PHONE_NUMBER button")
			}
			b.URL, b.Phone = given[0].URL, given[0].Phone
			if rb.Type == URLButton {
				base := strings.TrimSuffix(b.URL, "{{1}}")
				if !strings.HasPrefix(base, "https://") && !strings.HasPrefix(base, "http://") || strings.Contains(base, "{{") || len(base) > maxURL {
					return nil, wa.ErrTemplateButtonURL
				}
				if b.URL = base; given[0].Suffix != "" {
					b.URL, b.Example = base+"{{1}}", given[0].Suffix
					if !strings.HasPrefix(b.Example, "http") {
						b.Example = base + b.Example
					}
				}
			}
			given = given[1:]
		}
		out = append(out, b)
	}
	if len(given) > 0 {
		return nil, wa.ErrParamType.Fill("library_template_button_inputs", "a list with one entry for every URL and PHONE_NUMBER button")
	}
	return out, nil
}

// typed checks the parameters of a library template, which have types. Source: spec/templates.md section 15.
func (w *work) typed(given *Filling) error {
	if w.t.Library == "" {
		return nil
	}
	i := slices.IndexFunc(library, func(r *Ready) bool { return r.Name == w.t.Library })
	if i < 0 {
		return nil
	}
	params := given.params()
	for j, kind := range library[i].Types {
		if j < len(params) && !ofType(kind, params[j].Text) {
			return wa.ErrTemplateParams.Withf("body: parameter %d must be of type %s", j+1, kind)
		}
	}
	return nil
}

func ofType(kind, s string) bool {
	digit := strings.ContainsAny(s, "0123456789")
	switch kind {
	case "NUMBER":
		return digit && strings.Trim(s, "0123456789.,+-# ") == ""
	case "AMOUNT", "DATE":
		return digit
	case "PHONE NUMBER":
		return digit && strings.Trim(s, "0123456789+-(). ") == ""
	case "EMAIL":
		at := strings.IndexByte(s, '@')
		return at > 0 && at < len(s)-1 && !strings.ContainsAny(s, " \t")
	}
	return true // TEXT, ADDRESS
}
