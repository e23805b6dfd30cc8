package device

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// maxAnswer bounds an answer to a registration, in bytes.
const maxAnswer = 64 << 10

// Registrar registers devices over HTTP. A refusal is an error of type *[frame.Error], to be looked at with errors.As: for
// example code pin_required asks for a PIN. Source: design "The user network", section 2.
type Registrar struct {
	Server string       // "https://example.org"
	HTTP   *http.Client // with a timeout
}

// RequestCode asks for a verification code. method is "sms" or "voice", locale "en".
func (r *Registrar) RequestCode(ctx context.Context, phone, method, locale string) (frame.CodeAnswer, error) {
	var a frame.CodeAnswer
	err := r.post(ctx, frame.PathCodes, frame.CodeRequest{Phone: phone, Method: method, Locale: locale}, &a)
	return a, err
}

// Registration is what the user enters to register a device.
type Registration struct {
	CodeID   string         // from RequestCode
	Code     string         // six digits
	PIN      string         // six digits, when asked for; else empty
	Profile  string         // profile name; empty leaves it
	Device   string         // name of the device
	Platform frame.Platform // what kind it is
}

// Register makes a new device with o, registers it and stores it, in place of whatever o.Store held. If it fails after the
// server took the device, nothing is stored, and registering again is the way out.
func (r *Registrar) Register(ctx context.Context, g Registration, o Options) (*Device, error) {
	d, err := Generate(o)
	if err != nil {
		return nil, err
	}
	body := frame.Registration{
		CodeID: g.CodeID, Code: g.Code, Name: g.Profile, Device: d.Describe(g.Device, g.Platform),
	}
	if g.PIN != "" {
		body.PIN = &g.PIN
	}
	var a frame.Registered
	if err := r.post(ctx, frame.PathDevices, body, &a); err != nil {
		return nil, err
	}
	if !isNumber(a.WaID) || a.Device < 1 || a.Device > frame.MaxDevices {
		return nil, errors.New("register: the server's answer names no device")
	}
	d.me.Name = g.Profile
	if _, err := d.Adopt(a); err != nil {
		return nil, err
	}
	return d, nil
}

func (r *Registrar) post(ctx context.Context, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(r.Server, "/")+path, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	defer res.Body.Close()
	data, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("register: read answer: %w", err)
	}
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		refused := new(frame.Error)
		if json.Unmarshal(data, refused) != nil || refused.Code == "" {
			return fmt.Errorf("register: the server answered %s", res.Status)
		}
		return refused
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("register: read answer: %w", err)
	}
	return nil
}
