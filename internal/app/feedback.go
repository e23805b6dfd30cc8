package app

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/pipeline"
)

// feedback tells the lanes what users do about a business besides blocking it.
type feedback struct{ p *pipeline.Pipeline }

var opinions = map[frame.Do]string{
	frame.DoReport: pipeline.FeedbackReport, frame.DoMute: pipeline.FeedbackMute, frame.DoArchive: pipeline.FeedbackArchive,
	frame.DoOptOut: pipeline.FeedbackStop, frame.DoOptIn: pipeline.FeedbackResume,
}

// Act implements network.Actions.
func (f feedback) Act(ctx context.Context, a network.Action) error {
	done := make(chan error, 1)
	what, ok := opinions[a.Do]
	switch {
	case a.Do == frame.DoClick:
		var button uint32
		if a.Button != "" {
			button = message.ButtonMark(a.Button)
		}
		f.p.Click(a.Device.User(), a.Of, a.ID, a.Reason == "body", button, func(err error) { done <- err })
	case !ok:
		return frame.Refuse(frame.ErrUnsupported, "this action is not available")
	default:
		f.p.Feedback(a.Device.User(), a.Of, what, a.Reason, func(err error) { done <- err })
	}
	select {
	case err := <-done:
		if err != nil {
			return frameError(err)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
