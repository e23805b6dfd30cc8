package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	wabaNew, wabaNext = "220110330440590", "220110330440591"
	numNew            = "330220110550490"
)

// usage is the header about an account.
func usage(id, percent, minutes string) string {
	return `{"` + id + `":[{"type":"whatsapp","call_count":` + percent + `,"total_cputime":0,"total_time":0,"estimated_time_to_regain_access":` + minutes + `}]}`
}

// The vectors of spec/limits.md section 6.3.
func TestManagementBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, id := range []wa.WABAID{wabaNew, wabaNext} {
		if _, err := w.business.CreateWABA(t.Context(), business.WABA{ID: id, Owner: aozora, Name: "W"}); err != nil {
			t.Fatal(err)
		}
	}
	line := "GET /v23.0/" + wabaNew + "?fields=id"
	call := func(fact, token, line string, status int, header string) {
		t.Helper()
		r := w.direct(token, line, "")
		if r.status != status {
			t.Errorf("%s: %d %s", fact, r.status, r.body)
		}
		if got := r.header.Get("X-Business-Use-Case-Usage"); got != header {
			t.Errorf("%s: usage %s, want %s", fact, got, header)
		}
		if status != http.StatusOK && !strings.Contains(r.body, `"code":80007`) {
			t.Errorf("%s: %s", fact, r.body)
		}
	}
	call("the first of 200", "admin", line, 200, usage(wabaNew, "0", "0"))
	for range 198 {
		w.direct("admin", line, "")
	}
	call("G1: the 200th", "admin", line, 200, usage(wabaNew, "100", "0"))
	call("G2: 201st at t=0", "admin", line, 400, usage(wabaNew, "100", "60"))
	if r := w.direct("admin", line, ""); r.header.Get("Retry-After") != "3600" {
		t.Errorf("G2: Retry-After %q", r.header.Get("Retry-After"))
	}
	call("G3: another app, same WABA", "partner", line, 200, usage(wabaNew, "0", "0"))
	call("G4: same app, another WABA", "admin", "GET /v23.0/"+wabaNext+"?fields=id", 200, usage(wabaNext, "0", "0"))
	call("G8: uncounted edge while throttled", "admin", "GET /v23.0/"+numLive+"?fields=id", 200, "")
	w.clock.Advance(time.Hour)
	call("G5: after an hour", "admin", line, 200, usage(wabaNew, "0", "0"))
	for range 199 {
		w.direct("admin", line, "")
	}
	call("full again", "admin", line, 400, usage(wabaNew, "100", "60"))
	_, err := w.business.CreateNumber(t.Context(), business.Number{ID: numNew, WABA: wabaNew, WaID: "815055550199", Registered: true, Status: business.NumberConnected})
	if err != nil {
		t.Fatal(err)
	}
	call("G6: a number gets registered: 5,000", "admin", line, 200, usage(wabaNew, "4", "0"))
}

// Credit lines have a budget of their own. Source: spec/limits.md section 6.1.
func TestCreditBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	line := "GET /v23.0/" + aozora + "/extendedcredits"
	var r reply
	for range 5000 {
		r = w.direct("admin", line, "")
	}
	if got := r.header.Get("X-Business-Use-Case-Usage"); r.status != 200 || got != usage(aozora, "100", "0") {
		t.Errorf("the 5,000th: %d, usage %s", r.status, got)
	}
	r = w.direct("admin", line, "")
	if got := r.header.Get("X-Business-Use-Case-Usage"); r.status != 400 || !strings.Contains(r.body, `"code":80007`) || got != usage(aozora, "100", "60") {
		t.Errorf("one more: %d %s, usage %s", r.status, r.body, got)
	}
	w.direct("admin", "GET /v23.0/"+aozora+"?fields=id", "").want(t, 200, `{"id":"`+aozora+`"}`)
	w.clock.Advance(time.Hour)
	w.direct("admin", line, "").want(t, 200, `{"data":[]}`)
}

func TestAppUsage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for range 500 {
		w.direct("admin", "GET /v23.0/"+numLive+"?fields=id", "")
	}
	r := w.direct("admin", "GET /v23.0/"+numLive+"?fields=id", "")
	if got := r.header.Get("X-App-Usage"); got != `{"call_count":1,"total_cputime":0,"total_time":0}` {
		t.Errorf("after 501 of 50,000 calls: %s", got)
	}
	r = w.direct("admin", "POST /v23.0/"+numLive+"/messages", `{}`)
	if got := r.header.Get("X-App-Usage"); got != "" {
		t.Errorf("messages are exempt: %s", got)
	}
}
