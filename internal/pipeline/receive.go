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
	ErrBlocking      = errors.New("the user blocked this business: unblock it first")
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
	on      *thread  // what follows was done for; another device may have taken its place meanwhile
	fetched *fetched // what was read for a first message
	taken   *taken   // what it was decrypted to, its file being there
	seen    *inbound
	l       *lane
}

// taken is a message whose file was taken over.
type taken struct {
	in   message.Inbound
	used *uint32
}

// fetched is what the store knows about a first message: the key it names, and whether it is a repeat.
type fetched struct {
	keys    *numberKeys
	oneTime *oneTimeKey
	before  *Message // the same client id was received already
}

func (c *receive) refuse(error) { c.in.Done("", 0, ErrBusy) }

func (c *receive) run(l *lane) {
	if seen, ok := l.recent.get(clientKey{c.in.Device, c.in.ClientID}); ok {
		if seen.safe {
			c.in.Done(seen.id, seen.at, nil)
		} else {
			seen.again = append(seen.again, c.in.Done)
		}
		return
	}
	away := false
	if n, ok := l.p.o.Numbers.Number(c.n.ID); ok {
		if !n.Live() { // it was deleted while the message waited
			c.in.Done("", 0, ErrNoBusiness)
			return
		}
		away = l.p.o.Clock.Now().Before(n.MaintenanceUntil) // the device keeps the message and comes again
	}
	if c.taken == nil && (away || l.behind()) {
		l.p.counts.RefusedBusy.Add(1)
		c.refuse(nil)
		return
	}
	p := l.peer(PeerKey{c.n.ID, c.in.Device.User()})
	if !p.ready() {
		if c.taken != nil {
			l.keepSpent(c, c.on, c.taken.in, c.taken.used) // waiting may end in a refusal
		}
		l.park(p, c)
		return
	}
	t := p.thread(c.in.Device)
	switch {
	case t == nil:
		c.in.Done("", 0, ErrNoBusiness)
	case p.blockedByBusiness:
		c.in.Done("", 0, ErrBlocked)
	case p.blockedByUser: // a phone says so itself; a newly registered one does not know. Source: spec/quality.md section 9, QC5.
		c.in.Done("", 0, ErrBlocking)
	case c.on != nil && c.on != t: // what was decrypted, or found to be its key, is of a device that is no more
		c.in.Done("", 0, ErrUndecryptable)
	case c.taken != nil:
		c.record(l, p, t, c.taken.in, c.taken.used)
	case t.reading && c.fetched == nil:
		c.queue(l, t)
	default:
		if again, ok := l.takeSpent(c, t); ok {
			c.decrypted(l, p, t, again.in, again.used)
		} else if c.in.PreKey && c.fetched == nil {
			c.fetch(l, p, t)
		} else {
			c.open(l, p, t)
		}
	}
}

// decrypted records a message, once its file is taken over if it has one.
func (c *receive) decrypted(l *lane, p *peer, t *thread, in message.Inbound, used *uint32) {
	if !c.file(l, p, t, in, used) {
		c.record(l, p, t, in.WithoutFile(), used)
	}
}

// queue lets c wait behind a first message of the same device, so that the order of its messages is kept.
func (c *receive) queue(l *lane, t *thread) {
	if len(t.inbox) >= maxInbox {
		l.p.counts.RefusedBusy.Add(1)
		c.refuse(nil)
		return
	}
	if l.crowded(c) {
		return
	}
	l.busy.Add(1)
	l.parked++
	t.inbox = append(t.inbox, c)
}

func (c *receive) open(l *lane, p *peer, t *thread) {
	kind, keys, oneTime := signal.Msg, p.keys, (*oneTimeKey)(nil)
	if c.in.PreKey {
		kind, keys, oneTime = signal.Pre, c.fetched.keys, c.fetched.oneTime
	}
	plain, s, used, err := signal.Receive(l.p.o.Rand, signal.Suite{}, keys.identity, keys.with(oneTime), t.session,
		kind, c.in.Cipher)
	if err == nil {
		t.session = s
	}
	switch {
	case c.fetched != nil && c.fetched.before != nil:
		// The device encrypted a recorded message anew. The session it began for that is kept, for what it sends next.
		c.in.Done(c.fetched.before.ID, c.fetched.before.AcceptedAt, nil)
	case err != nil:
		c.unreadable(l, err)
	default:
		c.decrypted(l, p, t, message.ParseInbound(plain), used)
	}
}

