package api_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Two tenants. Aozora owns an account with every sort of number; Birch owns two, of which it shares one with Aozora, and
// Aozora has a second app that may reach the accounts of others. Every name holds the id of its object.
const (
	aozora, birch = "500600700800900", "500600700800901"

	appA, appB, appPartner = "440330220110550", "440330220110551", "440330220110552"
	secret                 = "0123456789abcdef0123456789abcdef"

	wabaA, wabaB, wabaShared = "220110330440550", "220110330440551", "220110330440552"

	numLive    = "106540352242922" // the number of the platform overview's example
	numTest    = "330220110550440"
	numPending = "330220110550441"
	numUnnamed = "330220110550442"
	numGone    = "330220110550443"
	numB       = "330220110550450"
	numShared  = "330220110550451"

	tplHello, tplOrder, tplImage, tplPaused, tplPromo, tplB = "770220330440110", "770220330440111", "770220330440112", "770220330440113", "770220330440114", "770220330440120"

	adminA, clerkA, adminB = "122330440550660", "122330440550661", "122330440550670"
	personA                = "122330440550680"

	trace = "AAAAAAAAAAAAAAAAAAAAAAA"
	base  = "https://graph.example.test"
)

const (
	scopeM = access.Management
	scopeS = access.Messaging
	scopeB = access.BusinessManagement
)

var (
	start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	all   = []access.Scope{scopeM, scopeS, scopeB}
)

type world struct {
	t        testing.TB
	clock    *clock.Controlled
	access   *access.Service
	business *business.Service
	template *template.Service
	webhooks *webhook.Service
	flows    *flow.Service
	lane     *lane
	codes    *mail
	log      *syncBuffer
	handler  http.Handler
	url      string
	client   *http.Client
	tokens   map[string]string
}

// syncBuffer is a log that handlers of a server may write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newWorld(t testing.TB, change func(*api.Options)) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, clock: clock.NewFake(start), lane: &lane{}, codes: &mail{}, log: &syncBuffer{}, tokens: map[string]string{}}
	var err error
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.access, err = access.New(ctx, accessStore{}, access.Options{Clock: w.clock, Sealer: sealer{}, Pepper: bytes.Repeat([]byte{7}, 32), Rounds: 1000})
	must(err)
	w.business, err = business.New(ctx, businessStore{}, business.Options{Clock: w.clock, IDKey: []byte("ids"), Courier: w.codes, Teller: w.codes, Review: time.Hour, Sealer: sealer{}, Region: "JP"})
	must(err)
	w.template, err = template.New(ctx, templateStore{}, template.Options{Clock: w.clock})
	must(err)
	tr := webhook.NewTransport(webhook.TransportOptions{Allow: webhook.LoopbackPrefixes()})
	t.Cleanup(tr.CloseIdleConnections)
	w.webhooks, err = webhook.NewService(ctx, webhook.ServiceOptions{Store: webhookStore{}, Safe: safe{}, Clock: w.clock, Transport: tr, Versions: []string{"v23.0", "v24.0", "v25.0"}})
	must(err)
	w.flows, err = flow.New(ctx, flow.Options{
		Store: flowStore{}, Shelf: flowStore{}, Retirements: flowStore{}, Counts: flowStore{}, Sealer: sealer{}, Accounts: flowStore{}, Secrets: flowStore{},
		Clock: w.clock, Wall: w.clock, Transport: tr, CheckURL: func(string) error { return nil }, Key: bytes.Repeat([]byte{7}, 32),
	})
	must(err)
	w.fillBusiness(ctx, must)
	w.fillTemplates(ctx, must)
	w.fillAccess(ctx, must)
	w.fillFlows(ctx, must)
	o := api.Options{
		Access: w.access, Business: w.business, Template: w.template, Webhooks: w.webhooks, Pipeline: w.lane, Clock: w.clock,
		Flows: w.flows, Uploads: uploads{}, Pictures: &w.codes.pictures,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Rand: zeros{}, BaseURL: base,
	}
	if change != nil {
		change(&o)
	}
	w.handler, err = api.New(o)
	must(err)
	srv := httptest.NewServer(w.handler)
	t.Cleanup(srv.Close)
	w.url, w.client = srv.URL, srv.Client()
	return w
}

