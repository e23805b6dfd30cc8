package template

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends the object that a device finds under "template":
//
//	{"header":{"type":"text","text":"…"},"body":{"text":"…"},"footer":{"text":"…"},
//	 "buttons":[{"type":"quick_reply","text":"…","payload":"…"},{"type":"url","text":"…","url":"…"},
//	            {"type":"phone_number","text":"…","phone_number":"…"},{"type":"copy_code","text":"…","code":"…"}]}
//
// Members that the template does not have are left out; body is always there.
func (r *Rendered) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if r.Header != "" {
		b = quote(append(b, `"header":{"type":"text","text":`...), r.Header)
		b = append(b, `},`...)
	}
	b = append(quote(append(b, `"body":{"text":`...), r.Body), '}')
	if r.Footer != "" {
		b = append(quote(append(b, `,"footer":{"text":`...), r.Footer), '}')
	}
	for i := range r.Buttons {
		if i == 0 {
			b = append(b, `,"buttons":[`...)
		} else {
			b = append(b, ',')
		}
		b = r.Buttons[i].appendJSON(b)
	}
	if len(r.Buttons) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

func (o *RenderedButton) appendJSON(b []byte) []byte {
	b = quote(append(b, `{"type":`...), strings.ToLower(string(o.Type)))
	b = quote(append(b, `,"text":`...), o.Text)
	for _, m := range [...]struct{ key, value string }{
		{`,"payload":`, o.Payload}, {`,"url":`, o.URL}, {`,"phone_number":`, o.Phone}, {`,"code":`, o.Code},
	} {
		if m.value != "" {
			b = quote(append(b, m.key...), m.value)
		}
	}
	return append(b, '}')
}

// AppendComponents appends the components as the API returns them. Source: spec/templates.md section 4.1.
func AppendComponents(b []byte, components []Component) []byte {
	b = append(b, '[')
	for i := range components {
		if i > 0 {
			b = append(b, ',')
		}
		b = components[i].appendJSON(b)
	}
	return append(b, ']')
}

func (c *Component) appendJSON(b []byte) []byte {
	b = quote(append(b, `{"type":`...), string(c.Type))
	if c.Format != "" {
		b = quote(append(b, `,"format":`...), string(c.Format))
	}
	if c.Text != "" {
		b = quote(append(b, `,"text":`...), c.Text)
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
	return append(b, '}')
}

func (b *Button) appendJSON(to []byte) []byte {
	to = quote(append(to, `{"type":`...), string(b.Type))
	to = quote(append(to, `,"text":`...), b.Text)
	if b.URL != "" {
		to = quote(append(to, `,"url":`...), b.URL)
	}
	if b.Phone != "" {
		to = quote(append(to, `,"phone_number":`...), b.Phone)
	}
	if b.Example != "" {
		to = append(quote(append(to, `,"example":[`...), b.Example), ']')
	}
	return append(to, '}')
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
