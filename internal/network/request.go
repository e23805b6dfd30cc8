package network

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// request serves the frames that a device sends now and then.
func (l *Link) request(ctx context.Context, f frame.Frame) {
	var r uint64
	var answer func(context.Context) (*frame.OK, error)
	switch f := f.(type) {
	case *frame.PreKeys:
		r, answer = f.R, func(ctx context.Context) (*frame.OK, error) { return l.preKeys(ctx, f) }
	case *frame.Act:
		r, answer = f.R, func(ctx context.Context) (*frame.OK, error) { return new(frame.OK), l.act(ctx, f) }
	case *frame.Profile:
		r, answer = f.R, func(ctx context.Context) (*frame.OK, error) {
			_, err := l.hub.dir.SetProfile(ctx, l.device.User(), f)
			return new(frame.OK), err
		}
	case *frame.Find:
		r, answer = f.R, func(ctx context.Context) (*frame.OK, error) {
			found, err := l.hub.cfg.Businesses.Find(ctx, f.Q, frame.MaxFound)
			return &frame.OK{Found: found}, err
		}
	default:
		l.push(frame.Refuse(frame.ErrUnsupported, "not a frame of devices in a running connection"))
		return
	}
	if !l.allowed(r, requestRate, &l.requests, "60 requests per minute") {
		return
	}
	ok, err := answer(ctx)
	if err != nil {
		l.fail(r, string(f.Type()), err)
		return
	}
	ok.R = r
	l.push(ok)
}

func (l *Link) preKeys(ctx context.Context, f *frame.PreKeys) (*frame.OK, error) {
	left, err := l.hub.dir.Upload(ctx, l.device, f)
	if err != nil {
		return nil, err
	}
	return &frame.OK{OneTimeLeft: &left}, nil
}

func (l *Link) act(ctx context.Context, f *frame.Act) error {
	a := Action{Device: l.device, Do: f.Do, Of: wa.WaID(f.Of), ID: wa.MessageID(f.ID), Reason: f.Reason, Button: f.Button}
	switch f.Do {
	case frame.DoBlock, frame.DoUnblock:
		if !l.hub.cfg.Businesses.Known(a.Of) {
			return frame.Refuse(frame.ErrNotFound, "no such business number")
		}
		return l.hub.cfg.Lanes.Act(ctx, a)
	case frame.DoReport, frame.DoMute, frame.DoArchive, frame.DoOptOut, frame.DoOptIn, frame.DoClick:
		if l.hub.cfg.Actions == nil {
			break
		}
		if a.Of != "" && !l.hub.cfg.Businesses.Known(a.Of) {
			return frame.Refuse(frame.ErrNotFound, "no such business number")
		}
		return l.hub.cfg.Actions.Act(ctx, a)
	}
	return frame.Refuse(frame.ErrUnsupported, "this action is not available")
}
