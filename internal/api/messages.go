package api

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// send is POST /{phone-number-id}/messages: gates 6 to 15 of spec/errors.md section 2, the earlier ones having been passed.
func (s *surface) send(ctx context.Context, c *graph.Call, n number) (any, error) {
	return s.message(ctx, c, n, nil)
}

// message is a send; mm is nil but for calls to the marketing API.
func (s *surface) message(ctx context.Context, c *graph.Call, n number, mm *marketing) (any, error) {
	m, err := message.Decode(c.Params)
	if err != nil {
		return nil, err
	}
	var fill *template.Request
	if m.Mark == nil && m.IsTemplate() {
		if fill, err = template.ParseRequest(c.Params.Get(message.TypeTemplate)); err != nil {
			return nil, err
		}
	}
	if err := n.Ready(n.waba, c.Start); err != nil {
		return nil, err
	}
	if mm != nil && !m.IsTemplate() {
		return nil, wa.ErrMustBeTemplate
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	if err := m.Expires(c.Start.Unix()); err != nil {
		return nil, err
	}
	if m.Mark != nil {
		if err := s.o.Pipeline.Mark(ctx, n.ID, m.Mark.MessageID, m.Mark.Typing); err != nil {
			return nil, sendError(ctx, err)
		}
		return graph.Success, nil
	}
	if fill != nil {
		if err := fill.Check(); err != nil {
			return nil, err
		}
	}
	if err := s.address(m, n); err != nil {
		return nil, err
	}
	if mm != nil && mm.bid && m.Scoped() {
		return nil, wa.ErrBSUID
	}
	var uses []message.FlowRef
	if fill != nil {
		if uses, err = s.finish(m, fill, n, mm, c.Start); err != nil {
			return nil, err
		}
	} else if u := m.Flow; u != nil {
		uses = []message.FlowRef{*u}
	}
	undo, err := s.openFlows(m, n, uses)
	if err != nil {
		return nil, err
	}
	if err := s.fit(ctx, m, n); err != nil {
		undo()
		return nil, err
	}
	status, held, unpace := "", false, func() {}
	if fill != nil {
		if status = message.Accepted; s.o.Pace != nil {
			if held, unpace, err = s.o.Pace.Pace(ctx, n.Number, m.Template); err != nil {
				undo()
				return nil, wa.ErrUnavailable.Because(err)
			}
		}
		if held {
			status = message.Held
		}
	}
	id, err := s.o.Pipeline.Accept(ctx, &pipeline.Outgoing{
		Number: n.ID, To: m.To, Type: m.Type, Category: m.Category, Template: m.Template, Life: m.Life, Body: m.Body,
		Opaque: m.Opaque, IdentityHash: m.IdentityHash, PreviewURL: m.PreviewURL, Attachments: m.Attachments, Held: held,
	})
	if err != nil {
		unpace()
		undo()
		return nil, sendError(ctx, err)
	}
	scoped := ""
	if m.ByID() {
		scoped = s.o.Business.UserID(n.waba.ID, m.To)
	}
	return graph.Raw(message.AppendAccepted(make([]byte, 0, 320), m.Input, m.To, scoped, id, status)), nil
}

// fit holds the message to what a device takes, and finds its files.
func (s *surface) fit(ctx context.Context, m *message.Outbound, n number) error {
	if err := m.Fits(); err != nil {
		return err
	}
	return s.attach(ctx, m, n)
}

func (s *surface) address(m *message.Outbound, n number) error {
	from := message.Sender{WaID: n.WaID, CallingCode: n.CallingCode(), Strict: s.o.Strict, Known: s.o.Known}
	if n.Mode == business.Sandbox {
		from.Allows = n.Allows
	}
	if m.Scoped() {
		from.Resolve = func(id string) (wa.WaID, bool) { return s.o.Business.UserOf(n.waba.ID, id) }
	}
	return m.Address(&from)
}

// finish finds and fills in the template: gate 10. It returns the flows that its buttons open.
func (s *surface) finish(m *message.Outbound, fill *template.Request, n number, mm *marketing, now time.Time) ([]message.FlowRef, error) {
	t, err := s.o.Template.Find(n.waba.ID, fill.Name, fill.Language)
	if err != nil {
		return nil, err
	}
	if mm != nil {
		if err := mm.takes(t, now); err != nil {
			return nil, err
		}
	} else if t.Category == template.Marketing && n.waba.MarketingDisabled {
		return nil, wa.ErrMarketingDisabled.With("This WhatsApp Business Account sends marketing messages by the Marketing Messages API only.")
	} else if h := t.Component(template.Header); h != nil && h.Format == template.HeaderGIF {
		return nil, wa.ErrValue.With("Templates with a header of format GIF are sent by the Marketing Messages API only.")
	}
	if t.Category == template.Authentication && m.Scoped() {
		return nil, wa.ErrBSUID
	}
	r, err := template.Render(t, fill)
	if err != nil {
		return nil, err
	}
	for _, f := range r.Media {
		m.Attachments = append(m.Attachments, attachment(f))
	}
	category := r.Category.Pricing()
	if mm != nil {
		category = message.MarketingLite
	}
	m.Finish(r.AppendJSON(nil), category, r.Life)
	m.Template = t.ID
	return templateFlows(r), nil
}

// attachment is a file of a template as messages know it.
func attachment(f template.Media) message.Attachment {
	a := message.Attachment{Kind: f.Kind, ID: f.ID, Link: f.Link, Filename: f.Filename, Path: f.Path}
	switch f.Kind {
	case "gif":
		a.Kind = message.PlaceGIF
	case message.TypeDocument:
		a.Kind = message.PlacePDF
	}
	return a
}

// sendError makes a row of what is none: the request was given up or the pipeline is going away. The caller must take it
// that the message may still go out.
func sendError(ctx context.Context, err error) error {
	row := (*wa.Error)(nil)
	switch {
	case errors.As(err, &row):
		return err
	case ctx.Err() != nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, pipeline.ErrStopped):
		return wa.ErrService.Because(err)
	}
	return wa.ErrUnknownSend.Because(err)
}
