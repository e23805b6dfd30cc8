package device

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// connection is what counts only until the connection ends.
type connection struct {
	online bool
	fresh  bool // nothing of the mailbox has come yet
	r      uint64
	asked  []asked
	token  string

	waiting int // items that were in the mailbox at Welcome and have not come, about
}

// asked is a request that the platform has not answered.
type asked struct {
	r    uint64
	what ask
	id   string // own id of the message, or wa_id of the business
}

type ask uint8

const (
	askSend ask = iota + 1
	askBundle
	askKeys
	askRequest
	askFind
)

// ask allots a request number.
func (d *Device) ask(what ask, id string) uint64 {
	d.conn.r++
	d.conn.asked = append(d.conn.asked, asked{d.conn.r, what, id})
	return d.conn.r
}

func (d *Device) answer(r uint64) (asked, bool) {
	i := slices.IndexFunc(d.conn.asked, func(a asked) bool { return a.r == r })
	if r == 0 || i < 0 {
		return asked{}, false
	}
	a := d.conn.asked[i]
	d.conn.asked = slices.Delete(d.conn.asked, i, i+1)
	return a, true
}

// Handle takes a frame of the platform. Frames of unknown types are ignored. Errors: [ErrHost], [ErrBroken].
func (d *Device) Handle(f frame.Frame) (Effects, error) {
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	if err := d.dispatch(f); err != nil {
		return d.spoil(err)
	}
	return d.finish()
}

// spoil ends a step that went wrong half-way. Nothing of it is stored; memory is ahead of the store.
func (d *Device) spoil(err error) (Effects, error) {
	d.eff = Effects{}
	if errors.Is(err, ErrHost) {
		return Effects{}, err // nothing had changed
	}
	d.broken = err
	return Effects{}, fmt.Errorf("%w: %w", ErrBroken, err)
}

func (d *Device) dispatch(f frame.Frame) error {
	switch f := f.(type) {
	case *frame.Deliver:
		return d.deliver(f)
	case *frame.Sent:
		d.answer(f.R)
		d.sent(f)
	case *frame.Hello:
		return d.hello(f)
	case *frame.Welcome:
		return d.welcome(f)
	case *frame.Bundle:
		d.answer(f.R)
		return d.bundle(f)
	case *frame.OK:
		return d.okay(f)
	case *frame.Low:
		if err := d.refill(f.OneTimeLeft); err != nil {
			return err
		}
		return d.keepKeys()
	case *frame.Error:
		return d.refusal(f)
	}
	return nil
}

// hello proves which device this is. The signature covers the host, so it is of no use to another server; a device that
// signed for any host would make it so.
func (d *Device) hello(f *frame.Hello) error {
	if d.o.Host != "" && !sameHost(d.o.Host, f.Host) {
		return fmt.Errorf("server is %q: %w", f.Host, ErrHost)
	}
	key := ed25519.NewKeyFromSeed(d.me.AuthSeed)
	id := d.ID()
	d.eff.send(&frame.Auth{
		Device: id, Sig: ed25519.Sign(key, frame.AuthMessage(f.Host, f.Nonce, id)), LastSeq: d.ResumeSeq(),
		Client: d.o.Client,
	})
	return nil
}

// sameHost compares with and without port: what a server calls itself may lack the port.
func sameHost(want, got string) bool {
	if strings.EqualFold(want, got) {
		return true
	}
	i := strings.LastIndexByte(want, ':')
	return i > 0 && strings.EqualFold(want[:i], got)
}

// ResumeSeq is the mailbox position that the device reports when it connects: everything up to it is stored, and no retry
// up to it may have been lost. It is below the last stored position while a retry is unconfirmed: if the platform has
// not heard it, it delivers the item again, and is told again.
func (d *Device) ResumeSeq() uint64 {
	seq := d.last
	for _, r := range d.retries {
		seq = min(seq, r.Seq-1)
	}
	return seq
}

func (d *Device) welcome(f *frame.Welcome) error {
	d.conn.token, d.conn.waiting = f.Token, max(f.Pending, 0)
	if f.LastSeq > d.last {
		d.last = f.LastSeq // the mailbox was emptied by a new registration
		d.dirty.position = true
	}
	d.confirmRetries(f.LastSeq + 1)
	if err := d.connected(); err != nil {
		return err
	}
	if err := d.refill(f.OneTimeLeft); err != nil {
		return err
	}
	return d.keepKeys()
}

