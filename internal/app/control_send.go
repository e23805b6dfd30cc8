package app

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxControlMessage bounds the body of a user's message: a file of 16 MB in base64 fits.
const maxControlMessage = 24 << 20

// sendAsUser lets a user write: {"to":"<number>","type":"text","text":{…}}, with context and referral as webhooks have them.
// Files are given in clear; without data a tiny sample is sent.
func sendAsUser(r *http.Request, p *platform) (any, error) {
	var in map[string]json.RawMessage
	if err := body(r, &in); err != nil {
		return nil, err
	}
	var to, kind string
	for name, into := range map[string]*string{"to": &to, "type": &kind} {
		if raw, ok := in[name]; ok && json.Unmarshal(raw, into) != nil {
			return nil, badRequest("%s: want a string", name)
		}
	}
	delete(in, "to")
	number, err := p.knownNumber(to)
	if err != nil {
		return nil, err
	}
	if _, ok := virtual.Sample(kind); ok && !hasBlob(in[kind]) {
		if err := p.uploadFor(r.Context(), user(r), kind, in); err != nil {
			return nil, err
		}
	}
	if err := p.completeContext(user(r), number, kind, in); err != nil {
		return nil, err
	}
	m, err := p.fleet.Send(r.Context(), user(r), number, asPhone(in))
	if err != nil {
		return nil, userError(err)
	}
	return p.recorded(r.Context(), m), nil
}

// Times of waiting for the record of a user's message.
const (
	recordStep = 2 * time.Millisecond
	recordTime = 2 * time.Second
)

// recorded waits until the platform has answered the user's device, so that the caller learns the id that webhooks have. A message
// that waits for the user to be online, or for a lane that is behind, is returned as it stands.
func (p *platform) recorded(ctx context.Context, m virtual.Message) virtual.Message {
	for waited := time.Duration(0); waited < recordTime; waited += recordStep {
		online := false
		err := p.fleet.Look(m.From, func(d *device.Device) {
			online = d.Online()
			if now, ok := d.Message(m.ClientID); ok {
				m.ID, m.Status, m.Error = now.ID, string(now.Status), string(now.Error)
			}
		})
		if err != nil || !online || m.Status != string(device.Pending) || p.wall.Sleep(ctx, recordStep) != nil {
			break
		}
	}
	return m
}

// asPhone writes content as a phone does: nothing is escaped that need not be.
func asPhone(in map[string]json.RawMessage) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(in); err != nil {
		return nil // the device says that it is no message
	}
	return bytes.TrimSpace(b.Bytes())
}

// knownNumber is the wa_id of a business number of this platform.
func (p *platform) knownNumber(s string) (string, error) {
	number, err := p.businessNumber(s)
	if err != nil {
		return "", err
	}
	if _, ok := p.rules.business.NumberByWaID(wa.WaID(number)); !ok {
		return "", badRequest("to: +%s is no business number of this platform", number)
	}
	return number, nil
}

// hasBlob reports whether a file was uploaded already, by a caller that speaks the network's protocol.
func hasBlob(raw json.RawMessage) bool {
	var f struct {
		Blob json.RawMessage `json:"blob"`
	}
	return json.Unmarshal(raw, &f) == nil && len(f.Blob) > 0
}

