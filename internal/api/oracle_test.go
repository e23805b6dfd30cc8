package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// What is foreign and what does not exist look the same: status, body but for the id, headers but for the trace, for every
// kind of object, every method and the edges of the kind. Source: spec/graph.md section 12.3.
func TestForeignLooksLikeUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const unknown = "999999999999999"
	seen := func(r reply, id string) string {
		h := r.header.Clone()
		for _, name := range []string{"X-Fb-Trace-Id", "X-Fb-Request-Id", "X-App-Usage", "Content-Length"} {
			h.Del(name)
		}
		return strings.ReplaceAll(fmt.Sprint(r.status, r.body, h), id, "ID")
	}
	for _, foreign := range []string{birch, wabaB, numB, tplB, adminB, w.flow(wabaB, "form")} {
		for _, edge := range []string{"", "?fields=id,nonsense", "/phone_numbers", "/message_templates", "/messages", "/register", "/settings", "/assets", "/nonsense"} {
			for _, method := range []string{"GET", "POST", "DELETE"} {
				for _, body := range []string{"", hello} {
					if method == "GET" && body != "" {
						continue
					}
					a := seen(w.direct("admin", method+" /v23.0/"+foreign+edge, body), foreign)
					b := seen(w.direct("admin", method+" /v23.0/"+unknown+edge, body), unknown)
					if a != b {
						t.Errorf("%s %s%s:\nforeign %s\nunknown %s", method, foreign, edge, a, b)
					}
				}
			}
		}
		pair := func(id string) string {
			return seen(w.direct("admin", "GET /v23.0/?ids="+numLive+","+id, ""), id)
		}
		if a, b := pair(foreign), pair(unknown); a != b {
			t.Errorf("ids with %s:\nforeign %s\nunknown %s", foreign, a, b)
		}
	}
}

// Nor does the time that an answer takes tell them apart: both are lookups in memory. The fastest of many is compared, which
// a busy machine does not disturb, and what a store or a hash would cost is far outside.
func TestForeignTakesAsLongAsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	fastest := func(id string) time.Duration {
		var took []time.Duration
		for range 300 {
			began := time.Now()
			r := w.direct("admin", "GET /v23.0/"+id, "")
			took = append(took, time.Since(began))
			if r.status != http.StatusBadRequest {
				t.Fatalf("%s: %d %s", id, r.status, r.body)
			}
		}
		return slices.Min(took)
	}
	unknown := fastest("999999999999999")
	for _, foreign := range []string{birch, wabaB, numB, tplB, adminB} {
		if d := fastest(foreign); d > 3*unknown+20*time.Microsecond || unknown > 3*d+20*time.Microsecond {
			t.Errorf("%s is refused after %s, an unknown id after %s", foreign, d, unknown)
		}
	}
	if _, ok := w.business.Number(wa.PhoneNumberID(numB)); !ok {
		t.Error("the foreign number does not exist at all")
	}
}
