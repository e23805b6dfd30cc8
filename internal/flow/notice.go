package flow

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Field is the webhook field of flows.
const Field = "flows"

// Event of a webhook. Source: spec/flows.md section 11.
type Event string

// The events. Alerts are all but the first.
const (
	StatusChange  Event = "FLOW_STATUS_CHANGE"
	ClientErrors  Event = "CLIENT_ERROR_RATE"
	EndpointError Event = "ENDPOINT_ERROR_RATE"
	Latency       Event = "ENDPOINT_LATENCY"
	Availability  Event = "ENDPOINT_AVAILABILITY"
	FreezeWarning Event = "FLOW_VERSION_FREEZE_WARNING"
	ExpiryWarning Event = "FLOW_VERSION_EXPIRY_WARNING"
)

// Notice is what a business is told: the value of the change, a JSON object.
type Notice []byte

// Notifier tells a business what happened to its flows. It returns when the notice is durable.
type Notifier interface {
	Notify(ctx context.Context, w wa.WABAID, field string, value []byte) error
}

// value is what webhooks of the field carry. Source: spec/webhooks.md section 19.
type value struct {
	Event   Event     `json:"event"`
	Message string    `json:"message"`
	Flow    wa.FlowID `json:"flow_id"`

	Old Status `json:"old_status,omitempty"`
	New Status `json:"new_status,omitempty"`

	ErrorRate    *float64    `json:"error_rate,omitempty"` // percent
	Availability *float64    `json:"availability,omitempty"`
	P50          *int64      `json:"p50_latency,omitempty"` // milliseconds
	P90          *int64      `json:"p90_latency,omitempty"`
	Requests     *int        `json:"requests_count,omitempty"`
	Threshold    *float64    `json:"threshold,omitempty"`
	State        string      `json:"alert_state,omitempty"`
	Errors       []errorRate `json:"errors,omitempty"`
	Warning      string      `json:"warning,omitempty"`
}

type errorRate struct {
	Type  string  `json:"error_type"`
	Rate  float64 `json:"error_rate"`
	Count int     `json:"error_count"`
}

// tell adds a notice to those that are waiting.
func (f *Flow) tell(v *value) {
	v.Flow = f.ID
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and finite numbers
	}
	f.Outbox = append(slices.Clip(f.Outbox), b)
}

// tellStatus tells that the flow is not what it was.
func (f *Flow) tellStatus(was Status) {
	f.tell(&value{
		Event: StatusChange, Message: "Flow " + f.Name + " changed status from " + string(was) + " to " + string(f.Status),
		Old: was, New: f.Status,
	})
}
