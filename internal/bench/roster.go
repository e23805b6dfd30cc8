package bench

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// pairRest is the least time between two messages of a conversation: the pair rate limit allows one per 6 s, and the rest is
// for messages that leave a little late. Source: spec/limits.md section 2.
const pairRest = 7 * time.Second

// conversation is a business number and a user.
type conversation struct {
	line *sender
	user string
	last atomic.Int64 // when it got a message, nanoseconds since the roster began; 0 for never
}

// sender is a business number, with the request it sends.
type sender struct {
	line
	open []byte // request line and header, up to the value of Content-Length
	text string // of the body, between the recipient and the number of the message
}

func newSender(t *Target, l line, text string) *sender {
	return &sender{line: l, text: text, open: []byte("POST /" + t.Version + "/" + l.ID + "/messages HTTP/1.1\r\nHost: " + t.BaseURL[len("http://"):] +
		"\r\nAuthorization: Bearer " + t.Token + "\r\nContent-Type: application/json\r\nContent-Length: ")}
}

const (
	bodyOpen  = `{"messaging_product":"whatsapp","recipient_type":"individual","to":"`
	bodyClose = `"}}`
)

// request appends the whole request for message n of a conversation.
func (c *conversation) request(b []byte, n int64) []byte {
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], n, 10)
	b = append(b, c.line.open...)
	b = strconv.AppendInt(b, int64(len(bodyOpen)+len(c.user)+len(c.line.text)+len(number)+len(bodyClose)), 10)
	b = append(b, "\r\n\r\n"...)
	b = append(append(b, bodyOpen...), c.user...)
	b = append(append(b, c.line.text...), number...)
	return append(b, bodyClose...)
}

// roster is all conversations of a run. They take turns, so that each rests as long as possible.
type roster struct {
	epoch time.Time
	all   []*conversation
	next  atomic.Int64
}

// needed is how many conversations a rate needs.
func needed(mps float64) int { return int(mps*pairRest.Seconds()) + 1 }

// newRoster pairs users and numbers to at least n conversations, the same number for each user.
func newRoster(epoch time.Time, senders []*sender, users []string, n int) (*roster, error) {
	each := (n + len(users) - 1) / len(users)
	if each > len(senders) {
		return nil, fmt.Errorf("%d users and %d numbers make %d conversations; the pair rate limit asks for %d: give more --users or --numbers",
			len(users), len(senders), len(users)*len(senders), n)
	}
	r := &roster{epoch: epoch, all: make([]*conversation, 0, each*len(users))}
	for j := range each {
		for i, u := range users {
			r.all = append(r.all, &conversation{line: senders[(i+j)%len(senders)], user: u})
		}
	}
	return r, nil
}

// take is the conversation whose turn it is, and how long it still has to rest.
func (r *roster) take(now time.Time) (c *conversation, rest time.Duration) {
	c = r.all[(r.next.Add(1)-1)%int64(len(r.all))]
	at := now.Sub(r.epoch).Nanoseconds() + 1
	if last := c.last.Load(); last != 0 {
		rest = max(0, pairRest-time.Duration(at-last))
	}
	c.last.Store(at + rest.Nanoseconds())
	return c, rest
}
