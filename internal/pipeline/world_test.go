package pipeline_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/vault/vaulttest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	shop  = wa.PhoneNumberID("106540352242922")
	shop2 = wa.PhoneNumberID("106540352242923")
	ana   = wa.WaID("16505550001")
	bob   = wa.WaID("16505550002")
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a platform without doors: a pipeline with a real journal, store, vault and Signal sessions, and scripted phones.
type world struct {
	tb      testing.TB
	dir     string
	clock   *clock.Controlled // platform time, frozen
	pace    *clock.Controlled // real time, twenty times as fast
	vault   *vault.Vault
	numbers *numbers
	people  *people
	wires   *wires // what left the process, ever

	set  func(o *pipeline.Options)       // changes options of every start
	wrap func(pipeline.Log) pipeline.Log // around every log

	*life
}

// life is what ends with a kill.
type life struct {
	p       *pipeline.Pipeline
	journal *journal.Journal
	store   *store.Store
	boxes   *boxes
	cut     *cut
}

func newWorld(tb testing.TB, set ...func(w *world)) *world {
	tb.Helper()
	w := &world{
		tb: tb, dir: tb.TempDir(), clock: clock.NewFake(epoch), pace: clock.NewControlled(epoch, 20),
		numbers: &numbers{byID: map[wa.PhoneNumberID]*business.Number{}, byWaID: map[wa.WaID]*business.Number{}},
		people:  &people{phones: map[wa.WaID]*phone{}}, wires: &wires{seen: map[string]string{}},
		set: func(*pipeline.Options) {}, wrap: func(l pipeline.Log) pipeline.Log { return l },
	}
	w.vault = vaulttest.New(tb, w.clock)
	w.addNumber(shop, "15550001111")
	w.addNumber(shop2, "15550002222")
	for _, f := range set {
		f(w)
	}
	w.start()
	tb.Cleanup(func() { w.stop() })
	return w
}

func (w *world) addNumber(id wa.PhoneNumberID, digits wa.WaID) {
	w.numbers.set(&business.Number{ID: id, WABA: "waba-1", WaID: digits, Registered: true, Level: business.Standard})
}

// logs of the tests go nowhere unless PIPELINE_LOG is set.
func (w *world) logger() *slog.Logger {
	if os.Getenv("PIPELINE_LOG") != "" {
		return slog.New(slog.NewTextHandler(w.tb.Output(), nil))
	}
	return slog.New(slog.DiscardHandler)
}

func (w *world) start() {
	w.tb.Helper()
	v := &life{cut: &cut{}}
	var err error
	v.journal, err = journal.Open(w.tb.Context(), journal.Options{
		Dir: filepath.Join(w.dir, "journal"), Partitions: 2, Clock: w.clock, Logger: w.logger(),
	})
	w.check(err)
	v.store, err = store.Open(w.tb.Context(), store.Options{Dir: w.dir})
	w.check(err)
	v.boxes = &boxes{w: w, cut: v.cut, store: v.store, byDevice: map[wa.DeviceID]*box{}}
	o := pipeline.Options{
		Store: &cutStore{v.store, v.cut}, Archive: v.store, Blocks: v.store, Keys: v.store, Numbers: w.numbers, Directory: w.people, Mailbox: v.boxes,
		Vault: sealer{w.vault}, Clock: w.clock, Pace: w.pace, Rand: rand.Reader, Logger: w.logger(),
	}
	for i := range v.journal.Partitions() {
		o.Logs = append(o.Logs, w.wrap(&cutLog{v.journal.Log(i), v.cut}))
	}
	w.set(&o)
	v.p = pipeline.New(o)
	w.life = v
	w.people.attach(v)
	w.check(v.p.Start(w.tb.Context()))
	w.connect()
}

// connect lets all phones look into their mailboxes.
func (w *world) connect() {
	for _, id := range w.people.devices() {
		w.check(w.boxes.Prepare(w.tb.Context(), []wa.DeviceID{id}))
		w.boxes.pump(id)
	}
}

// stop ends a life in order.
func (w *world) stop() {
	w.tb.Helper()
	if w.cut.dead() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.p.Close(ctx); err != nil {
		w.tb.Errorf("close: %v (lag %d, queued %d)", err, w.p.Lag(), w.p.Queued())
	}
	w.bury(ctx)
}

// kill ends a life at once: nothing that it still does reaches the journal, the store or a device.
func (w *world) kill() {
	w.tb.Helper()
	w.cut.kill()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	over, now := context.WithCancel(ctx)
	now()
	_ = w.p.Close(over)
	w.bury(ctx)
}

func (w *world) bury(ctx context.Context) {
	w.check(w.journal.Close(ctx))
	w.check(w.store.Close())
	w.cut.kill()
}

