package message

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limits of flows, calls and addresses, in characters. Source: spec/messages.md sections 10.6, 10.9 and 10.11; the
// bounds of tokens, screens and lines of an address are ours.
const (
	maxFlowCTA     = 30
	maxToken       = 1024
	maxCallText    = 20
	maxCallPayload = 512
	maxCallMinutes = 43_200
	callMinutes    = 10_080
	flowVersion    = "3"
)

// FlowRef is the flow that a message opens.
type FlowRef struct {
	ID, Name string // one of them
	Draft    bool   // mode draft
	Exchange bool   // flow_action data_exchange
	Screen   string // of flow_action_payload; empty for the flow's first
	Token    string // flow_token
}

// NoToken is the flow_token of a message that gives none. Source: spec/messages.md section 10.6.
const NoToken = "unused"

// FlowGrant lets the recipient of a message open a flow of it, under its flow_token.
type FlowGrant struct{ ID, Name, Token, Grant string }

// OfferFlows adds grants to a message: the member "flows" of what the device decrypts. It is called after [Outbound.Finish].
func (o *Outbound) OfferFlows(list []FlowGrant) {
	for i, g := range list {
		o.Body = append(o.Body, [...]string{`,"flows":[`, `,`}[min(i, 1)]...)
		o.Body = quote(append(o.Body, `{"id":`...), g.ID)
		if g.Name != "" {
			o.Body = quote(append(o.Body, `,"name":`...), g.Name)
		}
		o.Body = quote(append(o.Body, `,"flow_token":`...), g.Token)
		o.Body = append(quote(append(o.Body, `,"grant":`...), g.Grant), '}')
	}
	if len(list) > 0 {
		o.Body = append(o.Body, ']')
	}
}

var flowKeys = []string{
	"flow_message_version", "flow_id", "flow_name", "flow_cta", "flow_token", "mode", "flow_action", "flow_action_payload",
}

func (f *form[V]) flowParameters(a V) {
	f.part(a, "parameters", flowKeys, func(p V) {
		f.object("parameters", func() {
			if v := f.id(p.Get("flow_message_version")); v == "" {
				f.missing("flow_message_version")
			} else if v != flowVersion {
				f.wrong("Parameter 'flow_message_version' must be \"3\".")
			}
			f.put("flow_message_version", flowVersion)
			f.o.Flow = &FlowRef{}
			f.flowName(p)
			cta := f.label(p, "flow_cta", "Flow CTA", maxFlowCTA)
			if strings.ContainsFunc(cta, pictograph) {
				f.wrong("Parameter 'flow_cta' must not have emojis.")
			}
			f.put("flow_cta", cta)
			token := f.option(p, "flow_token", "Flow token", maxToken)
			if token == "" {
				token = NoToken
			}
			f.o.Flow.Token = token
			f.put("flow_token", token)
			mode := f.enum(p, "mode", "published", "published", "draft")
			f.put("mode", mode)
			action := f.enum(p, "flow_action", "navigate", "navigate", "data_exchange")
			f.put("flow_action", action)
			f.o.Flow.Draft, f.o.Flow.Exchange = mode == "draft", action == "data_exchange"
			f.flowPayload(p.Get("flow_action_payload"), action)
		})
	})
}

// flowName: exactly one of id and name.
func (f *form[V]) flowName(p V) {
	id, name := f.id(p.Get("flow_id")), f.text(p.Get("flow_name"), maxToken)
	switch {
	case id == "" && name == "":
		f.missing("flow_id")
	case id != "" && name != "":
		f.wrong("Only one of the parameters 'flow_id' and 'flow_name' may be given.")
	case longer(id, maxProductID):
		f.length("Flow id", maxProductID)
	}
	f.putSome("flow_id", id)
	f.putSome("flow_name", name)
	f.o.Flow.ID, f.o.Flow.Name = id, name
}

