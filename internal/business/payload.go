package business

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Sealer encrypts what must be readable again. ad binds the result to its place.
type Sealer interface {
	Seal(ad, plain []byte) ([]byte, error)
	Open(ad, sealed []byte) ([]byte, error)
}

// PayloadKeys are what encrypted sends of a number use: they come to the platform under its key, and answers go back under the
// client's. Source: spec/messages.md section 19, spec/security.md section A9.
type PayloadKeys struct {
	Client      string // PEM, of the business
	Fingerprint string // of the client's key: SHA-256 of its DER, lower-case hex
	Cloud       string // PEM, of the platform
	Sealed      []byte // the platform's private key, PKCS #8
	At          time.Time
}

// maxPayloadKey bounds the text of a client's key, in bytes, and its size.
const (
	maxPayloadKey  = 8192
	maxPayloadBits = 4096
)

// ErrPayloadOff is returned by [Service.PayloadKey] for numbers without encrypted sends.
var ErrPayloadOff = errors.New("payload encryption is off")

func payloadAD(id wa.PhoneNumberID) []byte { return []byte("number/" + string(id) + "/payload") }

// parseClientKey reads an RSA public key of 2048 to 4096 bits: PEM, or base64 of PEM or DER.
func parseClientKey(text string) (*rsa.PublicKey, []byte, error) {
	const path = "payload_encryption['client_encryption_key']"
	bad := wa.ErrInvalidParameter.Titled("Param %s must be an RSA public key of %d to %d bits, as PEM or as base64.", path, keyBits, maxPayloadBits)
	if len(text) > maxPayloadKey {
		return nil, nil, bad
	}
	der := []byte(text)
	if !strings.Contains(text, "-----BEGIN") {
		var err error
		if der, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err != nil {
			return nil, nil, bad
		}
	}
	if block, rest := pem.Decode(der); block != nil {
		if len(strings.TrimSpace(string(rest))) > 0 || block.Type != "PUBLIC KEY" {
			return nil, nil, bad
		}
		der = block.Bytes
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, nil, bad
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok || k.N.BitLen() < keyBits || k.N.BitLen() > maxPayloadBits {
		return nil, nil, bad
	}
	return k, der, nil
}

// payloadKeys makes the platform's side of a client's key. It takes a while.
func (s *Service) payloadKeys(id wa.PhoneNumberID, client string) (*PayloadKeys, error) {
	_, der, err := parseClientKey(client)
	if err != nil {
		return nil, err
	}
	if s.sealer == nil {
		return nil, errors.New("payload encryption needs a sealer")
	}
	private, err := rsa.GenerateKey(s.rand, keyBits)
	if err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	own, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	sealed, err := s.sealer.Seal(payloadAD(id), secret)
	if err != nil {
		return nil, fmt.Errorf("seal a key: %w", err)
	}
	sum := sha256.Sum256(der)
	return &PayloadKeys{
		Client: publicPEM(der), Fingerprint: hex.EncodeToString(sum[:]), Cloud: publicPEM(own), Sealed: sealed, At: s.clock.Now(),
	}, nil
}

func publicPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// PayloadKey opens the keys of a number's encrypted sends: the platform's own, and the client's. Errors: [ErrPayloadOff].
func (s *Service) PayloadKey(n *Number) (own *rsa.PrivateKey, client *rsa.PublicKey, err error) {
	if n.Payload == nil || s.sealer == nil {
		return nil, nil, ErrPayloadOff
	}
	secret, err := s.sealer.Open(payloadAD(n.ID), n.Payload.Sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("open the key of number %s: %w", n.ID, err)
	}
	key, err := x509.ParsePKCS8PrivateKey(secret)
	if err != nil {
		return nil, nil, fmt.Errorf("read the key of number %s: %w", n.ID, err)
	}
	own, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("the key of number %s is a %T", n.ID, key)
	}
	client, _, err = parseClientKey(n.Payload.Client)
	return own, client, err
}

// ---- settings ----

// SettingsChange names what changes in the settings of a number; nil parts stay.
type SettingsChange struct {
	IdentityCheck *bool
	Storage       *Storage
	Payload       *string // the client's key; empty: encrypted sends end
}

// ChangeSettings changes all of it or nothing. What is kept, and where, changes only while the number is not registered. Errors:
// [ErrUnknown], [wa.ErrNumberDeleted], rows of code 100. Source: spec/phone_numbers.md section 9, spec/security.md A5 and S12.
func (s *Service) ChangeSettings(ctx context.Context, id wa.PhoneNumberID, c SettingsChange) (*Number, error) {
	var keys *PayloadKeys
	if c.Payload != nil && *c.Payload != "" {
		var err error
		if keys, err = s.payloadKeys(id, *c.Payload); err != nil {
			return nil, err
		}
	}
	return s.UpdateNumber(ctx, id, func(n *Number) error {
		if !n.Live() {
			return wa.ErrNumberDeleted
		}
		if c.Storage != nil {
			if err := s.mayKeep(n, *c.Storage); err != nil {
				return err
			}
			n.keep(*c.Storage, s.clock.Now())
		}
		assign(&n.IdentityCheck, c.IdentityCheck)
		if c.Payload != nil {
			n.Payload = keys
		}
		return nil
	})
}
