package device

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Bounds of what is kept for another try.
const (
	maxReceipts  = 500 // message ids
	receiptTries = 3   // connections on which a receipt is sent; it has no answer, and repeating one changes nothing
	maxRequests  = 100
)

// ErrOffline reports a request that makes no sense without a connection.
var ErrOffline = errors.New("the device is offline")

// receipt is a report that may have been lost with a connection.
type receipt struct {
	ID    string             `json:"id"`
	State frame.ReceiptState `json:"state"`
	Tries int                `json:"tries"`
}

// request is an action of the user that the platform has not confirmed.
type request struct {
	Act     *frame.Act     `json:"act,omitempty"`
	Profile *frame.Profile `json:"profile,omitempty"`
	Tries   int            `json:"tries,omitempty"`
	r       uint64         // request number while it is in flight
	at      time.Time      // not before
}

// MarkRead marks received messages as read and, unless read receipts are off, reports them. Ids that are unknown or read
// already are left out.
func (d *Device) MarkRead(ids ...string) (Effects, error) { return d.mark(frame.StateRead, ids) }

// MarkPlayed marks received voice messages as played, which includes read. Of other sound nobody is told that it was played:
// its ids are left out. Source: spec/messages.md section 9.4.
func (d *Device) MarkPlayed(ids ...string) (Effects, error) { return d.mark(frame.StatePlayed, ids) }

// MarkChatRead marks everything in a chat as read; chat "" means all chats.
func (d *Device) MarkChatRead(chat string) (Effects, error) {
	var ids []string
	for _, m := range d.history {
		if m.Direction == In && m.Status == Received && (chat == "" || m.Chat == chat) {
			ids = append(ids, m.ID)
		}
	}
	return d.mark(frame.StateRead, ids)
}

func isVoice(m *Message) bool {
	if m.Type != "audio" {
		return false
	}
	f := m.Parts().Media
	return f != nil && f.Voice
}

func (d *Device) mark(state frame.ReceiptState, ids []string) (Effects, error) {
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	report := make([]string, 0, len(ids))
	var opened []string // played without having been read: it is read now
	for _, id := range ids {
		m := d.find(id)
		switch {
		case m == nil || m.Direction != In || m.Status == Played:
			continue
		case state == frame.StateRead && m.Status == Received:
			m.Status = Read
		case state == frame.StatePlayed && isVoice(m):
			if m.Status == Received {
				opened = append(opened, id)
			}
			m.Status = Played
		default:
			continue
		}
		d.changed(m)
		report = append(report, id)
	}
	if !d.me.NoReceipts {
		if len(opened) > 0 {
			d.report(frame.StateRead, opened)
		}
		d.report(state, report)
	}
	return d.finish()
}

// report sends receipts now, or keeps them for the next connection.
func (d *Device) report(state frame.ReceiptState, ids []string) {
	tries := 0
	if d.conn.online {
		d.sendReceipts(state, ids)
		tries = 1
	}
	for _, id := range ids {
		d.keepReceipt(id, state, tries)
	}
}

func (d *Device) sendReceipts(state frame.ReceiptState, ids []string) {
	for part := range slices.Chunk(ids, frame.MaxIDs) {
		d.eff.send(&frame.Receipt{State: state, IDs: part, TS: d.now().Unix()})
	}
}

func (d *Device) keepReceipt(id string, state frame.ReceiptState, tries int) {
	if d.o.Lossless && tries > 0 {
		return
	}
	d.receipts = append(d.receipts, receipt{id, state, tries})
	if over := len(d.receipts) - maxReceipts; over > 0 {
		d.receipts = slices.Delete(d.receipts, 0, over)
	}
	d.dirty.receipts = true
}

