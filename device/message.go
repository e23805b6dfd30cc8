package device

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Direction says who wrote a message.
type Direction string

// The directions.
const (
	In     Direction = "in"     // the business
	Out    Direction = "out"    // the user of this device
	Notice Direction = "notice" // the device itself, for example after a change of keys
)

// Status is how far a message has come.
type Status string

// The statuses. Received messages are Received, Read or Played; sent ones are Pending, Sent, Read or Failed. There is no
// tick for "delivered" on sent messages: the platform is the business's end, so Sent says that it holds the message.
const (
	Received Status = "received"
	Read     Status = "read"
	Played   Status = "played"
	Pending  Status = "pending"
	Sent     Status = "sent"
	Failed   Status = "failed"
)

// Message is one line of a chat.
type Message struct {
	N         uint64    // position in this device's history, ascending; never used twice
	ID        string    // wamid; empty for notices and before a sent message is recorded
	ClientID  string    // the device's own id of a sent message
	Chat      string    // wa_id of the business number
	Direction Direction // who wrote it
	Type      string    // as in the send API, or TypeUnsupported, TypeNotice
	Raw       []byte    // the whole JSON object as it was encrypted; nil when there is none
	Time      int64     // Unix seconds: when the platform accepted it, or when it was written here
	Status    Status
	Context   string     // wamid that it answers
	Preview   []byte     // JSON of the link's card, when one came
	Theirs    string     // emoji with which the business reacted
	Ours      string     // emoji with which the user reacted
	Error     frame.Code // of Failed
	Edited    bool       // the user changed it after it was sent
	Revoked   bool       // the user deleted it for everybody; its content is gone
	Saved     string     // where the user saved its file

	unsaved bool
}

// Content returns the member of Raw that the type names, {"body":…} for a text; nil when there is none.
func (m *Message) Content() json.RawMessage {
	if m.Raw == nil {
		return nil
	}
	return member(m.Raw, m.Type)
}

// Text returns the words of a text message, or the caption, header and body that say most about another one.
func (m *Message) Text() string {
	c := m.Content()
	if len(c) == 0 || c[0] != '{' {
		return ""
	}
	for _, name := range []string{"body", "caption", "emoji", "name", "filename", "text"} {
		v := member(c, name)
		if len(v) > 0 && v[0] == '{' {
			v = member(v, "text")
		}
		if s := text(v); s != "" {
			return s
		}
	}
	return ""
}

// ---- history ----

// add appends a message to the history and drops the oldest that are over the bound. Unanswered ones stay.
func (d *Device) add(m *Message) {
	d.next++
	m.N = d.next
	d.dirty.position = true
	d.history = append(d.history, m)
	d.weight += m.weight()
	d.touch(m)
	for len(d.history) > 1 && (len(d.history) > d.o.history() || (d.o.HistoryBytes > 0 && d.weight > d.o.HistoryBytes)) {
		i := slices.IndexFunc(d.history[:len(d.history)-1], func(m *Message) bool { return m.Status != Pending })
		if i < 0 {
			return
		}
		d.drop(d.history[i])
		d.weight -= d.history[i].weight()
		d.history = slices.Delete(d.history, i, i+1)
	}
}

// weight is about how many bytes of memory the message takes.
func (m *Message) weight() int { return messageSize + len(m.Raw) + len(m.Preview) }

// messageSize is a message without its content: the struct, its ids and its place in lists.
const messageSize = 400

// reweigh counts the history again after a message has changed its size.
func (d *Device) reweigh() {
	d.weight = 0
	for _, m := range d.history {
		d.weight += m.weight()
	}
}

// find returns the message with this wamid; the newest are looked at first.
func (d *Device) find(id string) *Message {
	if id == "" {
		return nil
	}
	for _, m := range slices.Backward(d.history) {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func (d *Device) changed(m *Message) {
	d.touch(m)
	d.eff.tell(Event{Kind: EventChanged, Chat: m.Chat, Message: m})
}

// notice adds a line of the device's own to a chat.
func (d *Device) notice(chat, kind string) {
	raw := `{"type":"notice","notice":{"kind":"` + kind + `"}}`
	m := &Message{
		Chat: chat, Direction: Notice, Type: TypeNotice, Raw: []byte(raw), Time: d.now().Unix(), Status: Received,
	}
	d.add(m)
	d.eff.tell(Event{Kind: EventMessage, Chat: chat, Message: m})
}

// Messages returns copies of up to limit messages of a chat that are older than before, oldest first; before 0 means the
// newest, chat "" means all chats, limit 0 means all.
func (d *Device) Messages(chat string, before uint64, limit int) []Message {
	var list []Message
	for _, m := range slices.Backward(d.history) {
		if (before > 0 && m.N >= before) || (chat != "" && m.Chat != chat) {
			continue
		}
		list = append(list, *m)
		if limit > 0 && len(list) == limit {
			break
		}
	}
	slices.Reverse(list)
	return list
}

// Message returns a copy of the message with this wamid or own id.
func (d *Device) Message(id string) (Message, bool) {
	if m := d.find(id); m != nil {
		return *m, true
	}
	for _, m := range d.history {
		if id != "" && m.ClientID == id {
			return *m, true
		}
	}
	return Message{}, false
}

// Chat is a conversation as a list of chats shows it.
type Chat struct {
	WaID     string // of the business number
	Name     string // as far as it is known
	Unread   int
	Blocked  bool
	Verified bool    // the business is verified, as Find last said
	Identity bool    // its identity key is known, so that SafetyNumber works
	Last     Message // newest line; zero when there is none
}

// Chats returns all conversations, the one with the newest line first.
func (d *Device) Chats() []Chat {
	list := make([]Chat, 0, len(d.chats))
	for _, c := range d.chats {
		v := Chat{WaID: c.waID, Name: c.name, Verified: c.verified, Blocked: c.blocked, Identity: !c.pin.IsZero()}
		for _, m := range d.history {
			if m.Chat != c.waID {
				continue
			}
			v.Last = *m
			if m.Direction == In && m.Status == Received && m.Type != "reaction" {
				v.Unread++
			}
		}
		list = append(list, v)
	}
	slices.SortStableFunc(list, func(a, b Chat) int {
		switch {
		case a.Last.N > b.Last.N:
			return -1
		case a.Last.N < b.Last.N:
			return 1
		}
		return strings.Compare(a.WaID, b.WaID)
	})
	return list
}
