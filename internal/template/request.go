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
	Index   int    // of a button; -1 when it was not given
	Params  []Param
	Cards   []CardFilling // of a carousel
	path    string
}

// CardFilling gives the parameters of one card of a carousel.
type CardFilling struct {
	Index      int // card_index; -1 when it was not given
	Components []Filling
	path       string
}

// The enumerations of spec/messages.md sections 11.1 to 11.3.
var (
	componentTypes = []string{"header", "body", "button", "carousel", "limited_time_offer", "order_status", "tap_target_configuration"}
	cardTypes      = []string{"header", "body", "button"}
	buttonSubTypes = []string{
		"quick_reply", "url", "phone_number", "copy_code", "flow", "catalog", "mpm", "spm", "voice_call", "order_details",
		"reminder", "extension", "send_location", "postback", "request_contact_info", "otp", "app",
	}
)

// Bounds of a request, ours: more cannot match any template.
const (
	maxFillings = 20
	maxParams   = 1000
	maxCards    = 10
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
	r.Components, err = parseFillings(o.Get("components"), componentTypes)
	return r, err
}

func parseLanguage[V Value[V]](v V) (string, error) {
	o, err := v.Object()
	if err != nil {
		return "", err
	}
	if err = o.Only("code", "policy"); err != nil {
		return "", err
	}
	// Clients send an empty policy, too: it counts as none.
	if s, err := o.Get("policy").StrOr(""); err != nil || s != "" {
		if _, err = o.Get("policy").EnumOr("", "deterministic"); err != nil {
			return "", err
		}
	}
	return o.Get("code").Str()
}

func parseFillings[V Value[V]](v V, types []string) ([]Filling, error) {
	list, err := v.ListOr()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if len(list) > maxFillings {
		return nil, wa.ErrParamType.Fill(v.Path(), "an array of at most 20 components")
	}
	out := make([]Filling, len(list))
	for i, c := range list {
		if err := parseFilling(&out[i], c, types); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseFilling[V Value[V]](f *Filling, v V, types []string) error {
	o, err := v.Object()
	if err != nil {
		return err
	}
	if err = o.Only("type", "sub_type", "index", "parameters", "cards"); err != nil {
		return err
	}
	f.path = o.Path()
	if f.Type, err = o.Get("type").Enum(types...); err != nil {
		return err
	}
	if f.SubType, err = o.Get("sub_type").EnumOr("", buttonSubTypes...); err != nil {
		return err
	}
	if f.Index, err = parseIndex(o.Get("index")); err != nil {
		return err
	}
	list, err := o.Get("parameters").ListOr()
	if err != nil {
		return err
	}
	if len(list) > maxParams {
		return wa.ErrParamType.Fill(o.Get("parameters").Path(), "an array of at most 1000 parameters")
	}
	f.Params = make([]Param, len(list))
	for i, p := range list {
		if err = parseParam(&f.Params[i], p); err != nil {
			return err
		}
	}
	if f.Type == "carousel" {
		f.Cards, err = parseCards(o.Get("cards"))
	}
	return err
}

// parseIndex reads a position; anything beyond every list is refused later.
func parseIndex[V Value[V]](v V) (int, error) {
	i, err := v.IntOr(-1)
	return int(min(max(i, -1), 1<<20)), err
}

func parseCards[V Value[V]](v V) ([]CardFilling, error) {
	list, err := v.List()
	if err != nil {
		return nil, err
	}
	if len(list) > maxCards {
		return nil, wa.ErrParamType.Fill(v.Path(), "an array of at most 10 cards")
	}
	out := make([]CardFilling, len(list))
	for i, c := range list {
		o, err := c.Object()
		if err != nil {
			return nil, err
		}
		if err = o.Only("card_index", "components"); err != nil {
			return nil, err
		}
		out[i].path = o.Path()
		if out[i].Index, err = parseIndex(o.Get("card_index")); err != nil {
			return nil, err
		}
		if out[i].Components, err = parseFillings(o.Get("components"), cardTypes); err != nil {
			return nil, err
		}
	}
	return out, nil
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
	return checkFillings(r.Components)
}

func checkFillings(list []Filling) error {
	for i := range list {
		f := &list[i]
		if f.Type == "button" && (f.SubType == "" || f.Index < 0 && f.SubType != "voice_call") {
			return wa.ErrRequired.Withf("Parameters 'sub_type' and 'index' are mandatory for component type 'button' (%s)", f.path)
		}
		for j := range f.Params {
			if err := f.Params[j].check(); err != nil {
				return err
			}
		}
		for j := range f.Cards {
			c := &f.Cards[j]
			if c.Index != j {
				return wa.ErrValue.Withf("%s['card_index'] must be %d: cards are numbered from 0 in their order", c.path, j)
			}
			if err := checkFillings(c.Components); err != nil {
				return err
			}
		}
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