// repeatReceipts sends the receipts that may have been lost with earlier connections.
func (d *Device) repeatReceipts() {
	if len(d.receipts) == 0 {
		return
	}
	var read, played []string
	for i := range d.receipts {
		r := &d.receipts[i]
		if r.Tries++; r.State == frame.StateRead {
			read = append(read, r.ID)
		} else {
			played = append(played, r.ID)
		}
	}
	d.sendReceipts(frame.StateRead, read)
	d.sendReceipts(frame.StatePlayed, played)
	d.receipts = slices.DeleteFunc(d.receipts, func(r receipt) bool { return r.Tries >= receiptTries || d.o.Lossless })
	d.dirty.receipts = true
}

// Block tells the platform that the user wants nothing more from a business, or (on false) that they do again.
func (d *Device) Block(waID string, on bool) (Effects, error) {
	do := frame.DoBlock
	if !on {
		do = frame.DoUnblock
	}
	return d.Act(frame.Act{Do: do, Of: waID})
}

// Act tells the platform of an action of the user. It is repeated until the platform has answered; R is set by the device.
// Errors: [ErrContent] for an action that breaks the protocol, [ErrQueue], [ErrBroken].
func (d *Device) Act(a frame.Act) (Effects, error) {
	a.R = 0
	if e := a.Check(); e != nil {
		return Effects{}, fmt.Errorf("%w: %w", ErrContent, e)
	}
	if a.Of != "" && (a.Do == frame.DoBlock || a.Do == frame.DoUnblock) && d.broken == nil {
		c := d.makeChat(a.Of)
		c.blocked = a.Do == frame.DoBlock
		d.touchChat(c)
	}
	return d.request(&request{Act: &a})
}

// SetProfile changes what the platform knows of the user; absent fields stay. R is set by the device.
func (d *Device) SetProfile(p frame.Profile) (Effects, error) {
	p.R = 0
	if e := p.Check(); e != nil {
		return Effects{}, fmt.Errorf("%w: %w", ErrContent, e)
	}
	if d.broken == nil {
		if p.Name != nil {
			d.me.Name = *p.Name
		}
		if p.ReadReceipts != nil {
			d.me.NoReceipts = !*p.ReadReceipts
		}
		d.dirty.account = true
	}
	return d.request(&request{Profile: &p})
}

func (d *Device) request(q *request) (Effects, error) {
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	if len(d.requests) >= maxRequests {
		return Effects{}, ErrQueue
	}
	d.requests = append(d.requests, q)
	d.dirty.requests = true
	if d.conn.online {
		d.sendRequest(q)
	}
	return d.finish()
}

func (d *Device) sendRequest(q *request) {
	q.r = d.ask(askRequest, "")
	if q.Act != nil {
		f := *q.Act
		f.R = q.r
		d.eff.send(&f)
		return
	}
	f := *q.Profile
	f.R = q.r
	d.eff.send(&f)
}

func (d *Device) requestAnswered(r uint64, e *frame.Error) {
	i := slices.IndexFunc(d.requests, func(q *request) bool { return q.r == r })
	if i < 0 {
		return
	}
	q := d.requests[i]
	if e != nil && (e.Code == frame.ErrBusy || e.Code == frame.ErrRate) {
		q.r, q.at = 0, d.now().Add(pause(e.After, q.Tries))
		q.Tries++
		return
	}
	d.requests = slices.Delete(d.requests, i, i+1)
	d.dirty.requests = true
	if e != nil {
		d.eff.tell(Event{Kind: EventRefused, Error: e})
	}
}

// Find looks for business numbers by number or name; the answer is [EventFound] or [EventRefused]. Errors: [ErrOffline],
// [ErrContent].
func (d *Device) Find(q string) (Effects, error) {
	f := &frame.Find{Q: q}
	if e := f.Check(); e != nil {
		return Effects{}, fmt.Errorf("%w: %w", ErrContent, e)
	}
	if err := d.ready(); err != nil {
		return Effects{}, err
	}
	if !d.conn.online {
		return Effects{}, ErrOffline
	}
	f.R = d.ask(askFind, "")
	d.eff.send(f)
	return d.finish()
}
