package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// rootSize is the length of a root key in bytes.
const rootSize = 32

// Errors of root keys. They are wrapped with the place they came from.
var (
	// ErrNoRoot says that the place named for the root key holds none.
	ErrNoRoot = errors.New("no root key")
	// ErrRootFormat says that something is there that is not a root key.
	ErrRootFormat = errors.New("a root key is 32 bytes in base64 or hex")
	// ErrUnwrap says that the root key at hand is not the one a key was wrapped with.
	ErrUnwrap = errors.New("cannot unwrap")
)

// Root is the root key, and the former ones that are still needed while data keys are being wrapped again. It never
// leaves the process; what is derived from it wraps data keys and seals small files.
type Root struct {
	keys []rootKey // the first one wraps; every one unwraps
}

type rootKey struct {
	id   [8]byte // names the key without telling anything about it
	wrap cipher.AEAD
	file cipher.AEAD
}

// ParseRoot reads root keys from a text such as an environment variable: 32 bytes in base64 or hex each, several separated
// by commas or line ends, the current one first. Lines that start with # are skipped. Errors: [ErrNoRoot], [ErrRootFormat].
func ParseRoot(text string) (*Root, error) {
	r := &Root{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for word := range strings.SplitSeq(line, ",") {
			if word = strings.TrimSpace(word); word == "" {
				continue
			}
			k, err := decodeRoot(word)
			if err != nil {
				return nil, err
			}
			if err := r.add(k); err != nil {
				return nil, err
			}
			clear(k)
		}
	}
	if len(r.keys) == 0 {
		return nil, ErrNoRoot
	}
	return r, nil
}

// decodeRoot never repeats the word in its error: it may be a key with a typing mistake.
func decodeRoot(word string) ([]byte, error) {
	if len(word) == 2*rootSize {
		if k, err := hex.DecodeString(word); err == nil {
			return k, nil
		}
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if k, err := enc.DecodeString(word); err == nil {
			if len(k) != rootSize {
				return nil, fmt.Errorf("%w: this one has %d bytes", ErrRootFormat, len(k))
			}
			return k, nil
		}
	}
	return nil, ErrRootFormat
}

// NewRoot takes a root key of 32 bytes. The caller may clear k afterwards.
func NewRoot(k []byte) (*Root, error) {
	r := &Root{}
	return r, r.add(k)
}

func (r *Root) add(k []byte) error {
	if len(k) != rootSize {
		return fmt.Errorf("%w: this one has %d bytes", ErrRootFormat, len(k))
	}
	var rk rootKey
	id, err := hkdf.Key(sha256.New, k, nil, "hikyaku root key id", len(rk.id))
	if err != nil {
		return fmt.Errorf("derive root key id: %w", err)
	}
	copy(rk.id[:], id)
	if rk.wrap, err = derive(k, "hikyaku data keys"); err != nil {
		return err
	}
	if rk.file, err = derive(k, "hikyaku sealed files"); err != nil {
		return err
	}
	r.keys = append(r.keys, rk)
	return nil
}

func derive(k []byte, info string) (cipher.AEAD, error) {
	sub, err := hkdf.Key(sha256.New, k, nil, info, rootSize)
	if err != nil {
		return nil, fmt.Errorf("derive %s: %w", info, err)
	}
	defer clear(sub)
	return newAEAD(sub)
}

func newAEAD(k []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(k)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	a, err := cipher.NewGCM(b)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return a, nil
}

// ID names the current root key: 16 hex digits that tell nothing about it.
func (r *Root) ID() string { return hex.EncodeToString(r.keys[0].id[:]) }

// RootFile reads the root key from the file at path, or makes one there, readable by its owner only, when there is no
// file. Make one only where nothing was sealed yet; use [ReadRootFile] otherwise.
func RootFile(path string, rand io.Reader) (*Root, error) {
	r, err := ReadRootFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return r, err
	}
	k := make([]byte, rootSize)
	defer clear(k)
	if _, err := io.ReadFull(rand, k); err != nil {
		return nil, fmt.Errorf("make root key: %w", err)
	}
	text := "# Root key of a Hikyaku installation. Without it nothing sealed can be read. Keep a copy elsewhere.\n" +
		base64.StdEncoding.EncodeToString(k) + "\n"
	if err := writeNew(path, []byte(text)); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("write root key: %w", err)
	}
	return ReadRootFile(path) // also when another process was quicker: everyone uses what is in the file
}

// ReadRootFile reads the root key from the file at path. Errors: [ErrNoRoot] (also os.ErrNotExist), [ErrRootFormat].
func ReadRootFile(path string) (*Root, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w in %s: %w", ErrNoRoot, path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read root key: %w", err)
	}
	r, err := ParseRoot(string(text))
	clear(text)
	if err != nil {
		return nil, fmt.Errorf("root key file %s: %w", path, err)
	}
	return r, nil
}

// writeNew makes path with the given content, durably and readable by its owner only; os.ErrExist when it is there already.
// A half-written file never appears under the name.
func writeNew(path string, content []byte) error {
	tmp, err := writeTemp(path, content)
	if err != nil {
		return err
	}
	defer os.Remove(tmp) //nolint:errcheck // only a left-over name
	if err := os.Link(tmp, path); err != nil {
		return fmt.Errorf("name file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// writeReplace is writeNew that takes the place of a file that is already there.
func writeReplace(path string, content []byte) error {
	tmp, err := writeTemp(path, content)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp) // only a left-over name
		return fmt.Errorf("name file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func writeTemp(path string, content []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("make file: %w", err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error counts
		return "", fmt.Errorf("write file: %w", err)
	}
	return f.Name(), nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names the directory
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer d.Close() //nolint:errcheck // opened for reading
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
