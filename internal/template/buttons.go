package template

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// RenderedButton is a button as a device shows it.
type RenderedButton struct {
	*Button        // as it was created
	URL     string // URL: filled in
	Payload string // QUICK_REPLY, VOICE_CALL: comes back when it is tapped
	Code    string // COPY_CODE, OTP
	Minutes int64  // VOICE_CALL: how long it can be tapped
	Action  *Action
}

// buttons fills in the buttons. Source: spec/messages.md section 11.3.
func (w *work) buttons(list []Button, given []Filling) ([]RenderedButton, error) {
	if len(list) == 0 && find(given, "button") == nil {
		return nil, nil
	}
	var at [maxButtons]*Filling
	for i := range given {
		f := &given[i]
		if f.Type != "button" {
			continue
		}
		index := f.Index
		if index < 0 { // only a voice_call button may do without
			for index = range list {
				if list[index].Type == VoiceCall {
					break
				}
			}
		}
		if index < 0 || index >= len(list) || index >= len(at) {
			return nil, wa.ErrValue.Withf("%sbuttons: there is no button at index %d", w.where, f.Index)
		}
		at[index] = f
	}
	out := make([]RenderedButton, len(list))
	for i := range list {
		out[i].Button = &list[i]
		if err := w.button(&out[i], i, at[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

const maxButtons = 10

func (w *work) button(o *RenderedButton, index int, f *Filling) error {
	b := o.Button
	if f != nil && !strings.EqualFold(f.SubType, string(b.Type)) && (b.Type != OTPButton || f.SubType != "url") {
		return wa.ErrTemplateFormat.Withf("%sbuttons: Format mismatch, expected %s, received %s", w.where, b.Type, strings.ToUpper(f.SubType))
	}
	o.URL = b.URL
	params := f.params()
	if b.Type == VoiceCall {
		return w.call(o, params)
	}
	kind, needed := b.takes()
	switch {
	case kind == "" && len(params) > 0:
		return w.miscounted("buttons", len(params), 0)
	case needed && len(params) == 0:
		return wa.ErrRequired.Withf("%sbuttons: Button at index %d of type %s requires a parameter", w.where, index, titled(b.Type))
	case len(params) > 1:
		return w.miscounted("buttons", len(params), 1)
	case len(params) == 1 && params[0].Type != kind:
		return wa.ErrTemplateFormat.Withf("%sbuttons: Format mismatch, expected %s, received %s", w.where,
			strings.ToUpper(kind), strings.ToUpper(params[0].Type))
	}
	value := Param{}
	if len(params) == 1 {
		value = params[0]
	}
	return o.take(&value)
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
	case OTPButton:
		return "text", true
	case CopyCode:
		return "coupon_code", true
	case FlowButton, Catalog:
		return "action", false
	case MultiProduct, OrderDetails:
		return "action", true
	case PhoneButton, VoiceCall, SingleProduct, Reminder, AppButton, RequestContact:
	}
	return "", false
}

// take gives the button its parameter; p is the zero value when there was none.
func (o *RenderedButton) take(p *Param) error {
	switch o.Type {
	case QuickReply:
		if utf8.RuneCountInString(p.Text) > maxPayload {
			return wa.ErrValue.Withf("buttons: payload length invalid. Max length: %d", maxPayload)
		}
		o.Payload = cmp.Or(p.Text, o.Text)
	case URLButton:
		if len(Variables(o.Button.URL)) > 0 {
			if !clean(p.Text) {
				return wa.ErrTemplatePolicy
			}
			o.URL = substitute(o.Button.URL, func(string) string { return p.Text })
			if len(o.URL) > maxURL {
				return wa.ErrTemplateTooLong.Withf("buttons: hydrated text too long, at most %d characters are allowed", maxURL)
			}
		}
	case OTPButton:
		o.Code = p.Text
	case CopyCode:
		if n := utf8.RuneCountInString(p.Text); n < 1 || n > maxCoupon {
			return wa.ErrValue.Withf("buttons: coupon_code length invalid. Min length: 1, Max length: %d", maxCoupon)
		}
		o.Code = p.Text
	case FlowButton:
		o.Action = p.Action
	case Catalog:
		o.Action = p.Action
	case MultiProduct:
		o.Action = p.Action
		return p.Action.sections()
	case OrderDetails:
		o.Action = p.Action
		if p.Action.OrderDetails == nil {
			return wa.ErrRequired.Withf("Parameter 'order_details' is mandatory for %s", p.Action.path)
		}
	case PhoneButton, VoiceCall, SingleProduct, Reminder, AppButton, RequestContact:
	}
	return nil
}

const maxURL = 2000

// sections checks what a multi-product button lists. Source: spec/messages.md section 11.3.
func (a *Action) sections() error {
	if a.Thumbnail == "" {
		return wa.ErrRequired.Withf("Parameter 'thumbnail_product_retailer_id' is mandatory for %s", a.path)
	}
	if len(a.Sections) == 0 {
		return wa.ErrRequired.Withf("Parameter 'sections' is mandatory for %s", a.path)
	}
	products := 0
	for _, s := range a.Sections {
		switch n := utf8.RuneCountInString(s.Title); {
		case n > maxSectionTitle:
			return wa.ErrValue.Withf("Section title length invalid. Min length: 1, Max length: %d", maxSectionTitle)
		case n == 0 && len(a.Sections) > 1:
			return wa.ErrRequired.With("Parameter 'title' is mandatory when there is more than one section")
		}
		products += len(s.Products)
		if len(s.Products) == 0 || products > maxProducts {
			return wa.ErrValue.Withf("Invalid product count. Min allowed products: 1, Max allowed products: %d", maxProducts)
		}
	}
	return nil
}

// defaultMinutes is how long a call button can be tapped: 7 days. Source: spec/messages.md section 10.11.
const defaultMinutes = 10_080

func (w *work) call(o *RenderedButton, params []Param) error {
	o.Minutes = int64(cmp.Or(o.Button.Minutes, defaultMinutes))
	for i := range params {
		switch p := &params[i]; p.Type {
		case "ttl_minutes":
			o.Minutes = p.Number
		case "payload":
			if utf8.RuneCountInString(p.Text) > maxCallReturn {
				return wa.ErrValue.Withf("buttons: payload length invalid. Max length: %d", maxCallReturn)
			}
			o.Payload = p.Text
		default:
			return wa.ErrTemplateFormat.Withf("%sbuttons: Format mismatch, expected TTL_MINUTES, received %s", w.where, strings.ToUpper(p.Type))
		}
	}
	return nil
}

// titled is the button type as details print it: "Url". Source: spec/errors.md section 8, 131008.
func titled(t ButtonType) string {
	s := strings.ToLower(string(t))
	return strings.ToUpper(s[:1]) + s[1:]
}
