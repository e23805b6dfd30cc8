package template

import (
	"slices"
	"strings"
)

// Notice is what a business is told by webhook: the field and the value. Sources: spec/webhooks.md sections 42 to 46.
type Notice struct {
	Field string
	Value []byte // JSON object
}

// put adds a notice to those that are waiting.
func (t *Template) put(field string, value []byte) {
	t.Outbox = append(slices.Clip(t.Outbox), Notice{field, value})
}

// tell adds a notice that begins with the template's identity; more is what follows.
func (t *Template) tell(field string, more []byte) {
	t.put(field, append(append(t.appendIdentity([]byte(`{`)), more...), '}'))
}

// appendIdentity appends the three members that every template webhook has. The id is a number there.
func (t *Template) appendIdentity(b []byte) []byte {
	b = append(b, `"message_template_id":`...)
	if id := string(t.ID); id != "" && strings.Trim(id, "0123456789") == "" {
		b = append(b, id...)
	} else {
		b = quote(b, id)
	}
	b = quoted(b, `,"message_template_name":`, t.Name)
	return quoted(b, `,"message_template_language":`, t.Language)
}

// tellStatus tells that the status changed; extra is what follows. An empty reason is null.
func (t *Template) tellStatus(event, reason, extra string) {
	b := append(quoted([]byte(`{`), `"event":`, event), ',')
	if b = t.appendIdentity(b); reason == "" { // scheduled for deletion
		b = append(b, `,"reason":null`...)
	} else {
		b = quoted(b, `,"reason":`, reason)
	}
	b = quoted(b, `,"message_template_category":`, string(t.Category))
	t.put("message_template_status_update", append(append(b, extra...), '}'))
}

func otherInfo(title, description string) string {
	return `,"other_info":{"title":"` + title + `","description":"` + description + `"}`
}

// tellComponents tells what the template says now.
func (t *Template) tellComponents() {
	var b []byte
	for i := range t.Components {
		c := &t.Components[i]
		switch {
		case c.Type == Header && c.Text != "":
			b = quoted(b, `,"message_template_title":`, c.Text)
		case c.Type == Body:
			b = quoted(b, `,"message_template_element":`, c.Text)
		case c.Type == Footer && c.Text != "":
			b = quoted(b, `,"message_template_footer":`, c.Text)
		}
		for j := range c.Buttons {
			if j == 0 {
				b = append(b, `,"message_template_buttons":[`...)
			} else {
				b = append(b, ',')
			}
			p := &c.Buttons[j]
			b = quoted(append(b, '{'), `"message_template_button_type":`, string(p.Type))
			b = quoted(b, `,"message_template_button_text":`, p.Text)
			b = optional(b, `,"message_template_button_url":`, p.URL)
			b = append(optional(b, `,"message_template_button_phone_number":`, p.Phone), '}')
		}
		if len(c.Buttons) > 0 {
			b = append(b, ']')
		}
	}
	t.tell("message_template_components_update", b)
}

// quoted appends a member.
func quoted(b []byte, key, value string) []byte { return quote(append(b, key...), value) }
