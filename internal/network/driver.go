package network

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// CodeMessage is a verification code on its way to a person.
type CodeMessage struct {
	Phone  wa.WaID
	Code   string
	Method string // "sms" or "voice"
	Locale string
	At     time.Time
}

// CodeDriver brings codes to people.
type CodeDriver interface {
	// SendCode returns when the code is handed over.
	SendCode(ctx context.Context, m CodeMessage) error
}

// CodeChooser is implemented by drivers that know the code of a number beforehand.
type CodeChooser interface {
	ChooseCode(phone wa.WaID) (code string, ok bool)
}

// driverTimeout bounds a gateway or program that brings a code.
const driverTimeout = 10 * time.Second

// Inbox is the driver that sends nothing: codes are read from it. It is for development servers.
type Inbox struct {
	Log  *slog.Logger // nil logs nothing; the number is masked
	Show bool         // write the code itself to the log

	mu     sync.Mutex
	caught []CodeMessage // the newest last
}

// inboxSize is how many codes an Inbox remembers.
const inboxSize = 1000

// SendCode implements CodeDriver.
func (b *Inbox) SendCode(ctx context.Context, m CodeMessage) error {
	b.mu.Lock()
	if len(b.caught) >= inboxSize {
		b.caught = append(b.caught[:0:0], b.caught[1:]...)
	}
	b.caught = append(b.caught, m)
	b.mu.Unlock()
	if b.Log == nil {
		return nil
	}
	attrs := []slog.Attr{slog.String("phone", mask(m.Phone)), slog.String("method", m.Method)}
	if b.Show {
		attrs = append(attrs, slog.String("code", m.Code))
	}
	b.Log.LogAttrs(ctx, slog.LevelInfo, "verification code caught", attrs...)
	return nil
}

// Codes returns the codes caught for a number, the newest first; for all numbers when phone is empty.
func (b *Inbox) Codes(phone wa.WaID) []CodeMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []CodeMessage
	for _, m := range slices.Backward(b.caught) {
		if phone == "" || m.Phone == phone {
			list = append(list, m)
		}
	}
	return list
}

// mask leaves the last two digits of a number.
func mask(phone wa.WaID) string {
	if len(phone) < 4 {
		return "…"
	}
	return "…" + string(phone[len(phone)-2:])
}

// Fixed gives the numbers of a range one code, which is not sent anywhere. Other numbers go to Next.
type Fixed struct {
	Prefix string // of the numbers, digits only: "1555020"
	Code   string // six digits
	Next   CodeDriver
}

func (f *Fixed) covers(phone wa.WaID) bool { return strings.HasPrefix(string(phone), f.Prefix) }

// ChooseCode implements CodeChooser.
func (f *Fixed) ChooseCode(phone wa.WaID) (string, bool) {
	if f.covers(phone) {
		return f.Code, true
	}
	if next, ok := f.Next.(CodeChooser); ok {
		return next.ChooseCode(phone)
	}
	return "", false
}

// SendCode implements CodeDriver.
func (f *Fixed) SendCode(ctx context.Context, m CodeMessage) error {
	if f.covers(m.Phone) {
		return nil
	}
	if f.Next == nil {
		return fmt.Errorf("number %s is outside the fixed range", mask(m.Phone))
	}
	return f.Next.SendCode(ctx, m)
}

// codeBody is what gateways and programs get, as JSON.
type codeBody struct {
	Phone  string `json:"phone"` // "+15550142233"
	Code   string `json:"code"`
	Method string `json:"method"`
	Locale string `json:"locale"`
}

func (m CodeMessage) body() ([]byte, error) {
	return json.Marshal(codeBody{Phone: "+" + string(m.Phone), Code: m.Code, Method: m.Method, Locale: m.Locale})
}

// Gateway posts codes to the operator's own service, as JSON with phone, code, method and locale. Any 2xx is success.
type Gateway struct {
	URL    string
	Token  string // sent as bearer when set
	Client *http.Client
}

// SendCode implements CodeDriver.
func (g *Gateway) SendCode(ctx context.Context, m CodeMessage) error {
	ctx, cancel := context.WithTimeout(ctx, driverTimeout)
	defer cancel()
	body, err := m.body()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("prepare the gateway's request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if g.Token != "" {
		req.Header.Set("Authorization", "Bearer "+g.Token)
	}
	res, err := g.Client.Do(req)
	if err != nil {
		return fmt.Errorf("call the gateway: %w", err)
	}
	defer func() { _ = res.Body.Close() }()       // read as far as we care
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // lets the connection be used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("gateway answered %d", res.StatusCode)
	}
	return nil
}

// Program runs the operator's program for every code and writes the JSON of Gateway to its standard input. Exit status 0 is
// success.
type Program struct {
	Path string
	Args []string
}

// SendCode implements CodeDriver.
func (p *Program) SendCode(ctx context.Context, m CodeMessage) error {
	ctx, cancel := context.WithTimeout(ctx, driverTimeout)
	defer cancel()
	body, err := m.body()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.Path, p.Args...) //nolint:gosec // the operator's own setting; nothing of a request is in it
	cmd.Stdin = bytes.NewReader(body)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run the code program: %w", err)
	}
	return nil
}
