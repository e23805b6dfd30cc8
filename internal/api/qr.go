package api

import (
	"context"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// DeepLink is what short links begin with; the code follows. Source: spec/phone_numbers.md section 12.
const DeepLink = "https://wa.me/message/"

// qrEdge is /{phone-number-id}/message_qrdls and below.
func (s *surface) qrEdge() graph.Edge[number] {
	item := qrObject()
	list := func(_ context.Context, c *graph.Call, n number, p graph.Page) (graph.Items[*business.QRCode], error) {
		if !mayRead(c, n, edgeQR) {
			return graph.Items[*business.QRCode]{}, nil
		}
		all := s.o.Business.QRCodes(n.ID)
		if v := c.Params.Get("code"); v.Present() {
			code, err := v.Str()
			if err != nil {
				return graph.Items[*business.QRCode]{}, err
			}
			q, ok := s.o.Business.QRCode(code)
			if !ok || q.Number != n.ID {
				return graph.Items[*business.QRCode]{}, nil
			}
			all = []*business.QRCode{q}
		}
		return graph.Slice(all, p, qrKey, func(a, b string) bool { return a > b }), nil
	}
	return graph.Edge[number]{
		Name: edgeQR, Scopes: scopes(get, kindNumber, edgeQR),
		List: graph.Collection[number, *business.QRCode]{Item: item, Key: qrKey, Max: 25, List: list},
		Post: &graph.Action[number]{Scopes: scopes(post, kindNumber, edgeQR), Do: s.writeQR},
		One: &graph.One[number]{
			List: graph.Collection[number, *business.QRCode]{Item: item, Unpaged: true, List: func(_ context.Context, c *graph.Call, n number, _ graph.Page) (graph.Items[*business.QRCode], error) {
				if !business.ValidQRCode(c.Sub) {
					return graph.Items[*business.QRCode]{}, wa.ErrQRCodeID
				}
				q, ok := s.o.Business.QRCode(c.Sub)
				if !ok || q.Number != n.ID {
					return graph.Items[*business.QRCode]{}, graph.ErrInvisible
				}
				return graph.Items[*business.QRCode]{Data: []*business.QRCode{q}, Total: 1}, nil
			}},
			Delete: &graph.Action[number]{Scopes: scopes(remove, kindNumber, edgeQR), Do: func(ctx context.Context, c *graph.Call, n number) (any, error) {
				return done(s.o.Business.DeleteQRCode(acting(ctx, c), n.ID, c.Sub))
			}},
		},
	}
}

// qrKey orders short links: the newest first, and of those made at once the one with the smaller code.
func qrKey(q *business.QRCode) string {
	flipped := []byte(q.Code)
	for i := range flipped {
		flipped[i] = '~' - flipped[i] + ' '
	}
	return stamp(q.Created) + string(flipped)
}

func qrObject() graph.Object[*business.QRCode] {
	type T = *business.QRCode
	return graph.Object[T]{Name: "WhatsAppQRDL", Fields: []graph.Field[T]{
		{Name: "code", When: graph.ByDefault, Get: func(q T) any { return q.Code }},
		{Name: "prefilled_message", When: graph.ByDefault, Get: func(q T) any { return q.Text }},
		{Name: "deep_link_url", When: graph.ByDefault, Get: func(q T) any { return DeepLink + q.Code }},
		{Name: "creation_time", Get: func(q T) any { return q.Created.Unix() }},
		{Name: "qr_image_url", Ask: func(_ context.Context, c *graph.Call, q T, it graph.Item) (any, error) {
			format, err := it.Arg("format").EnumOr("SVG", "SVG", "PNG")
			if err != nil {
				return nil, err
			}
			return imageURL(c, q, format), nil
		}},
	}}
}

func imageURL(c *graph.Call, q *business.QRCode, format string) string {
	return c.Base() + QRPath + q.Code + "." + strings.ToLower(format)
}

// writeQR creates a short link, or changes the one that code names.
func (s *surface) writeQR(ctx context.Context, c *graph.Call, n number) (any, error) {
	text, err := c.Params.Get("prefilled_message").Str()
	if err != nil {
		return nil, err
	}
	format, err := c.Params.Get("generate_qr_image").EnumOr("", "PNG", "SVG")
	if err != nil {
		return nil, err
	}
	var q *business.QRCode
	if v := c.Params.Get("code"); v.Present() {
		code, err := v.Str()
		if err != nil {
			return nil, err
		}
		q, err = s.o.Business.UpdateQRCode(acting(ctx, c), n.ID, code, text)
		if err != nil {
			return nil, known(err)
		}
	} else if q, err = s.o.Business.CreateQRCode(acting(ctx, c), n.ID, text, format); err != nil {
		return nil, known(err)
	}
	out := graph.Obj{{K: "code", V: q.Code}, {K: "prefilled_message", V: q.Text}, {K: "deep_link_url", V: DeepLink + q.Code}}
	if format != "" {
		out = append(out, graph.KV{K: "qr_image_url", V: imageURL(c, q, format)})
	}
	return out, nil
}
