package webhook

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- the legacy header is part of the contract
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Signature returns the values of X-Hub-Signature-256 and X-Hub-Signature for a body under an app secret. The body is
// signed as it is, byte for byte. Source: spec/webhooks.md section 4.1.
func Signature(secret string, body []byte) (sha256Header, sha1Header string) {
	return newSigner(secret).sign(body)
}

// signer signs many bodies with one secret without allocating key schedules again. Not safe for concurrent use.
type signer struct {
	secret string
	h256   hash.Hash
	h1     hash.Hash
	sum    [sha256.Size]byte
	text   [len("sha256=") + 2*sha256.Size]byte
}

func newSigner(secret string) *signer {
	return &signer{
		secret: secret,
		h256:   hmac.New(sha256.New, []byte(secret)),
		h1:     hmac.New(sha1.New, []byte(secret)),
	}
}

func (s *signer) sign(body []byte) (sha256Header, sha1Header string) {
	return s.one(s.h256, "sha256=", body), s.one(s.h1, "sha1=", body)
}

func (s *signer) one(h hash.Hash, prefix string, body []byte) string {
	h.Reset()
	h.Write(body)
	sum := h.Sum(s.sum[:0])
	n := copy(s.text[:], prefix)
	n += hex.Encode(s.text[n:], sum)
	return string(s.text[:n])
}
