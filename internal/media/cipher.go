package media

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// The stored form of a file: IV ‖ AES-256-CBC with PKCS #7 padding ‖ HMAC-SHA256 of both. Source: design "The user
// network", section 10.
const (
	keySize  = 32
	macSize  = sha256.Size
	overhead = aes.BlockSize + macSize // besides the padding, 1 to 16 bytes
	chunk    = 32 << 10                // bytes encrypted at a time
)

// MaxBlob is the size of the largest file, encrypted, in bytes.
const MaxBlob = MaxSize + overhead + aes.BlockSize

// ErrCorrupt says that a stored file is not what was stored.
var ErrCorrupt = errors.New("the encrypted file was changed")

// Keys open one file.
type Keys struct {
	Key []byte `json:"key"`     // of AES-256-CBC
	MAC []byte `json:"mac_key"` // of HMAC-SHA256
	// Secret signs URLs and handles. It never leaves the platform, unlike the others.
	Secret []byte `json:"secret,omitempty"`
}

func newKeys(random io.Reader) (Keys, error) {
	b := make([]byte, 3*keySize)
	if _, err := io.ReadFull(random, b); err != nil {
		return Keys{}, fmt.Errorf("make a file's keys: %w", err)
	}
	return Keys{b[:keySize:keySize], b[keySize : 2*keySize : 2*keySize], b[2*keySize:]}, nil
}

// encrypter reads a clear file and is read as the encrypted one, in bounded memory. After io.EOF its sums are final.
type encrypter struct {
	src  io.Reader
	mode cipher.BlockMode
	mac  hash.Hash
	sha  hash.Hash // of the clear file
	enc  hash.Hash // of the encrypted file

	buf   []byte // clear, then encrypted in place
	ready []byte // encrypted, part of buf or the first or last bytes of the file
	size  int64  // clear bytes read
	out   int64  // encrypted bytes made
	err   error
}

func newEncrypter(src io.Reader, k Keys, random io.Reader) (*encrypter, error) {
	block, err := aes.NewCipher(k.Key)
	if err != nil {
		return nil, fmt.Errorf("make a file's cipher: %w", err)
	}
	iv := make([]byte, aes.BlockSize)
	if _, err := io.ReadFull(random, iv); err != nil {
		return nil, fmt.Errorf("make an iv: %w", err)
	}
	e := &encrypter{
		src: src, mode: cipher.NewCBCEncrypter(block, iv), mac: hmac.New(sha256.New, k.MAC), sha: sha256.New(), enc: sha256.New(),
		buf: make([]byte, chunk+aes.BlockSize),
	}
	e.give(iv)
	return e, nil
}

// give makes encrypted bytes available and sums them up.
func (e *encrypter) give(b []byte) {
	e.mac.Write(b)
	e.enc.Write(b)
	e.out += int64(len(b))
	e.ready = b
}

// Read implements io.Reader. Errors of the source are passed on as they are.
func (e *encrypter) Read(p []byte) (int, error) {
	for len(e.ready) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.fill()
	}
	n := copy(p, e.ready)
	e.ready = e.ready[n:]
	return n, nil
}

func (e *encrypter) fill() {
	// Not io.ReadFull: a source that breaks off says io.ErrUnexpectedEOF, which must not pass for the end of the file.
	n, err := 0, error(nil)
	for n < chunk && err == nil {
		var m int
		m, err = e.src.Read(e.buf[n:chunk])
		n += m
	}
	if n == chunk {
		err = nil // it comes again
	}
	e.sha.Write(e.buf[:n])
	e.size += int64(n)
	switch {
	case err == nil:
		e.mode.CryptBlocks(e.buf[:n], e.buf[:n])
		e.give(e.buf[:n])
	case errors.Is(err, io.EOF):
		fill := aes.BlockSize - n%aes.BlockSize
		for i := range fill {
			e.buf[n+i] = byte(fill)
		}
		last := e.buf[:n+fill]
		e.mode.CryptBlocks(last, last)
		e.give(last)
		sum := e.mac.Sum(nil)
		e.enc.Write(sum)
		e.out += macSize
		e.ready = append(bytes.Clone(last), sum...)
		e.err = io.EOF
	default:
		e.err = err
	}
}

