package graph_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// The toy resource set: two accounts with numbers, and a sender. Account 200 belongs to nobody the tokens may see.

type account struct {
	id, name, currency string
	created            time.Time
	numbers            []*number
}

type number struct {
	id, display, status string
	limits              graph.Obj
}

type caller struct {
	app    string
	me     string
	scopes []string
}

func (c caller) App() wa.AppID { return wa.AppID(c.app) }
func (c caller) Me() string    { return c.me }
func (c caller) HasScope(s string) bool {
	return slices.Contains(c.scopes, s)
}

type fixedClock struct {
	clock.Clock
	now time.Time
}

func (c fixedClock) Now() time.Time { return c.now }

type counter struct {
	mu     sync.Mutex
	routes []string
	tokens []string
}

func (c *counter) Observe(route string, status int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.routes = append(c.routes, route+" "+strconv.Itoa(status))
}

func (c *counter) TokenParam(carrier string, accepted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens = append(c.tokens, carrier+" "+strconv.FormatBool(accepted))
}

type toy struct {
	accounts map[string]*account
	numbers  map[string]*number
	auths    []graph.Credentials
	media    []byte
}

const management, messaging = "whatsapp_business_management", "whatsapp_business_messaging"

func newToy() *toy {
	t := &toy{accounts: map[string]*account{}, numbers: map[string]*number{}}
	a := &account{id: "100", name: "Aozora Store", created: time.Date(2026, 4, 2, 9, 30, 0, 0, time.UTC)}
	for i := range 5 {
		n := &number{id: strconv.Itoa(301 + i), display: "+81 50-5555-014" + strconv.Itoa(i), status: "CONNECTED"}
		a.numbers = append(a.numbers, n)
		t.numbers[n.id] = n
	}
	a.numbers[0].limits = graph.Obj{{"level", "STANDARD"}, {"max", 80}}
	t.accounts["100"] = a
	t.accounts["101"] = &account{id: "101", name: "Empty"}
	t.accounts["200"] = &account{id: "200", name: "Secret"}
	return t
}

func (t *toy) Authenticate(_ context.Context, cr graph.Credentials) (graph.Caller, error) {
	t.auths = append(t.auths, cr)
	switch cr.Token {
	case "good":
		return caller{"770", "900", []string{management, messaging}}, nil
	case "app":
		return caller{"770", "", []string{management}}, nil
	case "narrow":
		return caller{"770", "900", []string{"email"}}, nil
	case "proof":
		if cr.Proof == "" {
			return nil, wa.ErrProofRequired
		}
		if cr.Proof != "right" {
			return nil, wa.ErrProofInvalid
		}
		return caller{"770", "900", []string{management, messaging}}, nil
	}
	return nil, wa.ErrToken
}

func (t *toy) Resolve(_ context.Context, _ graph.Caller, id string) (string, error) {
	switch {
	case t.accounts[id] != nil:
		return "account", nil
	case t.numbers[id] != nil:
		return "number", nil
	case strings.HasPrefix(id, "upload:"):
		return "upload", nil
	case id == "900":
		return "user", nil
	}
	return "", nil
}

func (t *toy) nodes() []graph.NodeType {
	return []graph.NodeType{t.account(), t.number(), graph.Node[string]{
		Kind: "user", Name: "User", Load: func(_ context.Context, _ *graph.Call, id string) (string, error) { return id, nil },
		Fields: []graph.Field[string]{{Name: "id", When: graph.Always, Get: func(s string) any { return s }}},
	}, graph.Node[string]{
		Kind: "upload", Name: "Upload", Load: func(_ context.Context, _ *graph.Call, id string) (string, error) { return id, nil },
		Fields: []graph.Field[string]{{Name: "id", When: graph.Always, Get: func(s string) any { return s }}},
		Post: &graph.Action[string]{Stream: true, MaxBody: 64, Do: func(_ context.Context, c *graph.Call, _ string) (any, error) {
			b, err := io.ReadAll(c.Body)
			if err != nil {
				return nil, err
			}
			return graph.Obj{{"h", c.Header("file_offset") + ":" + string(b)}}, nil
		}},
	}}
}

