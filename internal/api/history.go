package api

import (
	"context"
	"errors"
	"hash/fnv"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// history is what became of a message that a number sent.
type history struct{ m *pipeline.Message }

// id is that of the entry, or with a step that of its event: digits made of the message's id, because nothing is stored
// for them.
func (h history) id(step string) string {
	f := fnv.New64a()
	_, _ = f.Write([]byte(string(h.m.ID) + step)) // never fails
	const least, room = 100_000_000_000_000, 900_000_000_000_000
	return strconv.FormatUint(least+f.Sum64()%room, 10)
}

// historyEdge is /{phone-number-id}/message_history for one message, which message_id names. Source: spec/messages.md
// section 18.
func (s *surface) historyEdge() graph.Edge[number] {
	return graph.Edge[number]{
		Name: edgeHistory, NotField: true, Scopes: scopes(get, kindNumber, edgeHistory),
		List: graph.Collection[number, history]{
			Item: graph.Object[history]{Name: "WhatsAppMessageHistory", Fields: []graph.Field[history]{
				{Name: "id", When: graph.Always, Get: func(h history) any { return h.id("") }},
				{Name: "message_id", When: graph.ByDefault, Get: func(h history) any { return string(h.m.ID) }},
				{Name: "events", When: graph.ByDefault, Get: func(h history) any { return h.events() }},
			}},
			Key:  func(h history) string { return h.id("") },
			List: s.listHistory,
		},
	}
}

func (s *surface) listHistory(ctx context.Context, c *graph.Call, n number, p graph.Page) (out graph.Items[history], err error) {
	id, err := c.Params.Get("message_id").Str()
	if err != nil {
		return out, err
	}
	m, err := s.o.Pipeline.Sent(ctx, n.ID, wa.MessageID(id))
	switch {
	case errors.Is(err, pipeline.ErrUnknown):
		return out, nil
	case err != nil:
		return out, sendError(ctx, err)
	case p.After == "" && p.Before == "":
		out.Data, out.Total = []history{{m}}, 1
	}
	return out, nil
}

func (h history) events() graph.Obj {
	events := []graph.Obj{}
	for _, e := range []struct {
		status string
		at     int64
	}{{"SENT", h.m.SentAt}, {"DELIVERED", h.m.DeliveredAt}, {"READ", h.m.ReadAt}, {"FAILED", h.m.FailedAt}} {
		if e.at == 0 {
			continue
		}
		o := graph.Obj{{K: "id", V: h.id(e.status)}, {K: "delivery_status", V: e.status}, {K: "timestamp", V: e.at / 1000}}
		if row, ok := wa.ByCode(h.m.Code, 0); ok && e.status == "FAILED" {
			o = append(o, graph.KV{K: "error_description", V: row.Title})
		}
		events = append(events, o)
	}
	return graph.Obj{{K: "data", V: events}}
}
