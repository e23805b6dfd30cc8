package device

import (
	"fmt"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// chat is what the device knows about one business number.
type chat struct {
	waID     string
	name     string
	verified bool
	blocked  bool
	pin      signal.PublicKey // identity key, trusted on first use; zero before that
	session  *signal.Session  // nil before the first message
	gen      uint32           // counts the sessions begun here, so that an answer to an old one is recognised
	asked    uint64           // request number of the bundle on its way; 0 when none
	askAt    int64            // Unix milliseconds: no bundle request before
	busy     int              // refused bundle requests in a row
	fetch    bool             // the business announced new keys: fetch them even if nothing waits

	unsaved, unsavedSession bool
}

func (d *Device) chat(waID string) *chat {
	for _, c := range d.chats {
		if c.waID == waID {
			return c
		}
	}
	return nil
}

func (d *Device) makeChat(waID string) *chat {
	if c := d.chat(waID); c != nil {
		return c
	}
	c := &chat{waID: waID}
	d.chats = append(d.chats, c)
	d.touchChat(c)
	return c
}

// trust takes the identity key that a business has just proved to hold: the first one is pinned, a later other one is
// shown in the chat. Source: design "The user network", section 8.
func (d *Device) trust(c *chat, key signal.PublicKey) {
	switch {
	case c.pin == key:
		return
	case !c.pin.IsZero():
		d.eff.tell(Event{Kind: EventIdentity, Chat: c.waID})
		d.notice(c.waID, "identity_changed")
	}
	c.pin = key
	d.touchChat(c)
}

// SafetyNumber is the 60 digits that both ends can compare. It takes about 4 ms. Errors: [ErrUnknown] before the
// business's key is known.
func (d *Device) SafetyNumber(waID string) (string, error) {
	c := d.chat(waID)
	if c == nil || c.pin.IsZero() {
		return "", fmt.Errorf("key of %q: %w", waID, ErrUnknown)
	}
	return signal.SafetyNumber(d.Identity(), d.me.WaID, c.pin, waID), nil
}

// OpenChat says which chat is on the screen; "" for none. Messages that arrive in it are read at once.
func (d *Device) OpenChat(waID string) { d.open = waID }