func (w *world) check(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

// settle waits until nothing is in flight.
func (w *world) settle() {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(w.tb.Context(), 30*time.Second)
	defer cancel()
	if err := w.p.Settle(ctx); err != nil {
		w.tb.Fatalf("the pipeline does not come to rest: %v (lag %d, queued %d)", err, w.p.Lag(), w.p.Queued())
	}
}

// projected waits until the store shows everything.
func (w *world) projected() {
	w.tb.Helper()
	w.settle()
	for !w.p.Projected() {
		w.check(w.pace.Sleep(w.tb.Context(), 10*time.Millisecond))
	}
	w.settle()
}

func text(to wa.WaID, body string) *pipeline.Outgoing {
	return &pipeline.Outgoing{
		Number: shop, To: to, Type: message.TypeText, Category: "service", Life: message.Month,
		Body: []byte(`"type":"text","text":{"body":"` + body + `"}`),
	}
}

func template(to wa.WaID, body string) *pipeline.Outgoing {
	return &pipeline.Outgoing{
		Number: shop, To: to, Type: message.TypeTemplate, Category: "utility", Life: message.Month,
		Body: []byte(`"type":"template","template":{"body":"` + body + `"}`),
	}
}

func (w *world) accept(m *pipeline.Outgoing) wa.MessageID {
	w.tb.Helper()
	id, err := w.p.Accept(w.tb.Context(), m)
	if err != nil {
		w.tb.Fatalf("accept: %v", err)
	}
	return id
}

// records returns what the journal holds, in order, of both partitions one after the other.
func (w *world) records() (all []record.Record) {
	w.tb.Helper()
	for i := range w.journal.Partitions() {
		l := w.journal.Log(i)
		for at := uint64(0); at < l.Last(); {
			f, err := l.Next(w.tb.Context(), at)
			w.check(err)
			at = f.Seq
			all = append(all, f.Records...)
		}
	}
	return all
}

// history is what the journal says about a message, as kinds in order; statuses is the same without mailbox items.
func (w *world) statuses(id wa.MessageID) (kinds []record.Kind, list []*record.Status) {
	w.tb.Helper()
	for _, r := range w.records() {
		switch r := r.(type) {
		case *record.Accepted:
			if r.ID == id {
				kinds = append(kinds, record.KindAccepted)
			}
		case *record.Status:
			if r.ID == id {
				kinds, list = append(kinds, r.Of), append(list, r)
			}
		case *record.Dropped:
			if r.ID == id {
				kinds = append(kinds, record.KindDropped)
			}
		}
	}
	return kinds, list
}

func of[R record.Record](all []record.Record) (list []R) {
	for _, r := range all {
		if v, ok := r.(R); ok {
			list = append(list, v)
		}
	}
	return list
}

// row is the message as the store shows it.
func (w *world) row(id wa.MessageID) *pipeline.Message {
	w.tb.Helper()
	w.projected()
	rows, err := w.store.Messages(w.tb.Context(), []wa.MessageID{id})
	w.check(err)
	if len(rows) != 1 {
		w.tb.Fatalf("the store shows %d rows of %s", len(rows), id)
	}
	return rows[0]
}

// ---- small collaborators ----

type sealer struct{ v *vault.Vault }

func (s sealer) SealContent(born int64, ad, plain []byte) ([]byte, error) {
	if born != 0 {
		return s.v.SealBrief(time.UnixMilli(born), ad, plain)
	}
	return s.v.Seal(vault.ClassContent, "", ad, plain)
}

func (s sealer) IsBrief(sealed []byte) bool { return vault.IsBrief(sealed) }

func (s sealer) SealNumber(number wa.PhoneNumberID, ad, plain []byte) ([]byte, error) {
	return s.v.Seal(vault.ClassNumber, string(number), ad, plain)
}

func (s sealer) Open(ad, sealed []byte) ([]byte, error) { return s.v.Open(ad, sealed) }

type numbers struct {
	mu     sync.RWMutex
	byID   map[wa.PhoneNumberID]*business.Number
	byWaID map[wa.WaID]*business.Number
}

func (n *numbers) set(b *business.Number) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.byID[b.ID], n.byWaID[b.WaID] = b, b
}

// change replaces a number by a changed copy.
func (n *numbers) change(id wa.PhoneNumberID, f func(b *business.Number)) {
	b, _ := n.Number(id)
	c := *b
	f(&c)
	n.set(&c)
}

func (n *numbers) Number(id wa.PhoneNumberID) (*business.Number, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	b, ok := n.byID[id]
	return b, ok
}

func (n *numbers) NumberByWaID(id wa.WaID) (*business.Number, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	b, ok := n.byWaID[id]
	return b, ok
}

// cut separates a killed pipeline from everything that outlives it.
type cut struct {
	mu   sync.RWMutex
	over bool
}

var errDead = errors.New("killed")

func (c *cut) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

func (c *cut) dead() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.over
}

// alive runs f unless the process was killed; a kill waits for f.
func (c *cut) alive(f func()) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.over {
		f()
	}
	return !c.over
}

type cutLog struct {
	pipeline.Log
	cut *cut
}

func (l *cutLog) Append(recs []record.Record, done func(uint64, error)) error {
	if l.cut.dead() {
		return errDead
	}
	return l.Log.Append(recs, func(seq uint64, err error) {
		if l.cut.dead() {
			err = errDead
		}
		done(seq, err)
	})
}

func (l *cutLog) Resume(ctx context.Context) (uint64, error) {
	if l.cut.dead() {
		return 0, errDead
	}
	return l.Log.Resume(ctx)
}

type cutStore struct {
	*store.Store
	cut *cut
}

func (s *cutStore) Apply(ctx context.Context, b *pipeline.Batch) error {
	if s.cut.dead() {
		return errDead
	}
	return s.Store.Apply(ctx, b)
}

var _ signal.PreKeyStore = (*phone)(nil)
