package pipeline

import (
	"crypto/sha256"
	"slices"

	"github.com/hikyaku/hikyaku/internal/message"
)

// maxSpent bounds the messages that a lane keeps for their devices to come again. The oldest go first: those devices
// encrypt anew.
const maxSpent = 256

// spent is a message that was decrypted, which spends its key, but could not be recorded because its file could not be taken
// over just then. The device is told to come again and sends the same bytes; they cannot be decrypted a second time.
type spent struct {
	key    clientKey
	t      *thread // whose session is past the message; one that was loaded anew may not be, and decrypts it
	cipher [sha256.Size]byte
	in     message.Inbound
	used   *uint32
}

// keepSpent keeps what c was decrypted to until it comes again.
func (l *lane) keepSpent(c *receive, t *thread, in message.Inbound, used *uint32) {
	l.dropSpent(clientKey{c.in.Device, c.in.ClientID})
	if len(l.spent) >= maxSpent {
		l.spent = slices.Delete(l.spent, 0, 1)
	}
	l.spent = append(l.spent, spent{clientKey{c.in.Device, c.in.ClientID}, t, sha256.Sum256(c.in.Cipher), in, used})
}

// takeSpent finds the message that c repeats.
func (l *lane) takeSpent(c *receive, t *thread) (s spent, ok bool) {
	if len(l.spent) == 0 { // nearly always
		return s, false
	}
	key := clientKey{c.in.Device, c.in.ClientID}
	i := slices.IndexFunc(l.spent, func(s spent) bool { return s.key == key })
	if i < 0 || l.spent[i].t != t || l.spent[i].cipher != sha256.Sum256(c.in.Cipher) {
		return s, false
	}
	s = l.spent[i]
	l.spent = slices.Delete(l.spent, i, i+1)
	return s, true
}

// dropSpent forgets a message that is recorded, or kept anew.
func (l *lane) dropSpent(key clientKey) {
	if len(l.spent) > 0 {
		l.spent = slices.DeleteFunc(l.spent, func(s spent) bool { return s.key == key })
	}
}
