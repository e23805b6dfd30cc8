package flow_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/flowtest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// hang is an endpoint that does not answer in its time.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// stall answers and never comes to the end of it.
func stall(r *http.Request) (*http.Response, error) {
	in, out := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = out.CloseWithError(r.Context().Err()) })
	return &http.Response{StatusCode: http.StatusOK, Body: in}, nil
}

func step(f *flow.Flow) flow.Step {
	return flow.Step{Flow: f.ID, Number: number, Action: flow.DataExchange, Screen: "PICK", Data: json.RawMessage(`{"slot":"10-30"}`), Token: "order-1"}
}

// Source: spec/flows.md section 8.3.
func TestEndpointAnswers(t *testing.T) {
	t.Parallel()
	status := func(code int, body string) func(flowtest.Question) flowtest.Answer {
		return func(flowtest.Question) flowtest.Answer { return flowtest.Answer{Status: code, Body: body} }
	}
	says := func(v any) func(flowtest.Question) flowtest.Answer {
		return func(flowtest.Question) flowtest.Answer { return flowtest.Answer{JSON: v} }
	}
	refused := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }
	for _, c := range []struct {
		name    string
		on      func(flowtest.Question) flowtest.Answer
		instead func(*http.Request) (*http.Response, error)
		kind    flow.Kind
		message string
		calls   int
		errs    bool // it counts as an error of the endpoint
	}{
		{name: "token over", on: status(427, `{"error_msg":"The order was closed."}`), kind: flow.TokenOver, message: "The order was closed.", calls: 1},
		{name: "token over without reason", on: status(427, `<html>`), kind: flow.TokenOver, calls: 1},
		{name: "token over with a long reason", on: status(427, `{"error_msg":"`+strings.Repeat("x", 1024)+`"}`), kind: flow.TokenOver, calls: 1},
		{name: "signature", on: status(432, ``), kind: flow.BadSignature, calls: 1, errs: true},
		{name: "status", on: status(500, ``), kind: flow.BadStatus, calls: 1, errs: true},
		{name: "redirect", on: status(302, ``), kind: flow.BadStatus, calls: 1, errs: true},
		{name: "421 twice", on: status(421, ``), kind: flow.Undecrypted, calls: 2, errs: true},
		{name: "in clear", on: status(200, `{"screen":"PICK"}`), kind: flow.Undecrypted, calls: 1, errs: true},
		{name: "empty", on: status(200, ``), kind: flow.Undecrypted, calls: 1, errs: true},
		{name: "too long", on: says(strings.Repeat("x", 2<<20)), kind: flow.BadAnswer, calls: 1, errs: true},
		{name: "no object", on: says([]int{1}), kind: flow.BadAnswer, calls: 1, errs: true},
		{name: "no screen", on: says(map[string]any{"version": "3.0"}), kind: flow.BadAnswer, calls: 1, errs: true},
		{name: "silence", instead: hang, kind: flow.Timeout, calls: 1, errs: true},
		{name: "half an answer", instead: stall, kind: flow.Timeout, calls: 1, errs: true},
		{name: "nobody there", instead: refused, kind: flow.NoConnection, calls: 1, errs: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			f := r.published("f", talks)
			if c.on != nil {
				r.end.Set(c.on)
			}
			r.net.instead(c.instead)
			answer, err := r.Exchange(t.Context(), step(f))
			e, ok := errors.AsType[*flow.ExchangeError](err)
			if !ok || answer != nil {
				t.Fatalf("answer %s, error %v", answer, err)
			}
			same(t, "kind", e.Kind, c.kind)
			same(t, "message", e.Message, c.message)
			same(t, "calls", r.net.take(), c.calls)
			want := ""
			if c.errs {
				want = string(c.kind) + "=1"
			}
			same(t, "counted", r.metric(f.ID, flow.RequestErrors), want)
			same(t, "requests", r.metric(f.ID, flow.RequestCount), "value=1")
		})
	}
}

// 421 asks for the key that is valid now. Source: spec/flows.md section 8.3.
func TestKeyIsFetchedAgain(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.published("f", talks)
	old := r.end.PublicKey(t)
	r.end.Rotate()
	r.acc.keys = []string{old, r.end.PublicKey(t)}
	answer, err := r.Exchange(t.Context(), step(f))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "answer", string(answer), `{"data":{},"screen":"PICK"}`)
	asked, bad := r.end.Asked()
	if len(asked) != 1 || bad != 1 {
		t.Fatalf("%d questions, %d refused", len(asked), bad)
	}
	q := asked[0]
	got, _ := json.Marshal(q)
	same(t, "question", string(got), `{"version":"3.0","action":"data_exchange","screen":"PICK","data":{"slot":"10-30"},"flow_token":"order-1","flow_token_signature":""}`)
	same(t, "errors", r.metric(f.ID, flow.RequestErrors), "")
}

