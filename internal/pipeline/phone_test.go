package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ---- the directory ----

type people struct {
	mu      sync.Mutex
	life    *life
	phones  map[wa.WaID]*phone
	loads   int // calls of User
	bundles int // calls of Bundle
	down    int // so many calls of Bundle fail
	gate    chan struct{}
	loaded  func() // called once, by the first User after it was set, with its answer at hand
}

func (d *people) attach(v *life) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.life = v
}

func (d *people) get(id wa.WaID) *phone {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.phones[id]
}

func (d *people) devices() (list []wa.DeviceID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.phones {
		list = append(list, f.device)
	}
	return list
}

func (d *people) User(_ context.Context, id wa.WaID) (*pipeline.User, error) {
	u := d.user(id)
	d.mu.Lock()
	loaded := d.loaded
	d.loaded = nil
	d.mu.Unlock()
	if loaded != nil {
		loaded()
	}
	return u, nil
}

func (d *people) user(id wa.WaID) *pipeline.User {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loads++
	f := d.phones[id]
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u := &pipeline.User{WaID: id, Name: "Name of " + string(id), IdentityHash: signal.IdentityHash(f.local.Key.Public())}
	if !f.removed {
		u.Devices = []pipeline.Device{{ID: f.device, Identity: f.local.Key.Public(), RegistrationID: f.local.RegistrationID}}
	}
	return u
}

func (d *people) Bundle(_ context.Context, device wa.DeviceID) (*signal.Bundle, error) {
	d.mu.Lock()
	gate := d.gate
	d.mu.Unlock()
	if gate != nil {
		<-gate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bundles++
	if d.down > 0 {
		d.down--
		return nil, errDead
	}
	return d.phones[device.User()].bundle(), nil
}

// asked is how often somebody asked for prekeys.
func (d *people) asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bundles
}

// ---- a phone ----

// phone is a scripted device with real sessions. Its lock is taken by the mailbox that pushes items.
type phone struct {
	w      *world
	user   wa.WaID
	device wa.DeviceID

	mu      sync.Mutex
	local   signal.Identity
	signed  signal.PrivateKey
	kem     signal.KEMPrivateKey
	oneTime map[uint32]signal.PrivateKey
	nextKey uint32
	removed bool

	sessions map[wa.PhoneNumberID]*signal.Session
	last     uint64 // highest position stored
	texts    map[wa.MessageID]string
	order    []wa.MessageID // as they came
	kinds    []bool         // whether each item was a first message
	events   []string
	broken   []error
	sent     int

	step    pipeline.Step
	offline bool // items wait
	asks    bool // asks again for what it cannot read
	deaf    bool // cannot read anything
}

func (w *world) phone(user wa.WaID) *phone {
	w.tb.Helper()
	f := &phone{w: w, user: user, device: wa.NewDeviceID(user, 1)}
	f.install()
	w.people.mu.Lock()
	w.people.phones[user] = f
	w.people.mu.Unlock()
	return f
}

// install makes the keys of a fresh installation.
func (f *phone) install() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.local = signal.Identity{Key: privateKey(f.w), RegistrationID: f.local.RegistrationID + 7}
	f.signed = privateKey(f.w)
	var err error
	f.kem, err = signal.GenerateKEMPrivateKey(nil)
	f.w.check(err)
	f.oneTime, f.sessions = map[uint32]signal.PrivateKey{}, map[wa.PhoneNumberID]*signal.Session{}
	f.texts, f.last = map[wa.MessageID]string{}, 0
	f.order, f.kinds = nil, nil
}

func privateKey(w *world) signal.PrivateKey {
	k, err := signal.GeneratePrivateKey(nil)
	w.check(err)
	return k
}

func (f *phone) bundle() *signal.Bundle {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nextKey++
	one := privateKey(f.w)
	f.oneTime[f.nextKey] = one
	sign := func(b []byte) []byte { s := f.local.Key.Sign(nil, b); return s[:] }
	return &signal.Bundle{
		IdentityKey: f.local.Key.Public(), RegistrationID: f.local.RegistrationID,
		SignedPreKey:  signal.SignedPreKey{ID: 1, Key: f.signed.Public(), Sig: sign(f.signed.Public().Bytes())},
		KEMPreKey:     signal.KEMPreKey{ID: 1, Key: f.kem.Public(), Sig: sign(f.kem.Public())},
		OneTimePreKey: &signal.OneTimePreKey{ID: f.nextKey, Key: one.Public()},
	}
}

func (f *phone) SignedPreKey(uint32) (signal.PrivateKey, bool) { return f.signed, true }
func (f *phone) KEMPreKey(uint32) (signal.KEMPrivateKey, bool) { return f.kem, true }
func (f *phone) OneTimePreKey(id uint32) (signal.PrivateKey, bool) {
	k, ok := f.oneTime[id]
	return k, ok
}

