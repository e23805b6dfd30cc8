package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"sync"
)

// An issued token is the prefix that secret scanners look for and 80 bytes in base 62:
//
//	"EAA" ‖ base62( version 1 B ‖ key id 4 B ‖ random 43 B ‖ check 32 B )      113 characters
//
// check is HMAC-SHA256 over the bytes before it, so what we never issued is told apart from what we issued and forgot
// without looking anywhere. The key id names the pepper. Source: spec/access.md section 3.2 (the shape is ours).
const (
	tokenPrefix  = "EAA"
	tokenVersion = 1
	keyIDBytes   = 4
	randomBytes  = 43
	bodyBytes    = 1 + keyIDBytes + randomBytes
	rawBytes     = bodyBytes + sha256.Size
	groups       = rawBytes / 8
	groupChars   = 11 // 62^11 > 2^64
	tokenChars   = len(tokenPrefix) + groups*groupChars
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// maxToken bounds what is hashed for a caller who has not shown anything yet, in bytes.
const maxToken = 512

// MinFixedToken is the least length of a token declared by configuration.
const MinFixedToken = 16

// keys are derived from the pepper, one per purpose.
type keys struct {
	id     [keyIDBytes]byte
	check  []byte
	hashes sync.Pool // of hash.Hash, HMAC-SHA256 under the hash key
}

func newKeys(pepper []byte) (*keys, error) {
	if len(pepper) < 16 {
		return nil, fmt.Errorf("the token pepper has %d bytes; it needs at least 16", len(pepper))
	}
	derive := func(purpose string) []byte {
		m := hmac.New(sha256.New, pepper)
		m.Write([]byte(purpose))
		return m.Sum(nil)
	}
	k := &keys{check: derive("token check")}
	copy(k.id[:], derive("token key id"))
	hashKey := derive("token hash")
	k.hashes.New = func() any { return hmac.New(sha256.New, hashKey) }
	return k, nil
}

// hash is what is stored and looked up of a token.
func (k *keys) hash(token string) (sum [32]byte) {
	m := k.hashes.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	m.Reset()
	_, _ = io.WriteString(m, token) // a hash never fails
	m.Sum(sum[:0])
	k.hashes.Put(m)
	return sum
}

func (k *keys) sum(body []byte) []byte {
	m := hmac.New(sha256.New, k.check)
	m.Write(body)
	return m.Sum(nil)
}

// mint makes a new token.
func (k *keys) mint(rand io.Reader) (Secret, error) {
	raw := make([]byte, bodyBytes, rawBytes)
	raw[0] = tokenVersion
	copy(raw[1:], k.id[:])
	if _, err := io.ReadFull(rand, raw[1+keyIDBytes:]); err != nil {
		return "", fmt.Errorf("draw a token: %w", err)
	}
	raw = append(raw, k.sum(raw)...)
	out := make([]byte, 0, tokenChars)
	out = append(out, tokenPrefix...)
	for i := range groups {
		out = appendGroup(out, binary.BigEndian.Uint64(raw[8*i:]))
	}
	return Secret(out), nil
}

func appendGroup(b []byte, v uint64) []byte {
	var g [groupChars]byte
	for i := groupChars - 1; i >= 0; i-- {
		g[i] = alphabet[v%62]
		v /= 62
	}
	return append(b, g[:]...)
}

// verdict says what kind of text a presented token is.
type verdict uint8

const (
	garbage   verdict = iota // not a token of ours at all
	malformed                // a character outside [A-Za-z0-9]
	forged                   // our shape, but the check is wrong or the key unknown
	genuine                  // we issued it
)

// inspect looks at the text alone.
func (k *keys) inspect(token string) verdict {
	for i := range len(token) {
		if digit(token[i]) < 0 {
			return malformed
		}
	}
	if len(token) < len(tokenPrefix) || token[:len(tokenPrefix)] != tokenPrefix {
		return garbage
	}
	if len(token) != tokenChars {
		return forged
	}
	var raw [rawBytes]byte
	for i := range groups {
		at := len(tokenPrefix) + i*groupChars
		v, ok := parseGroup(token[at : at+groupChars])
		if !ok {
			return forged
		}
		binary.BigEndian.PutUint64(raw[8*i:], v)
	}
	known := raw[0] == tokenVersion && [keyIDBytes]byte(raw[1:]) == k.id
	if !known || subtle.ConstantTimeCompare(raw[bodyBytes:], k.sum(raw[:bodyBytes])) != 1 {
		return forged
	}
	return genuine
}

func parseGroup(s string) (v uint64, ok bool) {
	for i := range len(s) {
		d := uint64(digit(s[i]))
		if v > (1<<64-1-d)/62 {
			return 0, false
		}
		v = v*62 + d
	}
	return v, true
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 36
	}
	return -1
}
