package vault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Errors of records.
var (
	// ErrDestroyed says that the record's key was destroyed: its content is gone for good, as it should be.
	ErrDestroyed = errors.New("the key was destroyed")
	// ErrTampered says that a record is damaged, or stands where it was not sealed for.
	ErrTampered = errors.New("sealed data is damaged or out of place")
)

const (
	period  = time.Hour
	maxUses = 1 << 30 // of one key; random nonces stay far from repeating

	version    = 1
	headerSize = 1 + 4 + nonceSize
	tagSize    = 16

	// Overhead is how much longer a record is than what was sealed, in bytes.
	Overhead = headerSize + tagSize
)

// Options say what a vault is made of.
type Options struct {
	Root  *Root
	Store Store
	Clock clock.Clock
	Rand  io.Reader // keys and nonces, safe for concurrent use; nil means crypto/rand
	Brief string    // file that the keys of [ClassBrief] are kept in, see SealBrief; empty: such records cannot be made
	// Logger is told of a file of brief keys that is damaged; nil means nobody.
	Logger *slog.Logger
}

// Vault seals and opens records. It is safe for concurrent use.
type Vault struct {
	store Store
	clock clock.Clock
	rand  io.Reader

	change sync.Mutex // held while keys are made, destroyed or wrapped again

	mu      sync.RWMutex
	root    *Root
	keys    map[uint32]*dataKey
	current map[slot]*dataKey // the key that Seal uses now

	brief briefs
}

// slot names what a key is used for.
type slot struct {
	class Class
	scope string
}

// Open reads the table of data keys. It fails with [ErrUnwrap] when the root key is not the one they were wrapped with.
func Open(ctx context.Context, o Options) (*Vault, error) {
	v := &Vault{
		store: o.Store, clock: o.Clock, rand: o.Rand, root: o.Root,
		keys: map[uint32]*dataKey{}, current: map[slot]*dataKey{},
	}
	if v.rand == nil {
		v.rand = rand.Reader
	}
	if v.brief.log = o.Logger; v.brief.log == nil {
		v.brief.log = slog.New(slog.DiscardHandler)
	}
	rows, err := o.Store.DataKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read data keys: %w", err)
	}
	var last *dataKey
	for i := range rows {
		if d := v.take(rows[i]); len(d.row.Wrapped) > 0 {
			last = d
		}
	}
	if last != nil { // one is enough to notice the wrong root key before the first message does
		if _, err := last.cipher(v.root); err != nil {
			return nil, err
		}
	}
	if err := v.loadBriefs(o.Brief); err != nil {
		return nil, err
	}
	return v, nil
}

// take adds a row to memory; the caller holds v.mu or is alone.
func (v *Vault) take(row DataKey) *dataKey {
	d := &dataKey{row: row}
	v.keys[row.ID] = d
	if len(row.Wrapped) == 0 {
		return d
	}
	s := slot{row.Class, row.Scope}
	if c := v.current[s]; c == nil || c.row.Created <= row.Created {
		v.current[s] = d
	}
	return d
}

// Seal encrypts plain for a place that ad names, under the current key of class and scope. Only when there is no such key
// yet, as in the first call of an hour, it waits for the store.
func (v *Vault) Seal(class Class, scope string, ad, plain []byte) ([]byte, error) {
	d, root, err := v.sealing(class, scope)
	if err != nil {
		return nil, fmt.Errorf("key of class %s: %w", class, err)
	}
	aead, err := d.cipher(root)
	if err != nil {
		return nil, err
	}
	out := make([]byte, headerSize, Overhead+len(plain))
	out[0] = version
	binary.BigEndian.PutUint32(out[1:], d.row.ID)
	if _, err := io.ReadFull(v.rand, out[5:headerSize]); err != nil {
		return nil, fmt.Errorf("make nonce: %w", err)
	}
	return aead.Seal(out, out[5:headerSize], plain, ad), nil
}

// Open decrypts what Seal or SealBrief returned for the same ad. Errors: [ErrDestroyed], [ErrTampered], [ErrUnwrap].
func (v *Vault) Open(ad, sealed []byte) ([]byte, error) {
	if IsBrief(sealed) {
		return v.openBrief(ad, sealed)
	}
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, fmt.Errorf("%w: unknown form", ErrTampered)
	}
	id := binary.BigEndian.Uint32(sealed[1:])
	v.mu.RLock()
	d, root := v.keys[id], v.root
	v.mu.RUnlock()
	if d == nil {
		var err error
		if d, root, err = v.fetch(id); err != nil {
			return nil, err
		}
	}
	if len(d.row.Wrapped) == 0 {
		return nil, ErrDestroyed
	}
	aead, err := d.cipher(root)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, sealed[5:headerSize], sealed[headerSize:], ad)
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

