package manager

import (
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/webhook"
)

func TestEventsInAFewWords(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"entry":[{"changes":[{"field":"messages","value":{"statuses":[{"status":"read"}]}}]}]}`:  "status · read",
		`{"entry":[{"changes":[{"field":"messages","value":{"messages":[{"type":"button"}]}}]}]}`:  "message · button",
		`{"entry":[{"changes":[{"field":"account_update","value":{"event":"ACCOUNT_DELETED"}}]}]}`: "account_update · ACCOUNT_DELETED",
		`{"entry":[{"changes":[{"field":"phone_number_quality_update","value":{}}]}]}`:             "phone_number_quality_update",
		`{"entry":[]}`: "–",
		`no JSON`:      "–",
	} {
		if got := eventOf(&webhook.Delivery{Payload: []byte(payload), Updates: 1}); got != want {
			t.Errorf("%s: %q, want %q", payload, got, want)
		}
	}
	many := webhook.Delivery{Payload: []byte(`{"entry":[{"changes":[{"field":"flows"}]}]}`), Updates: 3}
	if got := eventOf(&many); got != "flows +2" {
		t.Errorf("three updates: %q", got)
	}
}

func TestTheShownCallIsJSON(t *testing.T) {
	t.Parallel()
	if text := hello("12025550147"); strings.Contains(text, "'") || !strings.Contains(text, `"to": "12025550147"`) {
		t.Errorf("in single quotes of a shell: %s", text)
	}
}