func (t *toy) account() graph.Node[*account] {
	type T = *account
	byID := func(a, b string) bool { return a < b }
	return graph.Node[T]{
		Kind: "account", Name: "WhatsAppBusinessAccount", Scopes: []string{management},
		Load: func(_ context.Context, _ *graph.Call, id string) (T, error) {
			if a := t.accounts[id]; a != nil && id != "200" {
				return a, nil
			}
			return nil, graph.ErrInvisible
		},
		Fields: []graph.Field[T]{
			{Name: "id", When: graph.Always, Get: func(a T) any { return wa.WABAID(a.id) }},
			{Name: "name", When: graph.ByDefault, Get: func(a T) any { return a.name }},
			{Name: "currency", When: graph.ByDefault, Get: func(a T) any { return graph.NonEmpty(a.currency) }},
			{Name: "creation_time", Get: func(a T) any { return a.created }},
			{Name: "tier", Since: graph.V(24), Get: func(T) any { return "TIER_1K" }},
			{Name: "secret", Scopes: []string{"root"}, Get: func(T) any { return "x" }},
			{Name: "main_number", Sub: graph.Ref[*number]("number"), Get: func(a T) any {
				if len(a.numbers) == 0 {
					return nil
				}
				return a.numbers[0]
			}},
			{Name: "analytics", Ask: func(_ context.Context, c *graph.Call, a T, it graph.Item) (any, error) {
				start, err := it.Arg("start").Int()
				if err != nil {
					return nil, err
				}
				dims, err := it.Arg("dimensions").StringsOr()
				return graph.Obj{{"start", start}, {"dimensions", dims}, {"of", c.ID}}, err
			}},
			{Name: "broken", Ask: func(context.Context, *graph.Call, T, graph.Item) (any, error) {
				return nil, errors.New("disk on fire at 10.0.0.1")
			}},
			{Name: "away", Ask: func(context.Context, *graph.Call, T, graph.Item) (any, error) { return nil, wa.ErrMaintenance }},
			{Name: "full", Ask: func(context.Context, *graph.Call, T, graph.Item) (any, error) {
				return nil, wa.ErrUnavailable.Because(errors.New("queue full"))
			}},
			{Name: "left", Ask: func(context.Context, *graph.Call, T, graph.Item) (any, error) { return nil, context.Canceled }},
		},
		Post: &graph.Action[T]{Answers: "account", Do: func(_ context.Context, c *graph.Call, a T) (any, error) {
			name, err := c.Params.Get("name").StrMax(20)
			if err != nil {
				return nil, err
			}
			a.name = name
			return graph.Written{ID: a.id, Else: graph.Success}, nil
		}},
		Edges: []graph.Edge[T]{
			{
				Name: "phone_numbers",
				List: graph.Collection[T, *number]{
					Item: graph.Ref[*number]("number"), Max: 3, Default: 2, Key: func(n *number) string { return n.id }, Spans: true,
					List: func(_ context.Context, c *graph.Call, a T, p graph.Page) (graph.Items[*number], error) {
						c.SetHeader("X-Business-Use-Case-Usage", `{"100":[]}`)
						out := graph.Slice(a.numbers, p, func(n *number) string { return n.id }, byID)
						out.Summary = graph.Obj{{"limit", 250}}
						return out, nil
					},
				},
				Post: &graph.Action[T]{Do: func(_ context.Context, c *graph.Call, _ T) (any, error) {
					cc, err := c.Params.Get("cc").ID()
					return graph.Obj{{"id", "399"}, {"cc", cc}}, err
				}},
			},
			{
				Name: "profile", List: graph.Collection[T, string]{
					Unpaged: true,
					Item: graph.Object[string]{Name: "Profile", Fields: []graph.Field[string]{
						{Name: "about", When: graph.ByDefault, Get: func(s string) any { return s }},
						{Name: "vertical", Get: func(string) any { return "RETAIL" }},
					}},
					List: func(_ context.Context, _ *graph.Call, a T, _ graph.Page) (graph.Items[string], error) {
						return graph.Items[string]{Data: []string{"We sell " + a.name}}, nil
					},
				},
			},
			{Name: "codes", One: &graph.One[T]{
				Get: func(_ context.Context, c *graph.Call, _ T) (any, error) { return graph.Obj{{"code", c.Sub}}, nil },
				Delete: &graph.Action[T]{Do: func(context.Context, *graph.Call, T) (any, error) {
					return graph.Success, nil
				}},
			}},
			{Name: "insights", Until: graph.V(25), Get: func(context.Context, *graph.Call, T) (any, error) { return []string{"old"}, nil }},
			{Name: "panic", Get: func(context.Context, *graph.Call, T) (any, error) { panic("boom") }},
		},
	}
}

func (t *toy) number() graph.Node[*number] {
	type T = *number
	return graph.Node[T]{
		Kind: "number", Name: "WhatsAppBusinessPhoneNumber", Scopes: []string{management, messaging},
		Load: func(_ context.Context, _ *graph.Call, id string) (T, error) { return t.numbers[id], nil },
		Fields: []graph.Field[T]{
			{Name: "display_phone_number", When: graph.ByDefault, Get: func(n T) any { return n.display }},
			{Name: "id", When: graph.Always, Get: func(n T) any { return n.id }},
			{Name: "status", Get: func(n T) any { return n.status }},
			{Name: "throughput", Get: func(n T) any { return n.limits }},
		},
		Delete: &graph.Action[T]{Do: func(context.Context, *graph.Call, T) (any, error) { return graph.Success, nil }},
		Edges: []graph.Edge[T]{
			{Name: "messages", Post: &graph.Action[T]{Scopes: []string{messaging}, Do: sendToy}},
			{Name: "media", Post: &graph.Action[T]{MaxBody: 4096, Do: t.upload}},
			{Name: "block_users", Delete: &graph.Action[T]{Do: func(_ context.Context, c *graph.Call, _ T) (any, error) {
				users, err := c.Params.Get("block_users").Strings()
				return graph.Obj{{"n", users}}, err
			}}},
			{Name: "limited", Post: &graph.Action[T]{Do: func(context.Context, *graph.Call, T) (any, error) {
				return nil, wa.ErrThroughput.With("slow down").Retry(1.2)
			}}},
			{Name: "managed", Post: &graph.Action[T]{Do: func(context.Context, *graph.Call, T) (any, error) {
				e := wa.ErrManagementParameter.User("Content in This Language Already Exists", "The template already has a Japanese version.").Blaming("name")
				e.Subcode = 2388024
				return nil, e
			}}},
			{Name: "echo", Post: &graph.Action[T]{Do: func(_ context.Context, c *graph.Call, _ T) (any, error) {
				return graph.Raw(c.JSON()), nil
			}}},
		},
	}
}

