package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	"image/png"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// The stores begin empty and only need to take what they are given: the services keep everything in memory.

type accessStore struct{}

func (accessStore) LoadAccess(context.Context) (*access.Set, error)     { return &access.Set{}, nil }
func (accessStore) SaveAccess(ctx context.Context, _ *access.Set) error { return ctx.Err() }

type businessStore struct{}

func (businessStore) LoadBusiness(context.Context) (*business.Set, error) {
	return &business.Set{}, nil
}

func (businessStore) Activities(context.Context, business.ActivityQuery) ([]*business.Activity, error) {
	return nil, nil
}

func (businessStore) SaveBusiness(ctx context.Context, _ *business.Set) error { return ctx.Err() }

type templateStore struct{}

func (templateStore) LoadTemplates(context.Context) ([]*template.Template, error) { return nil, nil }

func (templateStore) SaveTemplates(ctx context.Context, _ []*template.Template) error {
	return ctx.Err()
}

func (templateStore) ForgetTemplates(ctx context.Context, _ []wa.TemplateID) error { return ctx.Err() }

// flowStore is a store of flows, and an account with one number whose key is signed.
type flowStore struct{}

func (flowStore) LoadFlows(context.Context) ([]*flow.Flow, error)             { return nil, nil }
func (flowStore) SaveFlow(ctx context.Context, _ *flow.Flow, _ []byte) error  { return ctx.Err() }
func (flowStore) LoadRetirements(context.Context) ([]flow.Retirement, error)  { return nil, nil }
func (flowStore) SaveRetirement(ctx context.Context, _ flow.Retirement) error { return ctx.Err() }
func (flowStore) DeleteFlow(ctx context.Context, _ wa.FlowID) error           { return ctx.Err() }
func (flowStore) FlowJSON(context.Context, wa.FlowID, int64) ([]byte, error) {
	return []byte(formJSON), nil
}
func (flowStore) AddFlowCounts(ctx context.Context, _ []flow.Count) error { return ctx.Err() }
func (flowStore) ForgetFlowCounts(ctx context.Context, _ int64) error     { return ctx.Err() }
func (flowStore) Keys(wa.WABAID) (numbers int, signed wa.PhoneNumberID)   { return 1, "" }
func (flowStore) Key(wa.PhoneNumberID) string                             { return "" }
func (flowStore) Subscribed(wa.AppID, wa.WABAID) bool                     { return false }
func (flowStore) AppSecret(wa.AppID) (string, bool)                       { return secret, true }
func (flowStore) FlowCounts(context.Context, wa.FlowID, int64, int64) ([]flow.Count, error) {
	day := start.Truncate(24 * time.Hour).Unix()
	return []flow.Count{
		{Hour: day, What: "request", N: 3},
		{Hour: day, What: "error/timeout_error", N: 1},
		{Hour: day, What: "latency/1", N: 2},
		{Hour: day, What: "latency/11", N: 1},
		{Hour: day + 3600, What: "request", N: 1},
		{Hour: day + 3600, What: "latency/1", N: 1},
		{Hour: day + 3600, What: "ping/succeeded", N: 6},
	}, nil
}

type webhookStore struct{}

func (webhookStore) Subscriptions(context.Context) ([]webhook.Subscription, []webhook.Link, []webhook.NumberOverride, error) {
	return nil, nil, nil, nil
}
func (webhookStore) SaveSubscription(context.Context, webhook.Subscription) error     { return nil }
func (webhookStore) DeleteSubscription(context.Context, wa.AppID) error               { return nil }
func (webhookStore) SaveLink(context.Context, webhook.Link) error                     { return nil }
func (webhookStore) DeleteLink(context.Context, wa.AppID, wa.WABAID) error            { return nil }
func (webhookStore) SaveNumberOverride(context.Context, webhook.NumberOverride) error { return nil }
func (webhookStore) DeleteNumberOverride(context.Context, wa.AppID, wa.PhoneNumberID) error {
	return nil
}

// sealer is no encryption, but it hides the text and notices a wrong place.
type sealer struct{}

func (sealer) Seal(ad, plain []byte) ([]byte, error) {
	sum := sha256.Sum256(ad)
	out := bytes.Clone(sum[:])
	for i, b := range plain {
		out = append(out, b^sum[i%32]^0x5a)
	}
	return out, nil
}

func (sealer) Open(ad, sealed []byte) ([]byte, error) {
	sum := sha256.Sum256(ad)
	if len(sealed) < 32 || !bytes.Equal(sealed[:32], sum[:]) {
		return nil, errors.New("sealed elsewhere")
	}
	var out []byte
	for i, b := range sealed[32:] {
		out = append(out, b^sum[i%32]^0x5a)
	}
	return out, nil
}

type safe struct{ sealer }

func (s safe) SealSecret(ad string, plain []byte) ([]byte, error) { return s.Seal([]byte(ad), plain) }

func (s safe) SealContent(_ int64, ad string, plain []byte) ([]byte, error) {
	return s.Seal([]byte(ad), plain)
}

