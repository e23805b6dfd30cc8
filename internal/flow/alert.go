package flow

import (
	"strconv"
	"strings"
)

// describe is the sentence of an alert. Source: spec/webhooks.md section 19; all but the first are ours.
func describe(e Event, state string, threshold float64) string {
	at := strconv.FormatFloat(threshold, 'f', -1, 64)
	on := state == "ACTIVATED"
	switch e {
	case EndpointError, ClientErrors:
		what := "Endpoint"
		if e == ClientErrors {
			what = "Client"
		}
		if on {
			return what + " error rate has reached " + at + "%"
		}
		return what + " error rate has fallen below " + at + "%"
	case Latency:
		if on {
			return "Endpoint latency p90 has reached " + at + " ms"
		}
		return "Endpoint latency p90 has fallen below " + at + " ms"
	case Availability:
		if on {
			return "Endpoint availability has fallen below " + at + "%"
		}
		return "Endpoint availability has reached " + at + "%"
	case StatusChange, FreezeWarning, ExpiryWarning:
	}
	return string(e)
}

// upper is how webhooks name a kind of error: "TIMEOUT".
func upper(k Kind) string { return strings.ToUpper(strings.TrimSuffix(string(k), "_error")) }