// flowPayload is the first screen and its data. The data is the flow's own: it is passed on as it came.
func (f *form[V]) flowPayload(v V, action string) {
	if !v.Present() {
		return
	}
	if action != "navigate" {
		f.wrong("Parameter 'flow_action_payload' is only allowed with flow_action 'navigate'.")
	}
	f.within(v, []string{"screen", "data"}, func(o V) {
		f.object("flow_action_payload", func() {
			f.o.Flow.Screen = f.option(o, "screen", "Screen", maxToken)
			f.putSome("screen", f.o.Flow.Screen)
			if data := o.Get("data"); data.Present() {
				f.flowData(data)
			}
		})
	})
}

func (f *form[V]) flowData(v V) {
	raw := jsontext.Value(v.AppendJSON(nil))
	if text, err := v.Str(); err == nil { // an object as JSON text
		raw = jsontext.Value(text)
	}
	if !raw.IsValid() || raw.Kind() != '{' {
		f.keep(wa.ErrParamType.Fill(v.Path(), "an object"))
		return
	}
	if err := raw.Compact(); err != nil || len(raw) == len("{}") {
		f.wrong("Parameter 'data' must not be empty.")
	}
	f.key("data")
	f.b = append(f.b, raw...)
}

var callKeys = []string{"display_text", "ttl_minutes", "payload"}

func (f *form[V]) callParameters(a V) {
	title, minutes, payload := "Call Now", int64(callMinutes), ""
	if p := a.Get("parameters"); p.Present() {
		f.within(p, callKeys, func(p V) {
			if s := f.option(p, "display_text", "Display text", maxCallText); s != "" {
				title = s
			}
			minutes = f.whole(p, "ttl_minutes", callMinutes, 1, maxCallMinutes)
			payload = f.option(p, "payload", "Payload", maxCallPayload)
		})
	}
	f.object("parameters", func() {
		f.put("display_text", title)
		f.putInt("ttl_minutes", minutes)
		f.putSome("payload", payload)
	})
}

var (
	addressKeys = []string{"country", "values", "saved_addresses", "validation_errors"}
	addressPart = []string{
		"name", "phone_number", "in_pin_code", "house_number", "floor_number", "tower_number", "building_name", "address",
		"landmark_area", "city", "state",
	}
)

func (f *form[V]) addressParameters(a V) {
	f.o.address = true
	f.part(a, "parameters", addressKeys, func(p V) {
		f.object("parameters", func() {
			if c := f.label(p, "country", "Country", maxField); c != "" && c != "IN" {
				f.wrong("Parameter 'country' must be IN.")
			}
			f.put("country", "IN")
			f.addressValues(p, "values")
			f.savedAddresses(p)
			f.addressValues(p, "validation_errors")
		})
	})
}

// addressValues copies a map from parts of an address to texts.
func (f *form[V]) addressValues(p V, name string) {
	v := p.Get(name)
	if !v.Present() {
		return
	}
	f.within(v, addressPart, func(o V) {
		if code := f.text(o.Get("in_pin_code"), maxField); name != "validation_errors" && code != "" && len(code) != 6 {
			f.wrong("Parameter 'in_pin_code' must have 6 digits.")
		}
		f.object(name, func() { f.lines(o, addressPart) })
	})
}

func (f *form[V]) savedAddresses(p V) {
	if !p.Get("saved_addresses").Present() {
		return
	}
	f.list("saved_addresses", func() {
		for _, v := range f.elements(p, "saved_addresses") {
			f.within(v, []string{"id", "value"}, func(o V) {
				f.object("", func() {
					f.put("id", f.label(o, "id", "Saved address id", maxRowID))
					if !o.Get("value").Present() {
						f.missing("value")
					}
					f.addressValues(o, "value")
				})
			})
		}
	})
}

// pictograph reports whether r belongs to an emoji, and to nothing else.
func pictograph(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf || r == 0xfe0f || r == 0x20e3
}
