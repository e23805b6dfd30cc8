package network

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrNoDevice says that a device does not exist (any more).
var ErrNoDevice = errors.New("no such device")

// ErrTaken says that a number belongs to somebody else.
var ErrTaken = errors.New("number is taken")

// ChangeKind says what happened to a user.
type ChangeKind uint8

// The kinds of changes.
const (
	DeviceAdded    ChangeKind = iota + 1 // the user's first registration
	DeviceReplaced                       // registered again: sessions with and items for the old keys are void
	DeviceRemoved                        // the user may be without device now
	ProfileChanged                       // name, username, read receipts
	KeysChanged                          // prekeys were uploaded; sessions stay
	NumberChanged                        // the same user under another number: all devices are new
)

// Change tells who keeps copies of a user to forget them.
type Change struct {
	Kind     ChangeKind
	User     *User       // after the change
	Device   wa.DeviceID // the device concerned; empty for ProfileChanged
	Identity bool        // the identity hash is another one now
	OldHash  string      // the hash before, when Identity is set
	OldWaID  wa.WaID     // NumberChanged: the number before
}

// mailboxes is what the directory needs of the Mailbox when keys are replaced.
type mailboxes interface {
	// Highest returns the highest position reserved so far.
	Highest(ctx context.Context, device wa.DeviceID) (uint64, error)
	// Reset voids all positions up to base.
	Reset(device wa.DeviceID, base uint64)
}

// DirectoryConfig configures a Directory. Store, Clock and Mailbox are required.
type DirectoryConfig struct {
	Store   DirectoryStore
	Clock   clock.Clock
	Mailbox *Mailbox
	Log     *slog.Logger
	Rand    io.Reader   // nil means crypto/rand
	Wall    clock.Clock // of the pause before news are told again; nil means Clock
	Cached  int         // users in memory; 0 means 100,000

	// Ensure is called when Lookup does not know a number, and may create the user. A sandbox uses it to have recipients.
	Ensure func(ctx context.Context, id wa.WaID) error
}

// Directory knows the users and their devices. It is safe for concurrent use.
type Directory struct {
	store  DirectoryStore
	clock  clock.Clock
	wall   clock.Clock
	boxes  mailboxes
	log    *slog.Logger
	rand   io.Reader
	cache  *cache
	ensure func(ctx context.Context, id wa.WaID) error
	asked  singleflight.Group

	creating sync.Mutex     // Create runs one at a time
	writers  [64]sync.Mutex // one writer at a time per user, by hash of its number
	outbox   outbox

	mu        sync.RWMutex
	listeners []func(Change)
	onLow     func(device wa.DeviceID, left int)
}

// NewDirectory makes a Directory.
func NewDirectory(c DirectoryConfig) *Directory {
	d := &Directory{
		store: c.Store, clock: c.Clock, wall: c.Wall, boxes: c.Mailbox, log: c.Log, rand: c.Rand, ensure: c.Ensure,
		cache: newCache(cmp.Or(c.Cached, 100_000)),
	}
	if d.wall == nil {
		d.wall = d.clock
	}
	d.outbox.wake = make(chan struct{}, 1)
	d.outbox.written.Store(1) // what an earlier process left
	if d.rand == nil {
		d.rand = rand.Reader
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	return d
}

// OnChange adds a listener. It is called after the change is durable, in the goroutine that made it, and must return soon.
func (d *Directory) OnChange(f func(Change)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listeners = append(d.listeners, f)
}

func (d *Directory) tell(c Change) {
	d.mu.RLock()
	listeners := d.listeners
	d.mu.RUnlock()
	for _, f := range listeners {
		f(c)
	}
}

// Lookup returns the user with this number; nil when nobody has it. With Ensure set, an unknown user may be created.
func (d *Directory) Lookup(ctx context.Context, id wa.WaID) (*User, error) {
	u, err := d.user(ctx, id)
	if err != nil || u != nil || d.ensure == nil {
		return u, err
	}
	if _, err, _ := d.asked.Do(string(id), func() (any, error) { return nil, d.ensure(ctx, id) }); err != nil {
		return nil, fmt.Errorf("create the unknown user: %w", err)
	}
	return d.user(ctx, id)
}

// user reads through the cache and creates nobody.
func (d *Directory) user(ctx context.Context, id wa.WaID) (*User, error) {
	u, step := d.cache.lookup(id)
	if u != nil {
		return u, nil
	}
	u, err := d.store.User(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load user: %w", err)
	}
	if u != nil {
		d.cache.fill(u, step)
	}
	return u, nil
}

// device finds a device and its user; ErrNoDevice when there is none.
func (d *Directory) device(ctx context.Context, id wa.DeviceID) (*User, *Device, error) {
	u, err := d.user(ctx, id.User())
	if err != nil {
		return nil, nil, err
	}
	if u == nil {
		return nil, nil, ErrNoDevice
	}
	dev := u.Device(id)
	if dev == nil {
		return u, nil, ErrNoDevice
	}
	return u, dev, nil
}

// Users lists up to limit users, ascending by number, after the given one.
func (d *Directory) Users(ctx context.Context, after wa.WaID, limit int) ([]*User, error) {
	return d.store.Users(ctx, after, limit)
}

// Count is the number of users.
func (d *Directory) Count(ctx context.Context) (int, error) { return d.store.CountUsers(ctx) }

func (d *Directory) now() int64 { return d.clock.Now().UnixMilli() }

// writer locks the writers of a user out and returns the unlocking.
func (d *Directory) writer(id wa.WaID) func() {
	m := &d.writers[hashString(string(id))%uint32(len(d.writers))]
	m.Lock()
	return m.Unlock
}

// fresh makes a user that did not exist.
func (d *Directory) fresh(id wa.WaID, name string, now int64) (*User, error) {
	uid, err := randomID("u_", d.rand)
	if err != nil {
		return nil, err
	}
	return &User{ID: uid, WaID: id, Name: name, Created: now}, nil
}

// enrol gives u the device as its only one.
func enrol(u *User, dev *frame.Device, base uint64, now int64) NewDevice {
	key := signal.PublicKey(dev.IdentityKey)
	u.IdentityHash = signal.IdentityHash(key)
	u.Seen = now
	u.Devices = []*Device{{
		ID: wa.NewDeviceID(u.WaID, 1), Name: dev.Name, Platform: dev.Platform, IdentityKey: key, AuthKey: dev.AuthKey,
		RegistrationID: dev.RegistrationID, SignedAt: now, Base: base, Created: now, Seen: now,
	}}
	signed, kem := dev.SignedPreKey, dev.KEMPreKey
	return NewDevice{User: u, Keys: KeySet{Signed: &signed, KEM: &kem, At: now, OneTime: dev.OneTime}}
}

// randomID makes a name of 80 random bits.
func randomID(prefix string, r io.Reader) (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", fmt.Errorf("draw an id: %w", err)
	}
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(b[:])), nil
}

// hashString is FNV-1a, to spread keys over shards.
func hashString(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}
