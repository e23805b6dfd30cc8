package device

import (
	"fmt"
	"slices"
	"time"
)

// allowed checks what a message is about to do to an earlier one: only the user's own messages can be changed and deleted,
// and not for long.
func (d *Device) allowed(to, typ string, raw []byte) error {
	var within time.Duration
	switch typ {
	case "edit":
		within = EditWithin
	case "revoke":
		within = RevokeWithin
	default:
		return nil
	}
	id := text(member(member(raw, typ), "original_message_id"))
	target := d.find(id)
	switch {
	case target == nil || target.Chat != to || target.Direction != Out || target.Revoked:
		return fmt.Errorf("%s: %q is no message that this user sent in this chat: %w", typ, id, ErrContent)
	case d.now().Sub(time.Unix(target.Time, 0)) > within:
		return fmt.Errorf("%s: the message is older than %s: %w", typ, within, ErrContent)
	case typ == "edit" && text(member(member(member(raw, typ), "message"), "type")) != target.Type:
		return fmt.Errorf("edit: the message is of type %q: %w", target.Type, ErrContent)
	}
	return nil
}

// affect shows on an earlier message what a new one does to it: an emoji, other words, or that it is deleted.
func (d *Device) affect(m *Message) {
	switch m.Type {
	case "reaction", "edit", "revoke":
	default:
		return
	}
	c := m.Content()
	id := text(member(c, "message_id"))
	if m.Type != "reaction" {
		id = text(member(c, "original_message_id"))
	}
	target := d.find(id)
	if target == nil || target.Chat != m.Chat {
		return
	}
	switch {
	case m.Type == "reaction" && m.Direction == Out:
		target.Ours = text(member(c, "emoji"))
	case m.Type == "reaction":
		target.Theirs = text(member(c, "emoji"))
	case m.Direction != Out:
		return // businesses neither edit nor delete
	case m.Type == "edit":
		target.Raw, target.Edited = slices.Clone(member(c, "message")), true
		d.reweigh()
	case m.Type == "revoke":
		target.Raw, target.Preview, target.Revoked = nil, nil, true
		d.reweigh()
	}
	d.changed(target)
}

// SetSaved notes where the file of a message was saved. Errors: [ErrUnknown], [ErrBroken].
func (d *Device) SetSaved(id, path string) (Effects, error) {
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	m := d.find(id)
	if m == nil {
		return Effects{}, ErrUnknown
	}
	m.Saved = path
	d.changed(m)
	return d.finish()
}
