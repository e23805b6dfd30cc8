package pipeline

import (
	"context"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	textBusy       = "The number has too many requests waiting. Try again."
	textTooLong    = "The message is too long."
	textRecovering = "The platform cannot write to its disk right now. Try again."
)

// Outgoing is a validated message of a business.
type Outgoing struct {
	Number   wa.PhoneNumberID
	To       wa.WaID
	Type     string
	Category string        // pricing category of a template, lower case; "service" for everything else
	Template wa.TemplateID // what it was made from; empty for none
	Life     time.Duration // until the message is dropped undelivered
	Body     []byte        // members of the device's plaintext, see message.Outbound

	Held bool // the template is being looked at: the message waits, see Gate.Pacing

	Opaque       string // biz_opaque_callback_data
	IdentityHash string // recipient_identity_key_hash
	PreviewURL   string // first link of a text that asks for a preview; empty for none

	// Attachments are those that were not known at gate 11: links, and files that cannot be used. Body holds placeholders
	// for them.
	Attachments []message.Attachment
}

// Accept makes m durable and returns its id. After a nil error the message survives a crash of the machine and will end in
// sent or failed; after any other error the caller must assume that it may still go out. Errors: [wa.ErrValue] for a body
// above message.MaxPlaintext, [wa.ErrNotRegistered], [wa.ErrMaintenance], [wa.ErrBlockedByBusiness], [wa.ErrPairRate],
// [wa.ErrThroughput], [wa.ErrUnavailable] when the lane's queue is full, the disk refuses or the pipeline stops. Source for
// the order of checks: spec/errors.md section 2, gates 12 to 15.
func (p *Pipeline) Accept(ctx context.Context, m *Outgoing) (wa.MessageID, error) {
	if len(m.Body) > message.MaxPlaintext {
		// It would fit neither into a frame of the journal nor through a device's connection.
		return "", wa.ErrValue.With(textTooLong)
	}
	l := p.laneOf(m.Number)
	c := &accept{m: m, done: make(chan answer, 1), ctx: ctx}
	if !l.offer(c) {
		p.counts.RefusedBusy.Add(1)
		return "", wa.ErrUnavailable.With(textBusy)
	}
	select {
	case a := <-c.done:
		return a.id, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

type answer struct {
	id  wa.MessageID
	err error
}

type accept struct {
	m    *Outgoing
	ctx  context.Context //nolint:containedctx // a command waits in a queue and must know that its caller has gone
	done chan answer
	id   wa.MessageID

	passed *Message // as the gate let it pass, see foresee; nil when it was not asked yet
}

func (c *accept) refuse(err error) { c.done <- answer{err: err} }
func (c *accept) durable()         { c.done <- answer{id: c.id} }
func (c *accept) lost(err error)   { c.refuse(wa.ErrUnavailable.With(textRecovering).Because(err)) }

func (c *accept) run(l *lane) {
	if c.ctx.Err() != nil {
		return // nobody waits for the answer, and nothing was promised
	}
	n, ok := l.p.o.Numbers.Number(c.m.Number)
	if err := usable(n, ok, l.p.o.Clock.Now()); err != nil {
		c.refuse(err)
		return
	}
	p := l.peer(PeerKey{c.m.Number, c.m.To})
	if !p.ready() {
		l.park(p, c)
		return
	}
	before := p.pair
	if err := l.admit(p, n, c); err != nil {
		c.refuse(err)
		return
	}
	m, err := l.take(p, n, c)
	if err != nil {
		p.pair = before
		l.forgo(c, n)
		c.refuse(err)
		return
	}
	c.id = m.ID
	l.out.outcomes = append(l.out.outcomes, c)
	l.out.accepted = append(l.out.accepted, m)
	l.p.counts.Accepted.Add(1)
}

func usable(n *business.Number, known bool, now time.Time) error {
	switch {
	case !known:
		return wa.ErrNumberDeleted
	case now.Before(n.MaintenanceUntil):
		return wa.ErrMaintenance
	case !n.Registered:
		return wa.ErrNotRegistered
	}
	return nil
}

// admit applies the gates that need the lane's memory. A refusal changes nothing.
func (l *lane) admit(p *peer, n *business.Number, c *accept) error {
	if p.blockedByBusiness {
		return wa.ErrBlockedByBusiness
	}
	if l.behind() || l.overlinked(n.ID, c.m.Attachments) || l.greeting > maxGreeting*l.p.o.Queue {
		l.p.counts.RefusedBusy.Add(1)
		return wa.ErrUnavailable.With(textBusy)
	}
	now := l.now()
	next, wait := limits.Pair.Next(p.pair, now)
	if wait > 0 {
		p.pair = next // the same, but for a clock that was set back
		l.p.counts.RefusedPair.Add(1)
		return wa.ErrPairRate.Retry(wait.Seconds())
	}
	window := l.number(n.ID).window
	if wait := window.Wait(now, n.Limit()); wait > 0 {
		l.p.counts.RefusedThroughput.Add(1)
		return wa.ErrThroughput.Retry(float64(wait) / 1000)
	}
	if row := l.foresee(p, n, c, now); row != nil {
		return row
	}
	window.Push(now, n.Limit())
	p.pair = next
	return nil
}

// take turns an admitted message into a record. If the process dies before the frame is durable, the caller was told
// nothing and the limits forget the message with everything else.
func (l *lane) take(p *peer, n *business.Number, c *accept) (*letter, error) {
	now, m := l.now(), c.m
	e := &letter{body: m.Body, opaque: m.Opaque, preview: m.PreviewURL, files: m.Attachments, loaded: true, pace: paceGoes}
	e.Message = Message{
		ID: l.newID(m.To, true), Number: m.Number, WABA: n.WABA, User: m.To, State: StateAccepted,
		Type: m.Type, Category: m.Category, Template: m.Template, IdentityHash: m.IdentityHash,
		AcceptedAt: now, Expires: now + m.Life.Milliseconds(),
	}
	if n.NoStorage() {
		e.brief, e.Expires = true, now+min(m.Life, business.BriefLife).Milliseconds()
	}
	if c.passed != nil {
		e.Outside, e.Entry, e.class, e.admitted = c.passed.Outside, c.passed.Entry, e.Category, true
	}
	r := &record.Accepted{
		ID: e.ID, Number: e.Number, WABA: e.WABA, To: e.User, At: now, Expires: e.Expires,
		Type: e.Type, Category: e.Category, Template: e.Template, IdentityHash: e.IdentityHash,
		PairStart: p.pair.Start, PairCount: uint32(p.pair.Sent),
		Body: m.Body, Opaque: m.Opaque,
	}
	content, err := pack(m.Body, m.Attachments)
	if err == nil {
		r.SealedBody, err = l.p.o.Vault.SealContent(e.born(), bodyAD(e.ID), content)
	}
	if err != nil {
		return nil, wa.ErrUnknownSend.Because(err)
	}
	if m.Held {
		e.pace, e.Content = paceHeld, r.SealedBody
	}
	if m.Opaque != "" || e.brief { // that of a brief message is sealed even when it is empty: see isBrief
		if r.SealedOpaque, err = l.p.o.Vault.SealContent(e.born(), opaqueAD(e.ID), []byte(m.Opaque)); err != nil {
			return nil, wa.ErrUnknownSend.Because(err)
		}
		e.Opaque = r.SealedOpaque
	}
	l.out.write(r, len(r.SealedBody)+len(r.SealedOpaque)+128)
	l.out.touch(&p.pin)
	l.out.touch(&e.pin)
	l.messages.put(e.ID, e)
	return e, nil
}

func bodyAD(id wa.MessageID) []byte { return []byte("message/" + string(id) + "/body") }

// ItemAD binds the ciphertext of a number without storage to its place in a mailbox: in the journal and the store it is sealed
// once more, as content is.
func ItemAD(device wa.DeviceID, seq uint64) []byte {
	return strconv.AppendUint(append([]byte("mailbox/"), device+"/"...), seq, 10)
}

func opaqueAD(id wa.MessageID) []byte { return []byte("message/" + string(id) + "/opaque") }
