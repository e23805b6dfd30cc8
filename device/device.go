package device

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
)

// Defaults of [Options].
const (
	DefaultHistory = 1000
	DefaultOneTime = 50
)

// Options are what a device is given. Clock is needed; everything else works as zero.
type Options struct {
	// Clock is read, never waited for.
	Clock Clock
	// Store keeps the state. Nil means that the state lives in memory only and ends with the device.
	Store Store
	// Rand is where keys and ids come from; nil means crypto/rand. ML-KEM always takes its own.
	Rand io.Reader
	// Host is the server that the device means to reach, as Hello must name it. Empty accepts any: for in-process links.
	Host string
	// Client is the name and version of the program, for the server's logs.
	Client string
	// History is how many messages are kept; 0 means DefaultHistory. The oldest go first.
	History int
	// HistoryBytes bounds the memory of the history, in bytes; 0 means no bound. The newest message is always kept.
	HistoryBytes int
	// OneTime is how many one-time prekeys the server should hold; 0 means DefaultOneTime, negative none.
	OneTime int
	// Lossless says that frames handed over while connected are never lost, so receipts need not be kept for another try.
	Lossless bool
	// ReadAtOnce, if set, decides for a message that has just arrived whether it is read at once, because its chat is open.
	// It is asked besides [Device.OpenChat].
	ReadAtOnce func(m *Message) bool
}

func (o *Options) history() int { return cmp.Or(o.History, DefaultHistory) }

func (o *Options) oneTime() int {
	return max(0, min(cmp.Or(o.OneTime, DefaultOneTime), frame.MaxOneTime))
}

// Errors of calls of a [Device].
var (
	// ErrBroken reports a device whose last step could not be stored: call [Device.Reload].
	ErrBroken = errors.New("the device's last step was not stored")
	// ErrHost reports a server that is not the one the device means to reach.
	ErrHost = errors.New("the server names another host")
	// ErrQueue reports that too many messages or requests are unanswered.
	ErrQueue = errors.New("too many unanswered messages")
	// ErrUnknown reports an id or number that the device knows nothing about.
	ErrUnknown = errors.New("unknown to this device")
	// ErrBlocked reports a business that the user blocked: only after an unblock can it be written to.
	ErrBlocked = errors.New("the user blocked this business: unblock it first")
	// ErrGone reports a device that the platform has removed.
	ErrGone = errors.New("the platform has removed this device")
)

// Device is one installation of a user. It is not safe for concurrent use, and none of its calls blocks except in
// [Store.Commit]. An error of a call that returns [Effects] means that nothing may be sent; after one of [ErrBroken] the
// connection must end and [Device.Reload] decides what is true.
type Device struct {
	o        Options
	me       account
	keys     keyring
	last     uint64 // highest stored mailbox position
	retries  []retry
	chats    []*chat
	history  []*Message // ascending N
	weight   int        // bytes of the history, about
	next     uint64     // highest N used
	outbox   []*outgoing
	receipts []receipt
	requests []*request
	conn     connection
	open     string // chat on the screen
	dirty    dirty
	eff      Effects // of the current call
	broken   error
}

// account is who the device is.
type account struct {
	WaID           string `json:"wa_id"`
	Number         int    `json:"device"`
	UserID         string `json:"user_id,omitempty"`
	Name           string `json:"name,omitempty"`
	RegistrationID uint32 `json:"registration_id"`
	IdentitySeed   []byte `json:"identity"`
	AuthSeed       []byte `json:"auth"`
	NoReceipts     bool   `json:"no_receipts,omitempty"`
	Gone           bool   `json:"gone,omitempty"`
}

// Generate makes a device with new keys that nobody knows yet. Registering it is three steps: [Device.Describe] goes to the
// server, [Device.Adopt] takes the answer. Nothing is stored before Adopt.
func Generate(o Options) (*Device, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	d := &Device{o: o}
	identity, err := signal.GeneratePrivateKey(o.Rand)
	if err != nil {
		return nil, fmt.Errorf("make an identity key: %w", err)
	}
	d.keys.identity = identity
	d.me.IdentitySeed = identity.Bytes()
	d.me.AuthSeed = make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(o.Rand, d.me.AuthSeed); err != nil {
		return nil, fmt.Errorf("make an auth key: %w", err)
	}
	var id [7]byte
	if _, err := io.ReadFull(o.Rand, id[:]); err != nil {
		return nil, fmt.Errorf("make a registration id: %w", err)
	}
	d.me.RegistrationID = 1 + (uint32(id[0])<<24|uint32(id[1])<<16|uint32(id[2])<<8|uint32(id[3]))%frame.MaxReg
	// Ids of prekeys start anywhere, so that those of an earlier installation are unknown here, not wrong.
	d.keys.NextID = uint32(id[4])<<16 | uint32(id[5])<<8 | uint32(id[6])
	if err := d.rotate(); err != nil {
		return nil, err
	}
	return d, d.moreOneTime(o.oneTime())
}

