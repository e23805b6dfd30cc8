//go:build !js

package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fileMagic begins a file of this version: magic ‖ SHA-256 of the rest ‖ (length ‖ key ‖ length ‖ value)…; lengths are
// varints.
const fileMagic = "hikyaku device 1\n"

// ErrLocked reports a store that another process has open: two of them would use the same message keys.
var ErrLocked = errors.New("the device's file is in use by another process")

// ErrDamaged reports a device's file whose checksum or form is wrong.
var ErrDamaged = errors.New("the device's file is damaged")

// FileStore is a [Store] in one file that only its owner may read. A step writes a new file beside it, syncs it, and
// renames it over the old one, so a crash leaves one of the two whole. Cost grows with the size of the state, which a
// bounded history bounds.
type FileStore struct {
	path    string
	lock    *os.File
	records map[string][]byte
}

// OpenFile opens or begins the file and locks it against other processes where the system can. Errors: [ErrLocked],
// [ErrDamaged], those of the file system.
func OpenFile(path string) (*FileStore, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the device's folder: %w", err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &FileStore{path: path, lock: lock}
	if s.records, err = readFile(path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close releases the lock.
func (s *FileStore) Close() error {
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil
	return err
}

// Load implements [Store].
func (s *FileStore) Load() ([]Record, error) {
	// From disk, not from memory: after a failed commit the file decides.
	records, err := readFile(s.path)
	if err != nil {
		return nil, err
	}
	s.records = records
	return sorted(records), nil
}

// Commit implements [Store].
func (s *FileStore) Commit(step Step) error {
	s.records = apply(s.records, step)
	body := make([]byte, 0, 4096)
	for _, r := range sorted(s.records) {
		body = binary.AppendUvarint(body, uint64(len(r.Key)))
		body = append(body, r.Key...)
		body = binary.AppendUvarint(body, uint64(len(r.Value)))
		body = append(body, r.Value...)
	}
	sum := sha256.Sum256(body)
	return writeFile(s.path, []byte(fileMagic), sum[:], body)
}

func writeFile(path string, parts ...[]byte) (err error) {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the owner chose the path
	if err != nil {
		return fmt.Errorf("write the device's file: %w", err)
	}
	for _, p := range parts {
		if _, err = f.Write(p); err != nil {
			return errors.Join(fmt.Errorf("write the device's file: %w", err), f.Close())
		}
	}
	if err = f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync the device's file: %w", err), f.Close())
	}
	if err = f.Close(); err != nil {
		return fmt.Errorf("close the device's file: %w", err)
	}
	if err = os.Rename(temp, path); err != nil {
		return fmt.Errorf("replace the device's file: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

func readFile(path string) (map[string][]byte, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the owner chose the path
	if errors.Is(err, fs.ErrNotExist) {
		return map[string][]byte{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the device's file: %w", err)
	}
	rest, ok := bytes.CutPrefix(data, []byte(fileMagic))
	if !ok || len(rest) < sha256.Size {
		return nil, ErrDamaged
	}
	body := rest[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return nil, ErrDamaged
	}
	records := map[string][]byte{}
	for len(body) > 0 {
		var key, value []byte
		if key, body, ok = cut(body); !ok {
			return nil, ErrDamaged
		}
		if value, body, ok = cut(body); !ok {
			return nil, ErrDamaged
		}
		records[string(key)] = bytes.Clone(value)
	}
	return records, nil
}

func cut(b []byte) (part, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	b = b[size:]
	return b[:n], b[n:], true
}
