package device

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// Bounds of sending.
const (
	maxOutbox   = 1000 // unanswered messages
	maxInFlight = 40   // of them on their way at once: below frame.SendBurst
	maxTries    = 3    // encryptions after the first one; source: design "The user network", section 12
	pauseMin    = time.Second
	pauseMax    = time.Minute
)

// outgoing is a message that the platform has not answered yet.
type outgoing struct {
	m     *Message
	kind  signal.Kind
	ct    []byte // nil while it waits for a session
	gen   uint32 // of the chat, when it was encrypted
	tries int    // encryptions after the first one
	busy  int    // refusals for the moment, in a row
	at    time.Time
	r     uint64 // request number while it is in flight

	unsaved bool
}

type outgoingRecord struct {
	N     uint64      `json:"n"`
	Kind  signal.Kind `json:"k,omitempty"`
	Ct    []byte      `json:"ct,omitempty"`
	Gen   uint32      `json:"gen,omitempty"`
	Tries int         `json:"tries,omitempty"`
}

func (o *outgoing) record() outgoingRecord {
	return outgoingRecord{o.m.N, o.kind, o.ct, o.gen, o.tries}
}

func (r *outgoingRecord) outgoing() *outgoing {
	return &outgoing{kind: r.Kind, ct: r.Ct, gen: r.Gen, tries: r.Tries}
}

// Send encrypts a message for a business number and returns it as it stands in the chat, [Pending]. content has the shape
// of the send API: {"type":"text","text":{"body":"…"},"context":{"id":"…"}}. Offline, and before the business's keys are
// known, it waits; order within a chat is kept. Errors: [ErrContent], [ErrBlocked], [ErrQueue], [ErrBroken], [ErrGone].
func (d *Device) Send(to string, content []byte) (Message, Effects, error) {
	if err := d.ready(); err != nil {
		return Message{}, Effects{}, err
	}
	switch {
	case d.me.Gone:
		return Message{}, Effects{}, ErrGone
	case len(d.outbox) >= maxOutbox:
		return Message{}, Effects{}, ErrQueue
	case !isNumber(to):
		return Message{}, Effects{}, fmt.Errorf("%q is no number: %w", to, ErrContent)
	}
	if c := d.chat(to); c != nil && c.blocked {
		return Message{}, Effects{}, ErrBlocked
	}
	now := d.now()
	raw, typ, context, err := buildOutbound(content, now.Unix())
	if err != nil {
		return Message{}, Effects{}, err
	}
	id, err := d.randomID()
	if err != nil {
		return Message{}, Effects{}, err
	}
	if err := d.allowed(to, typ, raw); err != nil {
		return Message{}, Effects{}, err
	}
	m := &Message{
		ClientID: id, Chat: to, Direction: Out, Type: typ, Raw: raw, Time: now.Unix(), Status: Pending, Context: context,
	}
	c := d.makeChat(to)
	d.add(m)
	d.affect(m)
	d.outbox = append(d.outbox, &outgoing{m: m})
	d.touchOutgoing(d.outbox[len(d.outbox)-1])
	d.eff.tell(Event{Kind: EventMessage, Chat: to, Message: m})
	if err := d.encrypt(c); err != nil {
		_, err = d.spoil(err)
		return Message{}, Effects{}, err
	}
	d.flush()
	eff, err := d.finish()
	return *m, eff, err
}

// encrypt turns the waiting messages of a chat into ciphertexts, oldest first, if there is a session.
func (d *Device) encrypt(c *chat) error {
	if !c.session.Ready() {
		return nil
	}
	for _, o := range d.outbox {
		if o.m.Chat != c.waID || o.ct != nil {
			continue
		}
		kind, wire, err := c.session.Encrypt(d.o.Rand, pad(slices.Clone(o.m.Raw)))
		if err != nil {
			return fmt.Errorf("encrypt: %w", err)
		}
		o.kind, o.ct, o.gen = kind, wire, c.gen
		d.touchOutgoing(o)
		d.touchSession(c)
	}
	return nil
}