func sendToy(_ context.Context, c *graph.Call, n *number) (any, error) {
	p := c.Params
	if _, err := p.Get("messaging_product").Enum("whatsapp"); err != nil {
		return nil, err
	}
	to, err := p.Get("to").Phone()
	if err != nil {
		return nil, err
	}
	text, err := p.Get("text").Object()
	if err != nil {
		return nil, err
	}
	if err := text.Only("body", "preview_url"); err != nil {
		return nil, err
	}
	if _, err := text.Get("body").StrMax(4096); err != nil {
		return nil, err
	}
	if _, err := text.Get("preview_url").BoolOr(false); err != nil {
		return nil, err
	}
	return graph.Raw(`{"messaging_product":"whatsapp","contacts":[{"input":"` + to + `"}],"messages":[{"id":"wamid.` + n.id + `"}]}`), nil
}

func (t *toy) upload(_ context.Context, c *graph.Call, _ *number) (any, error) {
	f, err := c.Params.Get("file").File()
	if err != nil {
		return nil, err
	}
	if t.media, err = io.ReadAll(f); err != nil {
		return nil, err
	}
	if _, err := c.Params.Get("messaging_product").Str(); err != nil {
		return nil, err
	}
	typ, err := c.Params.Get("type").StrOr(f.Type)
	return graph.Obj{{"id", strconv.Itoa(len(t.media))}, {"type", typ}, {"name", f.Name}}, err
}

func (t *toy) roots() []graph.Root {
	echo := func(_ context.Context, c *graph.Call) (any, error) {
		return graph.Obj{{"token", c.Params.Get("access_token").String()}, {"grant", c.Params.Get("grant_type").String()}, {"anonymous", c.Caller == nil}}, nil
	}
	return []graph.Root{
		{Path: "oauth/access_token", Access: graph.TokenIgnored, Get: echo, Post: echo},
		{Path: "debug_token", AnyCarrier: true, Get: echo, Post: echo},
		{Path: "open", Access: graph.TokenOptional, Get: echo},
		{Path: "library", List: graph.Collection[graph.None, string]{
			Item: graph.Object[string]{Name: "Entry", Fields: []graph.Field[string]{{Name: "name", When: graph.ByDefault, Get: func(s string) any { return s }}}},
			Key:  func(s string) string { return s },
			List: func(_ context.Context, _ *graph.Call, _ graph.None, p graph.Page) (graph.Items[string], error) {
				return graph.Slice([]string{"a", "b", "c"}, p, func(s string) string { return s }, func(a, b string) bool { return a < b }), nil
			},
		}},
	}
}

// rig is a server over the toy set with everything that varies fixed.
type rig struct {
	*toy
	srv     *graph.Server
	counter *counter
	log     *bytes.Buffer
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

const trace = "AAAAAAAAAAAAAAAAAAAAAAA"

func newRig(t testing.TB, change func(*graph.Options)) *rig {
	t.Helper()
	r := &rig{toy: newToy(), counter: &counter{}, log: &bytes.Buffer{}}
	opt := graph.Options{
		Nodes: r.nodes(), Roots: r.roots(), Resolver: r.toy, Auth: r.toy, Observer: r.counter, Rand: zeros{},
		Clock: fixedClock{now: time.Date(2026, 4, 3, 17, 0, 0, 0, time.UTC)},
		Log:   slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&opt)
	}
	srv, err := graph.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	r.srv = srv
	return r
}

// do sends "METHOD target", headers as "Name: value" and a body, with the good token unless a header says otherwise.
func (r *rig) do(line, body string, headers ...string) *httptest.ResponseRecorder {
	method, target, _ := strings.Cut(line, " ")
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, "http://graph.example.test"+target, rd)
	req.Header.Set("Authorization", "Bearer good")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ":")
		if v = strings.TrimSpace(v); v == "" {
			req.Header.Del(k)
			continue
		}
		req.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	r.srv.ServeHTTP(w, req)
	return w
}

var _ http.Handler = (*graph.Server)(nil)
