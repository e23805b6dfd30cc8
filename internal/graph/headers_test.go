package graph_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestHeadersOfAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *graph.Options) { o.Revision = "1042" })
	for _, tc := range []struct {
		name, line, body, token string
		want                    map[string]string // "-" means absent
	}{
		{"read", "GET /v23.0/100/phone_numbers", "", "good", map[string]string{
			"Content-Type": "application/json; charset=UTF-8", "Facebook-Api-Version": "v23.0", "X-Fb-Trace-Id": trace, "X-Fb-Rev": "1042",
			"Cache-Control": "private, no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Expires": "Sat, 01 Jan 2000 00:00:00 GMT",
			"Vary": "Origin, Accept-Encoding", "Access-Control-Allow-Origin": "*", "Www-Authenticate": "-", "X-Business-Use-Case-Usage": `{"100":[]}`,
		}},
		{"write has no ETag", "POST /v23.0/101", `{"name":"x"}`, "good", map[string]string{"Etag": "-", "Cache-Control": "private, no-cache, no-store, must-revalidate"}},
		{"expired version names the one served", "GET /v13.0/101", "", "good", map[string]string{"Facebook-Api-Version": "v19.0"}},
		{"unversioned names the oldest usable", "GET /101", "", "good", map[string]string{"Facebook-Api-Version": "v19.0"}},
		{"unknown version has one too", "GET /v99.0/101", "", "good", map[string]string{"Facebook-Api-Version": "v19.0"}},
		{"error", "GET /v23.0/999", "", "good", map[string]string{
			"Cache-Control": "no-store", "Pragma": "no-cache", "Etag": "-", "X-Fb-Trace-Id": trace,
			"Www-Authenticate": `OAuth "Facebook Platform" "invalid_request" "Unsupported get request. Object with ID '999' does not exist, cannot be loaded due to missing permissions, or does not support this operation. ` + docs + `"`,
		}},
		{"bad token", "GET /v23.0/100", "", "x", map[string]string{"Www-Authenticate": `OAuth "Facebook Platform" "invalid_token" "Invalid OAuth access token - Cannot parse access token"`}},
		{"scope", "GET /v23.0/100", "", "narrow", map[string]string{"Www-Authenticate": `OAuth "Facebook Platform" "insufficient_scope" "(#200) Requires whatsapp_business_management permission to manage the object"`}},
		{"quotes in the message", "GET /v23.0/100?fields=(", "", "good", map[string]string{"Www-Authenticate": `OAuth "Facebook Platform" "invalid_request" "Syntax error \"Expected a field name instead of \"(\".\" at character 0: ("`}},
		{"not found", "GET /v23.0/foo", "", "good", map[string]string{"Www-Authenticate": `OAuth "Facebook Platform" "invalid_request" "(#803) Some of the aliases you requested do not exist: foo"`}},
		{"server fault", "GET /v23.0/100/panic", "", "good", map[string]string{"Www-Authenticate": `OAuth "Facebook Platform" "invalid_request" "An unknown error occurred"`}},
		{"retry", "POST /v23.0/301/limited", "{}", "good", map[string]string{"Retry-After": "2"}},
	} {
		w := r.do(tc.line, tc.body, "Authorization: Bearer "+tc.token)
		for k, want := range tc.want {
			got := w.Header().Values(k)
			if want == "-" && len(got) > 0 || want != "-" && (len(got) != 1 || got[0] != want) {
				t.Errorf("%s: header %s is %q, want %q", tc.name, k, got, want)
			}
		}
	}
}

func TestTraceIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *graph.Options) { o.Rand = nil })
	seen := map[string]bool{}
	for range 50 {
		w := r.do("GET /v23.0/999", "")
		id, req := w.Header().Get("X-Fb-Trace-Id"), w.Header().Get("X-Fb-Request-Id")
		if !regexp.MustCompile(`^A[A-Za-z0-9_-]{22}$`).MatchString(id) || !strings.Contains(w.Body.String(), `"fbtrace_id":"`+id+`"}}`) {
			t.Errorf("trace id %q of %s", id, w.Body)
		}
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{23}$`).MatchString(req) || seen[id] || !strings.Contains(r.log.String(), id) {
			t.Errorf("request id %q, trace id %q seen before: %v", req, id, seen[id])
		}
		seen[id] = true
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	first := r.do("GET /v23.0/101", "")
	tag := first.Header().Get("Etag")
	if !regexp.MustCompile(`^"[0-9a-f]{40}"$`).MatchString(tag) {
		t.Fatalf("ETag %q", tag)
	}
	for _, inm := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		if w := r.do("GET /v23.0/101", "", "If-None-Match: "+inm); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("If-None-Match %s: %d %s", inm, w.Code, w.Body)
		}
	}
	if w := r.do("GET /v23.0/101?fields=id", "", "If-None-Match: "+tag); w.Code != 200 {
		t.Errorf("another body answers %d", w.Code)
	}
	if w := r.do("GET /v23.0/999", "", "If-None-Match: *"); w.Code != 400 {
		t.Errorf("an error answers %d", w.Code)
	}
}

func TestHEADAndOPTIONS(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	w := r.do("HEAD /v23.0/101", "")
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "27" {
		t.Errorf("HEAD: %d %q %v", w.Code, w.Body, w.Header())
	}
	w = r.do("OPTIONS /v23.0/301/messages", "", "Authorization:", "Access-Control-Request-Method: POST")
	if w.Code != 200 || w.Body.Len() != 0 || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "Authorization") ||
		!strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "DELETE") {
		t.Errorf("OPTIONS: %d %v", w.Code, w.Header())
	}
}

func TestTwoAuthorizationHeadersAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	req := httptest.NewRequest(http.MethodGet, "/v23.0/101", nil)
	req.Header["Authorization"] = []string{"Bearer good", "Bearer good"}
	w := httptest.NewRecorder()
	r.srv.ServeHTTP(w, req)
	if w.Code != 400 || len(r.auths) != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestCarriers(t *testing.T) {
	t.Parallel()
	const form = "Content-Type: application/x-www-form-urlencoded"
	all := graph.Carriers{Query: true, Form: true}
	for _, tc := range []struct {
		name, line, body string
		headers          []string
		carriers         graph.Carriers
		status           int
		tokens           string
	}{
		{"query, allowed", "GET /v23.0/101?access_token=good", "", []string{"Authorization:"}, all, 200, "query true"},
		{"query, only form allowed", "GET /v23.0/101?access_token=good", "", []string{"Authorization:"}, graph.Carriers{Form: true}, 400, "query false"},
		{"form, only form allowed", "POST /v23.0/101", "access_token=good&name=x", []string{"Authorization:", form}, graph.Carriers{Form: true}, 200, "form true"},
		{"query beside the header counts as absent", "GET /v23.0/101?access_token=x", "", nil, graph.Carriers{}, 200, "query false"},
		{"form, allowed", "POST /v23.0/101", "access_token=good&name=x", []string{"Authorization:", form}, all, 200, "form true"},
		{"JSON, allowed", "POST /v23.0/101", `{"access_token":"good","name":"x"}`, []string{"Authorization:"}, all, 200, "form true"},
		{"form, with the method", "POST /v23.0/301", "access_token=good&method=delete", []string{"Authorization:", form}, all, 200, "form true"},
		{"form, with the method of an edge", "POST /v23.0/101", "access_token=good&method=get", []string{"Authorization:", form}, all, 200, "form true"},
		{"the same twice", "POST /v23.0/101?access_token=good", `{"access_token":"good","name":"x"}`, nil, all, 200, "query true,form true"},
		{"two that differ", "GET /v23.0/101?access_token=other", "", nil, all, 400, "query true"},
		{"form and header that differ", "POST /v23.0/101", `{"access_token":"other","name":"x"}`, nil, all, 400, "form true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(o *graph.Options) { o.Carriers = tc.carriers })
			w := r.do(tc.line, tc.body, tc.headers...)
			if w.Code != tc.status || strings.Join(r.counter.tokens, ",") != tc.tokens {
				t.Errorf("%d %s, counted %v", w.Code, w.Body, r.counter.tokens)
			}
			if strings.Contains(r.log.String(), "good") {
				t.Errorf("token in the log: %s", r.log)
			}
		})
	}
}

func TestPagingURLCarriesTheTokenOnlyIfTheRequestDid(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *graph.Options) { o.Carriers.Query = true })
	if w := r.do("GET /v23.0/100/phone_numbers?access_token=good", "", "Authorization:"); !strings.Contains(w.Body.String(), "access_token=good&limit=2&after=") {
		t.Error(w.Body)
	}
	if w := r.do("GET /v23.0/100/phone_numbers", ""); strings.Contains(w.Body.String(), "access_token") {
		t.Error(w.Body)
	}
	if w := r.do("GET /v23.0/100/phone_numbers?access_token=good", ""); strings.Contains(w.Body.String(), "access_token") {
		t.Errorf("header caller: %s", w.Body)
	}
}

func TestProof(t *testing.T) {
	t.Parallel()
	const token = "Authorization: Bearer proof"
	for _, tc := range []struct {
		name, line, body string
		status           int
	}{
		{"missing", "GET /v23.0/101", "", 400},
		{"in the query", "GET /v23.0/101?appsecret_proof=right", "", 200},
		{"wrong", "GET /v23.0/101?appsecret_proof=wrong", "", 400},
		{"in the body", "POST /v23.0/101", `{"name":"x","appsecret_proof":"right"}`, 200},
		{"wrong in the body", "POST /v23.0/101", `{"name":"x","appsecret_proof":"wrong"}`, 400},
	} {
		if w := newRig(t, nil).do(tc.line, tc.body, token); w.Code != tc.status {
			t.Errorf("%s: %d %s", tc.name, w.Code, w.Body)
		}
	}
}

func TestGates(t *testing.T) {
	t.Parallel()
	var order []string
	r := newRig(t, func(o *graph.Options) {
		o.Admit = func(_ context.Context, c *graph.Call) error {
			order = append(order, "admit "+c.ID)
			return nil
		}
		o.Enter = func(_ context.Context, c *graph.Call, node any) error {
			order = append(order, "enter "+c.Kind+"/"+c.Edge)
			if n, ok := node.(*number); ok && n.id == "302" {
				return wa.ErrPolicy
			}
			return nil
		}
		o.Style = func(e *wa.Error) *wa.Error {
			if e.Code != 130429 {
				return e
			}
			other := *e
			other.HTTP = http.StatusTooManyRequests
			return &other
		}
	})
	r.do("GET /v23.0/200", "")
	r.do("GET /v23.0/301", "", "Authorization: Bearer narrow")
	if w := r.do("POST /v23.0/302/messages", "{"); w.Code != 403 || !strings.Contains(w.Body.String(), `"code":368`) {
		t.Errorf("account state does not come before parameters: %s", w.Body)
	}
	if w := r.do("POST /v23.0/301/limited", "{}"); w.Code != 429 {
		t.Errorf("style: %d", w.Code)
	}
	want := "admit 200,admit 301,admit 302,enter number/messages,admit 301,enter number/limited"
	if got := strings.Join(order, ","); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want = "GET account 400,GET number 403,POST number/messages 403,POST number/limited 429"
	if got := strings.Join(r.counter.routes, ","); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.do("POST /v23.0/301/messages?access_token=secret1", `{"access_token":"secret2","to":"15550177788"}`)
	line := r.log.String()
	for _, want := range []string{"method=POST", "path=/v23.0/301/messages", "status=400", "code=100", "app_id=770", "version=v23.0", "fbtrace_id=" + trace} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if strings.Contains(line, "secret") || strings.Contains(line, "15550177788") || strings.Count(line, "\n") != 1 {
		t.Error(line)
	}
	r.log.Reset()
	r.do("GET /v23.0/100?fields=broken", "")
	if line := r.log.String(); !strings.Contains(line, "disk on fire") || !strings.Contains(line, "level=ERROR") {
		t.Error(line)
	}
	for field, want := range map[string]string{"away": "level=INFO", "full": "level=WARN", "left": "level=INFO"} {
		r.log.Reset()
		r.do("GET /v23.0/100?fields="+field, "")
		if line := r.log.String(); !strings.Contains(line, want) || strings.Count(line, "\n") != 1 {
			t.Errorf("%s: want %s: %s", field, want, line)
		}
	}
	r.log.Reset()
	r.do("GET /v23.0/100/panic", "")
	if line := r.log.String(); !strings.Contains(line, "boom") || !strings.Contains(line, "toy_test.go") {
		t.Error(line)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"body":       r.do("POST /v23.0/101", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`),
		"depth":      r.do("POST /v23.0/101", `{"name":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}`),
		"nodes":      r.do("POST /v23.0/101", `{"name":[`+strings.Repeat("1,", 60000)+`1]}`),
		"parameters": r.do("POST /v23.0/101?"+strings.Repeat("a=1&", 1001), `{"name":"x"}`),
		"query":      r.do("POST /v23.0/101?a="+strings.Repeat("x", 70000), `{"name":"x"}`),
		"path":       r.do("GET /v23.0/"+strings.Repeat("x", 5000), ""),
		"names":      r.do("GET /v23.0/101?fields=id"+strings.Repeat(",id", 500), ""),
		"nesting":    r.do("GET /v23.0/101?fields=a%7Ba%7Ba%7Ba%7Ba%7Ba%7Ba%7D%7D%7D%7D%7D%7D", ""),
	} {
		if w.Code < 400 || w.Code >= 500 || w.Body.Len() > 1000 {
			t.Errorf("%s: %d %.300s", name, w.Code, w.Body)
		}
	}
}