// waiting calls f for the first message of every chat that could be sent next, oldest first. f reports whether the chat has
// to wait there; else the one behind it follows. Nothing is called for while as many as allowed are in flight.
func (d *Device) waiting(f func(o *outgoing) (wait bool)) {
	free := maxInFlight
	for _, o := range d.outbox {
		if o.r != 0 {
			free--
		}
	}
	var held []string
	for _, o := range d.outbox {
		if free <= 0 {
			return
		}
		if o.r != 0 || slices.Contains(held, o.m.Chat) {
			continue
		}
		if f(o) {
			held = append(held, o.m.Chat)
		} else {
			free--
		}
	}
}

// flush sends what may be sent now: in order within a chat, nothing behind a message that has to wait.
func (d *Device) flush() {
	if !d.conn.online {
		return
	}
	now := d.now()
	d.waiting(func(o *outgoing) bool {
		switch {
		case o.ct == nil:
			d.fetchBundle(d.chat(o.m.Chat))
			return true
		case now.Before(o.at):
			return true
		}
		o.r = d.ask(askSend, o.m.ClientID)
		d.eff.send(&frame.Send{
			R: o.r, ID: o.m.ClientID, To: o.m.Chat, K: frame.Kind(o.kind), Ct: o.ct, TS: o.m.Time,
		})
		return false
	})
}

// sent takes the platform's word that a message is recorded.
func (d *Device) sent(f *frame.Sent) {
	i := slices.IndexFunc(d.outbox, func(o *outgoing) bool { return o.m.ClientID == f.ID })
	if i < 0 {
		return
	}
	o := d.outbox[i]
	if c := d.chat(o.m.Chat); c != nil && o.gen == c.gen && !c.session.Confirmed() {
		// The platform holds the session in which this was encrypted: stop repeating the key agreement.
		c.session.Confirm()
		d.touchSession(c)
	}
	o.m.ID, o.m.Status = f.Wamid, Sent
	if f.TS > 0 {
		o.m.Time = f.TS
	}
	d.settle(i)
	d.flush()
}

// settle takes an answered message out of the outbox.
func (d *Device) settle(i int) {
	o := d.outbox[i]
	d.outbox = slices.Delete(d.outbox, i, i+1)
	d.forget(o)
	d.changed(o.m)
}

// refused takes a refusal of a message.
func (d *Device) refused(id string, e *frame.Error) error {
	i := slices.IndexFunc(d.outbox, func(o *outgoing) bool { return o.m.ClientID == id })
	if i < 0 {
		return nil
	}
	o := d.outbox[i]
	o.r = 0
	c := d.chat(o.m.Chat)
	switch e.Code {
	case frame.ErrBusy, frame.ErrRate:
		o.at = d.now().Add(pause(e.After, o.busy))
		o.busy++
	case frame.ErrStaleKey, frame.ErrUndecryptable:
		if o.tries >= maxTries {
			d.fail(i, e.Code)
			break
		}
		o.tries++
		o.ct = nil
		d.touchOutgoing(o)
		if o.gen == c.gen && c.session.Ready() {
			// Later refusals of the same session find another generation, or nothing to put aside.
			c.session.Archive()
			c.gen++
			d.touchSession(c)
		}
		if err := d.encrypt(c); err != nil {
			return err
		}
	default:
		d.fail(i, e.Code)
	}
	d.flush()
	return nil
}

func (d *Device) fail(i int, code frame.Code) {
	d.outbox[i].m.Status, d.outbox[i].m.Error = Failed, code
	d.settle(i)
}

// Resend sends a failed message again, as a new one at the end of its chat.
func (d *Device) Resend(clientID string) (Message, Effects, error) {
	m, ok := d.Message(clientID)
	if !ok || m.Direction != Out || m.Status != Failed {
		return Message{}, Effects{}, ErrUnknown
	}
	return d.Send(m.Chat, m.Raw)
}

