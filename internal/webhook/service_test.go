package webhook

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func newTestService(t *testing.T, store *memStore, o TransportOptions) *Service {
	t.Helper()
	tr := NewTransport(o)
	t.Cleanup(tr.CloseIdleConnections)
	s, err := NewService(t.Context(), ServiceOptions{
		Store: store, Safe: fakeSafe{}, Clock: clock.NewFake(testStart), Transport: tr,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(url string) SubscribeRequest {
	return SubscribeRequest{App: testApp, Object: Object, CallbackURL: url, VerifyToken: "s3 cret&", Fields: []Field{{Name: FieldMessages}}}
}

// What names a portfolio goes to its apps, once each. Source: spec/access.md section 12.2.
func TestPortfoliosAreTold(t *testing.T) {
	t.Parallel()
	s := newSnapshot(nil, []Link{{App: "1", WABA: testWABA}, {App: "2", WABA: testWABA}}, nil)
	for app, field := range map[wa.AppID]string{"1": "account_update", "2": "account_update", "3": "account_update", "4": "account_update", "5": "flows"} {
		s.subs[app] = Subscription{App: app, Active: app != "4", Fields: []Field{{Name: field}}}
	}
	s.owner = func(app wa.AppID) wa.BusinessID {
		if app == "1" {
			return "77"
		}
		return "88"
	}
	for _, tc := range []struct {
		waba  wa.WABAID
		entry wa.BusinessID
		want  []wa.AppID
	}{{testWABA, "", []wa.AppID{"1", "2"}}, {testWABA, "88", []wa.AppID{"1", "2", "3"}}, {"", "88", []wa.AppID{"2", "3"}}, {"", "99", nil}} {
		var got []wa.AppID
		for _, to := range s.route("account_update", tc.waba, "", tc.entry) {
			got = append(got, to.App)
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("account %q, portfolio %q: %v", tc.waba, tc.entry, got)
		}
	}
}

// Source: spec/webhooks.md section 2, spec/access.md section 11.

func TestHandshake(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   string // of the message; "" for success
	}{
		{"echo", echo, ""},
		{"echo with white space", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "\r\n "+r.URL.Query().Get("hub.challenge")+"\n")
		}, ""},
		{
			"other text", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") },
			"HTTP Status Code = 200; HTTP Message = OK; The response does not match the challenge",
		},
		{
			"more than the challenge", func(w http.ResponseWriter, r *http.Request) { echo(w, r); _, _ = io.WriteString(w, "!") },
			"HTTP Status Code = 200; HTTP Message = OK; The response does not match the challenge",
		},
		{"JSON", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `"`+r.URL.Query().Get("hub.challenge")+`"`)
		}, "HTTP Status Code = 200; HTTP Message = OK; The response does not match the challenge"},
		{"not found", http.NotFound, "HTTP Status Code = 404; HTTP Message = Not Found"},
		{
			"created", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201); echo(w, r) },
			"HTTP Status Code = 201; HTTP Message = Created",
		},
		{"redirect is not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?"+r.URL.RawQuery, http.StatusFound)
		}, "HTTP Status Code = 302; HTTP Message = Found"},
		{"silence", func(http.ResponseWriter, *http.Request) { <-release }, "HTTP Status Code = 0; HTTP Message = Timed out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var asked url.Values
			var calls atomic.Int32
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) == 1 {
					asked = r.URL.Query()
				}
				c.answer(w, r)
			}))
			t.Cleanup(func() { go h.Close() })
			store := newMemStore()
			s := newTestService(t, store, TransportOptions{Allow: LoopbackPrefixes()})
			if c.name == "silence" {
				s.o.Timeout = 100 * time.Millisecond
			}
			err := s.Subscribe(t.Context(), request(h.URL+"/hook?tenant=7&hub=x"))
			if c.want != "" {
				checkRefusal(t, err, "(#2200) Callback verification failed with the following errors: "+c.want)
				if _, ok := s.Subscription(testApp); ok || len(store.subs) != 0 {
					t.Error("something was stored")
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if c.name == "silence" {
				return // the handler may not have run to its end
			}
			want := url.Values{
				"tenant": {"7"}, "hub": {"x"}, "hub.mode": {"subscribe"}, "hub.verify_token": {"s3 cret&"}, "hub.challenge": asked["hub.challenge"],
			}
			if !reflect.DeepEqual(asked, want) || len(asked.Get("hub.challenge")) != 10 || calls.Load() != 1 {
				t.Errorf("asked %v, %d calls", asked, calls.Load())
			}
		})
	}
}

func checkRefusal(t *testing.T, err error, want string) {
	t.Helper()
	var e *wa.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want a row", err)
	}
	if e.Message() != want || e.HTTP != 400 {
		t.Errorf("%d %q, want %q", e.HTTP, e.Message(), want)
	}
}

