package network

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The rates of requests. Source: docs, network protocol, "Limits".
var (
	sendRate    = rate{every: time.Second / frame.SendRate, burst: frame.SendBurst}
	bundleRate  = rate{every: time.Minute / frame.BundleRate, burst: frame.BundleRate}
	requestRate = rate{every: time.Minute / frame.RequestRate, burst: frame.RequestRate}
	retryRate   = rate{every: time.Hour / frame.RetryRate, burst: frame.RetryRate}
)

// Link is an authenticated connection of a device. Send is called by one goroutine at a time; the rest at any time.
type Link struct {
	hub    *Hub
	device wa.DeviceID
	sink   Sink
	words  *collector
	box    *box
	shard  *boxShard
	closed atomic.Bool

	stalled   bool // the shard's lock guards it: the sink refused a Deliver
	hideReads bool // the shard's lock guards it

	sends, bundles, requests, retries int64 // until when they are paid; of the goroutine that sends
}

// Device is the device connected.
func (l *Link) Device() wa.DeviceID { return l.device }

// Send takes a frame from the device. Answers and refusals come through the sink. Acknowledgements, receipts and messages
// return at once unless the lanes are behind; requests take as long as the store. After the connection ended it does
// nothing.
func (l *Link) Send(ctx context.Context, f frame.Frame) {
	if l.closed.Load() {
		return
	}
	if e := f.Check(); e != nil {
		l.push(e)
		return
	}
	switch f := f.(type) {
	case *frame.Ack:
		l.ack(f)
	case *frame.Receipt:
		l.receipt(f.State, f.IDs, f.TS)
	case *frame.Send:
		l.message(f)
	case *frame.Retry:
		l.retry(ctx, f)
	case *frame.BundleRequest:
		if l.allowed(f.R, bundleRate, &l.bundles, "10 bundles per minute") {
			l.bundle(ctx, f)
		}
	default:
		l.request(ctx, f)
	}
}

// Resume says that the sink has room again after it refused a Deliver.
func (l *Link) Resume() {
	l.shard.mu.Lock()
	defer l.shard.mu.Unlock()
	if l.stalled {
		l.stalled = false
		if l.box.link == l {
			l.hub.box.pump(l.box)
		}
	}
}

// Close ends the connection from the device's side. Sink.Close is not called.
func (l *Link) Close() {
	if !l.closed.Swap(true) {
		l.detach()
	}
}

// drop ends the connection from the server's side.
func (l *Link) drop(code frame.CloseCode, reason string) {
	if !l.closed.Swap(true) {
		l.detach()
		l.sink.Close(code, reason)
	}
}

func (l *Link) detach() {
	l.shard.mu.Lock()
	defer l.shard.mu.Unlock()
	l.box.detach(l)
}

// bye announces the end of the server. Devices come back at different times within the given one.
func (l *Link) bye(within time.Duration) {
	after := rand.Int64N(max(1, within.Milliseconds())) //nolint:gosec // spreads reconnects, keeps no secret
	l.sink.Push(&frame.Bye{Reason: "restart", After: after})
	l.drop(frame.CloseGoingAway, "restart")
}

// push sends an answer.
func (l *Link) push(f frame.Frame) {
	if !l.closed.Load() && !l.sink.Push(f) {
		l.drop(frame.CloseSlow, "reads too slowly")
	}
}

// allowed counts a request, or refuses it.
func (l *Link) allowed(r uint64, limit rate, paid *int64, text string) bool {
	wait := limit.take(paid, l.hub.cfg.Clock.Now().UnixNano())
	if wait > 0 {
		l.push(&frame.Error{R: r, Code: frame.ErrRate, Text: text, After: wait.Milliseconds() + 1})
	}
	return wait <= 0
}

func (l *Link) setHideReads(hide bool) {
	l.shard.mu.Lock()
	defer l.shard.mu.Unlock()
	l.hideReads = hide
}

