package api

import (
	"context"
	"crypto/rsa"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// What encrypted payloads may be made with; the list of algorithms is unverified. Source: spec/security.md section A9.
var (
	payloadKeyAlgs = []jose.KeyAlgorithm{jose.RSA_OAEP_256, jose.RSA_OAEP}
	payloadContent = []jose.ContentEncryption{jose.A256GCM, jose.A128GCM}
)

// sendEncrypted is POST /{phone-number-id}/messages_encrypted: an ordinary send inside a JWE, answered by one for the client's
// key. Errors are in clear. Source: spec/messages.md section 19, spec/errors.md section 17.
func (s *surface) sendEncrypted(ctx context.Context, c *graph.Call, n number) (any, error) {
	if err := c.Params.Only("messaging_product", "encrypted_contents"); err != nil {
		return nil, err
	}
	if p, err := c.Params.Get("messaging_product").StrOr(""); err != nil || !strings.EqualFold(p, "whatsapp") {
		return nil, wa.ErrEncryptedProduct
	}
	text, err := c.Params.Get("encrypted_contents").StrOr("")
	if err != nil || strings.Count(text, ".") != 4 {
		return nil, wa.ErrEncryptedToken
	}
	own, client, err := s.o.Business.PayloadKey(n.Number)
	if errors.Is(err, business.ErrPayloadOff) {
		return nil, wa.ErrEncryptedPermission
	}
	if err != nil {
		return nil, wa.ErrUnknownSend.Because(err)
	}
	body, content, err := openPayload(text, own)
	if err != nil {
		return nil, wa.ErrEncryptedToken.Because(err)
	}
	if c.Params, err = graph.JSON(body); err != nil {
		return nil, err
	}
	answer, err := s.send(ctx, c, n)
	if err != nil {
		return nil, err
	}
	plain, ok := answer.(graph.Raw)
	if !ok { // a read mark
		plain = graph.Raw(`{"success":true}`)
	}
	sealed, err := sealPayload(plain, client, content)
	if err != nil {
		return nil, wa.ErrUnknownSend.Because(err)
	}
	return graph.Obj{{K: "messaging_product", V: "whatsapp"}, {K: "encrypted_contents", V: sealed}}, nil
}

// openPayload decrypts a compact JWE, and says how its content was encrypted.
func openPayload(text string, key *rsa.PrivateKey) (string, jose.ContentEncryption, error) {
	token, err := jose.ParseEncryptedCompact(text, payloadKeyAlgs, payloadContent)
	if err != nil {
		return "", "", err
	}
	plain, err := token.Decrypt(key)
	if err != nil {
		return "", "", err
	}
	content, _ := token.Header.ExtraHeaders["enc"].(string)
	if content != string(jose.A128GCM) {
		content = string(jose.A256GCM)
	}
	return string(plain), jose.ContentEncryption(content), nil
}

func sealPayload(plain []byte, key *rsa.PublicKey, content jose.ContentEncryption) (string, error) {
	e, err := jose.NewEncrypter(content, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: key}, nil)
	if err != nil {
		return "", err
	}
	token, err := e.Encrypt(plain)
	if err != nil {
		return "", err
	}
	return token.CompactSerialize()
}
