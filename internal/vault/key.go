package vault

import (
	"context"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Class says what a data key protects, and with that how long it lives.
type Class string

// The classes of data keys.
const (
	ClassNumber  Class = "number"  // scope is a phone number id; kept while the number exists
	ClassContent Class = "content" // a new key every hour; destroyed at the end of retention
	ClassSecret  Class = "secret"  // kept
	ClassBrief   Class = "brief"   // a new key every minute; destroyed an hour later. In a file, see SealBrief
)

// DataKey is a row of the table of data keys.
type DataKey struct {
	ID      uint32 // never 0, never used again
	Class   Class
	Scope   string // of ClassNumber the phone number id; else usually empty
	Begins  int64  // of ClassContent the start of its period, Unix milliseconds; else 0
	Ends    int64  // of ClassContent the end of its period, exclusive, Unix milliseconds; else 0
	Created int64  // Unix milliseconds
	Wrapped []byte // under the root key; empty when the key was destroyed
}

// ErrKeyExists is what [Store.AddDataKey] returns when the id is taken.
var ErrKeyExists = errors.New("data key id is taken")

// Store keeps the table of data keys. Writes are durable when they return. Rows are never removed, so that a destroyed key
// can be told from damage.
type Store interface {
	// DataKeys returns all rows, oldest first, those of destroyed keys too.
	DataKeys(ctx context.Context) ([]DataKey, error)
	// DataKey returns one row, nil when there is none.
	DataKey(ctx context.Context, id uint32) (*DataKey, error)
	// AddDataKey inserts a row; ErrKeyExists when the id is taken.
	AddDataKey(ctx context.Context, k DataKey) error
	// RewrapDataKeys replaces Wrapped of the rows given by ID, all or none. Destroyed keys stay destroyed.
	RewrapDataKeys(ctx context.Context, keys []DataKey) error
	// DestroyDataKeys empties Wrapped of these rows so that its bytes are in no file of the store any more.
	DestroyDataKeys(ctx context.Context, ids []uint32) error
}

// wrapped form: version ‖ root key id (8 B) ‖ nonce (12 B) ‖ AES-256-GCM of the key
const (
	wrapVersion = 1
	wrapHeader  = 1 + 8
	nonceSize   = 12
)

// wrap seals plain under the current root key. The row's other columns are additional data: a wrapped key copied to
// another row does not open there.
func (r *Root) wrapKey(k *DataKey, plain []byte, rand io.Reader) error {
	rk := &r.keys[0]
	out := make([]byte, wrapHeader+nonceSize, wrapHeader+nonceSize+len(plain)+rk.wrap.Overhead())
	out[0] = wrapVersion
	copy(out[1:], rk.id[:])
	nonce := out[wrapHeader:]
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return fmt.Errorf("make nonce: %w", err)
	}
	k.Wrapped = rk.wrap.Seal(out, nonce, plain, k.context())
	return nil
}

// unwrapKey returns the key of the row in clear. Errors: [ErrUnwrap], [ErrTampered], [ErrDestroyed].
func (r *Root) unwrapKey(k *DataKey) ([]byte, error) {
	w := k.Wrapped
	if len(w) == 0 {
		return nil, ErrDestroyed
	}
	if len(w) < wrapHeader+nonceSize || w[0] != wrapVersion {
		return nil, fmt.Errorf("data key %d: %w: unknown form", k.ID, ErrTampered)
	}
	id := [8]byte(w[1:wrapHeader])
	for i := range r.keys {
		if rk := &r.keys[i]; rk.id == id {
			plain, err := rk.wrap.Open(nil, w[wrapHeader:wrapHeader+nonceSize], w[wrapHeader+nonceSize:], k.context())
			if err != nil {
				return nil, fmt.Errorf("data key %d: %w", k.ID, ErrTampered)
			}
			return plain, nil
		}
	}
	return nil, fmt.Errorf("%w data key %d: it belongs to root key %s, given is %s", ErrUnwrap, k.ID, hex.EncodeToString(id[:]), r.ID())
}

func (k *DataKey) context() []byte {
	b := append([]byte("data key\x00"), k.Class...)
	b = append(append(append(b, 0), k.Scope...), 0)
	b = binary.BigEndian.AppendUint32(b, k.ID)
	return binary.BigEndian.AppendUint64(b, uint64(k.Begins))
}

// dataKey is a row in memory. It is unwrapped at its first use: a process that starts with a hundred thousand numbers
// does not derive their keys before they are needed.
type dataKey struct {
	row  DataKey
	uses atomic.Uint64

	once sync.Once
	aead cipher.AEAD
	err  error
}

func (d *dataKey) cipher(r *Root) (cipher.AEAD, error) {
	d.once.Do(func() {
		plain, err := r.unwrapKey(&d.row)
		if err != nil {
			d.err = err
			return
		}
		defer clear(plain)
		d.aead, d.err = newAEAD(plain)
	})
	return d.aead, d.err
}