// Connected is Welcome for links that need no greeting: from now on frames can be sent. A Welcome may follow.
func (d *Device) Connected() (Effects, error) {
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	if err := d.connected(); err != nil {
		return d.spoil(err)
	}
	return d.finish()
}

func (d *Device) connected() error {
	if d.conn.online {
		return nil
	}
	d.conn.online, d.conn.fresh = true, true
	d.eff.tell(Event{Kind: EventConnected})
	if seq := d.ResumeSeq(); seq > 0 {
		d.eff.send(&frame.Ack{Seq: seq}) // the last one may have been lost
	}
	d.repeatReceipts()
	for _, q := range d.requests {
		d.sendRequest(q)
	}
	for _, c := range d.chats {
		if c.fetch {
			d.fetchBundle(c)
		}
	}
	d.flush()
	return d.keepKeys()
}

// Disconnected says that the connection has ended. What was not answered is sent again on the next one.
func (d *Device) Disconnected() {
	d.conn = connection{}
	d.keys.upload = 0
	for _, o := range d.outbox {
		o.r = 0
	}
	for _, q := range d.requests {
		q.r = 0
	}
	for _, c := range d.chats {
		c.asked = 0
	}
}

func (d *Device) okay(f *frame.OK) error {
	a, ok := d.answer(f.R)
	if !ok {
		return nil
	}
	switch a.what {
	case askKeys:
		return d.uploadAnswered(f.R, f.OneTimeLeft, nil)
	case askRequest:
		d.requestAnswered(f.R, nil)
	case askFind:
		for _, b := range f.Found {
			if c := d.chat(b.WaID); c != nil && (c.name != b.Name || c.verified != b.Verified) {
				c.name, c.verified = b.Name, b.Verified
				d.touchChat(c)
			}
		}
		d.eff.tell(Event{Kind: EventFound, Found: f.Found})
	case askSend, askBundle: // answered by frames of their own
	}
	return nil
}

func (d *Device) refusal(f *frame.Error) error {
	if f.Code == frame.ErrGone {
		d.gone()
		return nil
	}
	a, ok := d.answer(f.R)
	if !ok {
		d.eff.tell(Event{Kind: EventRefused, Error: f})
		return nil
	}
	switch a.what {
	case askSend:
		return d.refused(a.id, f)
	case askBundle:
		d.bundleRefused(a.id, f)
	case askKeys:
		return d.uploadAnswered(f.R, nil, f)
	case askRequest:
		d.requestAnswered(f.R, f)
	case askFind:
		d.eff.tell(Event{Kind: EventRefused, Error: f})
	}
	return nil
}

// Removed says that the connection was closed because the platform has removed the device.
func (d *Device) Removed() (Effects, error) {
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	d.gone()
	return d.finish()
}

func (d *Device) gone() {
	if !d.me.Gone {
		d.me.Gone, d.dirty.account = true, true
		d.eff.tell(Event{Kind: EventGone})
	}
}

// Due is when [Device.Tick] has something to do next; the zero time when only frames or the user can change that.
func (d *Device) Due() time.Time {
	if !d.conn.online {
		return time.Time{}
	}
	due := d.keys.due()
	d.waiting(func(o *outgoing) bool {
		at := o.at
		if o.ct == nil {
			c := d.chat(o.m.Chat)
			if c == nil || c.asked != 0 {
				return true
			}
			at = time.UnixMilli(c.askAt)
		}
		due = earlier(due, at)
		return true
	})
	for _, q := range d.requests {
		if q.r == 0 && !q.at.IsZero() {
			due = earlier(due, q.at)
		}
	}
	return due
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// Tick does what has become due. It is harmless at any time.
func (d *Device) Tick() (Effects, error) {
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	if d.conn.online {
		now := d.now()
		for _, q := range d.requests {
			if q.r == 0 && !now.Before(q.at) {
				d.sendRequest(q)
			}
		}
		for _, c := range d.chats {
			if c.fetch {
				d.fetchBundle(c)
			}
		}
		d.flush()
		if err := d.keepKeys(); err != nil {
			return d.spoil(err)
		}
	}
	return d.finish()
}

// who is the business number that an item is about.
func who(it *frame.Item) string {
	if it.Ev != nil {
		return cmp.Or(it.From, it.Ev.Of)
	}
	return it.From
}