func TestHandshakeChecksCertificates(t *testing.T) {
	t.Parallel()
	h := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(h.Close)
	s := newTestService(t, newMemStore(), TransportOptions{Allow: LoopbackPrefixes()})
	checkRefusal(t, s.Subscribe(t.Context(), request(h.URL)),
		"(#2200) Callback verification failed with the following errors: HTTP Status Code = 0; HTTP Message = Certificate not trusted")
	roots := h.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	s = newTestService(t, newMemStore(), TransportOptions{Allow: LoopbackPrefixes(), RootCAs: roots})
	if err := s.Subscribe(t.Context(), request(h.URL)); err != nil {
		t.Errorf("with the authority added: %v", err)
	}
}

func TestSubscriptionLife(t *testing.T) {
	t.Parallel()
	h, store := newHook(t), newMemStore()
	s := newTestService(t, store, TransportOptions{Allow: LoopbackPrefixes()})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Subscribe(ctx, request(h.URL)))
	more := request(h.URL + "/2")
	more.Fields = []Field{{Name: "account_update", Version: "v23.0"}, {Name: "business_username_update"}}
	must(s.Subscribe(ctx, more))
	sub, ok := s.Subscription(testApp)
	want := []Field{{FieldMessages, "v25.0"}, {"account_update", "v23.0"}, {"business_username_updates", "v25.0"}}
	if !ok || !reflect.DeepEqual(sub.Fields, want) || sub.CallbackURL != h.URL+"/2" || !sub.Active {
		t.Errorf("subscription %+v", sub)
	}
	if strings.Contains(string(store.subs[testApp].VerifyToken), "s3") {
		t.Error("the verify token is stored in the clear")
	}
	if token, err := s.VerifyToken(testApp); err != nil || token != "s3 cret&" {
		t.Errorf("verify token %q, %v", token, err)
	}
	must(s.Verify(ctx, testApp))
	must(s.Unsubscribe(ctx, testApp, Object, []string{"account_update", "unknown"}))
	if sub, _ = s.Subscription(testApp); len(sub.Fields) != 2 {
		t.Errorf("fields %v", sub.Fields)
	}
	must(s.Unsubscribe(ctx, testApp, Object, nil))
	must(s.Unsubscribe(ctx, testApp, Object, nil))
	if _, ok := s.Subscription(testApp); ok || len(store.subs) != 0 {
		t.Error("still subscribed")
	}
	bad := request(h.URL)
	bad.Object = "page"
	if err := s.Subscribe(ctx, bad); !errors.Is(err, wa.ErrParamOneOf) {
		t.Errorf("object page: %v", err)
	}
	bad = request(h.URL)
	bad.Fields = []Field{{Name: "message_reads"}}
	if err := s.Subscribe(ctx, bad); !errors.Is(err, wa.ErrParamOneOf) {
		t.Errorf("foreign field: %v", err)
	}
	store.setFail(errors.New("disk full"))
	if err := s.Subscribe(ctx, request(h.URL)); err == nil {
		t.Error("stored on a full disk")
	}
	if _, ok := s.Subscription(testApp); ok {
		t.Error("memory is ahead of the store")
	}
}

func TestLinksAndOverrides(t *testing.T) {
	t.Parallel()
	h, store := newHook(t), newMemStore()
	s := newTestService(t, store, TransportOptions{Allow: LoopbackPrefixes()})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	to := func(field string, number wa.PhoneNumberID) string {
		t.Helper()
		targets := s.Route(field, testWABA, number)
		if len(targets) != 1 {
			t.Fatalf("targets %v", targets)
		}
		return strings.TrimPrefix(targets[0].URL, h.URL)
	}
	r := request(h.URL + "/app")
	r.Fields = append(r.Fields, Field{Name: "account_update"})
	must(s.Subscribe(ctx, r))
	if got := s.Route(FieldMessages, testWABA, testNumber); got != nil {
		t.Errorf("without a link: %v", got)
	}
	if err := s.OverrideNumber(ctx, testApp, testWABA, testNumber, h.URL, "x"); !errors.Is(err, wa.ErrInvalidParameter) {
		t.Errorf("override without a link: %v", err)
	}
	must(s.Link(ctx, testApp, testWABA, "", ""))
	must(s.Link(ctx, testApp, testWABA, "", ""))
	if got := to(FieldMessages, testNumber); got != "/app" {
		t.Errorf("app callback: %s", got)
	}
	must(s.Link(ctx, testApp, testWABA, h.URL+"/waba", "x"))
	if got := to(FieldMessages, testNumber); got != "/waba" {
		t.Errorf("override of the account: %s", got)
	}
	must(s.OverrideNumber(ctx, testApp, testWABA, testNumber, h.URL+"/number", "x"))
	if got := to(FieldMessages, testNumber); got != "/number" {
		t.Errorf("override of the number: %s", got)
	}
	if got := to(FieldMessages, "1"); got != "/waba" {
		t.Errorf("another number: %s", got)
	}
	if got := to("account_update", testNumber); got != "/app" {
		t.Errorf("a field that does not follow overrides: %s", got)
	}
	if got := s.Route("calls", testWABA, testNumber); got != nil {
		t.Errorf("an override subscribes nothing: %v", got)
	}
	if c := s.Callbacks(testApp, testWABA, testNumber); c != (Callbacks{h.URL + "/number", h.URL + "/waba", h.URL + "/app"}) {
		t.Errorf("callbacks %+v", c)
	}
	if err := s.Link(ctx, testApp, testWABA, h.URL+"/"+strings.Repeat("a", 200), "x"); !errors.Is(err, wa.ErrParamTooLong) {
		t.Errorf("long override: %v", err)
	}
	// The same from the store.
	again := newTestService(t, store, TransportOptions{})
	if !reflect.DeepEqual(again.Route(FieldMessages, testWABA, testNumber), s.Route(FieldMessages, testWABA, testNumber)) {
		t.Error("another process sees something else")
	}
	must(s.Link(ctx, testApp, testWABA, "", "")) // removes the override of the account
	must(s.OverrideNumber(ctx, testApp, testWABA, testNumber, "", ""))
	if got := to(FieldMessages, testNumber); got != "/app" {
		t.Errorf("without overrides: %s", got)
	}
	second := request(h.URL + "/second")
	second.App = "1"
	must(s.Subscribe(ctx, second))
	must(s.Link(ctx, "1", testWABA, "", ""))
	if l := s.Links(testWABA); len(l) != 2 || l[0].App != "1" || l[1].App != testApp {
		t.Errorf("links %v", l)
	}
	must(s.Unlink(ctx, testApp, testWABA))
	must(s.Unlink(ctx, testApp, testWABA))
	if got := s.Route(FieldMessages, testWABA, testNumber); len(got) != 1 || got[0].App != "1" {
		t.Errorf("after unsubscribing: %v", got)
	}
}

