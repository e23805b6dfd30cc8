package device

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Relay keeps encrypted files. Implementations are safe for concurrent use.
type Relay interface {
	// Upload stores an encrypted file and returns its id.
	Upload(ctx context.Context, sealed []byte) (id string, err error)
	// Download returns a stored file. most is the largest one that is expected, in bytes.
	Download(ctx context.Context, id string, most int64) ([]byte, error)
}

// HTTPRelay is the relay of a platform, over HTTP. A refusal is an error of type *[frame.Error].
// Source: design "The user network", section 10.
type HTTPRelay struct {
	Server string        // "https://example.org"
	HTTP   *http.Client  // nil means the default one; calls end with their context
	Token  func() string // of the current connection, see [Device.Token]; "" when there is none
}

// Upload implements [Relay].
func (h *HTTPRelay) Upload(ctx context.Context, sealed []byte) (string, error) {
	data, err := h.call(ctx, http.MethodPost, frame.PathBlobs, octets(sealed), maxAnswer)
	if err != nil {
		return "", fmt.Errorf("upload: %w", err)
	}
	var a struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(data, &a); err != nil || a.ID == "" {
		return "", fmt.Errorf("upload: the server's answer names no file: %w", ErrFile)
	}
	return a.ID, nil
}

// Download implements [Relay].
func (h *HTTPRelay) Download(ctx context.Context, id string, most int64) ([]byte, error) {
	data, err := h.call(ctx, http.MethodGet, frame.PathBlobs+"/"+url.PathEscape(id), nil, most)
	if err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	return data, nil
}

// body is what a request carries.
type body struct {
	kind string
	data []byte
}

func octets(data []byte) *body { return &body{"application/octet-stream", data} }

func (h *HTTPRelay) call(ctx context.Context, method, path string, with *body, most int64) ([]byte, error) {
	token := h.Token()
	if token == "" {
		return nil, ErrOffline
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(h.Server, "/")+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	if with != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(with.data)), int64(len(with.data))
		req.Header.Set("Content-Type", with.kind)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	client := h.HTTP
	if client == nil {
		client = new(http.Client)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read answer: %w", err)
	case res.StatusCode < 200 || res.StatusCode > 299:
		refused := new(frame.Error)
		if json.Unmarshal(data, refused) != nil || refused.Code == "" {
			return nil, fmt.Errorf("the server answered %s", res.Status)
		}
		return nil, refused
	case int64(len(data)) > most:
		return nil, fmt.Errorf("more than %s bytes: %w", strconv.FormatInt(most, 10), ErrFile)
	}
	return data, nil
}
