package flow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/flowtest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// noon is when the tests begin.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const (
	waba   = wa.WABAID("w1")
	app    = wa.AppID("a1")
	number = wa.PhoneNumberID("n1")
	secret = "app secret"
	uri    = "https://flows.example.test/slot"

	// plain is a flow without endpoint, talks one with an endpoint.
	plain = `{"version":"7.3","screens":[{"id":"FORM","title":"Form","terminal":true,"success":true,"layout":{"type":"SingleColumnLayout","children":[
{"type":"Footer","label":"Send","on-click-action":{"name":"complete","payload":{}}}]}}]}`
	talks = `{"version":"7.3","data_api_version":"3.0","routing_model":{"PICK":[]},"screens":[{"id":"PICK","title":"Pick","terminal":true,"success":true,"layout":{"type":"SingleColumnLayout","children":[
{"type":"Footer","label":"Send","on-click-action":{"name":"complete","payload":{}}}]}}]}`
)

// inVersion is a document in another version.
func inVersion(doc, version string) string { return strings.Replace(doc, "7.3", version, 1) }

// room is a Service with everything around it.
type room struct {
	*flow.Service
	t     *testing.T
	mem   *memory
	acc   *accounts
	net   *network
	end   *flowtest.Endpoint
	clock *clock.Controlled
	wall  *clock.Controlled
	o     flow.Options
}

func open(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, mem: &memory{flows: map[wa.FlowID][]byte{}, docs: map[doc][]byte{}}, clock: clock.NewFake(noon), wall: clock.NewFake(noon)}
	r.end = flowtest.New(secret, pick)
	r.net = &network{end: r.end}
	r.acc = &accounts{numbers: 1, subscribed: true, secret: secret, keys: []string{r.end.PublicKey(t)}}
	r.o = flow.Options{
		Store: r.mem, Shelf: r.mem, Retirements: r.mem, Counts: r.mem, Sealer: sealer{}, Accounts: r.acc, Secrets: r.acc, Clock: r.clock, Wall: r.wall,
		Transport: r.net, Key: []byte("0123456789abcdef"), Rand: rand.NewChaCha8([32]byte{7}), Timeout: time.Millisecond,
		CheckURL: func(u string) error {
			if !strings.HasPrefix(u, "https://") {
				return errors.New("not https")
			}
			return nil
		},
	}
	r.load()
	return r
}

