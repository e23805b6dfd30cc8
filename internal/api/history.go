package api

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

const (
	typeHistory = "WhatsAppMessageHistory"
	edgeEvents  = "events"
)

// history is what became of a message that a number sent.
type history struct {
	*pipeline.Sent
	waba  *business.WABA
	hooks []webhook.Delivery // with its updates, to the app that asks, newest first
	app   *access.App        // that asks
}

// happened is a step of a message.
type happened struct {
	history
	n      int64 // place among the steps, from 1
	status string
	at     int64 // Unix milliseconds
}

// Ids of histories and events have 13 digits, fewer than those of all other nodes: made of the message's row and the step.
const (
	historyIDs = 8_000_000_000_000
	mostRows   = 99_999_999_999
)

func (h history) id(step int64) string { return strconv.FormatInt(historyIDs+h.Row*10+step, 10) }

// historyRow is the row of a message whose history has that id.
func historyRow(id string) (int64, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	n -= historyIDs
	return n / 10, err == nil && len(id) == 13 && n > 0 && n%10 == 0 && n/10 <= mostRows
}

// key is the sort key of a history: the higher the row, the newer.
func (h history) key() string { return strconv.FormatInt(h.Row, 10) }

func historyObject() graph.Object[history] {
	return graph.Object[history]{Name: typeHistory, Fields: []graph.Field[history]{
		{Name: "id", When: graph.Always, Get: func(h history) any { return h.id(0) }},
		{Name: "message_id", When: graph.ByDefault, Get: func(h history) any { return string(h.ID) }},
		{Name: edgeEvents, When: graph.ByDefault, Get: func(h history) any { return h.eventList() }},
	}}
}

// historyEdge is /{phone-number-id}/message_history: what the number sent, newest first, or the one that message_id names.
// Source: spec/messages.md section 18.
func (s *surface) historyEdge() graph.Edge[number] {
	return graph.Edge[number]{
		Name: edgeHistory, NotField: true, Scopes: scopes(get, kindNumber, edgeHistory),
		List: graph.Collection[number, history]{Item: historyObject(), Key: history.key, List: s.listHistory},
	}
}

func (s *surface) listHistory(ctx context.Context, c *graph.Call, n number, p graph.Page) (out graph.Items[history], err error) {
	id, err := c.Params.Get("message_id").StrOr("")
	if err != nil {
		return out, err
	}
	if id != "" {
		m, err := s.o.Pipeline.Sent(ctx, n.ID, wa.MessageID(id))
		switch {
		case errors.Is(err, pipeline.ErrUnknown):
			return out, nil
		case err != nil:
			return out, sendError(ctx, err)
		case p.After == "" && p.Before == "":
			out.Data, out.Total = s.histories(c, n.waba, []pipeline.Sent{*m}), 1
		}
		return out, nil
	}
	if p.Total {
		return out, graph.Invalid("Param summary is not supported for message_history without message_id.")
	}
	newer := p.After == "" && p.Before != ""
	from := p.After
	if newer {
		from = p.Before
	}
	row := int64(0)
	if from != "" {
		if row, err = strconv.ParseInt(from, 10, 64); err != nil || row < 1 {
			return out, wa.ErrInvalidCursor
		}
	}
	page, err := s.o.Pipeline.History(ctx, n.ID, row, newer, p.Limit)
	if err != nil {
		return out, sendError(ctx, err)
	}
	out.Data = s.histories(c, n.waba, page.List)
	if out.More = page.More; page.Rest != 0 {
		out.More, out.Rest = true, strconv.FormatInt(page.Rest, 10)
	}
	return out, nil
}

// histories finds what is remembered of webhooks. An app sees those that went to itself.
func (s *surface) histories(c *graph.Call, w *business.WABA, list []pipeline.Sent) []history {
	app := who(c).Caller.App
	out := make([]history, len(list))
	ids := make([]wa.MessageID, len(list))
	for i := range list {
		out[i], ids[i] = history{Sent: &list[i], waba: w, app: app}, list[i].ID
	}
	if s.o.Told == nil || len(list) == 0 {
		return out
	}
	for _, d := range s.o.Told(ids...) {
		for i := range out {
			if d.Endpoint.App == app.ID && slices.Contains(d.Messages, out[i].ID) {
				out[i].hooks = append(out[i].hooks, d)
			}
		}
	}
	return out
}

// historyNode is /{message-history-id}.
func (s *surface) historyNode() graph.Node[history] {
	return graph.Node[history]{
		Kind: kindHistory, Name: typeHistory, Scopes: scopes(get, kindHistory, ""), Load: s.loadHistory, Fields: historyObject().Fields[:2],
		Edges: []graph.Edge[history]{{
			Name: edgeEvents, Scopes: scopes(get, kindHistory, edgeEvents),
			List: graph.Collection[history, happened]{
				Item: graph.Object[happened]{Name: "WhatsAppMessageHistoryEvent", Fields: []graph.Field[happened]{
					{Name: "cursor", When: graph.Always, Get: func(e happened) any { return graph.Cursor(e.key()) }},
					{Name: "node", When: graph.Always, Get: func(e happened) any { return e.node() }},
				}},
				Key: happened.key, List: listEvents,
			},
		}},
	}
}