func (w *world) fillBusiness(ctx context.Context, must func(error)) {
	for _, p := range []business.Portfolio{
		{ID: aozora, Name: "P " + aozora, Verification: business.Verified, MessagingLimit: business.Tier2K, TimezoneID: 24, Vertical: "RETAIL"},
		{ID: birch, Name: "P " + birch},
	} {
		_, err := w.business.CreatePortfolio(ctx, p)
		must(err)
	}
	for _, a := range []business.WABA{
		{ID: wabaA, Owner: aozora, Name: "W " + wabaA, Currency: "JPY", TimezoneID: "54", Country: "JP", Namespace: "0b7c1e52_93aa_4d0e_8d1f_6a2f0c9d11e4"},
		{ID: wabaB, Owner: birch, Name: "W " + wabaB},
		{ID: wabaShared, Owner: birch, Name: "W " + wabaShared, Shared: []business.Share{{Business: aozora, Tasks: []string{"MANAGE"}}}},
	} {
		w.clock.Advance(time.Second)
		_, err := w.business.CreateWABA(ctx, a)
		must(err)
	}
	live := func(id, waba, waID string) business.Number {
		return business.Number{
			ID: wa.PhoneNumberID(id), WABA: wa.WABAID(waba), WaID: wa.WaID(waID), VerifiedName: "N " + id, NameStatus: business.NameApproved,
			Status: business.NumberConnected, CodeVerification: business.CodeVerified, Quality: business.QualityGreen,
			Platform: business.CloudAPI, Level: business.Standard, Registered: true, LastOnboarded: w.clock.Now(),
		}
	}
	test := live(numTest, wabaA, "15550100001")
	test.Mode, test.Allowed = business.Sandbox, []business.Recipient{{User: "16505555555"}}
	unnamed := live(numUnnamed, wabaA, "15550100002")
	unnamed.PlatformSupplied, unnamed.NameStatus = true, business.NamePending
	gone := live(numGone, wabaA, "15550100003")
	gone.Status, gone.Registered = business.NumberDeleted, false
	for _, n := range []business.Number{
		live(numLive, wabaA, "815055550142"), test,
		{ID: numPending, WABA: wabaA, WaID: "815055550143", VerifiedName: "N " + numPending, CodeVerification: business.CodeVerified},
		unnamed, gone, live(numB, wabaB, "15550100010"), live(numShared, wabaShared, "15550100011"),
	} {
		w.clock.Advance(time.Second)
		if !n.LastOnboarded.IsZero() {
			n.LastOnboarded = w.clock.Now()
		}
		_, err := w.business.CreateNumber(ctx, n)
		must(err)
	}
}

func (w *world) fillTemplates(ctx context.Context, must func(error)) {
	body := template.Component{Type: template.Body, Text: "Hello {{1}}, order {{2}} is ready."}
	for _, t := range []template.Template{
		{ID: tplOrder, WABA: wabaA, Name: "order_ready", Language: "en_US", Category: template.Utility, Status: template.Approved, Components: []template.Component{
			body, {Type: template.Buttons, Buttons: []template.Button{{Type: template.QuickReply, Text: "Later"}}},
		}},
		{ID: tplImage, WABA: wabaA, Name: "with_image", Language: "en_US", Category: template.Marketing, Status: template.Approved, Components: []template.Component{
			{Type: template.Header, Format: template.HeaderImage}, {Type: template.Body, Text: "Look"},
		}},
		{ID: tplPaused, WABA: wabaA, Name: "slow", Language: "ja", Category: template.Utility, Status: template.Paused, Components: []template.Component{{Type: template.Body, Text: "Zzz"}}},
		{ID: tplPromo, WABA: wabaA, Name: "promo", Language: "en_US", Category: template.Marketing, Status: template.Approved, Components: []template.Component{{Type: template.Body, Text: "Sale"}}},
		{ID: tplB, WABA: wabaB, Name: "t_" + tplB, Language: "en_US", Category: template.Utility, Status: template.Approved, Components: []template.Component{{Type: template.Body, Text: "Hi"}}},
	} {
		w.clock.Advance(time.Second)
		_, err := w.template.Create(ctx, t)
		must(err)
	}
	w.clock.Advance(time.Second)
	_, err := w.template.CreateSample(ctx, wabaA, tplHello)
	must(err)
}

// fillFlows makes two drafts of Aozora, of which one has a document, and one of Birch. Their ids are drawn.
func (w *world) fillFlows(ctx context.Context, must func(error)) {
	for _, f := range []flow.NewFlow{
		{WABA: wabaA, App: appA, Name: "form", Categories: []flow.Category{"OTHER"}, JSON: []byte(formJSON), Publish: true},
		{WABA: wabaA, App: appA, Name: "draft", Categories: []flow.Category{"SURVEY"}, JSON: []byte(formJSON)},
		{WABA: wabaB, App: appB, Name: "form", Categories: []flow.Category{"OTHER"}},
	} {
		_, err := w.flows.Create(ctx, f)
		must(err)
	}
}

// formJSON is a flow of one screen.
const formJSON = `{"version":"7.3","screens":[{"id":"FORM","title":"Form","terminal":true,"success":true,
"layout":{"type":"SingleColumnLayout","children":[{"type":"TextInput","name":"name","label":"Name"},
{"type":"Footer","label":"Send","on-click-action":{"name":"complete","payload":{"name":"${form.name}"}}}]}}]}`

// flow is the id of a flow.
func (w *world) flow(waba, name string) string {
	w.t.Helper()
	f, ok := w.flows.Named(wa.WABAID(waba), name)
	if !ok {
		w.t.Fatalf("no flow %s of %s", name, waba)
	}
	return string(f.ID)
}