// verify reads an encrypted file to its end and compares its MAC, and its hash if one is given.
func verify(r io.Reader, k Keys, sha256Enc []byte) error {
	mac, enc := hmac.New(sha256.New, k.MAC), sha256.New()
	var tail []byte // the last macSize bytes so far, which are not under the MAC
	buf := make([]byte, chunk)
	for {
		n, err := r.Read(buf)
		enc.Write(buf[:n])
		tail = append(tail, buf[:n]...)
		if over := len(tail) - macSize; over > 0 {
			mac.Write(tail[:over])
			tail = append(tail[:0], tail[over:]...)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err //nolint:wrapcheck // of the blob, which has said what it was doing
		}
	}
	if !hmac.Equal(mac.Sum(nil), tail) || (sha256Enc != nil && !hmac.Equal(enc.Sum(nil), sha256Enc)) {
		return ErrCorrupt
	}
	return nil
}

// decrypter reads the clear bytes of an encrypted file. One that begins with the file checks its MAC before it hands out
// the last block, so that a changed file never looks complete; one that begins inside cannot.
type decrypter struct {
	src  io.ReadCloser
	mode cipher.BlockMode
	mac  hash.Hash // nil when it began inside
	left int64     // encrypted bytes of the source up to the MAC
	skip int       // clear bytes of the first block that were not asked for

	buf   []byte
	ready []byte
	err   error
}

// newDecrypter reads from src, which begins with the block before the one that holds the clear byte at. size is the
// length of the whole encrypted file.
func newDecrypter(src io.ReadCloser, k Keys, size, at int64) (*decrypter, error) {
	block, err := aes.NewCipher(k.Key)
	if err != nil {
		return nil, fmt.Errorf("make a file's cipher: %w", err)
	}
	iv := make([]byte, aes.BlockSize)
	if _, err := io.ReadFull(src, iv); err != nil {
		return nil, fmt.Errorf("read an encrypted file: %w", err)
	}
	d := &decrypter{
		src: src, mode: cipher.NewCBCDecrypter(block, iv), skip: int(at % aes.BlockSize), buf: make([]byte, chunk),
		left: size - overhead - at/aes.BlockSize*aes.BlockSize,
	}
	if d.left <= 0 || d.left%aes.BlockSize != 0 {
		return nil, ErrCorrupt
	}
	if at < aes.BlockSize {
		d.mac = hmac.New(sha256.New, k.MAC)
		d.mac.Write(iv)
	}
	return d, nil
}

func (d *decrypter) Read(p []byte) (int, error) {
	for len(d.ready) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.err = d.fill()
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

func (d *decrypter) fill() error {
	if d.left == 0 {
		return io.EOF
	}
	b := d.buf[:min(d.left, chunk)]
	if _, err := io.ReadFull(d.src, b); err != nil {
		return fmt.Errorf("read an encrypted file: %w", err)
	}
	if d.mac != nil {
		d.mac.Write(b)
	}
	d.left -= int64(len(b))
	d.mode.CryptBlocks(b, b)
	if d.left == 0 {
		if err := d.finish(); err != nil {
			return err
		}
		fill := int(b[len(b)-1])
		if fill < 1 || fill > aes.BlockSize {
			return ErrCorrupt
		}
		b = b[:len(b)-fill]
	}
	skip := min(d.skip, len(b))
	d.skip -= skip
	d.ready = b[skip:]
	return nil
}

func (d *decrypter) finish() error {
	sum := make([]byte, macSize)
	if _, err := io.ReadFull(d.src, sum); err != nil {
		return fmt.Errorf("read an encrypted file: %w", err)
	}
	if d.mac != nil && !hmac.Equal(d.mac.Sum(nil), sum) {
		return ErrCorrupt
	}
	return nil
}

func (d *decrypter) Close() error { return d.src.Close() }
