package virtual

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/device"
)

// ErrBehaviour reports a behaviour with a field out of its bounds.
var ErrBehaviour = errors.New("behaviour cannot be used")

// maxReply is the longest reply text in bytes: the longest text message.
const maxReply = 4096

// maxEmoji is the longest emoji in bytes: a family of four is 25.
const maxEmoji = 64

// Duration is a time.Duration that is written "1.5s" in JSON.
type Duration time.Duration

// UnmarshalJSON reads "1.5s".
func (d *Duration) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a duration is a string like \"1.5s\": %w", ErrBehaviour)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("duration %q: %w", s, ErrBehaviour)
	}
	*d = Duration(v)
	return nil
}

// MarshalJSON writes "1.5s".
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// Behaviour says what a virtual user does by itself. Rates are chances from 0 to 1, drawn for each message. The zero value
// receives and does nothing else; [Default] also reads.
type Behaviour struct {
	ReadRate   float64  `json:"read_rate"`              // of messages that are read; absent in JSON means 1
	ReadDelay  Duration `json:"read_delay,omitempty"`   // from arrival to reading; delivered is reported at once
	ReadAtOnce bool     `json:"read_at_once,omitempty"` // the chat is open: read is reported without delivered before it
	ReplyRate  float64  `json:"reply_rate,omitempty"`
	ReplyText  string   `json:"reply_text,omitempty"`  // empty means "OK"
	ReplyDelay Duration `json:"reply_delay,omitempty"` // from arrival to the reply
	BlockRate  float64  `json:"block_rate,omitempty"`
	ReportRate float64  `json:"report_rate,omitempty"`
	Offline    Offline  `json:"offline,omitzero"`

	PlayRate    float64        `json:"play_rate,omitempty"`  // of voice messages that are played, after ReadDelay
	PressRate   float64        `json:"press_rate,omitempty"` // of messages with choices: one that answers is pressed, any
	Fields      map[string]any `json:"fields,omitempty"`     // what forms are filled in with
	ReactRate   float64        `json:"react_rate,omitempty"`
	ReactEmoji  string         `json:"react_emoji,omitempty"` // empty means 👍
	FileRate    float64        `json:"file_rate,omitempty"`   // of messages that are answered with a file
	FileKind    string         `json:"file_kind,omitempty"`   // image, video, audio, document or sticker; empty means image
	MuteRate    float64        `json:"mute_rate,omitempty"`
	ArchiveRate float64        `json:"archive_rate,omitempty"`
	OptOutRate  float64        `json:"opt_out_rate,omitempty"` // of messages after which the user wants no more marketing
	ClickRate   float64        `json:"click_rate,omitempty"`   // of messages with links to press: one is opened, any, after ReadDelay
}

// Offline says when a user is not connected. In JSON it is true, false, or {"every":"10m","for":"1m"}.
type Offline struct {
	Always bool     `json:"-"`
	Every  Duration `json:"every,omitempty"` // connected for so long, between half and one and a half times of it
	For    Duration `json:"for,omitempty"`   // then not connected for so long
}

// Default is how a user without a behaviour behaves: messages are delivered and then read at once.
func Default() Behaviour { return Behaviour{ReadRate: 1} }

// UnmarshalJSON reads a behaviour over [Default]. Unknown members are errors: a misspelt one would be a wrong test.
func (b *Behaviour) UnmarshalJSON(data []byte) error {
	type plain Behaviour
	v := plain(Default())
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, ErrBehaviour) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrBehaviour, err)
	}
	*b = Behaviour(v)
	return b.Check()
}

// UnmarshalJSON reads the three forms.
func (o *Offline) UnmarshalJSON(data []byte) error {
	var always bool
	if json.Unmarshal(data, &always) == nil {
		*o = Offline{Always: always}
		return nil
	}
	type plain Offline
	var v plain
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return fmt.Errorf("offline: %w: %w", ErrBehaviour, err)
	}
	*o = Offline(v)
	return nil
}

