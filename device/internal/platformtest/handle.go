package platformtest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// Handle takes a frame of a device and returns the answers.
func (p *Platform) Handle(device string, f frame.Frame) []frame.Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[device]
	if e := f.Check(); e != nil {
		return []frame.Frame{e}
	}
	if p.Refuse != nil {
		if e := p.Refuse(f); e != nil {
			return []frame.Frame{e}
		}
	}
	switch f := f.(type) {
	case *frame.Ack:
		d.ack(f)
	case *frame.Receipt:
		for _, id := range f.IDs {
			d.status(id, string(f.State))
		}
	case *frame.Retry:
		d.retry(f)
	case *frame.Send:
		return []frame.Frame{d.send(f)}
	case *frame.BundleRequest:
		if f.Of != p.Number {
			return []frame.Frame{frame.Refuse(frame.ErrNotFound, "no such number").To(f.R)}
		}
		return []frame.Frame{p.bundle(f.R)}
	case *frame.PreKeys:
		return []frame.Frame{d.preKeys(f)}
	case *frame.Act:
		d.Acts = append(d.Acts, *f)
		return []frame.Frame{&frame.OK{R: f.R}}
	case *frame.Profile:
		return []frame.Frame{&frame.OK{R: f.R}}
	case *frame.Find:
		return []frame.Frame{&frame.OK{R: f.R, Found: []frame.Business{{WaID: p.Number, Name: "Shop", Verified: true}}}}
	}
	return nil
}

func (d *Peer) ack(f *frame.Ack) {
	d.Acks = append(d.Acks, f.Seq)
	for len(d.box) > 0 && d.box[0].Seq <= f.Seq {
		it := d.box[0]
		d.box = d.box[1:]
		if it.ID == "" || d.texts[it.ID] == nil {
			continue
		}
		if d.session.Ready() && it.Seq >= d.since {
			d.session.Confirm()
		}
		if slices.Contains(f.Read, it.ID) {
			d.status(it.ID, "read")
		} else {
			d.status(it.ID, "delivered")
		}
	}
}

// status notes each status once, and never one that is behind.
func (d *Peer) status(id, status string) {
	rank := map[string]int{"": 0, "delivered": 1, "read": 2, "played": 3}
	if d.texts[id] != nil && rank[status] > rank[d.Statuses[id]] {
		d.Statuses[id] = status
		d.History[id] = append(d.History[id], status)
	}
}

func (d *Peer) retry(f *frame.Retry) {
	d.Retries = append(d.Retries, *f)
	d.box = slices.DeleteFunc(d.box, func(it frame.Item) bool { return it.Seq == f.Seq })
	text := d.texts[f.ID]
	if text == nil || d.Statuses[f.ID] != "" {
		return
	}
	if d.session.Ready() {
		d.session.Archive()
	}
	d.put(f.ID, text)
}

func (d *Peer) send(f *frame.Send) frame.Frame {
	if f.To != d.p.Number {
		return frame.Refuse(frame.ErrNotFound, "no such number").To(f.R)
	}
	if id := d.wamid[f.ID]; id != "" {
		return &frame.Sent{R: f.R, ID: f.ID, Wamid: id, TS: 1767225601}
	}
	plain, next, used, err := signal.Receive(nil, signal.Suite{}, d.p.local, d.p, d.session, signal.Kind(f.K), f.Ct)
	if errors.Is(err, signal.ErrUnknownPreKey) {
		return frame.Refuse(frame.ErrStaleKey, "no such prekey").To(f.R)
	} else if err != nil {
		return frame.Refuse(frame.ErrUndecryptable, err.Error()).To(f.R)
	}
	d.session = next
	if used != nil {
		delete(d.p.oneTime, *used)
	}
	for plain[len(plain)-1] == 0 {
		plain = plain[:len(plain)-1]
	}
	d.Inbox = append(d.Inbox, string(plain[:len(plain)-1]))
	d.p.wamids++
	id := fmt.Sprintf("wamid.%06d", d.p.wamids)
	d.wamid[f.ID] = id
	return &frame.Sent{R: f.R, ID: f.ID, Wamid: id, TS: 1767225601}
}

func (d *Peer) preKeys(f *frame.PreKeys) frame.Frame {
	d.Uploads++
	if len(d.oneTime)+len(f.OneTime) > frame.MaxOneTime {
		return frame.Refuse(frame.ErrFormat, "too many one-time prekeys").To(f.R)
	}
	if f.SignedPreKey != nil {
		d.desc.SignedPreKey = *f.SignedPreKey
	}
	if f.KEMPreKey != nil {
		d.desc.KEMPreKey = *f.KEMPreKey
	}
	if b := d.bundleOnly(); b.Verify() != nil {
		return frame.Refuse(frame.ErrBadSignature, "prekey").To(f.R)
	}
	d.oneTime = append(d.oneTime, f.OneTime...)
	left := len(d.oneTime)
	return &frame.OK{R: f.R, OneTimeLeft: &left}
}

func (d *Peer) bundleOnly() *signal.Bundle {
	keep := d.oneTime
	d.oneTime = nil
	b := d.bundle()
	d.oneTime = keep
	return b
}

// Look calls f with the device's record while nothing else changes it.
func (p *Platform) Look(device string, f func(d *Peer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p.devices[device])
}

// OneTimeLeft is how many one-time prekeys of a device the platform holds.
func (d *Peer) OneTimeLeft() int { return len(d.oneTime) }

// Waiting is how many items a device has not acknowledged.
func (d *Peer) Waiting() int { return len(d.box) }