// Open loads a device from its store. Errors: [ErrEmpty], those of the store, and for records it cannot read.
func Open(o Options) (*Device, error) {
	if o.Store == nil {
		return nil, ErrEmpty
	}
	records, err := o.Store.Load()
	if err != nil {
		return nil, fmt.Errorf("load device: %w", err)
	}
	return Import(o, records)
}

// Reload forgets what is in memory and takes the stored state, after [ErrBroken]. The device is offline then.
func (d *Device) Reload() error {
	fresh, err := Open(d.o)
	if err != nil {
		return err
	}
	*d = *fresh
	return nil
}

// Describe is the device as registration sends it, with its public keys. name and platform are shown in lists of devices.
func (d *Device) Describe(name string, platform frame.Platform) frame.Device {
	auth := ed25519.NewKeyFromSeed(d.me.AuthSeed).Public().(ed25519.PublicKey)
	f := frame.Device{
		Name: name, Platform: platform, IdentityKey: d.Identity().Bytes(), AuthKey: auth,
		RegistrationID: d.me.RegistrationID, OneTime: d.keys.publicOneTime(),
	}
	f.SignedPreKey, f.KEMPreKey = d.keys.publicSigned(d), d.keys.publicKEM(d)
	return f
}

// Adopt takes the server's answer to the registration of a generated device and stores the device, in place of whatever
// the store held.
func (d *Device) Adopt(r frame.Registered) (Effects, error) {
	d.me.WaID, d.me.Number, d.me.UserID, d.last = r.WaID, r.Device, r.UserID, r.LastSeq
	d.keys.uploaded()
	d.dirty.all = true
	return d.finish()
}

// WaID is the user's number on the network; empty before Adopt.
func (d *Device) WaID() string { return d.me.WaID }

// ID is how frames name the device: "15550142233.1".
func (d *Device) ID() string { return d.me.WaID + "." + strconv.Itoa(d.me.Number) }

// Identity is the public identity key.
func (d *Device) Identity() signal.PublicKey { return d.local().Key.Public() }

// IdentityHash is the user's identity_key_hash, if this is the primary device.
func (d *Device) IdentityHash() string { return signal.IdentityHash(d.Identity()) }

// Name is the profile name that the user last set here.
func (d *Device) Name() string { return d.me.Name }

// ReadReceipts reports whether businesses are told what was read.
func (d *Device) ReadReceipts() bool { return !d.me.NoReceipts }

// Online reports whether the platform has greeted the device on the current connection.
func (d *Device) Online() bool { return d.conn.online }

// Gone reports whether the platform has removed this device.
func (d *Device) Gone() bool { return d.me.Gone }

// Token is the bearer token for media of the current connection; empty without one.
func (d *Device) Token() string { return d.conn.token }

// Waiting is about how many items were in the mailbox when the device connected and have not come yet. Those that expire
// meanwhile never come.
func (d *Device) Waiting() int { return d.conn.waiting }

// Unanswered is how many messages and requests wait for the platform's answer, or for a connection.
func (d *Device) Unanswered() int { return len(d.outbox) + len(d.requests) }

func (d *Device) now() time.Time { return d.o.Clock.Now() }

// ready is called at the start of every step.
func (d *Device) ready() error {
	if d.broken != nil {
		return fmt.Errorf("%w: %w", ErrBroken, d.broken)
	}
	return nil
}

// finish ends a step: it becomes durable, then its effects may.
func (d *Device) finish() (Effects, error) {
	eff := d.eff
	d.eff = Effects{}
	if err := d.commit(); err != nil {
		d.broken = err
		return Effects{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return eff, nil
}

// randomID is an id of 22 printable characters.
func (d *Device) randomID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(d.o.Rand, b[:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return encodeID(b[:]), nil
}
