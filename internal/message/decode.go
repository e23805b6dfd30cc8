package message

import (
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Decode reads the parameters of POST /{phone-number-id}/messages: gate 6 of spec/errors.md section 2. All errors have
// code 100. Unknown keys of the envelope are ignored, unknown keys of what it knows are not (spec/messages.md section 2).
// The template object of a template message is left to the template room, which must read it before the next gate.
func Decode[V Value[V]](p V) (*Outbound, error) {
	if _, err := p.Get("messaging_product").Enum("whatsapp"); err != nil {
		return nil, err
	}
	if p.Get("status").Present() {
		return decodeMark(p)
	}
	o := &Outbound{Category: "service", Life: Month}
	if err := decodeRecipient(p, o); err != nil {
		return nil, err
	}
	if err := decodeType(p, o); err != nil {
		return nil, err
	}
	if err := decodeContext(p.Get("context"), o); err != nil {
		return nil, err
	}
	if err := decodeExtras(p, o); err != nil {
		return nil, err
	}
	switch o.Type {
	case TypeText:
		if err := decodeText(p.Get(TypeText), o); err != nil {
			return nil, err
		}
	case TypeTemplate:
		if _, err := p.Get(TypeTemplate).Object(); err != nil {
			return nil, err
		}
	default:
		if err := decodeObject(p.Get(o.Type), o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// decodeObject reads the object, or for contacts the list, of every type but text and template.
func decodeObject[V Value[V]](v V, o *Outbound) error {
	if !v.Present() {
		return wa.ErrParamRequired.Fill(v.Path())
	}
	f := &form[V]{o: o, kind: o.Type, b: make([]byte, 0, 512)}
	f.b = append(append(append(f.b, `"type":"`...), o.Type...), '"')
	switch o.Type {
	case TypeContacts:
		f.contacts(v)
	case TypeInteractive:
		f.interactive(v)
	case TypeLocation:
		f.location(v)
	case TypePin:
		f.pin(v)
	case TypeReaction:
		f.reaction(v)
	default:
		f.media(o.Type, v, extras[o.Type])
	}
	o.Body = appendContext(f.b, o.Context)
	return f.err
}

func decodeMark[V Value[V]](p V) (*Outbound, error) {
	if _, err := p.Get("status").Enum("read"); err != nil {
		return nil, err
	}
	id, err := p.Get("message_id").Str()
	if err != nil {
		return nil, err
	}
	m := &Mark{MessageID: wa.MessageID(strings.Clone(id))}
	if v := p.Get("typing_indicator"); v.Present() {
		t, err := v.Object()
		if err != nil {
			return nil, err
		}
		if err = t.Only("type"); err != nil {
			return nil, err
		}
		if _, err = t.Get("type").Enum("text"); err != nil {
			return nil, err
		}
		m.Typing = true
	}
	return &Outbound{Mark: m}, nil
}

// decodeRecipient reads who the message is for. When both forms are given, the phone number wins (spec/messages.md
// section 2).
func decodeRecipient[V Value[V]](p V, o *Outbound) error {
	kind, err := p.Get("recipient_type").EnumOr("individual", "individual", "group")
	if err != nil {
		return err
	}
	o.group = kind == "group"
	to, err := p.Get("to").IDOr("")
	if err != nil {
		return err
	}
	bsuid, err := p.Get("recipient").StrOr("")
	if err != nil {
		return err
	}
	o.byID = bsuid != ""
	switch {
	case to != "":
		o.Input = strings.Clone(to)
	case bsuid != "":
		o.bsuid = strings.Clone(bsuid)
		o.Input = o.bsuid
	default:
		return wa.ErrParamRequired.Fill("to")
	}
	return nil
}

// decodeType reads the type, or infers it from the object that is there: old clients rely on it for text (spec/messages.md
// section 2).
func decodeType[V Value[V]](p V, o *Outbound) (err error) {
	v := p.Get("type")
	if !v.Present() {
		if o.Type = inferType(p); o.Type != "" {
			return nil
		}
	}
	o.Type, err = v.Enum(types...)
	return err
}

// inferType is text where there is a text, else the one type whose object is there; "" for none and for several.
func inferType[V Value[V]](p V) (kind string) {
	if p.Get(TypeText).Present() {
		return TypeText
	}
	for _, t := range types {
		if !p.Get(t).Present() {
			continue
		}
		if kind != "" {
			return ""
		}
		kind = t
	}
	return kind
}

func decodeContext[V Value[V]](v V, o *Outbound) error {
	if !v.Present() {
		return nil
	}
	c, err := v.Object()
	if err != nil {
		return err
	}
	if err = c.Only("message_id"); err != nil {
		return err
	}
	id, err := c.Get("message_id").StrOr("")
	if err != nil {
		return err
	}
	if o.noContext = id == "" || len(id) > maxMessageID; !o.noContext {
		o.Context = wa.MessageID(strings.Clone(id))
	}
	return nil
}

func decodeExtras[V Value[V]](p V, o *Outbound) error {
	if v := p.Get("biz_opaque_callback_data"); v.Present() {
		s, err := v.StrMax(MaxOpaque)
		if err != nil {
			return err
		}
		o.Opaque = strings.Clone(s) // the request's text is not kept alive by it
	}
	if v := p.Get("recipient_identity_key_hash"); v.Present() {
		s, err := v.StrMax(maxHash)
		if err != nil {
			return err
		}
		o.IdentityHash = strings.Clone(s)
	}
	var err error
	if o.category, err = p.Get("category").EnumOr("service", "service", "utility", "authentication"); err != nil {
		return err
	}
	ttl := p.Get("ttl_seconds")
	o.ttl, o.directConfig = ttl.Present(), p.Get("direct_send_config").Present()
	o.seconds, err = ttl.IntOr(0)
	return err
}

func decodeText[V Value[V]](v V, o *Outbound) error {
	t, err := v.Object()
	if err != nil {
		return err
	}
	if err = t.Only("body", "preview_url"); err != nil {
		return err
	}
	if b := t.Get("body"); b.Present() {
		if o.text, err = b.StrMax(MaxText); err != nil {
			return err
		}
	}
	if o.preview, err = t.Get("preview_url").BoolOr(false); err != nil {
		return err
	}
	o.Body = appendText(make([]byte, 0, len(o.text)+len(o.Context)+96), o.text, o.preview, o.Context)
	if o.preview {
		o.PreviewURL = strings.Clone(firstLink(o.text))
	}
	return nil
}

// maxLink bounds a link that is worth a preview, in bytes.
const maxLink = 2048

// firstLink finds the first http or https URL of a text, "" when there is none. Source: spec/messages.md section 9.1.
func firstLink(s string) string {
	for at := 0; ; {
		i := strings.Index(s[at:], "://")
		if i < 0 {
			return ""
		}
		i += at
		at = i + 3
		start := -1
		for _, scheme := range [...]string{"https", "http"} {
			if j := i - len(scheme); j >= 0 && strings.EqualFold(s[j:i], scheme) {
				start = j
				break
			}
		}
		end := at
		for end < len(s) && s[end] > ' ' && s[end] != '"' && s[end] != '<' && s[end] != '>' && s[end] != 0x7f {
			end++
		}
		end = at + len(strings.TrimRight(s[at:end], ".,;:!?)]}'*_~`"))
		if start >= 0 && end > at && s[at] != '/' && end-start <= maxLink {
			return s[start:end]
		}
	}
}