// Prepare makes the key that the next Seal of this class and scope needs, and for content also that of the next hour, so
// that callers which must not wait for the store never do. Call it when a number is made and a few times per hour.
func (v *Vault) Prepare(ctx context.Context, class Class, scope string) error {
	if _, _, err := v.make(ctx, class, scope, v.clock.Now()); err != nil {
		return fmt.Errorf("key of class %s: %w", class, err)
	}
	if class != ClassContent {
		return nil
	}
	if _, _, err := v.make(ctx, class, scope, v.clock.Now().Add(period)); err != nil {
		return fmt.Errorf("key of class %s: %w", class, err)
	}
	return nil
}

// sealing returns the key to seal with now.
func (v *Vault) sealing(class Class, scope string) (*dataKey, *Root, error) {
	v.mu.RLock()
	d, root := v.current[slot{class, scope}], v.root
	v.mu.RUnlock()
	if d != nil && (class != ClassContent || covers(d, v.clock.Now().UnixMilli())) && d.uses.Add(1) <= maxUses {
		return d, root, nil
	}
	return v.make(context.Background(), class, scope, v.clock.Now())
}

func covers(d *dataKey, now int64) bool { return d.row.Begins <= now && now < d.row.Ends }

// make finds the key for the given time or makes one, durably. It becomes the current one if the time is now.
func (v *Vault) make(ctx context.Context, class Class, scope string, at time.Time) (*dataKey, *Root, error) {
	v.change.Lock()
	defer v.change.Unlock()
	s := slot{class, scope}
	v.mu.RLock()
	d, root := v.usable(s, at.UnixMilli()), v.root
	v.mu.RUnlock()
	if d == nil {
		row, err := v.add(ctx, s, at, root)
		if err != nil {
			return nil, nil, err
		}
		d = &dataKey{row: row}
	}
	d.uses.Add(1)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys[d.row.ID] = d
	if class != ClassContent || covers(d, v.clock.Now().UnixMilli()) {
		v.current[s] = d
	}
	return d, root, nil
}

// usable looks for a key in memory; it is off the hot path and may walk them all.
func (v *Vault) usable(s slot, at int64) *dataKey {
	if d := v.current[s]; d != nil && fits(d, s, at) {
		return d
	}
	if s.class != ClassContent {
		return nil
	}
	for _, d := range v.keys {
		if fits(d, s, at) {
			return d
		}
	}
	return nil
}

func fits(d *dataKey, s slot, at int64) bool {
	return d.row.Class == s.class && d.row.Scope == s.scope && len(d.row.Wrapped) > 0 && d.uses.Load() < maxUses &&
		(s.class != ClassContent || covers(d, at))
}

// add makes a key and stores it. Ids are random, so that nodes need not agree on them.
func (v *Vault) add(ctx context.Context, s slot, at time.Time, root *Root) (DataKey, error) {
	plain := make([]byte, rootSize)
	defer clear(plain)
	for {
		var id [4]byte
		if _, err := io.ReadFull(v.rand, id[:]); err != nil {
			return DataKey{}, fmt.Errorf("make id: %w", err)
		}
		if _, err := io.ReadFull(v.rand, plain); err != nil {
			return DataKey{}, fmt.Errorf("make key: %w", err)
		}
		row := DataKey{ID: binary.BigEndian.Uint32(id[:]), Class: s.class, Scope: s.scope, Created: v.clock.Now().UnixMilli()}
		if row.ID == 0 {
			continue
		}
		if s.class == ClassContent {
			begins := at.Truncate(period)
			row.Begins, row.Ends = begins.UnixMilli(), begins.Add(period).UnixMilli()
		}
		if err := root.wrapKey(&row, plain, v.rand); err != nil {
			return DataKey{}, err
		}
		err := v.store.AddDataKey(ctx, row)
		if errors.Is(err, ErrKeyExists) {
			continue
		}
		if err != nil {
			return DataKey{}, fmt.Errorf("store data key: %w", err)
		}
		return row, nil
	}
}

// fetch asks the store for a key that another node made after this one read the table.
func (v *Vault) fetch(id uint32) (*dataKey, *Root, error) {
	v.change.Lock()
	defer v.change.Unlock()
	v.mu.RLock()
	d, root := v.keys[id], v.root
	v.mu.RUnlock()
	if d != nil {
		return d, root, nil
	}
	row, err := v.store.DataKey(context.Background(), id)
	if err != nil {
		return nil, nil, fmt.Errorf("read data key %d: %w", id, err)
	}
	if row == nil {
		return nil, nil, fmt.Errorf("%w: there was never a data key %d", ErrTampered, id)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	d = &dataKey{row: *row} // never current: its maker counts its uses
	v.keys[id] = d
	return d, root, nil
}
