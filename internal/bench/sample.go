package bench

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- the legacy header is part of the contract
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"time"
)

// sample writes payloads of webhooks as the platform sends them. Source: spec/webhooks.md sections 3, 10 and 14.
type sample struct {
	WABAID, NumberID, Number string
}

// messageID makes the id that message n of a user has everywhere.
func messageID(user string, n int64) string {
	b := append([]byte{0x1d, 0x05, byte(len(user))}, user...)
	b = append(b, 0x15, 0x02, 0x00, 0x11, 0x18, 0x12)
	var tail [8]byte
	for i := range tail {
		tail[i] = byte(n >> (8 * (7 - i)))
	}
	b = append(append(b, hex.EncodeToString(tail[:])...), 0)
	return "wamid." + base64.StdEncoding.EncodeToString(b)
}

func (s *sample) open() string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"` + s.WABAID + `","changes":[{"value":{"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"` + s.Number + `","phone_number_id":"` + s.NumberID + `"},`
}

const sampleClose = `}]},"field":"messages"}]}]}`

// escaped is an id as PHP's encoder writes it, slashes escaped.
func escaped(id string) string {
	b := make([]byte, 0, len(id)+8)
	for i := range len(id) {
		if id[i] == '/' {
			b = append(b, '\\')
		}
		b = append(b, id[i])
	}
	return string(b)
}

func contacts(user string) string {
	return `"contacts":[{"profile":{"name":"User ` + user[max(0, len(user)-4):] + `"},"wa_id":"` + user + `"}],`
}

// status is the payload of a status of a message to a user.
func (s *sample) status(id, user, status string, at time.Time) []byte {
	price := ""
	if status != "read" {
		price = `,"pricing":{"billable":false,"pricing_model":"PMP","type":"free_customer_service","category":"service"}`
	}
	return []byte(s.open() + contacts(user) + `"statuses":[{"id":"` + escaped(id) + `","status":"` + status + `","timestamp":"` +
		strconv.FormatInt(at.Unix(), 10) + `","recipient_id":"` + user + `"` + price + sampleClose)
}

// message is the payload of a text message of a user.
func (s *sample) message(id, user string, at time.Time) []byte {
	return []byte(s.open() + contacts(user) + `"messages":[{"from":"` + user + `","id":"` + escaped(id) + `","timestamp":"` +
		strconv.FormatInt(at.Unix(), 10) + `","type":"text","text":{"body":"Do you have a table for two at eight?"}` + sampleClose)
}

// signer signs payloads with an app secret. Not safe for concurrent use.
type signer struct{ h256, h1 hash.Hash }

func newSigner(secret string) *signer {
	return &signer{hmac.New(sha256.New, []byte(secret)), hmac.New(sha1.New, []byte(secret))}
}

// header is the header of a delivery. Source: spec/webhooks.md sections 3 and 4.
func (s *signer) header(body []byte) http.Header {
	sum := func(h hash.Hash, name string) []string {
		h.Reset()
		h.Write(body)
		return []string{name + "=" + hex.EncodeToString(h.Sum(nil))}
	}
	return http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"facebookexternalua"}, "Accept": {"*/*"},
		"Accept-Encoding": {"deflate, gzip"}, "X-Hub-Signature-256": sum(s.h256, "sha256"), "X-Hub-Signature": sum(s.h1, "sha1"),
	}
}

// attemptTime is how long an endpoint may take to answer. Source: spec/webhooks.md section 6.
const attemptTime = 10 * time.Second
