package app

import (
	"encoding/json"
	"time"

	"github.com/hikyaku/hikyaku/internal/webhook"
)

// deliveryJSON is a delivery as the control API shows it.
func deliveryJSON(d *webhook.Delivery) map[string]any {
	attempts := make([]map[string]any, len(d.Attempts))
	for i, a := range d.Attempts {
		attempts[i] = attemptJSON(a)
	}
	out := map[string]any{
		"id": d.ID, "app_id": d.Endpoint.App, "url": d.URL, "state": d.State, "updates": d.Updates, "messages": d.Messages,
		"attempts": attempts, "payload": json.RawMessage(d.Payload),
	}
	if !d.Next.IsZero() {
		out["next_attempt"] = d.Next.Format(time.RFC3339Nano)
	}
	return out
}

func attemptJSON(a webhook.Attempt) map[string]any {
	return map[string]any{
		"at": a.At.Format(time.RFC3339Nano), "outcome": a.Answer, "status": a.Status,
		"latency_ms": float64(a.Latency.Microseconds()) / 1000,
	}
}