// MarshalJSON writes the forms that UnmarshalJSON reads.
func (o Offline) MarshalJSON() ([]byte, error) {
	if o.Always || o.Every == 0 {
		return json.Marshal(o.Always)
	}
	type plain Offline
	return json.Marshal(plain(o))
}

// Check reports the first field out of its bounds. Errors: [ErrBehaviour].
func (b *Behaviour) Check() error {
	for name, rate := range map[string]float64{
		"read_rate": b.ReadRate, "reply_rate": b.ReplyRate, "block_rate": b.BlockRate, "report_rate": b.ReportRate,
		"play_rate": b.PlayRate, "press_rate": b.PressRate, "react_rate": b.ReactRate, "file_rate": b.FileRate,
		"mute_rate": b.MuteRate, "archive_rate": b.ArchiveRate, "opt_out_rate": b.OptOutRate, "click_rate": b.ClickRate,
	} {
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("%s is not between 0 and 1: %w", name, ErrBehaviour)
		}
	}
	for name, d := range map[string]Duration{
		"read_delay": b.ReadDelay, "reply_delay": b.ReplyDelay, "offline.every": b.Offline.Every, "offline.for": b.Offline.For,
	} {
		if d < 0 {
			return fmt.Errorf("%s is negative: %w", name, ErrBehaviour)
		}
	}
	if (b.Offline.Every > 0) != (b.Offline.For > 0) {
		return fmt.Errorf("offline needs both every and for: %w", ErrBehaviour)
	}
	if len(b.ReplyText) > maxReply {
		return fmt.Errorf("reply_text is longer than %d bytes: %w", maxReply, ErrBehaviour)
	}
	if len(b.ReactEmoji) > maxEmoji {
		return fmt.Errorf("react_emoji is longer than %d bytes: %w", maxEmoji, ErrBehaviour)
	}
	if _, ok := Sample(b.fileKind()); !ok {
		return fmt.Errorf("file_kind is %q: %w", b.FileKind, ErrBehaviour)
	}
	return nil
}

func (b *Behaviour) fileKind() string { return cmp.Or(b.FileKind, "image") }

// Do names what a user does by itself.
type Do uint8

// What users do.
const (
	DoRead Do = iota + 1
	DoReply
	DoBlock
	DoReport
	DoPlay
	DoPress // Choice, filled in with Fill
	DoFile  // a sample of Kind
	DoMute
	DoArchive
	DoOptOut
	DoOptIn
	DoUnblock
	DoClick   // the link behind Choice is opened
	DoOffline // until something else lets the user come back; with For, until then
)

// Action is one thing to do about a message, After it has arrived.
type Action struct {
	Do      Do
	After   time.Duration
	Content json.RawMessage // of DoReply, in the shape of the send API
	Choice  int             // of DoPress and DoClick, from 0, see [device.Message.Choices]
	Fill    *device.Filling // of DoPress; nil for nothing
	Kind    string          // of DoFile
	For     time.Duration   // of DoOffline
}

// Reaction decides what to do about a message that has just arrived, and appends it to list. It runs under the user's lock
// with the user's own source of randomness: it must not block, keep m, or call the fleet. m.Status is [device.Read] if it
// was read at once.
type Reaction func(r *rand.Rand, m *device.Message, list []Action) []Action

// React is the behaviour as a [Reaction].
func (b *Behaviour) React(r *rand.Rand, m *device.Message, list []Action) []Action {
	if m.Status == device.Received && chance(r, b.ReadRate) {
		list = append(list, Action{Do: DoRead, After: time.Duration(b.ReadDelay)})
	}
	if m.Type == "reaction" || m.Type == "system" {
		return list // nobody answers those
	}
	if chance(r, b.ReplyRate) {
		list = append(list, Action{Do: DoReply, After: time.Duration(b.ReplyDelay), Content: b.reply()})
	}
	if chance(r, b.BlockRate) {
		list = append(list, Action{Do: DoBlock})
	}
	if chance(r, b.ReportRate) {
		list = append(list, Action{Do: DoReport})
	}
	return b.more(r, m, list)
}

