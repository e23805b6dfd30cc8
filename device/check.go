package device

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// What a user may send, and how long it may be. Source: spec/webhooks.md sections 12 and 13, spec/messages.md section 9.
const (
	maxCards = 257
	maxItems = 100
)

// fromBusiness are types that only a business, or the platform itself, sends.
var fromBusiness = []string{"template", "system", "pin", "preview", TypeNotice}

// check reports what is wrong with a message that the user is about to send; raw holds a member of the type's name. Types
// that are not known here go out as they are: the business is told that something unsupported came.
func check(typ string, raw []byte) error {
	var m struct {
		Context  json.RawMessage `json:"context"`
		Referral json.RawMessage `json:"referral"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return malformed("", err)
	}
	for name, v := range map[string]json.RawMessage{"context": m.Context, "referral": m.Referral} {
		if len(v) > 0 && v[0] != '{' {
			return wrong(name, "is no object")
		}
	}
	if slices.Contains(fromBusiness, typ) {
		return fmt.Errorf("a user cannot send type %q: %w", typ, ErrContent)
	}
	obj := member(raw, typ)
	switch typ {
	case "text":
		return checkText(obj)
	case "image", "video", "audio", "document", "sticker":
		return checkFile(typ, obj)
	case "location":
		return checkPlace(obj)
	case "contacts":
		return checkContacts(obj)
	case "reaction", "edit", "revoke":
		return checkTarget(typ, obj)
	case "interactive":
		return checkReply(obj)
	case "button":
		return need("button", obj, "text")
	case "order":
		return checkOrder(obj)
	}
	return checkName(typ)
}

func wrong(path, what string) error { return fmt.Errorf("%s %s: %w", path, what, ErrContent) }

func malformed(path string, err error) error {
	return fmt.Errorf("%s: %w: %w", or(path, "message"), ErrContent, err)
}

// need checks that members of an object are strings that are not empty.
func need(path string, obj []byte, names ...string) error {
	if obj[0] != '{' {
		return wrong(path, "is no object")
	}
	for _, n := range names {
		if text(member(obj, n)) == "" {
			return wrong(path+"."+n, "is missing or no string")
		}
	}
	return nil
}

// checkName lets a business hear of a type that this device has no rule for, if it can be a type at all.
func checkName(typ string) error {
	if len(typ) > 32 || strings.Trim(typ, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return fmt.Errorf("%q is no type: %w", typ, ErrContent)
	}
	return nil
}

func checkText(obj []byte) error { return need("text", obj, "body") }

func checkFile(typ string, obj []byte) error {
	if err := need(typ, obj, "mime_type"); err != nil {
		return err
	}
	var f file
	if err := json.Unmarshal(obj, &f); err != nil {
		return malformed(typ, err)
	}
	if f.Blob == nil || f.Blob.ID == "" || len(f.Blob.Key) != fileKeySize || len(f.Blob.MACKey) != fileKeySize {
		return wrong(typ+".blob", "is missing: the file has to be uploaded first")
	}
	return nil
}

func checkPlace(obj []byte) error {
	var p struct {
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
	}
	if err := json.Unmarshal(obj, &p); err != nil {
		return malformed("location", err)
	}
	switch {
	case p.Latitude == nil || *p.Latitude < -90 || *p.Latitude > 90:
		return wrong("location.latitude", "is no number from -90 to 90")
	case p.Longitude == nil || *p.Longitude < -180 || *p.Longitude > 180:
		return wrong("location.longitude", "is no number from -180 to 180")
	}
	return nil
}

func checkContacts(obj []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(obj, &list); err != nil {
		return malformed("contacts", err)
	}
	if len(list) == 0 || len(list) > maxCards {
		return wrong("contacts", fmt.Sprintf("are %d cards, want 1 to %d", len(list), maxCards))
	}
	for i, c := range list {
		if c[0] != '{' {
			return wrong(fmt.Sprintf("contacts[%d]", i), "is no object")
		}
	}
	return nil
}

func checkTarget(typ string, obj []byte) error {
	if typ == "reaction" {
		return need(typ, obj, "message_id")
	}
	if err := need(typ, obj, "original_message_id"); err != nil || typ == "revoke" {
		return err
	}
	inner := member(obj, "message")
	if len(inner) == 0 {
		return wrong("edit.message", "is missing")
	}
	if err := need("edit.message", inner, "type"); err != nil {
		return err
	}
	t := text(member(inner, "type"))
	switch body := member(inner, t); {
	case len(body) == 0:
		return wrong("edit.message."+t, "is missing")
	case t == "text":
		return checkText(body)
	}
	return checkName(t)
}

// checkReply takes the answers to interactive messages. Source: spec/webhooks.md section 13.9.
func checkReply(obj []byte) error {
	if err := need("interactive", obj, "type"); err != nil {
		return err
	}
	t := text(member(obj, "type"))
	path, reply := "interactive."+t, member(obj, t)
	if !slices.Contains([]string{"button_reply", "list_reply", "nfm_reply", "call_permission_reply"}, t) {
		return wrong("interactive.type", "is none of button_reply, list_reply, nfm_reply, call_permission_reply")
	}
	if len(reply) == 0 {
		return wrong(path, "is missing")
	}
	switch t {
	case "button_reply", "list_reply":
		return need(path, reply, "id", "title")
	case "call_permission_reply":
		if r := text(member(reply, "response")); r != "accept" && r != "reject" {
			return wrong(path+".response", "is neither accept nor reject")
		}
		return need(path, reply)
	}
	if err := need(path, reply, "name", "response_json"); err != nil {
		return err
	}
	if !json.Valid([]byte(text(member(reply, "response_json")))) {
		return wrong(path+".response_json", "is no string with JSON")
	}
	return nil
}

func checkOrder(obj []byte) error {
	if err := need("order", obj, "catalog_id"); err != nil {
		return err
	}
	var o Order
	if err := json.Unmarshal(obj, &o); err != nil {
		return malformed("order", err)
	}
	if len(o.Items) == 0 || len(o.Items) > maxItems {
		return wrong("order.product_items", fmt.Sprintf("are %d, want 1 to %d", len(o.Items), maxItems))
	}
	for i, it := range o.Items {
		path := fmt.Sprintf("order.product_items[%d]", i)
		switch {
		case it.SKU == "":
			return wrong(path+".product_retailer_id", "is missing")
		case it.Quantity < 1:
			return wrong(path+".quantity", "is not 1 or more")
		case it.Price < 0:
			return wrong(path+".item_price", "is negative")
		case len(it.Currency) != 3:
			return wrong(path+".currency", "is no code of ISO 4217")
		}
	}
	return nil
}