// clearFile is a file as the control API takes it.
type clearFile struct {
	Data     []byte `json:"data"` // base64
	MIME     string `json:"mime_type"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
	Voice    bool   `json:"voice"`
	Animated bool   `json:"animated"`
}

// uploadFor puts the content of an encrypted and uploaded file in the place of a clear one.
func (p *platform) uploadFor(ctx context.Context, user, kind string, in map[string]json.RawMessage) error {
	var f clearFile
	if raw, ok := in[kind]; ok {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			return badRequest("%s: %v", kind, err)
		}
	}
	a, _ := virtual.Sample(kind)
	switch {
	case len(f.Data) == 0 && f.MIME != "" && f.MIME != a.MIME:
		return badRequest("%s.data is missing: without it the sample is sent, which is %s", kind, a.MIME)
	case len(f.Data) > 0 && f.MIME == "":
		return badRequest("%s.mime_type is missing", kind)
	case len(f.Data) > 0:
		a.Data, a.MIME, a.Filename = f.Data, f.MIME, ""
	}
	a.Caption, a.Voice, a.Animated = f.Caption, f.Voice, f.Animated
	if f.Filename != "" {
		a.Filename = f.Filename
	}
	switch {
	case a.Caption != "" && (kind == "audio" || kind == "sticker"):
		return badRequest("%s.caption: this type has none", kind)
	case f.Filename != "" && kind != "document":
		return badRequest("%s.filename: this type has none", kind)
	case f.Voice && kind != "audio":
		return badRequest("%s.voice: this type has none", kind)
	}
	content, err := p.fleet.Upload(ctx, user, a)
	if err != nil {
		return userError(err)
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(content, &sent); err != nil {
		return err
	}
	maps.Copy(in, sent)
	return nil
}

// completeContext makes an answer say what it answers, as webhooks always do: if the caller did not, the newest message
// with that choice. Source: spec/webhooks.md section 13.9.
func (p *platform) completeContext(user, number, kind string, in map[string]json.RawMessage) error {
	if (kind != "button" && kind != "interactive") || len(in["context"]) > 0 {
		return nil
	}
	var answer struct {
		Type    string                `json:"type"`
		Payload string                `json:"payload"`
		Text    string                `json:"text"`
		Button  struct{ ID string }   `json:"button_reply"`
		List    struct{ ID string }   `json:"list_reply"`
		Form    struct{ Name string } `json:"nfm_reply"`
	}
	if json.Unmarshal(in[kind], &answer) != nil {
		return nil // the device says what is wrong
	}
	offers := func(c device.Choice) bool {
		switch {
		case kind == "button":
			return c.Kind == device.ChoiceReply && (c.ID == answer.Payload || c.Title == answer.Text)
		case answer.Type == "nfm_reply":
			return c.Kind == device.ChoiceFlow && answer.Form.Name == "flow" || c.Kind == device.ChoiceAddress && answer.Form.Name == "address_message"
		case answer.Type == "call_permission_reply":
			return c.Kind == device.ChoiceAllow
		}
		return c.Kind == device.ChoiceReply && c.ID != "" && c.ID == answer.Button.ID+answer.List.ID
	}
	id := ""
	if err := p.fleet.Look(user, func(d *device.Device) {
		for _, m := range slices.Backward(d.Messages(number, 0, 0)) {
			if m.Direction == device.In && slices.ContainsFunc(m.Choices(), offers) {
				id = m.ID
				return
			}
		}
	}); err != nil {
		return userError(err)
	}
	if id == "" {
		return badRequest("context.id is missing, and no message of the chat offers this answer")
	}
	b, err := json.Marshal(map[string]string{"id": id})
	in["context"] = b
	return err
}

// userFile is a file of a message, as the user's device downloaded, verified and decrypted it.
func userFile(r *http.Request, p *platform) (any, error) {
	q := r.URL.Query()
	n := 1
	if s := q.Get("n"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 1 {
			return nil, badRequest("n: want the number of the file within the message, from 1")
		}
	}
	f, data, err := p.fleet.Fetch(r.Context(), user(r), q.Get("message_id"), n-1)
	if err != nil {
		return nil, userError(err)
	}
	return map[string]any{
		"kind": f.Kind, "mime_type": f.MIME, "filename": f.Filename, "size": len(data), "sha256": f.Blob.SHA256, "data": data,
	}, nil
}

// actAsUser lets a user do something.
func actAsUser(r *http.Request, p *platform) (any, error) {
	var act virtual.UserAction
	if err := body(r, &act); err != nil {
		return nil, err
	}
	to, err := p.knownNumber(act.To)
	if err != nil {
		return nil, err
	}
	act.To = to
	out := map[string]any{"success": true}
	if act.Do == "change_number" {
		id, err := wa.ParsePhone(act.Phone)
		if err != nil {
			return nil, badRequest("phone: %v", err)
		}
		if _, business := p.rules.business.NumberByWaID(id); business {
			return nil, badRequest("phone: +%s is a business number", id)
		}
		act.Phone = string(id)
		out["wa_id"] = id
	}
	if err := p.fleet.Do(r.Context(), user(r), act); err != nil {
		return nil, userError(err)
	}
	return out, nil
}
