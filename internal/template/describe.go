package template

import (
	"net/url"
	"strconv"
	"strings"
)

// AppendComponents appends the components as the API returns them. address is where the sample behind a handle can be
// looked at; nil leaves the handle. Source: spec/templates.md sections 4.1, 6.1 and 9.2.
func (t *Template) AppendComponents(b []byte, address func(handle string) string) []byte {
	if address == nil {
		address = func(handle string) string { return handle }
	}
	return appendComponents(b, t.Components, address)
}

func appendComponents(b []byte, list []Component, address func(string) string) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = list[i].appendJSON(b, address)
	}
	return append(b, ']')
}

func (c *Component) appendJSON(b []byte, address func(string) string) []byte {
	b = quote(append(b, `{"type":`...), string(c.Type))
	b = optional(b, `,"format":`, string(c.Format))
	b = optional(b, `,"text":`, c.Text)
	if c.Security != nil {
		b = strconv.AppendBool(append(b, `,"add_security_recommendation":`...), *c.Security)
	}
	if c.Expiry > 0 {
		b = strconv.AppendInt(append(b, `,"code_expiration_minutes":`...), int64(c.Expiry), 10)
	}
	if c.Offer != nil {
		b = quote(append(b, `,"limited_time_offer":{"text":`...), c.Offer.Text)
		b = append(strconv.AppendBool(append(b, `,"has_expiration":`...), c.Offer.Expiration), '}')
	}
	if c.Handle != "" {
		b = append(quote(append(b, `,"example":{"header_handle":[`...), address(c.Handle)), `]}`...)
	}
	if len(c.Example) > 0 {
		b = append(append(b, `,"example":`...), c.Example...)
	}
	for i := range c.Buttons {
		if i == 0 {
			b = append(b, `,"buttons":[`...)
		} else {
			b = append(b, ',')
		}
		b = c.Buttons[i].appendJSON(b)
	}
	if len(c.Buttons) > 0 {
		b = append(b, ']')
	}
	for i := range c.Cards {
		if i == 0 {
			b = append(b, `,"cards":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(appendComponents(append(b, `{"components":`...), c.Cards[i].Components, address), '}')
	}
	if len(c.Cards) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

func (b *Button) appendJSON(to []byte) []byte {
	if b.Type == OTPButton && b.OTP != nil {
		return b.appendOTP(to)
	}
	to = quote(append(to, `{"type":`...), string(b.Type))
	to = quote(append(to, `,"text":`...), b.Text)
	to = optional(to, `,"url":`, b.URL)
	to = optional(to, `,"phone_number":`, b.Phone)
	if f := b.Flow; f != nil {
		to = optional(to, `,"flow_id":`, f.ID)
		to = optional(to, `,"flow_name":`, f.Name)
		to = optional(to, `,"flow_json":`, f.JSON)
		to = optional(to, `,"flow_action":`, f.Action)
		to = optional(to, `,"navigate_screen":`, f.Screen)
		to = optional(to, `,"icon":`, f.Icon)
	}
	if b.Minutes > 0 {
		to = strconv.AppendInt(append(to, `,"ttl_minutes":`...), int64(b.Minutes), 10)
	}
	if len(b.DeepLink) > 0 {
		to = append(append(to, `,"app_deep_link":`...), b.DeepLink...)
	}
	if b.Example != "" {
		to = append(quote(append(to, `,"example":[`...), b.Example), ']')
	}
	return append(to, '}')
}

// appendOTP writes a passcode button as the service reads it back: a URL button whose address holds everything. Source:
// spec/templates.md section 9.2.
func (b *Button) appendOTP(to []byte) []byte {
	u := b.otpURL()
	to = quote(append(to, `{"type":"URL","text":`...), b.Text)
	to = quote(append(to, `,"url":`...), u+"{{1}}")
	return append(quote(append(to, `,"example":[`...), u+"123456"), `]}`...)
}

func (b *Button) otpURL() string {
	var u strings.Builder
	u.WriteString("https://www.whatsapp.com/otp/code/?otp_type=" + string(b.OTP.Kind))
	if b.OTP.Kind != OTPCopyCode {
		u.WriteString("&cta_display_name=" + url.QueryEscape(b.OTP.Autofill))
		for _, a := range b.OTP.Apps {
			u.WriteString("&package_name=" + url.QueryEscape(a.Package) + "&signature_hash=" + url.QueryEscape(a.Signature))
		}
	}
	u.WriteString("&code=otp")
	return u.String()
}
