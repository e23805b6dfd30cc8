package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Linker fetches media by link. It bounds time, size and how much it does at once, and guards against internal addresses.
type Linker interface {
	// Link calls done once, at once or from another goroutine: with the members that describe the file for devices; with a
	// fault, the details of 131053; or with neither when it gave up because the platform stops. done does not block.
	Link(waba wa.WABAID, a *message.Attachment, done func(members []byte, fault string))
}

// Bounds of the messages that wait for a file, as multiples of the queue: those of a number, and those of all numbers of a
// lane. Beyond, sends that name a link are refused, and no others: one account's slow server is not the matter of its
// neighbours.
const (
	maxLinking     = 2
	maxLaneLinking = 16
)

// ---- the stored form ----

// pack is the content of a message as it is stored: its body and, behind a zero byte that no JSON holds, the attachments
// that were not known when it was accepted.
func pack(body []byte, files []message.Attachment) ([]byte, error) {
	if len(files) == 0 {
		return body, nil
	}
	list, err := json.Marshal(files)
	if err != nil {
		return nil, fmt.Errorf("encode attachments: %w", err)
	}
	out := make([]byte, 0, len(body)+1+len(list))
	return append(append(append(out, body...), 0), list...), nil
}

func unpack(content []byte) (body []byte, files []message.Attachment, err error) {
	body, list, found := bytes.Cut(content, []byte{0})
	if !found {
		return content, nil, nil
	}
	if err := json.Unmarshal(list, &files); err != nil {
		return nil, nil, fmt.Errorf("decode attachments: %w", err)
	}
	return body, files, nil
}

// errUnlinked says that a sent message is without its files: its record could not be sealed.
var errUnlinked = errors.New("the files of the message are not known any more")

// ---- the lane's step ----

// linked reports whether m's files are known, so that it can be sent. When they are not, they are fetched and c runs again;
// a message whose file cannot be used has failed then. Links that were being fetched when the process died are fetched
// again.
func (l *lane) linked(m *letter, p *peer, c *redeliver) (ready, failed bool) {
	if m.body == nil { // of before the start
		if _, err := l.bodyOf(m); err != nil {
			l.failLetter(m, p, wa.ErrDeviceFailed)
			return false, true
		}
	}
	if len(m.files) == 0 {
		return true, false
	}
	for i := range m.files {
		if f := m.files[i].Fault; f != "" {
			l.failLetter(m, p, wa.ErrMediaUpload.With(f))
			return false, true
		}
	}
	switch {
	case m.linking > 0: // asked again while it waits; the fetch ends in a command of its own
		c.settle(l)
	case l.p.o.Links == nil:
		l.failLetter(m, p, wa.ErrMediaUpload.With("This platform does not fetch media by link."))
		return false, true
	default:
		if c = c.or(m); l.linking <= maxLaneLinking*l.p.o.Queue {
			c.settle(l) // what else waits since before the start need not wait for a slow server, too
		}
		l.link(m, c)
	}
	return false, false
}

// overlinked reports whether a message of the number with these files has to wait until some of those before it are fetched.
func (l *lane) overlinked(id wa.PhoneNumberID, files []message.Attachment) bool {
	return slices.ContainsFunc(files, func(a message.Attachment) bool { return a.Link != "" }) &&
		(l.number(id).linking > maxLinking*l.p.o.Queue || l.linking > maxLaneLinking*l.p.o.Queue)
}

// link asks for every file of m.
func (l *lane) link(m *letter, c *redeliver) {
	m.linking = len(m.files)
	m.held++
	l.linking++
	l.number(m.Number).linking++
	era := l.era
	for i := range m.files {
		a := m.files[i]
		l.busy.Add(1)
		l.p.o.Links.Link(m.WABA, &a, func(members []byte, fault string) {
			l.tell(result{era, &found{c, m, a.N, bytes.Clone(members), fault}})
			l.busy.Add(-1)
		})
	}
}

// keepFilled lets the record of a sent message carry its body if files were written into it since it was accepted: should a
// device ask for it again, nothing is fetched anew.
func (l *lane) keepFilled(s *record.Status, m *letter) {
	if m.filled == 0 {
		return
	}
	sealed, err := l.p.o.Vault.SealContent(m.born(), bodyAD(m.ID), m.body)
	if err != nil {
		l.logger.Error("seal message", "wamid", string(m.ID), "err", err)
		return
	}
	s.SealedBody = sealed
}

// found ends the fetch of one file.
type found struct {
	c       *redeliver
	m       *letter
	n       int
	members []byte
	fault   string
}

func (f *found) run(l *lane) {
	m := f.m
	m.linking--
	if m.State == StateAccepted && m.body != nil {
		switch {
		case f.fault != "":
			m.files[0].Fault = f.fault
		case f.members != nil:
			m.body, _ = message.AppendFilled(make([]byte, 0, len(m.body)+len(f.members)), m.body, f.n, f.members)
			m.filled++
		}
	}
	if m.linking > 0 {
		return
	}
	m.held--
	l.linking--
	l.number(m.Number).linking--
	switch {
	case m.State == StateAccepted && m.filled < len(m.files) && m.files[0].Fault == "":
		return // the platform stops: the next start takes the message up
	case m.filled == len(m.files):
		m.files = nil
	}
	l.busy.Add(1)
	l.decide(f.c)
}