func TestFailedOverrideChangesNothing(t *testing.T) {
	t.Parallel()
	h, store := newHook(t), newMemStore()
	deaf := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(deaf.Close)
	s := newTestService(t, store, TransportOptions{Allow: LoopbackPrefixes()})
	if err := s.Link(t.Context(), testApp, testWABA, deaf.URL, "x"); !errors.Is(err, wa.ErrCallback) {
		t.Errorf("deaf receiver: %v", err)
	}
	if len(s.Links(testWABA)) != 0 || len(store.links) != 0 {
		t.Error("the app was subscribed")
	}
	if err := s.Link(t.Context(), testApp, testWABA, h.URL, "x"); err != nil {
		t.Fatal(err)
	}
	if err := s.Link(t.Context(), testApp, testWABA, deaf.URL, "x"); !errors.Is(err, wa.ErrCallback) {
		t.Errorf("deaf receiver: %v", err)
	}
	if l := s.Links(testWABA); len(l) != 1 || l[0].OverrideURL != h.URL {
		t.Errorf("links %v", l)
	}
}

func TestHandshakesAreToldInFull(t *testing.T) {
	t.Parallel()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "wrong \x00token\n"+strings.Repeat("x", 1000))
	}))
	t.Cleanup(h.Close)
	s := newTestService(t, newMemStore(), TransportOptions{Allow: LoopbackPrefixes()})
	err := s.Subscribe(t.Context(), request(h.URL))
	var told *Handshake
	if !errors.As(err, &told) || told.Status != 403 || told.Why != "Forbidden" || !strings.HasPrefix(told.Snippet, "wrong  token x") ||
		len(told.Snippet) > maxSnippet || told.At.IsZero() {
		t.Errorf("%+v from %v", told, err)
	}
}

func TestFieldsOneByOne(t *testing.T) {
	t.Parallel()
	s := newTestService(t, newMemStore(), TransportOptions{Allow: LoopbackPrefixes()})
	ctx := t.Context()
	if err := s.SetField(ctx, "1", Field{Name: FieldMessages}, true); !errors.Is(err, ErrNoSubscription) {
		t.Errorf("without a callback: %v", err)
	}
	r := request("http://127.0.0.1:1/")
	r.App, r.Fields, r.Trusted = "1", nil, true
	if err := s.Subscribe(ctx, r); err != nil {
		t.Fatal(err)
	}
	expect := func(want ...Field) {
		t.Helper()
		sub, ok := s.Subscription("1")
		if !ok || !slices.Equal(sub.Fields, want) || sub.CallbackURL != r.CallbackURL {
			t.Errorf("subscribed to %+v, want %v", sub, want)
		}
	}
	for _, c := range []struct {
		f  Field
		on bool
	}{{Field{FieldMessages, "v24.0"}, true}, {Field{"calls", ""}, true}, {Field{FieldMessages, "v23.0"}, true}, {Field{"flows", ""}, false}} {
		if err := s.SetField(ctx, "1", c.f, c.on); err != nil {
			t.Fatal(err)
		}
	}
	expect(Field{FieldMessages, "v23.0"}, Field{"calls", s.o.Version})
	for _, name := range []string{"calls", FieldMessages} {
		if err := s.SetField(ctx, "1", Field{Name: name}, false); err != nil {
			t.Fatal(err)
		}
	}
	expect() // and the callback stays
	if err := s.SetField(ctx, "1", Field{Name: "likes"}, true); !errors.Is(err, wa.ErrParamOneOf) {
		t.Errorf("no such field: %v", err)
	}
}
