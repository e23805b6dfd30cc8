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
	res, err := s.o.Transport.RoundTrip(req)
	if err != nil {
		return wa.ErrCallback.Fill("HTTP Status Code = 0; HTTP Message = " + phrase(ctx, err)).Because(err)
	}
	defer func() { _ = res.Body.Close() }()
	text := fmt.Sprintf("HTTP Status Code = %d; HTTP Message = %s", res.StatusCode, http.StatusText(res.StatusCode))
	if res.StatusCode != http.StatusOK {
		return wa.ErrCallback.Fill(text)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return wa.ErrCallback.Fill(text + "; " + phrase(ctx, err)).Because(err)
	}
	if string(bytes.TrimSpace(body)) != challenge {
		return wa.ErrCallback.Fill(text + "; The response does not match the challenge")
	}
	return nil
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