func (s safe) Open(ad string, sealed []byte) ([]byte, error) {
	return s.sealer.Open([]byte(ad), sealed)
}

// lane stands for the pipeline: it keeps what it accepts, or answers what the test tells it to.
type lane struct {
	mu       sync.Mutex
	accepted []pipeline.Outgoing
	marked   []wa.MessageID
	typing   bool
	blocked  []wa.WaID       // ascending
	sent     []pipeline.Sent // newest first
	silent   wa.WaID         // did not write within 24 hours
	fail     func(ctx context.Context) error
}

func (l *lane) Accept(ctx context.Context, m *pipeline.Outgoing) (wa.MessageID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return "", l.fail(ctx)
	}
	l.accepted = append(l.accepted, *m)
	return wa.MessageID("wamid.TEST" + strconv.Itoa(len(l.accepted))), nil
}

func (l *lane) Mark(ctx context.Context, _ wa.PhoneNumberID, id wa.MessageID, typing bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail(ctx)
	}
	l.marked, l.typing = append(l.marked, id), typing
	return nil
}

func (l *lane) BlockUsers(_ context.Context, _ wa.PhoneNumberID, users []wa.WaID, on bool) ([]error, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	each := make([]error, len(users))
	for i, u := range users {
		at, found := slices.BinarySearch(l.blocked, u)
		switch {
		case u == l.silent:
			each[i] = wa.ErrWindow
		case on && !found:
			l.blocked = slices.Insert(l.blocked, at, u)
		case !on && found:
			l.blocked = slices.Delete(l.blocked, at, at+1)
		}
	}
	return each, nil
}

func (l *lane) find(is func(m *pipeline.Sent) bool) (*pipeline.Sent, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.sent {
		if is(&l.sent[i]) {
			return &l.sent[i], nil
		}
	}
	return nil, pipeline.ErrUnknown
}

func (l *lane) Sent(_ context.Context, number wa.PhoneNumberID, id wa.MessageID) (*pipeline.Sent, error) {
	return l.find(func(m *pipeline.Sent) bool { return m.Number == number && m.ID == id })
}

func (l *lane) SentAt(_ context.Context, row int64) (*pipeline.Sent, error) {
	return l.find(func(m *pipeline.Sent) bool { return m.Row == row })
}

// History gives up at once when it is asked for what lies before row 100.
func (l *lane) History(_ context.Context, number wa.PhoneNumberID, from int64, newer bool, limit int) (p pipeline.HistoryPage, _ error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from == 100 && !newer {
		return pipeline.HistoryPage{Rest: 50}, nil
	}
	for _, m := range l.sent {
		switch {
		case m.Number != number, from != 0 && (m.Row == from || newer != (m.Row > from)):
		case len(p.List) == limit:
			p.More = true
		default:
			p.List = append(p.List, m)
		}
	}
	return p, nil
}

func (l *lane) Blocked(_ context.Context, _ wa.PhoneNumberID, after, _ wa.WaID, limit int) (list []wa.WaID, _ error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.blocked {
		if u > after && len(list) < limit {
			list = append(list, u)
		}
	}
	return list, nil
}

func (l *lane) last() pipeline.Outgoing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.accepted) == 0 {
		return pipeline.Outgoing{}
	}
	return l.accepted[len(l.accepted)-1]
}

// zeros makes every trace id the same.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// mail keeps the codes that businesses ask for, and the profile photos.
type mail struct {
	mu       sync.Mutex
	codes    map[wa.WaID]string
	pictures pictures
}

func (m *mail) SendCode(_ context.Context, to wa.WaID, code string, _ business.CodeMethod, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.codes == nil {
		m.codes = map[wa.WaID]string{}
	}
	m.codes[to] = code
	return nil
}

func (m *mail) TellCode(ctx context.Context, _ *business.Number, to wa.WaID, code string) error {
	return m.SendCode(ctx, to, code, business.BySMS, "en_US")
}

func (m *mail) ChooseCode(wa.WaID) (string, bool) { return "", false }

func (m *mail) code(to wa.WaID) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.codes[to]
}

type pictures struct{ kept sync.Map }

func (p *pictures) SavePicture(_ context.Context, id, _ string, data []byte) error {
	p.kept.Store(id, data)
	return nil
}

func (p *pictures) Picture(_ context.Context, id string) (string, []byte, error) {
	data, ok := p.kept.Load(id)
	if !ok {
		return "", nil, nil
	}
	return "image/png", data.([]byte), nil
}

func (p *pictures) DeletePicture(_ context.Context, id string) error {
	p.kept.Delete(id)
	return nil
}

// uploads knows the handles "photo", "small" and "text" of app A.
type uploads struct{}

func (uploads) Handle(_ context.Context, app wa.AppID, handle string) (string, []byte, error) {
	side := map[string]int{"photo": 256, "small": 100}[handle]
	switch {
	case app != appA, side == 0 && handle != "text":
		return "", nil, wa.ErrTemplateHandle
	case side == 0:
		return "image/png", []byte("not an image"), nil
	}
	var b bytes.Buffer
	err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)))
	return "image/png", b.Bytes(), err
}
