package template

import (
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// renderButtons fills in the buttons. Source: spec/messages.md section 11.3.
func (t *Template) renderButtons(r *Request) ([]RenderedButton, error) {
	var buttons []Button
	if c := t.Component(Buttons); c != nil {
		buttons = c.Buttons
	}
	given := make([]*Filling, len(buttons))
	for i := range r.Components {
		f := &r.Components[i]
		if f.Type != "button" {
			continue
		}
		if f.Index < 0 || f.Index >= len(buttons) {
			return nil, wa.ErrValue.Withf("buttons: there is no button at index %d", f.Index)
		}
		given[f.Index] = f
	}
	out := make([]RenderedButton, 0, len(buttons))
	for i := range buttons {
		b, err := renderButton(i, &buttons[i], given[i])
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func renderButton(index int, b *Button, f *Filling) (RenderedButton, error) {
	out := RenderedButton{Type: b.Type, Text: b.Text, URL: b.URL, Phone: b.Phone}
	if f != nil && !strings.EqualFold(f.SubType, string(b.Type)) {
		return out, wa.ErrTemplateFormat.Withf("buttons: Format mismatch, expected %s, received %s", b.Type, strings.ToUpper(f.SubType))
	}
	var params []Param
	if f != nil {
		params = f.Params
	}
	kind, needed := b.takes()
	switch {
	case kind == "" && len(params) > 0:
		return out, miscounted("buttons", len(params), 0)
	case needed && len(params) == 0:
		return out, wa.ErrRequired.Withf("buttons: Button at index %d of type %s requires a parameter", index, titled(b.Type))
	case len(params) > 1:
		return out, miscounted("buttons", len(params), 1)
	case len(params) == 1 && params[0].Type != kind:
		return out, wa.ErrTemplateFormat.Withf("buttons: Format mismatch, expected %s, received %s",
			strings.ToUpper(kind), strings.ToUpper(params[0].Type))
	}
	value := ""
	if len(params) == 1 {
		value = params[0].Text
	}
	return out, out.take(b, value)
}

// takes says which type of parameter the button takes, "" for none, and whether it must be given.
func (b *Button) takes() (kind string, needed bool) {
	switch b.Type {
	case QuickReply:
		return "payload", false
	case URLButton:
		if len(Variables(b.URL)) > 0 {
			return "text", true
		}
	case CopyCode:
		return "coupon_code", true
	case PhoneButton:
	}
	return "", false
}

func (o *RenderedButton) take(b *Button, value string) error {
	switch b.Type {
	case QuickReply:
		if utf8.RuneCountInString(value) > maxPayload {
			return wa.ErrValue.Withf("buttons: payload length invalid. Max length: %d", maxPayload)
		}
		o.Payload = value
		if value == "" {
			o.Payload = b.Text
		}
	case URLButton:
		if vars := Variables(b.URL); len(vars) > 0 {
			if !clean(value) {
				return wa.ErrTemplatePolicy
			}
			o.URL = substitute(b.URL, map[string]string{vars[0]: value})
		}
	case CopyCode:
		if n := utf8.RuneCountInString(value); n < 1 || n > maxCoupon {
			return wa.ErrValue.Withf("buttons: coupon_code length invalid. Min length: 1, Max length: %d", maxCoupon)
		}
		o.Code = value
	case PhoneButton:
	}
	return nil
}

// titled is the button type as details print it: "Url". Source: spec/errors.md section 8, 131008.
func titled(t ButtonType) string {
	s := strings.ToLower(string(t))
	return strings.ToUpper(s[:1]) + s[1:]
}
