package bench

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
)

// drainMost is how much of an answer nobody reads is taken in to keep its connection.
const drainMost = 256 << 10

// post sends a signed payload with the means of net/http, once, and returns the status. Redirects are not followed.
func post(ctx context.Context, t http.RoundTripper, u *url.URL, header http.Header, payload []byte) (int, error) {
	req := (&http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(bytes.NewReader(payload)), ContentLength: int64(len(payload)),
	}).WithContext(ctx)
	res, err := t.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_, err = io.CopyN(io.Discard, res.Body, drainMost)
	_ = res.Body.Close()
	if err != nil && err != io.EOF { //nolint:errorlint // CopyN returns io.EOF as it is
		return 0, err
	}
	return res.StatusCode, nil
}

// transport keeps n connections to one receiver. It knows no proxy and speaks HTTP/1.1, as the platform does.
func transport(n int) *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: n, MaxConnsPerHost: n, DisableCompression: true, TLSHandshakeTimeout: attemptTime}
}
