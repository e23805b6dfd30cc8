package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
)

// sealed file: magic ‖ root key id (8 B) ‖ nonce (12 B) ‖ AES-256-GCM
const fileMagic = "HKSF\x01"

// SealFile writes a small file that the root key alone opens, replacing what was there in one step. purpose is bound to the
// content: a file renamed to take another one's place does not open.
func (r *Root) SealFile(path, purpose string, plain []byte) error {
	rk := &r.keys[0]
	out := append([]byte(fileMagic), rk.id[:]...)
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return fmt.Errorf("make nonce: %w", err)
	}
	out = rk.file.Seal(append(out, nonce...), nonce, plain, []byte(purpose))
	if err := writeReplace(path, out); err != nil {
		return fmt.Errorf("seal %s: %w", purpose, err)
	}
	return nil
}

// OpenFile reads what SealFile wrote. Errors: os.ErrNotExist, [ErrUnwrap], [ErrTampered].
func (r *Root) OpenFile(path, purpose string) ([]byte, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the data directory
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", purpose, err)
	}
	plain, err := r.openFile(b, purpose)
	if err != nil {
		return nil, fmt.Errorf("open %s (%s): %w", purpose, path, err)
	}
	return plain, nil
}

func (r *Root) openFile(b []byte, purpose string) ([]byte, error) {
	const header = len(fileMagic) + 8
	if len(b) < header+nonceSize+tagSize || string(b[:len(fileMagic)]) != fileMagic {
		return nil, fmt.Errorf("%w: not a sealed file", ErrTampered)
	}
	id := [8]byte(b[len(fileMagic):header])
	for i := range r.keys {
		if rk := &r.keys[i]; rk.id == id {
			plain, err := rk.file.Open(nil, b[header:header+nonceSize], b[header+nonceSize:], []byte(purpose))
			if err != nil {
				return nil, ErrTampered
			}
			return plain, nil
		}
	}
	return nil, errors.Join(ErrUnwrap, fmt.Errorf("it belongs to root key %x, given is %s", id, r.ID()))
}
