package template

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends the object that a device finds under "template". The package comment describes it.
func (r *Rendered) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = r.appendMembers(b, r.Media, true)
	if o := r.Offer; o != nil {
		b = quote(append(b, `,"limited_time_offer":{"text":`...), o.Text)
		if o.Expires > 0 {
			b = strconv.AppendInt(append(b, `,"expiration_time_ms":`...), o.Expires, 10)
		}
		b = append(b, '}')
	}
	for i := range r.Cards {
		if i == 0 {
			b = append(b, `,"carousel":{"cards":[`...)
		} else {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"card_index":`...), int64(i), 10)
		b = append(r.Cards[i].appendMembers(append(b, ','), r.Media, false), '}')
	}
	if len(r.Cards) > 0 {
		b = append(b, `]}`...)
	}
	if o := r.Order; o != nil {
		b = quote(append(b, `,"order_status":{"reference_id":`...), o.Reference)
		b = quote(append(b, `,"order":{"status":`...), o.Status)
		b = append(optional(b, `,"description":`, o.Description), `}}`...)
	}
	if t := r.Target; t != nil {
		b = quote(append(b, `,"tap_target":{"url":`...), t.URL)
		b = append(optional(b, `,"title":`, t.Title), '}')
	}
	if r.Call {
		b = append(b, `,"call_permission_request":true`...)
	}
	return append(b, '}')
}

// appendMembers appends the members of a bubble without braces. A message always has a body, a card need not.
func (u *Bubble) appendMembers(b []byte, files []Media, body bool) []byte {
	from := len(b)
	comma := func() {
		if len(b) > from {
			b = append(b, ',')
		}
	}
	if u.Header.Format != "" {
		b = u.Header.appendJSON(append(b, `"header":`...), files)
	}
	if body || u.Body != "" {
		comma()
		b = append(quote(append(b, `"body":{"text":`...), u.Body), '}')
	}
	if u.Footer != "" {
		comma()
		b = append(quote(append(b, `"footer":{"text":`...), u.Footer), '}')
	}
	for i := range u.Buttons {
		comma()
		if i == 0 {
			b = append(b, `"buttons":[`...)
		}
		b = u.Buttons[i].appendJSON(b)
	}
	if len(u.Buttons) > 0 {
		b = append(b, ']')
	}
	return b
}

func (h *RenderedHeader) appendJSON(b []byte, files []Media) []byte {
	switch h.Format {
	case HeaderText:
		return append(quote(append(b, `{"type":"text","text":`...), h.Text), '}')
	case HeaderLocation:
		b = append(b, `{"type":"location","location":{"latitude":`...)
		b = strconv.AppendFloat(b, h.Location.Latitude, 'f', -1, 64)
		b = strconv.AppendFloat(append(b, `,"longitude":`...), h.Location.Longitude, 'f', -1, 64)
		b = quote(append(b, `,"name":`...), h.Location.Name)
		return append(quote(append(b, `,"address":`...), h.Location.Address), `}}`...)
	case HeaderProduct:
		b = quote(append(b, `{"type":"product","product":{"product_retailer_id":`...), h.Product.RetailerID)
		return append(quote(append(b, `,"catalog_id":`...), h.Product.CatalogID), `}}`...)
	case HeaderImage, HeaderVideo, HeaderDocument, HeaderGIF:
	}
	kind := files[h.File].Kind
	b = append(append(append(b, `{"type":"`...), kind...), `","`...)
	b = append(append(b, kind...), `":{`...)
	if h.Filename != "" {
		b = append(quote(append(b, `"filename":`...), h.Filename), ',')
	}
	b = strconv.AppendInt(append(b, `"blob":"#`...), int64(h.File), 10) // what a media room fills in
	return append(b, `"}}`...)
}

func (o *RenderedButton) appendJSON(b []byte) []byte {
	b = quote(append(b, `{"type":`...), strings.ToLower(string(o.Type)))
	b = quote(append(b, `,"text":`...), o.Text)
	b = optional(b, `,"payload":`, o.Payload)
	b = optional(b, `,"url":`, o.URL)
	b = optional(b, `,"phone_number":`, o.Phone)
	b = optional(b, `,"code":`, o.Code)
	if o.Minutes > 0 {
		b = strconv.AppendInt(append(b, `,"ttl_minutes":`...), o.Minutes, 10)
	}
	if p := o.OTP; p != nil {
		b = quote(append(b, `,"otp_type":`...), strings.ToLower(string(p.Kind)))
		b = optional(b, `,"autofill_text":`, p.Autofill)
		b = appendApps(b, p.Apps)
	}
	if len(o.DeepLink) > 0 {
		b = append(append(b, `,"app_deep_link":`...), o.DeepLink...)
	}
	if o.Flow != nil {
		b = o.appendFlow(b)
	} else if a := o.Action; a != nil {
		b = a.appendMembers(b)
	}
	return append(b, '}')
}

// appendFlow writes what a device needs to open a flow; the names are those of flow messages. Source: spec/messages.md
// section 10.6.
func (o *RenderedButton) appendFlow(b []byte) []byte {
	token, data := "unused", []byte(nil)
	if a := o.Action; a != nil {
		data = a.FlowData
		if a.FlowToken != "" {
			token = a.FlowToken
		}
	}
	b = optional(b, `,"flow_id":`, o.Flow.ID)
	b = optional(b, `,"flow_name":`, o.Flow.Name)
	b = quote(append(b, `,"flow_token":`...), token)
	b = optional(b, `,"flow_action":`, strings.ToLower(o.Flow.Action))
	b = optional(b, `,"icon":`, o.Flow.Icon)
	if o.Flow.Screen == "" && len(data) == 0 {
		return b
	}
	b = append(b, `,"flow_action_payload":{`...)
	from := len(b)
	if o.Flow.Screen != "" {
		b = quote(append(b, `"screen":`...), o.Flow.Screen)
	}
	if len(data) > 0 {
		if len(b) > from {
			b = append(b, ',')
		}
		b = append(append(b, `"data":`...), data...)
	}
	return append(b, '}')
}

func (a *Action) appendMembers(b []byte) []byte {
	b = optional(b, `,"thumbnail_product_retailer_id":`, a.Thumbnail)
	for i, s := range a.Sections {
		if i == 0 {
			b = append(b, `,"sections":[`...)
		} else {
			b = append(b, ',')
		}
		b = quote(append(b, `{"title":`...), s.Title)
		b = append(b, `,"product_items":[`...)
		for j, id := range s.Products {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(quote(append(b, `{"product_retailer_id":`...), id), '}')
		}
		b = append(b, `]}`...)
	}
	if len(a.Sections) > 0 {
		b = append(b, ']')
	}
	if len(a.OrderDetails) > 0 {
		b = append(append(b, `,"order_details":`...), a.OrderDetails...)
	}
	return b
}

func appendApps(b []byte, apps []App) []byte {
	for i, a := range apps {
		if i == 0 {
			b = append(b, `,"supported_apps":[`...)
		} else {
			b = append(b, ',')
		}
		b = quote(append(b, `{"package_name":`...), a.Package)
		b = append(quote(append(b, `,"signature_hash":`...), a.Signature), '}')
	}
	if len(apps) > 0 {
		b = append(b, ']')
	}
	return b
}

// optional appends a member unless its value is empty.
func optional(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return quote(append(b, key...), value)
}

// quote appends a JSON string; invalid UTF-8 becomes U+FFFD.
func quote(b []byte, s string) []byte {
	out, err := jsontext.AppendQuote(b, s)
	if err != nil {
		out, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\ufffd")) // valid now
	}
	return out
}

// month is the life of an undelivered message unless the template says otherwise. Source: spec/templates.md section 14.
const month = 30 * 24 * time.Hour

// Life is how long a message of this template waits to be delivered.
func (t *Template) Life() time.Duration {
	switch {
	case t.TTL > 0:
		return time.Duration(t.TTL) * time.Second
	case t.TTL == 0 && t.Category == Authentication:
		return 10 * time.Minute
	}
	return month
}
