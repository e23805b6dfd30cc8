package pipeline

import (
	"context"
	"errors"
	"slices"

	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxGreetings is how often a first contact is tried, with retryPause between, before what waits for it fails.
const maxGreetings = 10

// maxGreeting bounds the messages of a lane that wait for a first contact, as a multiple of the queue: then sends are
// refused. A campaign to people whom the number never wrote to would pile up without end.
const maxGreeting = 4

// sender is a command that sends a message and may have to wait for a first contact.
type sender interface {
	command
	fail(row *wa.Error) // from now on, run ends the message with row
}

// contact starts first contacts with the devices that have no session and puts c aside until they are done; only names the
// one device that matters, or none for all. Messages behind c wait with it, so that the order of a conversation is kept.
func (l *lane) contact(p *peer, c sender, only wa.DeviceID) (wait bool) {
	for _, t := range p.threads {
		if only != "" && t.device.ID != only || t.session.Ready() && len(t.queue) == 0 {
			continue
		}
		if !wait {
			wait = true
			l.busy.Add(1)
			l.greeting++
			t.queue = append(t.queue, c)
		}
		l.greet(p, t)
	}
	return wait
}

// greet fetches the device's prekeys and makes a session, beside the lane.
func (l *lane) greet(p *peer, t *thread) {
	if t.asked {
		return
	}
	t.asked = true
	p.held++
	device, identity := t.device, p.keys.identity
	l.job(func(ctx context.Context) command {
		b, err := l.p.o.Directory.Bundle(ctx, device.ID)
		if err != nil {
			return &greeted{p, t, nil, err, true}
		}
		if b == nil {
			return &greeted{p, t, nil, errNoBundle, false}
		}
		if b.IdentityKey != device.Identity || b.RegistrationID != device.RegistrationID {
			return &greeted{p, t, nil, errKeysMoved, true}
		}
		s, err := signal.Initiate(l.p.o.Rand, signal.Suite{}, identity, b)
		return &greeted{p, t, s, err, false}
	})
}

var (
	errNoBundle  = errors.New("the device has no prekeys")
	errKeysMoved = errors.New("the device registered again")
)

type greeted struct {
	p     *peer
	t     *thread
	s     *signal.Session
	err   error
	again bool // the failure may pass
}

func (c *greeted) run(l *lane) {
	p, t := c.p, c.t
	if c.err != nil && c.again && t.tries+1 < maxGreetings && slices.Contains(p.threads, t) {
		l.logger.Warn("first contact", "number_id", string(p.key.Number), "err", c.err)
		// The lane's picture of the user may be old. The thread stays asked meanwhile, so that its queue keeps its order.
		t.tries++
		p.stale = true
		l.busy.Add(1)
		l.retryLater(&regreet{p, t})
		return
	}
	p.held--
	t.asked, t.tries = false, 0
	queue := t.queue
	t.queue = nil
	l.greeting -= len(queue)
	if c.err == nil && !t.session.Ready() {
		c.s.Inherit(t.session)
		t.session, t.since = c.s, 0
	} // else the device may have begun a session of its own meanwhile: then that one is used
	if c.err != nil && len(queue) > 0 {
		l.logger.Warn("first contact failed", "number_id", string(p.key.Number), "messages", len(queue), "err", c.err)
	}
	for _, w := range queue {
		if s, ok := w.(sender); ok && c.err != nil {
			s.fail(wa.ErrUndeliverable)
		}
		l.decide(w)
	}
}

// regreet tries a first contact again. Until the pair is known anew the queue stays where it is: what was parked meanwhile
// comes behind it.
type regreet struct {
	p *peer
	t *thread
}

func (c *regreet) run(l *lane) {
	waits := len(c.t.queue) > 0 && slices.Contains(c.p.threads, c.t)
	if waits && !c.p.ready() {
		l.park(c.p, c)
		return
	}
	c.p.held--
	c.t.asked = false
	if waits {
		l.greet(c.p, c.t)
	}
}
