// Package platformtest is the platform as tests of devices need it: one business number with its keys, one mailbox per
// device, and a switch for every way things go wrong. It keeps the protocol's promises itself, from the frames and the
// Signal protocol alone, and must not know the real platform.
package platformtest

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// Platform is one business number and the devices that talk to it. Its methods are safe for concurrent use.
type Platform struct {
	Number string // wa_id of the business number

	mu      sync.Mutex
	local   signal.Identity
	signed  signal.PrivateKey
	kem     signal.KEMPrivateKey
	oneTime map[uint32]signal.PrivateKey
	nextID  uint32
	gen     int
	devices map[string]*Peer
	wamids  int
	// Refuse, if set, may refuse a frame: a non-nil result is the answer, and nothing else happens.
	Refuse func(f frame.Frame) *frame.Error
}

// Peer is a device as the platform sees it.
type Peer struct {
	p        *Platform
	id       string
	desc     frame.Device
	session  *signal.Session
	seq      uint64
	since    uint64       // first item of the session, if this side began it
	box      []frame.Item // not acknowledged
	wamid    map[string]string
	Inbox    []string          // plaintexts received, in order, once each
	Statuses map[string]string // by wamid: delivered, read, played
	History  map[string][]string
	Acts     []frame.Act
	Retries  []frame.Retry
	Acks     []uint64
	texts    map[string][]byte
	oneTime  []frame.OneTimeKey
	Uploads  int
	States   map[uint64]signal.PublicKey // by position: base key of the state an item was encrypted in
}

// New makes a platform with a business number.
func New(number string) *Platform {
	p := &Platform{Number: number, devices: map[string]*Peer{}}
	p.NewKeys()
	return p
}

// NewKeys gives the business new keys: an identity change for every device.
func (p *Platform) NewKeys() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.local = signal.Identity{Key: must(signal.GeneratePrivateKey(nil)), RegistrationID: 7}
	p.signed, p.kem = must(signal.GeneratePrivateKey(nil)), must(signal.GenerateKEMPrivateKey(nil))
	p.oneTime = map[uint32]signal.PrivateKey{}
	p.gen++
	for _, d := range p.devices {
		d.session = nil
	}
}

// Identity is the business's identity key.
func (p *Platform) Identity() signal.PublicKey { return p.local.Key.Public() }

// Register takes a device, as registration does.
func (p *Platform) Register(waID string, desc frame.Device) (*Peer, frame.Registered) {
	if e := desc.Check(); e != nil {
		panic(e)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &Peer{
		p: p, id: waID + ".1", desc: desc, wamid: map[string]string{}, Statuses: map[string]string{},
		History: map[string][]string{}, texts: map[string][]byte{}, oneTime: slices.Clone(desc.OneTime),
		States: map[uint64]signal.PublicKey{},
	}
	if old := p.devices[d.id]; old != nil {
		d.seq = old.seq
	}
	p.devices[d.id] = d
	return d, frame.Registered{WaID: waID, Device: 1, OneTimeLeft: len(d.oneTime), LastSeq: d.seq}
}

// Peer finds a device.
func (p *Platform) Peer(device string) *Peer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.devices[device]
}

// Devices lists all devices.
func (p *Platform) Devices() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.devices))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// SignedPreKey implements signal.PreKeyStore.
func (p *Platform) SignedPreKey(id uint32) (signal.PrivateKey, bool) {
	return p.signed, int(id) == p.gen
}

// KEMPreKey implements signal.PreKeyStore.
func (p *Platform) KEMPreKey(id uint32) (signal.KEMPrivateKey, bool) { return p.kem, int(id) == p.gen }

// OneTimePreKey implements signal.PreKeyStore.
func (p *Platform) OneTimePreKey(id uint32) (signal.PrivateKey, bool) {
	k, ok := p.oneTime[id]
	return k, ok
}

func (p *Platform) bundle(r uint64) *frame.Bundle {
	p.nextID++
	once := must(signal.GeneratePrivateKey(nil))
	p.oneTime[p.nextID] = once
	signed, kem := p.signed.Public().Bytes(), p.kem.Public()
	s, k := p.local.Key.Sign(nil, signed), p.local.Key.Sign(nil, kem)
	return &frame.Bundle{
		R: r, Of: p.Number, IdentityKey: p.Identity().Bytes(), RegistrationID: 7,
		SignedPreKey:  frame.SignedKey{ID: uint32(p.gen), Key: signed, Sig: s[:]},
		KEMPreKey:     &frame.SignedKey{ID: uint32(p.gen), Key: kem, Sig: k[:]},
		OneTimePreKey: &frame.OneTimeKey{ID: p.nextID, Key: once.Public().Bytes()},
	}
}

