package template

import (
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Request is the template object of a send. Source: spec/messages.md section 11.1.
type Request struct {
	Name       string
	Language   string
	Components []Filling
}

// Filling gives the parameters of one component.
type Filling struct {
	Type    string // "header", "body", "button", …: one of componentTypes
	SubType string // of a button: one of buttonSubTypes
	Index   int    // of a button
	Params  []Param
	path    string
}

// Param is one parameter.
type Param struct {
	Type    string // one of paramTypes
	Name    string // parameter_name
	Text    string // text, payload or coupon_code
	given   bool   // the member that Type names was there
	hasName bool
}

// The enumerations of spec/messages.md sections 11.1 to 11.3.
var (
	componentTypes = []string{"header", "body", "button", "carousel", "limited_time_offer", "order_status", "tap_target_configuration"}
	buttonSubTypes = []string{
		"quick_reply", "url", "phone_number", "copy_code", "flow", "catalog", "mpm", "spm", "voice_call", "order_details",
		"reminder", "extension", "send_location", "postback", "request_contact_info",
	}
	paramTypes = []string{
		"text", "currency", "date_time", "image", "video", "document", "gif", "location", "product", "payload",
		"coupon_code", "action", "limited_time_offer", "order_status", "tap_target_configuration", "ttl_minutes",
	}
	paramKeys = append([]string{"type", "parameter_name"}, paramTypes...)
)

// Bounds of a request, ours: more cannot match any template.
const (
	maxFillings = 20
	maxParams   = 1000
)

// ParseRequest reads the template object of a send: gate 6 of spec/errors.md section 2. All errors have code 100.
func ParseRequest[V Value[V]](v V) (*Request, error) {
	o, err := v.Object()
	if err != nil {
		return nil, err
	}
	if err = o.Only("name", "namespace", "language", "components"); err != nil {
		return nil, err
	}
	r := &Request{}
	if r.Name, err = o.Get("name").Str(); err != nil {
		return nil, err
	}
	if r.Language, err = parseLanguage(o.Get("language")); err != nil {
		return nil, err
	}
	list, err := o.Get("components").ListOr()
	if err != nil {
		return nil, err
	}
	if len(list) > maxFillings {
		return nil, wa.ErrParamType.Fill(o.Get("components").Path(), "an array of at most 20 components")
	}
	for _, c := range list {
		f, err := parseFilling(c)
		if err != nil {
			return nil, err
		}
		r.Components = append(r.Components, f)
	}
	return r, nil
}

func parseLanguage[V Value[V]](v V) (string, error) {
	o, err := v.Object()
	if err != nil {
		return "", err
	}
	if err = o.Only("code", "policy"); err != nil {
		return "", err
	}
	if _, err = o.Get("policy").EnumOr("", "deterministic"); err != nil {
		return "", err
	}
	return o.Get("code").Str()
}

func parseFilling[V Value[V]](v V) (f Filling, err error) {
	o, err := v.Object()
	if err != nil {
		return f, err
	}
	if err = o.Only("type", "sub_type", "index", "parameters", "cards"); err != nil {
		return f, err
	}
	f.path = o.Path()
	if f.Type, err = o.Get("type").Enum(componentTypes...); err != nil {
		return f, err
	}
	if f.SubType, err = o.Get("sub_type").EnumOr("", buttonSubTypes...); err != nil {
		return f, err
	}
	index, err := o.Get("index").IntOr(-1)
	if err != nil {
		return f, err
	}
	f.Index = int(min(max(index, -1), 1<<20)) // any index beyond the buttons is refused later
	list, err := o.Get("parameters").ListOr()
	if err != nil {
		return f, err
	}
	if len(list) > maxParams {
		return f, wa.ErrParamType.Fill(o.Get("parameters").Path(), "an array of at most 1000 parameters")
	}
	f.Params = make([]Param, len(list))
	for i, p := range list {
		if f.Params[i], err = parseParam(p); err != nil {
			return f, err
		}
	}
	return f, nil
}

func parseParam[V Value[V]](v V) (p Param, err error) {
	o, err := v.Object()
	if err != nil {
		return p, err
	}
	if err = o.Only(paramKeys...); err != nil {
		return p, err
	}
	if p.Type, err = o.Get("type").Enum(paramTypes...); err != nil {
		return p, err
	}
	if p.Name, err = o.Get("parameter_name").StrOr(""); err != nil {
		return p, err
	}
	p.hasName = o.Get("parameter_name").Present()
	p.given = o.Get(p.Type).Present()
	switch p.Type {
	case "text", "payload", "coupon_code":
		p.Text, err = o.Get(p.Type).StrOr("")
	}
	return p, err
}

// Check is what can be said without the template: gate 8 of spec/errors.md section 2. Errors: code 100 when a parameter
// lacks the member that its type names, [wa.ErrRequired] and [wa.ErrValue].
func (r *Request) Check() error {
	if r.Name == "" {
		return wa.ErrRequired.With("Parameter 'name' is mandatory for type 'template'")
	}
	if r.Language == "" {
		return wa.ErrRequired.With("Parameter 'code' is mandatory for parameter 'language' of type 'template'")
	}
	for i := range r.Components {
		f := &r.Components[i]
		if f.Type == "button" && (f.SubType == "" || f.Index < 0 && f.SubType != "voice_call") {
			return wa.ErrRequired.Withf("Parameters 'sub_type' and 'index' are mandatory for component type 'button' (%s)", f.path)
		}
		for j := range f.Params {
			if err := f.Params[j].check(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Param) check() error {
	switch {
	case !p.given:
		return wa.ErrComponentPayload.Withf("Parameter '%s' is mandatory for component parameter type '%s'", p.Type, p.Type)
	case p.hasName && p.Name == "":
		return wa.ErrParameterName
	case p.Type == "text" && p.Text == "":
		return wa.ErrRequired.With("Parameter 'text' must not be empty for component parameter type 'text'")
	}
	return nil
}

// clip keeps foreign text from filling an error.
func clip(s string) string {
	const limit = 100
	for i := range s {
		if i >= limit {
			return s[:i] + "…"
		}
	}
	return s
}
