package vault

import (
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// BriefLife is how long a brief record can be opened after the birth of what it holds, and up to a minute more: records of one
// minute share a key. Source: spec/security.md section A5, "no storage".
const BriefLife = time.Hour

const (
	briefVersion = 2
	briefStep    = time.Minute
	// briefAhead is how many minutes' keys [Vault.PrepareBrief] makes.
	briefAhead = 3
)

// ErrNoBrief is returned by [Vault.SealBrief] when the vault has no file for the keys.
var ErrNoBrief = errors.New("brief records are not kept here")

// briefs are the keys of [ClassBrief]. They lie in a file of their own and in no table: no log of a database and no dump of it
// ever holds one. The name of a key is its minute, so a record tells by itself whether its time is over.
type briefs struct {
	path   string
	log    *slog.Logger
	change sync.Mutex // held while the file is written

	last atomic.Uint32 // minute in which something was sealed last

	mu   sync.RWMutex
	keys map[uint32]*dataKey // by minute
}

// briefRow is a key in the file.
type briefRow struct {
	Minute  uint32 `json:"minute"` // since 1970
	Wrapped []byte `json:"wrapped"`
}

func minuteOf(t time.Time) uint32 { return uint32(t.Unix() / int64(briefStep/time.Second)) }

// over reports whether what was sealed under the key of that minute can be opened no more.
func over(minute uint32, now time.Time) bool {
	end := time.Unix(int64(minute+1)*int64(briefStep/time.Second), 0).Add(BriefLife)
	return !now.Before(end)
}

func briefKey(minute uint32, wrapped []byte) *dataKey {
	begins := int64(minute) * briefStep.Milliseconds()
	return &dataKey{row: DataKey{
		ID: minute, Class: ClassBrief, Begins: begins, Ends: begins + briefStep.Milliseconds(), Created: begins, Wrapped: wrapped,
	}}
}

// IsBrief reports whether sealed came from [Vault.SealBrief].
func IsBrief(sealed []byte) bool { return len(sealed) >= Overhead && sealed[0] == briefVersion }

// SealBrief encrypts plain, which was born at the given time, so that it can be opened for [BriefLife] after that and never
// later: the key is destroyed then. Errors: [ErrDestroyed] when that time is over already, [ErrNoBrief].
func (v *Vault) SealBrief(born time.Time, ad, plain []byte) ([]byte, error) {
	minute := minuteOf(born)
	v.brief.mu.RLock()
	d := v.brief.keys[minute]
	v.brief.mu.RUnlock()
	if d == nil {
		if err := v.makeBriefs(minute, 1); err != nil {
			return nil, fmt.Errorf("key of class %s: %w", ClassBrief, err)
		}
		v.brief.mu.RLock()
		d = v.brief.keys[minute]
		v.brief.mu.RUnlock()
	}
	now := v.clock.Now()
	if d == nil || over(minute, now) {
		return nil, ErrDestroyed
	}
	v.brief.last.Store(minuteOf(now))
	aead, err := v.briefCipher(d)
	if err != nil {
		return nil, err
	}
	out := make([]byte, headerSize, Overhead+len(plain))
	out[0] = briefVersion
	binary.BigEndian.PutUint32(out[1:], minute)
	if _, err := io.ReadFull(v.rand, out[5:headerSize]); err != nil {
		return nil, fmt.Errorf("make nonce: %w", err)
	}
	return aead.Seal(out, out[5:headerSize], plain, ad), nil
}

func (v *Vault) briefCipher(d *dataKey) (cipher.AEAD, error) {
	v.mu.RLock()
	root := v.root
	v.mu.RUnlock()
	return d.cipher(root)
}

// openBrief is Open for brief records.
func (v *Vault) openBrief(ad, sealed []byte) ([]byte, error) {
	minute := binary.BigEndian.Uint32(sealed[1:])
	v.brief.mu.RLock()
	d := v.brief.keys[minute]
	v.brief.mu.RUnlock()
	if d == nil || over(minute, v.clock.Now()) {
		return nil, ErrDestroyed
	}
	aead, err := v.briefCipher(d)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, sealed[5:headerSize], sealed[headerSize:], ad)
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

// PrepareBrief makes the keys of the next minutes, so that the next SealBrief need not wait for the disk. It does nothing when
// nothing was sealed within [BriefLife].
func (v *Vault) PrepareBrief() error {
	now := v.clock.Now()
	if over(v.brief.last.Load(), now) {
		return nil
	}
	if err := v.makeBriefs(minuteOf(now), briefAhead); err != nil {
		return fmt.Errorf("key of class %s: %w", ClassBrief, err)
	}
	return nil
}

// makeBriefs makes the keys of n minutes from the given one on, durably, where there are none and their time is not over.
func (v *Vault) makeBriefs(minute uint32, n int) error {
	b := &v.brief
	if b.path == "" {
		return ErrNoBrief
	}
	b.change.Lock()
	defer b.change.Unlock()
	v.mu.RLock()
	root := v.root
	v.mu.RUnlock()
	now := v.clock.Now()
	b.mu.RLock()
	next, fresh := maps.Clone(b.keys), 0
	b.mu.RUnlock()
	plain := make([]byte, rootSize)
	defer clear(plain)
	for m := minute; m < minute+uint32(n); m++ {
		if next[m] != nil || over(m, now) {
			continue
		}
		if _, err := io.ReadFull(v.rand, plain); err != nil {
			return fmt.Errorf("make key: %w", err)
		}
		d := briefKey(m, nil)
		if err := root.wrapKey(&d.row, plain, v.rand); err != nil {
			return err
		}
		next[m] = d
		fresh++
	}
	if fresh == 0 {
		return nil
	}
	return b.keep(next)
}

// DestroyBrief destroys the keys whose time is over, and returns how many. It costs nothing when there are none: call it every
// minute. While nobody calls it, what is over stays in the file, though it opens nothing here; [Open] makes up for that.
func (v *Vault) DestroyBrief() (int, error) {
	b := &v.brief
	b.change.Lock()
	defer b.change.Unlock()
	now := v.clock.Now()
	next := map[uint32]*dataKey{}
	b.mu.RLock()
	n := len(b.keys)
	for m, d := range b.keys {
		if !over(m, now) {
			next[m] = d
		}
	}
	b.mu.RUnlock()
	if n -= len(next); n == 0 {
		return 0, nil
	}
	if err := b.keep(next); err != nil {
		return 0, fmt.Errorf("destroy brief keys: %w", err)
	}
	return n, nil
}

// keep writes the file and takes its keys over. It needs change.
func (b *briefs) keep(keys map[uint32]*dataKey) error {
	rows := make([]briefRow, 0, len(keys))
	for m, d := range keys {
		rows = append(rows, briefRow{m, d.row.Wrapped})
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	if err := replaceAndWipe(b.path, text); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys = keys
	return nil
}

// rewrapBriefs wraps the keys again. Memory must know both root keys by then.
func (v *Vault) rewrapBriefs(both, next *Root) (int, error) {
	b := &v.brief
	b.change.Lock()
	defer b.change.Unlock()
	keys := map[uint32]*dataKey{}
	b.mu.RLock()
	old := b.keys
	b.mu.RUnlock()
	for m, d := range old {
		c := briefKey(m, d.row.Wrapped)
		plain, err := both.unwrapKey(&c.row)
		if err != nil {
			return 0, err
		}
		err = next.wrapKey(&c.row, plain, v.rand)
		clear(plain)
		if err != nil {
			return 0, err
		}
		keys[m] = c
	}
	if len(keys) == 0 {
		return 0, nil
	}
	return len(keys), b.keep(keys)
}