// take handles a pushed item and returns the report, and whether the device asks for it again.
func (f *phone) take(it *pipeline.MailboxItem) (r pipeline.Receipt, again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r = pipeline.Receipt{Device: f.device, Seq: it.Seq, ID: it.ID, Number: it.Number, Silent: it.Silent, Step: f.step}
	if it.Seq <= f.last {
		if _, have := f.texts[it.ID]; !have && it.Event == nil && f.broken == nil {
			f.broken = append(f.broken, fmt.Errorf("item %d came after %d and is not known", it.Seq, f.last))
		}
		return r, false
	}
	f.last = it.Seq
	if it.Event != nil {
		f.events = append(f.events, string(it.Event))
		return r, false
	}
	kind := signal.Msg
	if it.PreKey {
		kind = signal.Pre
	}
	var plain []byte
	err := signal.ErrBadMAC
	if !f.deaf {
		var s *signal.Session
		var used *uint32
		suite := signal.Suite{MaxJump: signal.MaxJumpDevice}
		if plain, s, used, err = signal.Receive(nil, suite, f.local, f, f.sessions[it.Number], kind, it.Cipher); err == nil {
			f.sessions[it.Number] = s
			if used != nil {
				delete(f.oneTime, *used)
			}
		}
	}
	if err != nil {
		f.broken = append(f.broken, fmt.Errorf("item %d: %w", it.Seq, err))
		r.Step = pipeline.Skipped
		return r, f.asks
	}
	body, _ := message.Unpad(plain)
	if !strings.Contains(string(body), string(it.ID)) {
		f.broken = append(f.broken, fmt.Errorf("item %d: plaintext of another message", it.Seq))
	}
	if _, twice := f.texts[it.ID]; !twice && !it.Silent {
		f.order = append(f.order, it.ID)
	}
	f.texts[it.ID] += string(body)
	f.kinds = append(f.kinds, it.PreKey)
	return r, false
}

// encrypt makes a message to the number, beginning a session if need be.
func (f *phone) encrypt(to wa.PhoneNumberID, body string) (prekey bool, wire []byte) {
	f.w.tb.Helper()
	n, _ := f.w.numbers.Number(to)
	f.mu.Lock()
	ready := f.sessions[to].Ready()
	f.mu.Unlock()
	var fresh *signal.Session
	if !ready {
		b, err := f.w.p.Bundle(context.Background(), n.WaID)
		f.w.check(err)
		fresh, err = signal.Initiate(nil, signal.Suite{}, f.local, b)
		f.w.check(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sessions[to]
	if !s.Ready() {
		fresh.Inherit(s)
		s = fresh
		f.sessions[to] = s
	}
	text := `{"v":1,"type":"text","text":{"body":"` + body + `"}}`
	if strings.HasPrefix(body, "{") { // a whole message
		text = body
	}
	plain := append([]byte(text), 0x80)
	for len(plain)%64 != 0 {
		plain = append(plain, 0)
	}
	kind, wire, err := s.Encrypt(nil, plain)
	f.w.check(err)
	return kind == signal.Pre, wire
}

// answer is what a device hears about a message it sent.
type answer struct {
	id  wa.MessageID
	at  int64
	err error
}

// post sends an encrypted message; the answer comes through the channel, exactly one.
func (f *phone) post(to wa.PhoneNumberID, clientID string, prekey bool, wire []byte) chan answer {
	n, _ := f.w.numbers.Number(to)
	c := make(chan answer, 2)
	f.w.p.Receive(&pipeline.Incoming{
		Device: f.device, To: n.WaID, ClientID: clientID, PreKey: prekey, Cipher: bytes.Clone(wire),
		Done: func(id wa.MessageID, at int64, err error) { c <- answer{id, at, err} },
	})
	return c
}

// say sends a text and returns its id; the session is confirmed, as a device does on "sent".
func (f *phone) say(to wa.PhoneNumberID, body string) wa.MessageID {
	f.w.tb.Helper()
	prekey, wire := f.encrypt(to, body)
	f.mu.Lock()
	f.sent++
	client := "client-" + strconv.Itoa(f.sent)
	f.mu.Unlock()
	a := <-f.post(to, client, prekey, wire)
	if a.err != nil {
		f.w.tb.Fatalf("send: %v", a.err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions[to].Confirm()
	return a.id
}

func (f *phone) received() []wa.MessageID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.order)
}

func (f *phone) switchOn(on bool) {
	f.mu.Lock()
	f.offline = !on
	f.mu.Unlock()
	if on {
		f.w.boxes.pump(f.device)
	}
}