// ---- bundles ----

// fetchBundle asks for the keys of a business number, once at a time.
func (d *Device) fetchBundle(c *chat) {
	if c == nil || c.asked != 0 || d.now().UnixMilli() < c.askAt {
		return
	}
	c.asked = d.ask(askBundle, c.waID)
	d.eff.send(&frame.BundleRequest{R: c.asked, Of: c.waID})
}

// bundle starts a session with the keys of a business number.
func (d *Device) bundle(f *frame.Bundle) error {
	c := d.chat(f.Of)
	if c == nil || c.asked == 0 || c.asked != f.R {
		return nil
	}
	c.asked, c.busy = 0, 0
	if c.session.Ready() && !c.fetch {
		return d.encryptAndFlush(c) // the business wrote meanwhile: its session serves
	}
	b, err := bundleOf(f)
	if err == nil {
		var s *signal.Session
		if s, err = signal.Initiate(d.o.Rand, signal.Suite{MaxJump: signal.MaxJumpDevice}, d.local(), b); err == nil {
			s.Inherit(c.session)
			c.session, c.fetch = s, false
			c.gen++
			d.touchSession(c)
			d.trust(c, b.IdentityKey)
			return d.encryptAndFlush(c)
		}
	}
	// Keys whose signatures do not verify: nothing may be sent to them.
	d.failChat(c, frame.ErrBadSignature)
	return nil
}

func (d *Device) encryptAndFlush(c *chat) error {
	if err := d.encrypt(c); err != nil {
		return err
	}
	d.flush()
	return nil
}

// bundleRefused takes a refusal of a bundle request.
func (d *Device) bundleRefused(waID string, e *frame.Error) {
	c := d.chat(waID)
	if c == nil {
		return
	}
	c.asked = 0
	if e.Code == frame.ErrBusy || e.Code == frame.ErrRate {
		c.askAt = d.now().Add(pause(e.After, c.busy)).UnixMilli()
		c.busy++
		return
	}
	c.fetch = false
	d.touchChat(c)
	d.failChat(c, e.Code)
}

// failChat gives up on the messages that wait for a session.
func (d *Device) failChat(c *chat, code frame.Code) {
	for i := 0; i < len(d.outbox); {
		if o := d.outbox[i]; o.m.Chat == c.waID && o.ct == nil {
			d.fail(i, code)
			continue
		}
		i++
	}
}

func bundleOf(f *frame.Bundle) (*signal.Bundle, error) {
	identity, err := signal.ParsePublicKey(f.IdentityKey)
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	signed, err := signal.ParsePublicKey(f.SignedPreKey.Key)
	if err != nil {
		return nil, fmt.Errorf("signed prekey: %w", err)
	}
	b := &signal.Bundle{
		IdentityKey: identity, RegistrationID: f.RegistrationID,
		SignedPreKey: signal.SignedPreKey{ID: f.SignedPreKey.ID, Key: signed, Sig: f.SignedPreKey.Sig},
	}
	if k := f.KEMPreKey; k != nil {
		b.KEMPreKey = signal.KEMPreKey{ID: k.ID, Key: k.Key, Sig: k.Sig}
	}
	if k := f.OneTimePreKey; k != nil {
		pub, err := signal.ParsePublicKey(k.Key)
		if err != nil {
			return nil, fmt.Errorf("one-time prekey: %w", err)
		}
		b.OneTimePreKey = &signal.OneTimePreKey{ID: k.ID, Key: pub}
	}
	return b, nil
}

// pause is how long to wait before another try: what the platform says, else doubling from pauseMin.
func pause(after int64, tries int) time.Duration {
	if after > 0 {
		return time.Duration(min(after, int64(math.MaxInt32))) * time.Millisecond
	}
	return min(pauseMin<<min(tries, 10), pauseMax)
}

// isNumber reports whether s can be a wa_id.
func isNumber(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
