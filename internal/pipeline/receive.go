package pipeline

import (
	"context"
	"errors"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Refusals of a device's message. The names follow design "The user network", section 12.
var (
	ErrNoBusiness    = errors.New("no such business number")
	ErrBlocked       = errors.New("the business blocked this user")
	ErrStaleKey      = errors.New("message names a prekey that no longer exists")
	ErrUndecryptable = errors.New("message does not decrypt")
	ErrBusy          = errors.New("not stored; try again with the same id")
)

// Incoming is an encrypted message of a device to a business number.
type Incoming struct {
	Device   wa.DeviceID
	To       wa.WaID
	ClientID string // the device's own id; a repeat of it is answered from the record
	PreKey   bool
	Cipher   []byte
	// Done is called exactly once, from any goroutine, and must not block: after the message is durable, or with one of
	// the errors above.
	Done func(id wa.MessageID, at int64, err error)
}

// Receive takes a device's message. Inbound messages are never refused for throughput; they use it up.
// Source: spec/limits.md section 1.1.
func (p *Pipeline) Receive(in *Incoming) {
	n, ok := p.o.Numbers.NumberByWaID(in.To)
	if !ok || !n.Registered {
		in.Done("", 0, ErrNoBusiness)
		return
	}
	if !p.laneOf(n.ID).offer(&receive{in: in, n: n}) {
		in.Done("", 0, ErrBusy)
	}
}

type clientKey struct {
	device wa.DeviceID
	id     string
}

// inbound remembers an answered message of a device, so that a repeat gets the same answer.
type inbound struct {
	pin
	id    wa.MessageID
	at    int64
	safe  bool                                         // durable
	again []func(id wa.MessageID, at int64, err error) // repeats that came before it was durable
}

type receive struct {
	in      *Incoming
	n       *business.Number
	oneTime *oneTimeKey // fetched for a first message
	fetched bool
	seen    *inbound
	l       *lane
}

func (c *receive) refuse(error) { c.in.Done("", 0, ErrBusy) }

func (c *receive) run(l *lane) {
	key := clientKey{c.in.Device, c.in.ClientID}
	if seen, ok := l.recent.get(key); ok {
		if seen.safe {
			c.in.Done(seen.id, seen.at, nil)
		} else {
			seen.again = append(seen.again, c.in.Done)
		}
		return
	}
	p := l.peer(PeerKey{c.n.ID, c.in.Device.User()})
	if !p.ready() {
		l.park(p, c)
		return
	}
	t := p.thread(c.in.Device)
	if t == nil || p.keys == nil {
		c.in.Done("", 0, ErrNoBusiness)
		return
	}
	if p.blockedByBusiness {
		c.in.Done("", 0, ErrBlocked)
		return
	}
	if c.in.PreKey && !c.fetched {
		if info, err := signal.ParsePreKeyInfo(c.in.Cipher); err != nil || info.Identity != t.device.Identity {
			c.in.Done("", 0, ErrUndecryptable)
			return
		} else if info.OneTimePreKeyID != nil {
			c.fetch(l, p, *info.OneTimePreKeyID)
			return
		}
	}
	plain, s, used, err := signal.Receive(l.p.o.Rand, signal.Suite{}, p.keys.identity, p.keys.with(c.oneTime), t.session,
		c.kind(), c.in.Cipher)
	if err != nil {
		c.unreadable(l, p, err)
		return
	}
	t.session = s
	c.record(l, p, t, plain, used)
}

func (c *receive) kind() signal.Kind {
	if c.in.PreKey {
		return signal.Pre
	}
	return signal.Msg
}

// fetch reads the one-time prekey that a first message names. It is deleted only with the record of the message.
func (c *receive) fetch(l *lane, p *peer, id uint32) {
	p.held++
	l.job(func(ctx context.Context) command {
		k, err := l.p.keys.oneTime(ctx, c.n.ID, id)
		return &oneTimeFetched{c, p, k, err}
	})
}

type oneTimeFetched struct {
	c   *receive
	p   *peer
	key *oneTimeKey
	err error
}

func (f *oneTimeFetched) refuse(error) { f.c.in.Done("", 0, ErrBusy) }

func (f *oneTimeFetched) run(l *lane) {
	f.p.held--
	if f.err != nil {
		f.c.in.Done("", 0, ErrBusy)
		return
	}
	f.c.fetched, f.c.oneTime = true, f.key
	f.c.run(l)
}

// unreadable answers a message that does not decrypt. A used message key means a repeat of a message that the lane's memory
// no longer holds: the store knows its answer.
func (c *receive) unreadable(l *lane, p *peer, cause error) {
	if !errors.Is(cause, signal.ErrDuplicate) && !errors.Is(cause, signal.ErrUnknownPreKey) {
		c.in.Done("", 0, ErrUndecryptable)
		return
	}
	p.held++
	l.job(func(ctx context.Context) command {
		m, err := l.p.o.Store.ByClientID(ctx, c.in.Device, c.in.ClientID)
		switch {
		case err != nil:
			c.in.Done("", 0, ErrBusy)
		case m != nil:
			c.in.Done(m.ID, m.AcceptedAt, nil)
		case errors.Is(cause, signal.ErrUnknownPreKey):
			c.in.Done("", 0, ErrStaleKey)
		default:
			c.in.Done("", 0, ErrUndecryptable)
		}
		return unhold{&p.pin}
	})
}

type unhold struct{ p *pin }

func (c unhold) run(*lane) { c.p.held-- }

// record writes a decrypted message with the session state after it. The device hears "sent" only when both are durable;
// if the process dies before, the device sends the same ciphertext again to the older state.
func (c *receive) record(l *lane, p *peer, t *thread, plain []byte, used *uint32) {
	now := l.now()
	in := message.ParseInbound(plain)
	r := &record.Received{
		ID: l.newID(p.key.User, false), Number: c.n.ID, WABA: c.n.WABA, From: p.key.User, At: now,
		Device: c.in.Device, ClientID: c.in.ClientID, Type: in.Type, Body: in.Body,
	}
	if p.user != nil {
		r.Profile = p.user.Name
		if c.n.IdentityCheck {
			r.IdentityHash = p.user.IdentityHash
		}
	}
	if used != nil {
		r.OneTime = *used
	}
	var err error
	if r.SealedBody, err = l.p.o.Vault.SealContent(bodyAD(r.ID), r.Body); err == nil {
		r.Session, err = l.sealSession(c.n.ID, t)
	}
	if err != nil {
		// The message key is spent in memory: forget the session, so that the stored one reads the repeat.
		l.logger.Error("seal received message", "number_id", string(c.n.ID), "err", err)
		t.session, p.stale = nil, true
		p.loaded = false
		c.in.Done("", 0, ErrBusy)
		return
	}
	l.number(c.n.ID).window.Push(now, c.n.Limit())
	p.lastInbound = now
	c.seen, c.l = &inbound{id: r.ID, at: now}, l
	l.recent.put(clientKey{c.in.Device, c.in.ClientID}, c.seen)
	l.out.write(r, len(r.SealedBody)+len(r.Session))
	l.out.touch(&p.pin)
	l.out.touch(&c.seen.pin)
	l.out.outcomes = append(l.out.outcomes, c)
	l.remember(&Message{
		ID: r.ID, Number: r.Number, WABA: r.WABA, User: r.From, State: StateReceived, Type: r.Type, AcceptedAt: now,
		Device: r.Device, ClientID: r.ClientID,
	})
	l.p.counts.Received.Add(1)
}

func (l *lane) remember(row *Message) {
	m := &letter{Message: *row, loaded: true}
	l.messages.put(row.ID, m)
	l.out.touch(&m.pin)
}

func (c *receive) durable() {
	c.in.Done(c.seen.id, c.seen.at, nil)
	c.l.tell(&answered{in: c.seen})
}

func (c *receive) lost(error) {
	c.in.Done("", 0, ErrBusy)
	c.l.tell(&answered{in: c.seen, err: ErrBusy})
}

// answered marks a message as safe and answers the repeats that came while it was not; the lane owns that list.
type answered struct {
	in  *inbound
	err error
}

func (c *answered) run(*lane) {
	c.in.safe = c.err == nil
	for _, done := range c.in.again {
		if c.err != nil {
			done("", 0, c.err)
		} else {
			done(c.in.id, c.in.at, nil)
		}
	}
	c.in.again = nil
}
