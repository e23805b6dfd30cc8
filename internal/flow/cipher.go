package flow

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// The algorithms of spec/flows.md section 8.2.
const (
	keySize = 16
	ivSize  = 16
)

// envelope is what goes to an endpoint.
type envelope struct {
	Data []byte `json:"encrypted_flow_data"` // base64, as encoding/json writes bytes
	Key  []byte `json:"encrypted_aes_key"`
	IV   []byte `json:"initial_vector"`
}

// secret opens the answer to one request.
type secret struct {
	aead cipher.AEAD
	iv   [ivSize]byte
}

// encrypt makes the body of a request under a key of its own.
func encrypt(publicKey string, plain []byte) (body []byte, s *secret, err error) {
	pub, err := parseKey(publicKey)
	if err != nil {
		return nil, nil, err
	}
	var key [keySize]byte
	s = &secret{}
	_, _ = rand.Read(key[:]) // never fails
	_, _ = rand.Read(s.iv[:])
	e := envelope{IV: s.iv[:]}
	if e.Key, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, pub, key[:], nil); err != nil {
		return nil, nil, fmt.Errorf("encrypt the key: %w", err)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, nil, fmt.Errorf("make the cipher: %w", err)
	}
	if s.aead, err = cipher.NewGCMWithNonceSize(block, ivSize); err != nil {
		return nil, nil, fmt.Errorf("make the cipher: %w", err)
	}
	e.Data = s.aead.Seal(nil, s.iv[:], plain, nil)
	body, err = json.Marshal(e)
	return body, s, err
}

// open reads an answer: base64 of what was encrypted under the same key and the inverted IV.
func (s *secret) open(answer []byte) ([]byte, error) {
	sealed := make([]byte, base64.StdEncoding.DecodedLen(len(answer)))
	n, err := base64.StdEncoding.Decode(sealed, answer)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	iv := s.iv
	for i := range iv {
		iv[i] = ^iv[i]
	}
	plain, err := s.aead.Open(nil, iv[:], sealed[:n], nil)
	if err != nil {
		return nil, fmt.Errorf("open the answer: %w", err)
	}
	return plain, nil
}

func parseKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the number has no encryption key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the encryption key: %w", err)
	}
	pub, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the encryption key is not RSA")
	}
	return pub, nil
}

// signature is the value of X-Hub-Signature-256 for a body.
func signature(secret string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

// signToken makes flow_token_signature: a JSON Web Token, HS256 under the app secret, that vouches for a flow token. Its claims
// are ours: they are not published. Source: spec/flows.md section 8.2.
func signToken(secret, flowToken string, at int64) string {
	claims, err := json.Marshal(struct {
		Token string `json:"flow_token"`
		At    int64  `json:"iat"`
	}{flowToken, at})
	if err != nil {
		panic(err) // a string and a number
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString(claims)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return text + "." + enc.EncodeToString(h.Sum(nil))
}