func (d *Peer) bundle() *signal.Bundle {
	parse := func(b []byte) signal.PublicKey { return must(signal.ParsePublicKey(b)) }
	b := &signal.Bundle{
		IdentityKey: parse(d.desc.IdentityKey), RegistrationID: d.desc.RegistrationID,
		SignedPreKey: signal.SignedPreKey{
			ID: d.desc.SignedPreKey.ID, Key: parse(d.desc.SignedPreKey.Key), Sig: d.desc.SignedPreKey.Sig,
		},
		KEMPreKey: signal.KEMPreKey{ID: d.desc.KEMPreKey.ID, Key: d.desc.KEMPreKey.Key, Sig: d.desc.KEMPreKey.Sig},
	}
	if len(d.oneTime) > 0 {
		b.OneTimePreKey = &signal.OneTimePreKey{ID: d.oneTime[0].ID, Key: parse(d.oneTime[0].Key)}
		d.oneTime = d.oneTime[1:]
	}
	return b
}

// Text puts a text message into a device's mailbox and returns its wamid.
func (p *Platform) Text(device, body string) string {
	return p.Message(device, fmt.Sprintf(`"type":"text","text":{"body":%q}`, body))
}

// Message does the same for the members of any message, without v, id and ts.
func (p *Platform) Message(device, members string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wamids++
	id := fmt.Sprintf("wamid.%06d", p.wamids)
	p.devices[device].put(id, fmt.Appendf(nil, `{"v":1,"id":%q,"ts":1767225600,%s}`, id, members))
	return id
}

// Companion puts a link's card behind a message.
func (p *Platform) Companion(device, wamid, card string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[device]
	d.item(wamid, fmt.Appendf(nil, `{"v":1,"type":"preview","of":%q,"preview":%s}`, wamid, card))
}

// Raw encrypts any plaintext, without padding it.
func (p *Platform) Raw(device, wamid string, plain []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.devices[device].seal(wamid, plain)
}

// Event puts an event into a device's mailbox.
func (p *Platform) Event(device string, ev frame.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[device]
	d.seq++
	d.box = append(d.box, frame.Item{Seq: d.seq, From: p.Number, K: frame.KindEvent, Ev: &ev, TS: 1767225600})
}

func (d *Peer) put(id string, plain []byte) {
	d.texts[id] = plain
	d.item(id, plain)
}

func (d *Peer) item(id string, plain []byte) {
	plain = append(slices.Clone(plain), 0x80)
	for len(plain)%64 != 0 {
		plain = append(plain, 0)
	}
	d.seal(id, plain)
}

func (d *Peer) seal(id string, plain []byte) {
	if !d.session.Ready() {
		s := must(signal.Initiate(nil, signal.Suite{}, d.p.local, d.bundle()))
		s.Inherit(d.session)
		d.session, d.since = s, d.seq+1
	}
	kind, wire, err := d.session.Encrypt(nil, plain)
	if err != nil {
		panic(err)
	}
	d.seq++
	d.States[d.seq] = d.session.BaseKeys()[0]
	d.box = append(d.box, frame.Item{
		Seq: d.seq, ID: id, From: d.p.Number, K: frame.Kind(kind), Ct: wire, TS: 1767225600,
	})
}

// Damage spoils the ciphertext of the newest item in a device's mailbox.
func (p *Platform) Damage(device string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.devices[device].box
	ct := slices.Clone(box[len(box)-1].Ct)
	ct[len(ct)-1] ^= 1
	box[len(box)-1].Ct = ct
}

// Forget drops the platform's session with a device, as a restored backup would.
func (p *Platform) Forget(device string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.devices[device].session = nil
}

// Pending is what a device has not acknowledged, as Deliver frames of at most n items.
func (p *Platform) Pending(device string, n int) []*frame.Deliver {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*frame.Deliver
	for part := range slices.Chunk(slices.Clone(p.devices[device].box), n) {
		list = append(list, &frame.Deliver{Items: part})
	}
	return list
}

// Welcome greets a device.
func (p *Platform) Welcome(device string) *frame.Welcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.devices[device]
	first := d.seq
	if len(d.box) > 0 {
		first = d.box[0].Seq - 1
	}
	return &frame.Welcome{
		LastSeq: first, Pending: len(d.box), OneTimeLeft: len(d.oneTime), Token: "token", Limits: frame.DefaultLimits(),
	}
}
