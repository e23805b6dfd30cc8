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
	Name    string
	Buttons []LibraryButton
}

// LibraryButton fills in a URL or phone number button of a library template.
type LibraryButton struct {
	Type        ButtonType
	URL, Suffix string
	Phone       string
	path        string
}

func parseLibrary[V Value[V]](v V) (*LibraryInputs, error) {
	in := &LibraryInputs{}
	var err error
	if in.Name, err = v.Get("library_template_name").Str(); err != nil {
		return nil, err
	}
	if b := v.Get("library_template_body_inputs"); b.Present() {
		o, err := b.Object()
		if err != nil {
			return nil, err
		}
		for _, k := range o.Keys() {
			if yes, err := o.Get(k).Bool(); err != nil || yes { // the library's texts have no optional parts
				return nil, wa.ErrParamType.Fill(o.Get(k).Path(), "false or absent: this library template has no such part")
			}
		}
	}
	list, err := v.Get("library_template_button_inputs").ListOr()
	if err != nil {
		return nil, err
	}
	if len(list) > maxButtons {
		return nil, wa.ErrParamType.Fill("library_template_button_inputs", "an array of at most 10 buttons")
	}
	for _, e := range list {
		o, err := e.Object()
		if err != nil {
			return nil, err
		}
		kind, err := o.Get("type").Enum(string(URLButton), string(PhoneButton), string(QuickReply), string(OTPButton))
		if err != nil {
			return nil, err
		}
		b := LibraryButton{Type: ButtonType(kind), path: o.Path()}
		switch b.Type {
		case URLButton:
			u, err := o.Get("url").Object()
			if err != nil {
				return nil, err
			}
			if b.URL, err = u.Get("base_url").Str(); err != nil {
				return nil, err
			}
			if b.Suffix, err = u.Get("url_suffix_example").StrOr(""); err != nil {
				return nil, err
			}
		case PhoneButton:
			if b.Phone, err = o.Get("phone_number").ID(); err != nil {
				return nil, err
			}
			if _, err := wa.ParsePhone(b.Phone); err != nil {
				return nil, wa.ErrTemplatePhoneNumber.Fill(o.Get("phone_number").Path())
			}
		}
		in.Buttons = append(in.Buttons, b)
	}
	return in, nil
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
	out = append(out, body)
	list, err := in.buttons(r)
	if len(list) > 0 {
		out = append(out, Component{Type: Buttons, Buttons: list})
	}
	return out, err
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
