package virtual

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// UserAction is something a person does, as the control API names it.
type UserAction struct {
	// Do is read, played (or play), press, click, react, edit, revoke, block, unblock, report, mute, archive, opt_out, opt_in, offline,
	// online, receipts_on, receipts_off, new_device, change_number, or send.
	Do      string          `json:"do"`
	To      string          `json:"to,omitempty"`      // wa_id of the business number; for read and played: of the chat
	IDs     []string        `json:"ids,omitempty"`     // wamids; read without any: all of the chat, or all
	Reason  string          `json:"reason,omitempty"`  // of report and block
	Content json.RawMessage `json:"content,omitempty"` // of send, in the shape of the send API
	For     Duration        `json:"for,omitempty"`     // of offline: come back after it; 0 means not by itself
	Phone   string          `json:"phone,omitempty"`   // of change_number: the new one
	Choice  string          `json:"choice,omitempty"`  // of press: number from 1, id or title; may be left out if there is one. Of click: the same for links, or "body" for one in the text
	Fields  map[string]any  `json:"fields,omitempty"`  // of press: what a form is filled in with; of a flow: values of its fields by name
	Sample  bool            `json:"sample,omitempty"`  // of press: fields of a flow that need a value and are given none get one
	Raw     bool            `json:"raw,omitempty"`     // of press: do not open the flow, send fields as the answer
	Place   *device.Place   `json:"place,omitempty"`   // of press: the location that is asked for
	Items   []device.Item   `json:"items,omitempty"`   // of press: the cart
	Catalog string          `json:"catalog_id,omitempty"`
	Emoji   string          `json:"emoji,omitempty"` // of react; empty takes the reaction away
	Text    string          `json:"text,omitempty"`  // of edit
}

// Do lets a user do something. To press a choice that opens a flow is to go through the flow to its end, see
// [document.Session.Fill]. Errors: [ErrUnknown], [ErrAction], [ErrClosed], device.ErrContent, device.ErrQueue, those of the
// platform for new_device, [ErrFlow] for a flow.
func (f *Fleet) Do(ctx context.Context, waID string, a UserAction) error {
	if a.Do == "send" {
		_, err := f.Send(ctx, waID, a.To, a.Content)
		return err
	}
	u, err := f.user(waID)
	if err != nil {
		return err
	}
	switch a.Do {
	case "change_number":
		return f.Move(ctx, waID, a.Phone)
	case "press":
		if done, err := f.pressFlow(ctx, u, &a); done || err != nil {
			return err
		}
	case "new_device":
		f.adding.Lock()
		defer f.adding.Unlock()
		return f.install(ctx, []*user{u})
	}
	return f.with(ctx, u, func(d *device.Device) (device.Effects, error) { return u.perform(d, &a) })
}

// with calls a user's device and carries out the effects.
func (f *Fleet) with(ctx context.Context, u *user, call func(*device.Device) (device.Effects, error)) error {
	if err := f.ensure(ctx, u); err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	eff, err := call(u.d)
	if err != nil {
		return err
	}
	u.carry(eff)
	return nil
}

// perform needs mu.
func (u *user) perform(d *device.Device, a *UserAction) (device.Effects, error) {
	switch a.Do {
	case "online", "offline":
		if a.For < 0 {
			return device.Effects{}, fmt.Errorf("%w: for is negative", ErrAction)
		}
		if a.Do == "offline" {
			u.leave(time.Duration(a.For))
		} else {
			u.setOnline(true)
		}
		return device.Effects{}, nil
	case "receipts_on", "receipts_off":
		on := a.Do == "receipts_on"
		return d.SetProfile(frame.Profile{ReadReceipts: &on})
	case "read":
		if len(a.IDs) == 0 {
			return d.MarkChatRead(a.To)
		}
		if err := knows(d, a.IDs); err != nil {
			return device.Effects{}, err
		}
		return d.MarkRead(a.IDs...)
	case "played", "play":
		if err := knows(d, a.IDs); err != nil {
			return device.Effects{}, err
		}
		return d.MarkPlayed(a.IDs...)
	case "press", "react", "edit", "revoke":
		return about(d, a)
	case "click":
		return click(d, a)
	case "block", "unblock", "report", "mute", "archive", "opt_out", "opt_in":
		if a.To == "" {
			return device.Effects{}, fmt.Errorf("%w: %q needs a business number in to", ErrAction, a.Do)
		}
		act := frame.Act{Do: frame.Do(a.Do), Of: a.To, Reason: a.Reason}
		if len(a.IDs) > 0 {
			act.ID = a.IDs[0]
		}
		return d.Act(act)
	}
	return device.Effects{}, fmt.Errorf("%w: no such action %q", ErrAction, a.Do)
}

// about lets a user say something about one message.
func about(d *device.Device, a *UserAction) (eff device.Effects, err error) {
	if err := knows(d, a.IDs); err != nil {
		return device.Effects{}, err
	}
	m, _ := d.Message(a.IDs[0])
	var content []byte
	switch a.Do {
	case "press":
		content, err = press(d, m.ID, a.Choice, device.Filling{Fields: a.Fields, Place: a.Place, Items: a.Items, Catalog: a.Catalog})
	case "react":
		content = device.ReactionContent(m.ID, a.Emoji)
	case "edit":
		content = device.EditContent(m.ID, a.Text)
	case "revoke":
		content = device.RevokeContent(m.ID)
	}
	if err == nil {
		_, eff, err = d.Send(m.Chat, content)
	}
	return eff, err
}

