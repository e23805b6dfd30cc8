package app

import (
	"context"
	"sync/atomic"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// notices lets the rooms of rules tell of what happened to an account, a number or a template. They are open before the
// lanes are: until then a notice is refused like one that meets a full queue, and whoever has something to tell tries again.
type notices struct {
	lanes atomic.Pointer[pipeline.Pipeline]
}

// Notify tells of an account, in an entry with the account's id.
func (n *notices) Notify(ctx context.Context, waba wa.WABAID, field string, value []byte) error {
	return n.raise(ctx, waba, "", "", field, value)
}

// Raise implements webhook.Notices.
func (n *notices) Raise(ctx context.Context, app wa.AppID, waba wa.WABAID, number wa.PhoneNumberID, field string, value []byte) error {
	p := n.lanes.Load()
	if p == nil {
		return wa.ErrUnavailable.With("The platform is starting.")
	}
	return p.Notify(ctx, &pipeline.Notice{WABA: waba, Number: number, Field: field, App: app, Value: value})
}

func (n *notices) raise(ctx context.Context, waba wa.WABAID, number wa.PhoneNumberID, entry, field string, value []byte) error {
	p := n.lanes.Load()
	if p == nil {
		return wa.ErrUnavailable.With("The platform is starting.")
	}
	return p.Notify(ctx, &pipeline.Notice{WABA: waba, Number: number, Entry: entry, Field: field, Value: value})
}