// more draws what came later to behaviours, so that what a seed makes of the earlier ones stays.
func (b *Behaviour) more(r *rand.Rand, m *device.Message, list []Action) []Action {
	delay := time.Duration(b.ReplyDelay)
	if b.PlayRate > 0 && m.Type == "audio" && chance(r, b.PlayRate) {
		if p := m.Parts(); p.Media != nil && p.Media.Voice {
			list = append(list, Action{Do: DoPlay, After: time.Duration(b.ReadDelay)})
		}
	}
	if b.PressRate > 0 && (m.Type == "interactive" || m.Type == "template") && chance(r, b.PressRate) {
		if n, fill := b.choose(r, m); n >= 0 {
			list = append(list, Action{Do: DoPress, After: delay, Choice: n, Fill: fill})
		}
	}
	if chance(r, b.ReactRate) {
		list = append(list, Action{Do: DoReply, After: delay, Content: device.ReactionContent(m.ID, cmp.Or(b.ReactEmoji, "👍"))})
	}
	if chance(r, b.FileRate) {
		list = append(list, Action{Do: DoFile, After: delay, Kind: b.fileKind()})
	}
	for _, a := range []struct {
		rate float64
		do   Do
	}{{b.MuteRate, DoMute}, {b.ArchiveRate, DoArchive}, {b.OptOutRate, DoOptOut}} {
		if chance(r, a.rate) {
			list = append(list, Action{Do: a.do})
		}
	}
	if b.ClickRate > 0 && (m.Type == "interactive" || m.Type == "template") && chance(r, b.ClickRate) {
		if links := linksOf(m); len(links) > 0 {
			list = append(list, Action{Do: DoClick, After: time.Duration(b.ReadDelay), Choice: links[r.IntN(len(links))]})
		}
	}
	return list
}

// choose picks one of the choices that answer, and what it is filled in with; -1 when there is none.
func (b *Behaviour) choose(r *rand.Rand, m *device.Message) (n int, fill *device.Filling) {
	list := m.Choices()
	var answers []int
	for i := range list {
		if list[i].Answers() && (list[i].Kind != device.ChoiceOrder || strings.Contains(list[i].Target, " ")) {
			answers = append(answers, i)
		}
	}
	if len(answers) == 0 {
		return -1, nil
	}
	n = answers[r.IntN(len(answers))]
	switch c := &list[n]; c.Kind {
	case device.ChoiceFlow, device.ChoiceAddress:
		fill = &device.Filling{Fields: b.Fields}
		if c.Kind == device.ChoiceAddress && len(b.Fields) == 0 {
			fill.Fields = map[string]any{"address": "1 Sample Street"}
		}
	case device.ChoiceLocation:
		fill = &device.Filling{Place: &device.Place{Latitude: float64(r.IntN(140)-70) + 0.5, Longitude: float64(r.IntN(340)-170) + 0.5}}
	case device.ChoiceOrder:
		_, sku, _ := strings.Cut(c.Target, " ")
		fill = &device.Filling{Items: []device.Item{{SKU: sku, Quantity: 1 + r.IntN(3), Price: 1, Currency: "USD"}}}
	case device.ChoiceReply, device.ChoiceContact, device.ChoiceAllow, device.ChoiceDeny, device.ChoiceURL, device.ChoicePhone,
		device.ChoiceCode, device.ChoiceCall, device.ChoicePay, device.ChoiceOther: // nothing to fill in
	}
	return n, fill
}

func (b *Behaviour) reply() json.RawMessage {
	if b.ReplyText == "" {
		return json.RawMessage(`{"type":"text","text":{"body":"OK"}}`)
	}
	body, err := json.Marshal(b.ReplyText)
	if err != nil {
		panic("virtual: a string does not marshal: " + err.Error())
	}
	return append(append([]byte(`{"type":"text","text":{"body":`), body...), "}}"...)
}

// chance draws only when the outcome is open, so that certain things cost nothing.
func chance(r *rand.Rand, rate float64) bool { return rate >= 1 || (rate > 0 && r.Float64() < rate) }