func (l *Link) ack(f *frame.Ack) {
	l.words.wait()
	now := l.hub.cfg.Clock.Now().UnixMilli()
	read := f.Read
	s := l.shard
	s.mu.Lock()
	if l.box.link != l {
		s.mu.Unlock()
		return
	}
	if l.hideReads {
		read = nil
	}
	acks := l.box.ack(f.Seq, read, now)
	l.hub.acked(l.device, acks)
	l.hub.box.pump(l.box)
	s.mu.Unlock()
	if late := unnamed(read, acks); len(late) > 0 { // acknowledged before, read now
		l.receipt(frame.StateRead, late, 0)
	}
}

// unnamed returns the ids of read that no ack carries.
func unnamed(read []string, acks []Ack) []string {
	if len(read) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(read), func(id string) bool {
		return slices.ContainsFunc(acks, func(a Ack) bool { return a.Read && string(a.ID) == id })
	})
}

func (l *Link) receipt(state frame.ReceiptState, ids []string, ts int64) {
	l.words.wait()
	l.shard.mu.Lock()
	hide := l.hideReads && state == frame.StateRead
	l.shard.mu.Unlock()
	if hide {
		return
	}
	at := l.hub.cfg.Clock.Now().UnixMilli()
	if ms := ts * 1000; ts > 0 && ms < at {
		at = max(ms, at-30*24*time.Hour.Milliseconds())
	}
	r := Receipt{Device: l.device, State: state, IDs: make([]wa.MessageID, len(ids)), At: at}
	for i, id := range ids {
		r.IDs[i] = wa.MessageID(id)
	}
	l.words.receipt(r)
}

func (l *Link) message(f *frame.Send) {
	if !l.allowed(f.R, sendRate, &l.sends, "20 messages per second") {
		return
	}
	if !l.hub.cfg.Businesses.Known(wa.WaID(f.To)) {
		l.push(&frame.Error{R: f.R, Code: frame.ErrNotFound, Text: "no such business number"})
		return
	}
	l.hub.cfg.Lanes.Receive(NewInbound(f, l.device, l.push))
}

// retry marks the item, so that its acknowledgement is no delivery, and asks the lanes for another encryption.
func (l *Link) retry(ctx context.Context, f *frame.Retry) {
	if wait := retryRate.take(&l.retries, l.hub.cfg.Clock.Now().UnixNano()); wait > 0 {
		l.push(&frame.Error{Code: frame.ErrRate, Text: "30 retries per hour", After: wait.Milliseconds() + 1})
		return
	}
	l.shard.mu.Lock()
	known := l.box.link == l && l.box.retry(f.Seq, wa.MessageID(f.ID))
	l.shard.mu.Unlock()
	if !known {
		l.push(&frame.Error{Code: frame.ErrNotFound, Text: "no such item waits for an acknowledgement"})
		return
	}
	if f.Reason == frame.RetryUnknownPreKey {
		if err := l.hub.dir.unknownPreKey(ctx, l.device); err != nil {
			l.hub.log.Error("prekeys stay although the device does not know them", "err", err)
		}
	}
	l.words.retry(Retry{Device: l.device, Seq: f.Seq, ID: wa.MessageID(f.ID), Reason: f.Reason})
}

func (l *Link) bundle(ctx context.Context, f *frame.BundleRequest) {
	of := wa.WaID(f.Of)
	if !l.hub.cfg.Businesses.Known(of) {
		l.push(&frame.Error{R: f.R, Code: frame.ErrNotFound, Text: "no such business number"})
		return
	}
	b, err := l.hub.cfg.Lanes.Bundle(ctx, of, l.device)
	if err != nil {
		l.fail(f.R, "make bundle", err)
		return
	}
	answer := *b
	answer.R, answer.Of = f.R, f.Of
	l.push(&answer)
}

// fail answers a request that ended in an error.
func (l *Link) fail(r uint64, what string, err error) {
	if e, ok := errors.AsType[*frame.Error](err); ok {
		l.push(e.To(r))
		return
	}
	if errors.Is(err, ErrNoDevice) {
		l.push(&frame.Error{R: r, Code: frame.ErrGone, Text: "the device was removed"})
		return
	}
	l.hub.log.Error("request of a device ended badly", "request", what, "err", err)
	l.push(&frame.Error{R: r, Code: frame.ErrBusy, Text: "try again"})
}