func (w *world) fillAccess(ctx context.Context, must func(error)) {
	for _, a := range []access.NewApp{
		{ID: appA, Name: "A " + appA, Business: aozora, Secret: secret},
		{ID: appB, Name: "A " + appB, Business: birch, Secret: secret},
		{ID: appPartner, Name: "A " + appPartner, Business: aozora, Secret: secret, Advanced: all},
	} {
		_, err := w.access.CreateApp(ctx, a)
		must(err)
	}
	for _, u := range []access.SystemUser{
		{ID: adminA, Business: aozora, Name: "S " + adminA, Role: access.Admin},
		{ID: clerkA, Business: aozora, Name: "S " + clerkA, Assigned: []access.Assignment{{WABA: wabaA, Tasks: []access.Task{access.MessagingTask}}}},
		{ID: adminB, Business: birch, Name: "S " + adminB, Role: access.Admin},
	} {
		_, err := w.access.CreateSystemUser(ctx, u)
		must(err)
	}
	_, err := w.access.CreatePerson(ctx, access.Person{ID: personA, Name: "H " + personA, Member: []access.Membership{{Business: aozora, Role: access.Admin}}})
	must(err)
	w.token("admin", appA, adminA, all...)
	w.token("clerk", appA, clerkA, all...)
	w.token("partner", appPartner, adminA, all...)
	w.token("birch", appB, adminB, all...)
	w.issue("person", access.TokenSpec{Type: access.UserToken, App: appA, Actor: personA, Scopes: all})
	w.tokens["app"] = appA + "|" + secret
	w.tokens["appB"] = appB + "|" + secret
	w.tokens["garbage"] = "not-a-token"
}

func (w *world) token(name, app, actor string, scopes ...access.Scope) {
	w.t.Helper()
	w.issue(name, access.TokenSpec{Type: access.SystemUserToken, App: wa.AppID(app), Actor: actor, Scopes: scopes})
}

func (w *world) issue(name string, spec access.TokenSpec) {
	w.t.Helper()
	s, _, err := w.access.Issue(w.t.Context(), spec)
	if err != nil {
		w.t.Fatal(err)
	}
	w.tokens[name] = s.Reveal()
}

// reply is what came back.
type reply struct {
	status int
	body   string
	header http.Header
}

// call sends "METHOD /path" over a connection with the named token; "" sends none.
func (w *world) call(token, line, body string, headers ...string) reply {
	w.t.Helper()
	method, target, _ := strings.Cut(line, " ")
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+target, rd)
	if err != nil {
		w.t.Fatal(err)
	}
	w.head(req, token, body, headers)
	res, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res.StatusCode, string(b), res.Header}
}

// direct is call without a connection, for tests that make many.
func (w *world) direct(token, line, body string) reply {
	method, target, _ := strings.Cut(line, " ")
	req := httptest.NewRequest(method, base+target, strings.NewReader(body))
	w.head(req, token, body, nil)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	return reply{rec.Code, rec.Body.String(), rec.Result().Header}
}

func (w *world) head(req *http.Request, token, body string, headers []string) {
	if t := w.tokens[token]; t != "" {
		req.Header.Set("Authorization", "Bearer "+t)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ":")
		req.Header.Set(k, strings.TrimSpace(v))
	}
}

// want checks status and body.
func (r reply) want(t testing.TB, status int, body string) {
	t.Helper()
	if r.status != status || r.body != body {
		t.Errorf("got  %d %s\nwant %d %s", r.status, r.body, status, body)
	}
}

// graphError is the envelope of an error without error_data; members is what comes between type and the trace id.
func graphError(message, members string) string {
	return `{"error":{"message":"` + message + `","type":"OAuthException",` + members + `,"fbtrace_id":"` + trace + `"}}`
}

// cloudError is the envelope of a messaging error.
func cloudError(message, code, details string) string {
	return graphError(message, `"code":`+code+`,"error_data":{"messaging_product":"whatsapp","details":"`+details+`"}`)
}

// missing is the 100/33 answer.
func missing(method, id string) string {
	return `{"error":{"message":"Unsupported ` + method + ` request. Object with ID '` + id + `' does not exist, cannot be loaded ` +
		`due to missing permissions, or does not support this operation. Please read the Graph API documentation at ` +
		`https://developers.facebook.com/docs/graph-api","type":"GraphMethodException","code":100,"error_subcode":33,"fbtrace_id":"` + trace + `"}}`
}

// proof is the appsecret_proof of a token.
func proof(token string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(token))
	return hex.EncodeToString(m.Sum(nil))
}

// recorded is a send with a context of the test's own.
func recorded(w *world, ctx context.Context, body string) (*http.Request, *httptest.ResponseRecorder) {
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, base+"/v23.0/"+numLive+"/messages", strings.NewReader(body))
	w.head(req, "admin", body, nil)
	return req, httptest.NewRecorder()
}
