package pipeline

import (
	"context"
	"errors"
	"slices"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Moved says where a user went.
type Moved struct {
	To   wa.WaID
	Name string // the user's profile name
}

// Acquaint lets every business number that knows the user hear of a new identity, when it checks those, and with moved of
// another number: by a system message and of the new business-scoped id by user_id_update. It returns nil when all of that
// is durable; saying it again tells nothing twice. Errors: [wa.ErrUnavailable] when a lane refuses or has to start over,
// those of the store. Source: spec/webhooks.md sections 13.13 and 27.
func (p *Pipeline) Acquaint(ctx context.Context, user wa.WaID, moved *Moved) error {
	for i, l := range p.lanes { // who wrote a moment ago is known, too
		if err := p.proj[i].wait(ctx, l.log.Last()); err != nil {
			return err
		}
	}
	known, err := p.o.Store.Acquainted(ctx, user)
	if err != nil {
		return err
	}
	known = slices.DeleteFunc(known, func(id wa.PhoneNumberID) bool { // who is gone is told nothing; the keys may be gone, too
		n, ok := p.o.Numbers.Number(id)
		return !ok || !n.Live()
	})
	done := make(chan error, len(known))
	for _, number := range known {
		c := &meet{key: PeerKey{number, user}, moved: moved, done: done}
		if !p.laneOf(number).offer(c) {
			c.refuse(wa.ErrUnavailable.With(textBusy))
		}
	}
	for range known {
		select {
		case e := <-done:
			err = errors.Join(err, e)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return err
}

// meet loads a pair, which compares what the business knows of the user with what is so, and tells of a new number.
type meet struct {
	key   PeerKey
	moved *Moved
	done  chan<- error // has room
}

func (c *meet) refuse(err error) { c.done <- err }

func (c *meet) run(l *lane) {
	p := l.peer(c.key)
	if !p.ready() {
		l.park(p, c)
		return
	}
	if err := l.reveal(p, c.moved); err != nil {
		c.refuse(wa.ErrUnavailable.Because(err))
		return
	}
	l.after(&met{c.done}) // what was written when the pair was loaded may still be on its way
}

// reveal tells the business of the pair what it does not know of its user.
func (l *lane) reveal(p *peer, moved *Moved) error {
	if err := l.recognise(p); err != nil {
		return err
	}
	n, ok := l.p.o.Numbers.Number(p.key.Number)
	if moved == nil || !ok || p.standing.MovedTo == moved.To {
		return nil
	}
	return l.tellMoved(p, n, moved)
}

func (l *lane) tellMoved(p *peer, n *business.Number, to *Moved) error {
	a, after := l.arrival(n, p.key.User), l.userID(n.WABA, to.To)
	err := l.notice(&Notice{
		WABA: n.WABA, Number: n.ID, Field: fieldMessages, Value: message.AppendMoved(nil, a, to.Name, to.To, after),
	})
	if err == nil && after != "" {
		err = l.notice(&Notice{
			WABA: n.WABA, Number: n.ID, Field: fieldUserID, Value: message.AppendUserID(nil, a, to.Name, to.To, after),
		})
	}
	if err != nil {
		return err
	}
	p.standing.MovedTo = to.To
	l.stand(p)
	return nil
}

// met answers when what was decided before is durable. A lane that starts over refuses it.
type met struct{ done chan<- error }

func (c *met) refuse(err error) { c.done <- err }
func (c *met) run(*lane)        { c.done <- nil }