func (s *surface) loadHistory(ctx context.Context, c *graph.Call, id string) (history, error) {
	row, ok := historyRow(id)
	if !ok {
		return history{}, graph.ErrInvisible
	}
	m, err := s.o.Pipeline.SentAt(ctx, row)
	if errors.Is(err, pipeline.ErrUnknown) {
		return history{}, graph.ErrInvisible
	}
	if err != nil {
		return history{}, sendError(ctx, err)
	}
	w, ok := s.o.Business.WABA(m.WABA)
	if !ok || !who(c).SeesWABA(asset(w)) {
		return history{}, graph.ErrInvisible
	}
	return s.histories(c, w, []pipeline.Sent{*m})[0], nil
}

func listEvents(_ context.Context, c *graph.Call, h history, p graph.Page) (graph.Items[happened], error) {
	status, err := c.Params.Get("status_filter").EnumOr("", "SENT", "DELIVERED", "READ", "FAILED", "DELETED")
	if err != nil {
		return graph.Items[happened]{}, err
	}
	var list []happened
	for _, e := range h.happened() {
		if status == "" || e.status == status {
			list = append(list, e)
		}
	}
	return graph.Slice(list, p, happened.key, func(a, b string) bool { return a < b }), nil
}

func (h history) happened() (list []happened) {
	for i, e := range []happened{
		{h, 0, "SENT", h.SentAt}, {h, 0, "DELIVERED", h.DeliveredAt}, {h, 0, "READ", h.ReadAt}, {h, 0, "FAILED", h.FailedAt},
	} {
		if e.n = int64(i + 1); e.at != 0 {
			list = append(list, e)
		}
	}
	return list
}

// hook is the newest webhook that told the app of the step; nil when none is remembered.
func (e happened) hook() *webhook.Delivery {
	told := []byte(`"id":"` + strings.ReplaceAll(string(e.ID), "/", `\/`) + `","status":"` + strings.ToLower(e.status) + `"`)
	for i := range e.hooks {
		if d := &e.hooks[i]; bytes.Contains(d.Payload, told) {
			return d
		}
	}
	return nil
}

// updateStates are the documented names of what becomes of a webhook.
var updateStates = map[webhook.State]string{
	webhook.StateSending: "PENDING", webhook.StateHeld: "PENDING", webhook.StateDelivered: "DELIVERED", webhook.StateRetrying: "RETRYING",
	webhook.StateDropped: "FAILED",
}

// key is the place among the steps.
func (e happened) key() string { return strconv.FormatInt(e.n, 10) }

// why says why a message failed, or else why the webhook of the step did.
func (e happened) why(hook *webhook.Delivery) string {
	if row, ok := wa.ByCode(e.Code, 0); ok && e.status == "FAILED" {
		return row.Title
	}
	if hook == nil || len(hook.Attempts) == 0 {
		return ""
	}
	switch a := hook.Attempts[len(hook.Attempts)-1]; {
	case a.Answer == webhook.AnswerOK:
		return ""
	case a.Status != 0:
		return "Webhook endpoint returned HTTP " + strconv.Itoa(a.Status)
	default:
		return "Webhook endpoint did not answer: " + string(a.Answer)
	}
}

// node is a step as its own edge shows it.
func (e happened) node() graph.Obj {
	hook := e.hook()
	out := graph.Obj{
		{K: "id", V: e.id(e.n)},
		{K: "delivery_status", V: e.status},
		{K: "error_description", V: graph.NonEmpty(e.why(hook))},
		{K: "occurrence_timestamp", V: e.at / 1000},
	}
	if hook != nil {
		out = append(out, graph.KV{K: "application", V: graph.Obj{{K: "id", V: string(e.app.ID)}, {K: "name", V: e.app.Name}}})
	}
	return out
}

// eventList is the steps as a history shows them.
func (h history) eventList() graph.Obj {
	events := []graph.Obj{}
	list := h.happened()
	for _, e := range list {
		hook := e.hook()
		o := graph.Obj{{K: "id", V: e.id(e.n)}, {K: "delivery_status", V: e.status}}
		if hook != nil {
			o = append(o, graph.KV{K: "webhook_update_state", V: updateStates[hook.State]})
		}
		o = append(o, graph.KV{K: "timestamp", V: e.at / 1000})
		if hook != nil {
			o = append(o, graph.KV{K: "application", V: graph.Obj{{K: "id", V: string(e.app.ID)}}}, graph.KV{K: "webhook_uri", V: hook.URL})
		}
		events = append(events, append(o, graph.KV{K: "error_description", V: graph.NonEmpty(e.why(hook))}))
	}
	out := graph.Obj{{K: "data", V: events}}
	if len(list) > 0 {
		out = append(out, graph.KV{K: "paging", V: graph.Obj{{K: "cursors", V: graph.Obj{
			{K: "before", V: graph.Cursor(list[0].key())}, {K: "after", V: graph.Cursor(list[len(list)-1].key())},
		}}}})
	}
	return out
}