func knows(d *device.Device, ids []string) error {
	if len(ids) == 0 {
		return fmt.Errorf("%w: ids are missing", ErrAction)
	}
	for _, id := range ids {
		if _, ok := d.Message(id); !ok {
			return fmt.Errorf("message %q: %w", id, ErrUnknown)
		}
	}
	return nil
}

// Send lets a user write to a business number and returns the message as it stands, pending. Errors as [Fleet.Do].
func (f *Fleet) Send(ctx context.Context, waID, to string, content []byte) (m Message, err error) {
	u, err := f.user(waID)
	if err != nil {
		return Message{}, err
	}
	err = f.with(ctx, u, func(d *device.Device) (device.Effects, error) {
		sent, eff, err := d.Send(to, content)
		m = view(waID, &sent)
		return eff, err
	})
	return m, err
}

// SetReaction puts code in the place of a user's behaviour, for everything but offline periods; nil takes it away.
func (f *Fleet) SetReaction(waID string, r Reaction) error {
	u, err := f.user(waID)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reaction = r
	return nil
}

// Message is a line of a user's chat, as the control API shows it.
type Message struct {
	ID        string          `json:"id,omitempty"` // wamid; absent before a sent message is recorded, and in notices
	ClientID  string          `json:"client_id,omitempty"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	Type      string          `json:"type"`
	Content   json.RawMessage `json:"content,omitempty"` // the object that type names
	Timestamp int64           `json:"timestamp"`         // Unix seconds
	Direction string          `json:"direction"`         // in, out, notice
	Status    string          `json:"status"`            // received, read, played; pending, sent, read, failed
	Context   string          `json:"context,omitempty"` // wamid that it answers
	Preview   json.RawMessage `json:"preview,omitempty"`
	Error     string          `json:"error,omitempty"`
	Theirs    string          `json:"reaction,omitempty"`      // of the business
	Ours      string          `json:"user_reaction,omitempty"` // of the user
	Edited    bool            `json:"edited,omitempty"`
	Revoked   bool            `json:"revoked,omitempty"`
	Choices   []Choice        `json:"choices,omitempty"` // what can be pressed below it
}

// fileKeys are the keys of a file in a message's content: whoever may look at chats has no need of them.
var fileKeys = regexp.MustCompile(`"(?:mac_)?key":"[A-Za-z0-9+/]{43}=",?`)

func view(waID string, m *device.Message) Message {
	v := Message{
		ID: m.ID, ClientID: m.ClientID, From: m.Chat, To: waID, Type: m.Type, Content: m.Content(), Timestamp: m.Time,
		Direction: string(m.Direction), Status: string(m.Status), Context: m.Context, Preview: m.Preview,
		Error: string(m.Error), Theirs: m.Theirs, Ours: m.Ours, Edited: m.Edited, Revoked: m.Revoked, Choices: choicesOf(m),
	}
	if bytes.Contains(v.Content, []byte(`"mac_key"`)) {
		v.Content = fileKeys.ReplaceAll(v.Content, nil)
	}
	if m.Direction == device.Out {
		v.From, v.To = waID, m.Chat
	}
	return v
}

// Messages returns all kept messages of a user, oldest first. Errors: [ErrUnknown], [ErrClosed].
func (f *Fleet) Messages(waID string) ([]Message, error) {
	var list []Message
	err := f.Look(waID, func(d *device.Device) {
		kept := d.Messages("", 0, 0)
		list = make([]Message, len(kept))
		for i := range kept {
			list[i] = view(waID, &kept[i])
		}
	})
	return list, err
}

// Look calls look with a user's device, for reading; not at all for a user that is not registered again yet. Errors:
// [ErrUnknown], [ErrClosed].
func (f *Fleet) Look(waID string, look func(*device.Device)) error {
	u, err := f.user(waID)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.d != nil {
		look(u.d)
	}
	return nil
}

// Watch calls f with every event of a user until stop is called. f runs under the user's lock: it must not block, keep the
// event's message, or call the fleet.
func (f *Fleet) Watch(waID string, watch func(device.Event)) (stop func(), err error) {
	u, err := f.user(waID)
	if err != nil {
		return nil, err
	}
	return u.watch(watch), nil
}

// Info is a user as a list shows it.
type Info struct {
	User
	Online     bool `json:"online"`
	Registered bool `json:"registered"` // false until a recovered user is registered again
	Unanswered int  `json:"unanswered"` // messages and actions without the platform's answer
}

// Users returns up to limit users with a wa_id above after, in order; limit 0 means all.
func (f *Fleet) Users(after string, limit int) []Info {
	f.mu.RLock()
	all := make([]*user, 0, len(f.users))
	for u := range maps.Values(f.users) {
		if u.waID > after {
			all = append(all, u)
		}
	}
	f.mu.RUnlock()
	slices.SortFunc(all, func(a, b *user) int { return strings.Compare(a.waID, b.waID) })
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	list := make([]Info, len(all))
	for i, u := range all {
		list[i] = u.info()
	}
	return list
}

// User returns one user.
func (f *Fleet) User(waID string) (Info, bool) {
	u, err := f.user(waID)
	if err != nil {
		return Info{}, false
	}
	return u.info(), true
}

func (u *user) info() Info {
	u.mu.Lock()
	defer u.mu.Unlock()
	b := *u.behaviour
	i := Info{User: User{u.waID, u.name, &b}, Online: u.conn != nil, Registered: u.d != nil}
	if u.d != nil {
		i.Unanswered = u.d.Unanswered()
	}
	return i
}