// load starts the room again from what was stored.
func (r *room) load() {
	r.t.Helper()
	s, err := flow.New(r.t.Context(), r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Service = s
}

func pick(flowtest.Question) flowtest.Answer {
	return flowtest.Answer{JSON: map[string]any{"screen": "PICK", "data": map[string]any{}}}
}

// draft makes a flow with a document, or with none.
func (r *room) draft(name, doc string) *flow.Flow {
	r.t.Helper()
	in := flow.NewFlow{WABA: waba, App: app, Name: name, Categories: []flow.Category{"OTHER"}}
	if doc != "" {
		in.JSON = []byte(doc)
	}
	if doc == talks {
		in.Endpoint = uri
	}
	f, err := r.Create(r.t.Context(), in)
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// published makes one that is live, and forgets that its endpoint was asked.
func (r *room) published(name, doc string) *flow.Flow {
	r.t.Helper()
	f, err := r.Publish(r.t.Context(), r.draft(name, doc).ID)
	if err != nil {
		r.t.Fatal(err)
	}
	r.end.Asked()
	r.net.take()
	return f
}

func (r *room) state(id wa.FlowID, to flow.Status) *flow.Flow {
	r.t.Helper()
	f, err := r.SetState(r.t.Context(), id, to)
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// notices are what waits to be told of a flow, but for changes of its state.
func (r *room) notices(id wa.FlowID) (list []string) {
	f, _ := r.Flow(id)
	for _, n := range f.Outbox {
		if !bytes.Contains(n, []byte(flow.StatusChange)) {
			list = append(list, string(n))
		}
	}
	return list
}

// saying insists that an error is the row, with these words for people.
func saying(t *testing.T, err error, row *wa.Error, words string) {
	t.Helper()
	e, ok := errors.AsType[*wa.Error](err)
	if !ok || !errors.Is(err, row) || !strings.Contains(e.UserMsg+e.Details+e.Title, words) {
		t.Errorf("got %+v, want %s with %q", err, row.Name, words)
	}
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// network reaches the endpoint without a network.
type network struct {
	mu    sync.Mutex
	end   http.Handler
	calls int
	on    func(*http.Request) (*http.Response, error) // instead of the endpoint
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.calls++
	on := n.on
	n.mu.Unlock()
	if on != nil {
		return on(r)
	}
	w := httptest.NewRecorder()
	n.end.ServeHTTP(w, r)
	return w.Result(), nil
}

// take returns the calls since the last time.
func (n *network) take() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.calls
	n.calls = 0
	return c
}

// instead replaces the endpoint; nil brings it back.
func (n *network) instead(on func(*http.Request) (*http.Response, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.on = on
}

// accounts knows one account, app and number.
type accounts struct {
	mu         sync.Mutex
	numbers    int
	subscribed bool
	secret     string
	keys       []string // what is asked for next first; the last stays
}

func (a *accounts) Keys(wa.WABAID) (int, wa.PhoneNumberID) {
	if len(a.keys) == 0 {
		return a.numbers, ""
	}
	return a.numbers, number
}

func (a *accounts) Key(n wa.PhoneNumberID) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n != number || len(a.keys) == 0 {
		return ""
	}
	k := a.keys[0]
	if len(a.keys) > 1 {
		a.keys = a.keys[1:]
	}
	return k
}

func (a *accounts) Subscribed(wa.AppID, wa.WABAID) bool { return a.subscribed }

func (a *accounts) AppSecret(id wa.AppID) (string, bool) { return a.secret, id == app }

// sealer binds to a place without hiding anything.
type sealer struct{}

func (sealer) Seal(ad, b []byte) ([]byte, error) { return slices.Concat(ad, []byte{0}, b), nil }

func (sealer) Open(ad, b []byte) ([]byte, error) {
	out, ok := bytes.CutPrefix(b, slices.Concat(ad, []byte{0}))
	if !ok {
		return nil, errors.New("another place")
	}
	return out, nil
}

type doc struct {
	id wa.FlowID
	n  int64
}

// memory is a store.
type memory struct {
	mu     sync.Mutex
	flows  map[wa.FlowID][]byte
	docs   map[doc][]byte
	counts []flow.Count
	ends   []flow.Retirement
	fail   error
}

func (m *memory) LoadFlows(context.Context) (list []*flow.Flow, err error) {
	for _, b := range m.flows {
		f := new(flow.Flow)
		if err := json.Unmarshal(b, f); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

func (m *memory) SaveFlow(_ context.Context, f *flow.Flow, sealed []byte) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if sealed != nil {
		m.docs[doc{f.ID, f.Draft.N}] = sealed
	}
	for d := range m.docs {
		if d.id == f.ID && d.n != f.Draft.N && d.n != f.Live.N {
			delete(m.docs, d)
		}
	}
	m.flows[f.ID], err = json.Marshal(f)
	return err
}

func (m *memory) failing(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *memory) DeleteFlow(_ context.Context, id wa.FlowID) error {
	delete(m.flows, id)
	return nil
}

func (m *memory) FlowJSON(_ context.Context, id wa.FlowID, n int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.docs[doc{id, n}], nil
}

func (m *memory) AddFlowCounts(_ context.Context, list []flow.Count) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.counts = append(m.counts, list...)
	return nil
}

func (m *memory) FlowCounts(_ context.Context, id wa.FlowID, from, to int64) (list []flow.Count, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.counts {
		if c.Flow == id && c.Hour >= from && c.Hour < to {
			list = append(list, c)
		}
	}
	return list, nil
}

func (m *memory) ForgetFlowCounts(_ context.Context, before int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts = slices.DeleteFunc(m.counts, func(c flow.Count) bool { return c.Hour < before })
	return nil
}

func (m *memory) LoadRetirements(context.Context) ([]flow.Retirement, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ends), nil
}

func (m *memory) SaveRetirement(_ context.Context, r flow.Retirement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends = append(slices.DeleteFunc(m.ends, func(o flow.Retirement) bool { return o.Version == r.Version }), r)
	return nil
}
