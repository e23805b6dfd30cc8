package pipeline

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Arrivals takes over the files of users' messages.
type Arrivals interface {
	// Arrive fetches, checks and stores a file that a device sent to a number and returns the members that describe it. They
	// are nil when there is no usable file; an error means that it may be tried again. It ends with ctx.
	Arrive(ctx context.Context, from wa.DeviceID, to *business.Number, f *message.File) (members []byte, err error)
}

// file reports whether a decrypted message has a file that must be taken over before the message is recorded. Then it is put
// aside, and further messages of the device wait behind it. If the process dies meanwhile, the device sends the message
// again; should the session have been stored by then, with another message, it encrypts it anew.
func (c *receive) file(l *lane, p *peer, t *thread, in message.Inbound, used *uint32) (aside bool) {
	if l.p.o.Arrivals == nil {
		return false
	}
	files := message.FilesOf(in.Body)
	if len(files) == 0 {
		return false
	}
	taken := l.takeOver(c.n.WABA, func(ctx context.Context) command {
		described := make([][]byte, len(files))
		var err error
		for i := range files {
			if described[i], err = l.p.o.Arrivals.Arrive(ctx, c.in.Device, c.n, &files[i]); err != nil {
				break
			}
		}
		if err == nil {
			in.Body = message.ReplaceFiles(in.Body, files, described)
		}
		return &arrived{c, p, t, &taken{in, used}, err}
	})
	if !taken {
		l.p.counts.RefusedBusy.Add(1)
		l.keepSpent(c, t, in, used)
		c.refuse(nil)
		return true
	}
	p.held++
	t.reading, c.on = true, t
	return true
}

// arrived ends the taking over of a file. While it lasted, the business may have blocked the user, or the user may have
// another phone.
type arrived struct {
	c     *receive
	p     *peer
	t     *thread
	taken *taken
	err   error
}

func (a *arrived) refuse(error) { a.c.refuse(nil) }

func (a *arrived) run(l *lane) {
	a.p.held--
	a.t.reading = false
	waiting := a.t.inbox
	a.t.inbox = nil
	l.parked -= len(waiting)
	if a.err != nil {
		l.logger.Warn("take over a user's file", "number_id", string(a.c.n.ID), "err", a.err)
		l.keepSpent(a.c, a.t, a.taken.in, a.taken.used)
		a.c.refuse(nil)
	} else {
		a.c.taken = a.taken
		a.c.run(l)
	}
	for _, c := range waiting {
		l.decide(c)
	}
}