// Data API 4.0 vouches for the flow token. Source: spec/flows.md section 8.2.
func TestTokenSignature(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.draft("f", strings.Replace(talks, `"3.0"`, `"4.0"`, 1))
	end := uri
	if _, err := r.Update(t.Context(), f.ID, flow.Change{Endpoint: &end}); err != nil {
		t.Fatal(err)
	}
	st := step(f)
	st.Draft = true
	if _, err := r.Exchange(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	same(t, "requests of a draft", r.metric(f.ID, flow.RequestCount), "")
	asked, _ := r.end.Asked()
	parts := strings.Split(asked[0].Signature, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", asked[0].Signature)
	}
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(parts[0] + "." + parts[1]))
	same(t, "signature", parts[2], base64.RawURLEncoding.EncodeToString(h.Sum(nil)))
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	same(t, "claims", string(claims), `{"flow_token":"order-1","iat":1777636800}`)
}

// What the endpoint has nothing to do with does not reach it and is not counted.
func TestEndpointIsNotAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(r *room, f *flow.Flow, st *flow.Step)
		kind   flow.Kind // empty: it is asked
	}{
		{"a running session of a deprecated flow", func(r *room, f *flow.Flow, _ *flow.Step) { _, _ = r.Deprecate(r.t.Context(), f.ID) }, ""},
		{"a throttled flow", func(r *room, f *flow.Flow, _ *flow.Step) { r.state(f.ID, flow.Throttled) }, ""},
		{"a deprecated flow", func(r *room, f *flow.Flow, st *flow.Step) {
			_, _ = r.Deprecate(r.t.Context(), f.ID)
			st.Action = flow.Init
		}, flow.Closed},
		{"a blocked flow", func(r *room, f *flow.Flow, _ *flow.Step) { r.state(f.ID, flow.Blocked) }, flow.Closed},
		{"no flow", func(_ *room, _ *flow.Flow, st *flow.Step) { st.Flow = "1" }, flow.Closed},
		{"a draft", func(r *room, _ *flow.Flow, st *flow.Step) { st.Flow = r.draft("d", talks).ID }, flow.Closed},
		{"a flow without endpoint", func(r *room, _ *flow.Flow, st *flow.Step) { st.Flow = r.published("p", plain).ID }, flow.NotReady},
		{"no key", func(_ *room, _ *flow.Flow, st *flow.Step) { st.Number = "n2" }, flow.NotReady},
		{"a key that is none", func(r *room, _ *flow.Flow, _ *flow.Step) { r.acc.keys = []string{"key"} }, flow.NotReady},
		{"no app", func(r *room, f *flow.Flow, _ *flow.Step) {
			var none wa.AppID
			_, _ = r.Update(r.t.Context(), f.ID, flow.Change{App: &none})
		}, flow.NotReady},
		{"too much data", func(_ *room, _ *flow.Flow, st *flow.Step) {
			st.Data = json.RawMessage(`{"a":"` + strings.Repeat("x", 256<<10) + `"}`)
		}, flow.BadAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			f := r.published("f", talks)
			st := step(f)
			c.before(r, f, &st)
			_, err := r.Exchange(t.Context(), st)
			if c.kind == "" {
				if err != nil || r.net.take() != 1 {
					t.Fatalf("not asked: %v", err)
				}
				return
			}
			if e, ok := errors.AsType[*flow.ExchangeError](err); !ok || e.Kind != c.kind {
				t.Errorf("got %v, want %s", err, c.kind)
			}
			same(t, "calls", r.net.take(), 0)
			same(t, "requests", r.metric(st.Flow, flow.RequestCount), "")
		})
	}
}

// A user who goes away says nothing of the endpoint.
func TestUserGoesAway(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.published("f", talks)
	ctx, cancel := context.WithCancel(t.Context())
	r.net.instead(func(q *http.Request) (*http.Response, error) {
		cancel()
		return hang(q)
	})
	if _, err := r.Exchange(ctx, step(f)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	same(t, "requests", r.metric(f.ID, flow.RequestCount), "")
}

// FuzzAnswer lets an endpoint answer in clear and encrypted: whatever it says, there is an answer to show or a kind of failure.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "", `{"screen":"PICK","data":{}}`)
	f.Add(200, "AAAA", "")
	f.Add(427, `{"error_msg":"Over."}`, "")
	f.Add(421, "", "")
	f.Fuzz(func(t *testing.T, status int, clear, sealed string) {
		if status < 200 || status > 599 {
			return
		}
		r := open(t)
		flow1 := r.published("f", talks)
		answer := flowtest.Answer{Status: status, Body: clear}
		if status == http.StatusOK && json.Valid([]byte(sealed)) {
			answer = flowtest.Answer{JSON: json.RawMessage(sealed)}
		}
		r.end.Set(func(flowtest.Question) flowtest.Answer { return answer })
		got, err := r.Exchange(t.Context(), step(flow1))
		if e, ok := errors.AsType[*flow.ExchangeError](err); err != nil && (!ok || e.Kind == "" || got != nil) || err == nil && !json.Valid(got) {
			t.Errorf("%d %q %q: %s, %v", status, clear, sealed, got, err)
		}
	})
}
