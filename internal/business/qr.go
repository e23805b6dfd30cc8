package business

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// QRCode is a short link into a chat with the number, also drawn as a QR code. Source: spec/phone_numbers.md section 12.
type QRCode struct {
	Code    string // fourteen characters
	Number  wa.PhoneNumberID
	Text    string // what the person finds typed
	Created time.Time
	Format  string // image the creator asked for: "PNG", "SVG" or ""
	Deleted bool   // on its way out of the store
}

// Limits of short links.
const (
	MaxQRCodes   = 2000
	maxPrefilled = 140
	codeLength   = 14
)

// ValidQRCode reports whether code has the form of one.
func ValidQRCode(code string) bool {
	return len(code) == codeLength && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func checkPrefilled(text string) error {
	if text == "" || utf8.RuneCountInString(text) > maxPrefilled {
		return wa.ErrPrefilledLength
	}
	return nil
}

// CreateQRCode makes a short link. Errors: [ErrUnknown], [wa.ErrNumberDeleted], [wa.ErrPrefilledLength], [wa.ErrAppLimitGeneral] when the
// number has its 2,000.
func (s *Service) CreateQRCode(ctx context.Context, id wa.PhoneNumberID, text, format string) (*QRCode, error) {
	if err := checkPrefilled(text); err != nil {
		return nil, err
	}
	s.lock()
	defer s.mu.Unlock()
	snap := s.snap.Load()
	n, ok := snap.numbers[id]
	switch {
	case !ok:
		return nil, fmt.Errorf("create a short link of number %s: %w", id, ErrUnknown)
	case !n.Live():
		return nil, wa.ErrNumberDeleted
	case len(snap.qrOf[id]) >= MaxQRCodes:
		return nil, wa.ErrAppLimitGeneral.Titled("A phone number has at most %d short links", MaxQRCodes)
	}
	code, err := s.drawQRCode()
	if err != nil {
		return nil, err
	}
	q := &QRCode{Code: code, Number: id, Text: text, Format: format, Created: s.clock.Now()}
	return q, s.saveQRCode(ctx, q)
}

// drawQRCode draws from 32 letters and digits, so that every byte of randomness counts the same.
func (s *Service) drawQRCode() (string, error) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	for {
		var b [codeLength]byte
		if _, err := io.ReadFull(s.rand, b[:]); err != nil {
			return "", fmt.Errorf("draw a short link: %w", err)
		}
		for i := range b {
			b[i] = letters[b[i]&31]
		}
		if _, taken := s.snap.Load().qr[string(b[:])]; !taken {
			return string(b[:]), nil
		}
	}
}

func (s *Service) saveQRCode(ctx context.Context, q *QRCode) error {
	if err := s.commit(ctx, &Set{QRCodes: []*QRCode{q}}); err != nil {
		return fmt.Errorf("save a short link of number %s: %w", q.Number, err)
	}
	return nil
}

// UpdateQRCode changes the text of a short link. Errors: [ErrUnknown], [wa.ErrQRCodeID], [wa.ErrPrefilledLength].
func (s *Service) UpdateQRCode(ctx context.Context, id wa.PhoneNumberID, code, text string) (*QRCode, error) {
	if !ValidQRCode(code) {
		return nil, wa.ErrQRCodeID
	}
	if err := checkPrefilled(text); err != nil {
		return nil, err
	}
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().qr[code]
	if !ok || old.Number != id {
		return nil, fmt.Errorf("change short link %s: %w", code, ErrUnknown)
	}
	q := *old
	q.Text = text
	return &q, s.saveQRCode(ctx, &q)
}

// DeleteQRCode removes a short link. Errors: [ErrUnknown], [wa.ErrQRCodeID].
func (s *Service) DeleteQRCode(ctx context.Context, id wa.PhoneNumberID, code string) error {
	if !ValidQRCode(code) {
		return wa.ErrQRCodeID
	}
	s.lock()
	defer s.mu.Unlock()
	old, ok := s.snap.Load().qr[code]
	if !ok || old.Number != id {
		return fmt.Errorf("delete short link %s: %w", code, ErrUnknown)
	}
	q := *old
	q.Deleted = true
	return s.saveQRCode(ctx, &q)
}

// QRCode finds a short link by its code.
func (s *Service) QRCode(code string) (*QRCode, bool) {
	q, ok := s.snap.Load().qr[code]
	return q, ok
}

// QRCodes returns the short links of a number, the newest first. The slice is shared and must not be changed.
func (s *Service) QRCodes(id wa.PhoneNumberID) []*QRCode { return s.snap.Load().qrOf[id] }

// putQRCodes returns what the snapshot knows of short links, and list besides.
func (s *snapshot) putQRCodes(list []*QRCode) {
	s.qr, s.qrOf = grown(s.qr, len(list)), grown(s.qrOf, 1)
	touched := map[wa.PhoneNumberID]bool{}
	for _, q := range list {
		old := s.qr[q.Code]
		if q.Deleted {
			delete(s.qr, q.Code)
		} else {
			s.qr[q.Code] = q
		}
		if !touched[q.Number] {
			s.qrOf[q.Number] = slices.Clone(s.qrOf[q.Number])
			touched[q.Number] = true
		}
		of := s.qrOf[q.Number]
		at := slices.Index(of, old)
		switch {
		case at >= 0 && q.Deleted:
			of = slices.Delete(of, at, at+1)
		case at >= 0:
			of[at] = q
		case !q.Deleted:
			of = append(of, q)
		}
		s.qrOf[q.Number] = of
	}
	for id := range touched {
		slices.SortFunc(s.qrOf[id], func(a, b *QRCode) int {
			return cmp.Or(cmp.Compare(b.Created.UnixMilli(), a.Created.UnixMilli()), strings.Compare(a.Code, b.Code))
		})
	}
}
