package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// verify asks the callback to echo a challenge (spec/webhooks.md section 2). The text of the error tells the HTTP status or
// a fixed phrase, never an address (spec/security.md S29); the cause is attached for the log.
func (s *Service) verify(ctx context.Context, u *url.URL, token string) error {
	challenge, err := s.challenge()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, handshakeURL(u, challenge, token), http.NoBody)
	if err != nil {
		return wa.ErrCallbackURI.Because(err)
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "*/*")
	began := s.o.Clock.Now()
	res, err := s.o.Transport.RoundTrip(req)
	if err != nil {
		why := phrase(ctx, err)
		return refused(Handshake{Why: why, At: began}, "HTTP Status Code = 0; HTTP Message = "+why, err)
	}
	defer func() { _ = res.Body.Close() }()
	text := fmt.Sprintf("HTTP Status Code = %d; HTTP Message = %s", res.StatusCode, http.StatusText(res.StatusCode))
	body, err := io.ReadAll(io.LimitReader(res.Body, maxEcho))
	h := Handshake{Status: res.StatusCode, Snippet: snippet(body), At: began}
	switch {
	case res.StatusCode != http.StatusOK:
		h.Why = http.StatusText(res.StatusCode)
		return refused(h, text, nil)
	case err != nil:
		h.Why = phrase(ctx, err)
		return refused(h, text+"; "+h.Why, err)
	case string(bytes.TrimSpace(body)) != challenge:
		h.Why = "The response does not match the challenge"
		return refused(h, text+"; "+h.Why, nil)
	}
	return nil
}

// maxEcho is how much of the answer to a verification is read, and maxSnippet how much of it is shown to people, in bytes.
const (
	maxEcho    = 4096
	maxSnippet = 200
)

// Handshake is a verification that failed: the cause of [wa.ErrCallback], for the dashboard. The API tells only the status.
type Handshake struct {
	Status  int    // 0 when nobody answered
	Why     string // a fixed phrase
	Snippet string // the beginning of the body
	At      time.Time
	cause   error
}

// Error implements error.
func (h *Handshake) Error() string {
	return fmt.Sprintf("verification: status %d: %s", h.Status, h.Why)
}

// Unwrap returns what the transport said.
func (h *Handshake) Unwrap() error { return h.cause }

func refused(h Handshake, text string, cause error) error {
	h.cause = cause
	return wa.ErrCallback.Fill(text).Because(&h)
}

// snippet is the printable beginning of a body.
func snippet(body []byte) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), maxSnippet)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text))
}

// challenge is a random decimal integer of ten digits.
func (s *Service) challenge() (string, error) {
	var b [4]byte
	if _, err := io.ReadFull(s.o.Rand, b[:]); err != nil {
		return "", fmt.Errorf("make challenge: %w", err)
	}
	return strconv.FormatUint(1_000_000_000+uint64(binary.BigEndian.Uint32(b[:])), 10), nil
}

// handshakeURL adds the parameters and keeps those the URL has.
func handshakeURL(u *url.URL, challenge, token string) string {
	c := *u
	q := "hub.mode=subscribe&hub.challenge=" + challenge + "&hub.verify_token=" + url.QueryEscape(token)
	if c.RawQuery != "" {
		q = c.RawQuery + "&" + q
	}
	c.RawQuery = q
	return c.String()
}

// phrase names why nobody answered, without addresses.
func phrase(ctx context.Context, err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		host     x509.HostnameError
		invalid  x509.CertificateInvalidError
		tlsError *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "Timed out"
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &tlsError):
		return "Certificate not trusted"
	default:
		return "Connection failed"
	}
}
