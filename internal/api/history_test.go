package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// A history tells an app of its own webhooks, of the newest one for each step, and nothing of those to other apps.
// Source: spec/messages.md section 18.
func TestHistoryOfWebhooks(t *testing.T) {
	t.Parallel()
	const id = "wamid.A/B="
	told := func(app wa.AppID, status string, state webhook.State, a ...webhook.Attempt) webhook.Delivery {
		return webhook.Delivery{
			Endpoint: webhook.EndpointID{App: app}, URL: "https://" + string(app) + ".example/hook", Messages: []wa.MessageID{id}, State: state, Attempts: a,
			Payload: []byte(`{"statuses":[{"id":"` + strings.ReplaceAll(id, "/", `\/`) + `","status":"` + status + `"}]}`),
		}
	}
	w := newWorld(t, func(o *api.Options) {
		o.Told = func(ids ...wa.MessageID) []webhook.Delivery {
			if len(ids) != 1 || ids[0] != id {
				t.Errorf("asked for %q", ids)
			}
			return []webhook.Delivery{
				told(appB, "sent", webhook.StateDropped),
				told(appA, "read", webhook.StateSending),
				told(appA, "delivered", webhook.StateRetrying, webhook.Attempt{Answer: webhook.AnswerStatus, Status: 500}, webhook.Attempt{Answer: webhook.AnswerTimeout}),
				told(appA, "sent", webhook.StateDelivered, webhook.Attempt{Answer: webhook.AnswerOK, Status: 200}),
				told(appA, "sent", webhook.StateHeld),
			}
		}
	})
	at := time.Unix(1783065600, 0).UnixMilli()
	w.lane.sent = []pipeline.Sent{{Row: 107, Message: &pipeline.Message{ID: id, Number: numLive, WABA: wabaA, SentAt: at, DeliveredAt: at, ReadAt: at}}}
	got := w.call("clerk", "GET /v23.0/"+numLive+"/message_history?fields=events", "").body
	app := `"application":{"id":"` + appA + `"},"webhook_uri":"https://` + appA + `.example/hook"`
	for _, want := range []string{
		`"delivery_status":"SENT","webhook_update_state":"DELIVERED","timestamp":1783065600,` + app + `}`,
		`"delivery_status":"DELIVERED","webhook_update_state":"RETRYING","timestamp":1783065600,` + app + `,"error_description":"Webhook endpoint did not answer: timeout"}`,
		`"delivery_status":"READ","webhook_update_state":"PENDING","timestamp":1783065600,` + app + `}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nis not in %s", want, got)
		}
	}
	if strings.Contains(got, appB) {
		t.Errorf("another app's webhook: %s", got)
	}
	events := w.call("clerk", "GET /v23.0/8000000001070/events?status_filter=SENT", "").body
	if !strings.Contains(events, `"application":{"id":"`+appA+`","name":"A `+appA+`"}`) {
		t.Errorf("events: %s", events)
	}
}