// fetch reads what a first message needs: the keys it names, which may be newer than those in memory, and whether its
// client id is known, since a device that encrypts anew begins a session. The one-time prekey is deleted only with the
// record of the message.
func (c *receive) fetch(l *lane, p *peer, t *thread) {
	info, err := signal.ParsePreKeyInfo(c.in.Cipher)
	if err != nil || info.Identity != t.device.Identity {
		c.in.Done("", 0, ErrUndecryptable)
		return
	}
	p.held++
	t.reading, c.on = true, t
	l.job(func(ctx context.Context) command {
		f := &fetched{}
		keys, err := l.p.keys.number(ctx, c.n.ID)
		if f.keys = keys; err == nil && info.OneTimePreKeyID != nil {
			f.oneTime, err = l.p.keys.oneTime(ctx, c.n.ID, *info.OneTimePreKeyID)
		}
		if err == nil {
			f.before, err = l.p.o.Store.ByClientID(ctx, c.in.Device, c.in.ClientID)
		}
		return &firstRead{c, p, t, f, err}
	})
}

type firstRead struct {
	c   *receive
	p   *peer
	t   *thread
	f   *fetched
	err error
}

func (f *firstRead) refuse(error) { f.c.refuse(nil) }

func (f *firstRead) run(l *lane) {
	f.p.held--
	f.t.reading = false
	waiting := f.t.inbox
	f.t.inbox = nil
	l.parked -= len(waiting)
	if f.err != nil {
		l.logger.Warn("read prekeys", "number_id", string(f.c.n.ID), "err", f.err)
		f.c.refuse(nil)
	} else {
		f.c.fetched = f.f
		f.c.run(l)
	}
	for _, c := range waiting {
		l.decide(c)
	}
}

// unreadable answers a message that does not decrypt. It may be a repeat of a message that the lane's memory no longer
// holds: the store knows its answer.
func (c *receive) unreadable(l *lane, cause error) {
	refusal := ErrUndecryptable
	if errors.Is(cause, signal.ErrUnknownPreKey) {
		refusal = ErrStaleKey
	}
	if c.fetched != nil {
		c.in.Done("", 0, refusal)
		return
	}
	l.job(func(ctx context.Context) command {
		m, err := l.p.o.Store.ByClientID(ctx, c.in.Device, c.in.ClientID)
		switch {
		case err != nil:
			c.in.Done("", 0, ErrBusy)
		case m != nil:
			c.in.Done(m.ID, m.AcceptedAt, nil)
		default:
			c.in.Done("", 0, refusal)
		}
		return nil
	})
}

// record writes a decrypted message with the session state after it. The device hears "sent" only when both are durable;
// if the process dies before, the device sends the same ciphertext again to the older state.
func (c *receive) record(l *lane, p *peer, t *thread, in message.Inbound, used *uint32) {
	now := l.now()
	r := &record.Received{
		ID: l.newID(p.key.User, false), Number: c.n.ID, WABA: c.n.WABA, From: p.key.User, At: now,
		Device: c.in.Device, ClientID: c.in.ClientID, Type: in.Type, Body: in.Body, Profile: p.user.Name,
		Quoted: in.Quoted, Button: in.Button,
	}
	if c.n.IdentityCheck {
		r.IdentityHash = p.user.IdentityHash
	}
	if used != nil {
		r.OneTime = *used
	}
	var (
		err  error
		born int64
	)
	if r.Brief = c.n.NoStorage(); r.Brief {
		born = now
	}
	if r.SealedBody, err = l.p.o.Vault.SealContent(born, bodyAD(r.ID), r.Body); err == nil {
		r.Session, err = l.sealSession(c.n.ID, t)
	}
	if err != nil {
		// The message key is spent in memory, but not on disk where the repeat must find it.
		c.refuse(nil)
		l.startOver(err)
		return
	}
	l.number(c.n.ID).window.Push(now, c.n.Limit())
	p.lastInbound = now
	if r.IdentityHash != "" {
		l.identified(p, r.IdentityHash)
	}
	if in.Referral {
		p.standing.ReferralAt = now
		l.stand(p)
	}
	c.seen, c.l = &inbound{id: r.ID, at: now}, l
	l.recent.put(clientKey{c.in.Device, c.in.ClientID}, c.seen)
	l.dropSpent(clientKey{c.in.Device, c.in.ClientID})
	l.out.write(r, len(r.SealedBody)+len(r.Session)+128)
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

// refuse is called instead of run when the lane has stopped or forgotten the message: the repeats are answered all the same.
func (c *answered) refuse(error) { c.run(nil) }

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
