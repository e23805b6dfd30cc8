package network

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Rules of registration. Source: docs, network protocol, "Registration".
const (
	codeLife      = 10 * time.Minute
	codeRetry     = time.Minute // a hint to clients, not enforced
	codeTries     = 5
	codesPerPhone = 5  // per hour
	codesPerPeer  = 20 // per hour
	pinTries      = 5
	pinPause      = 12 * time.Hour
	pinWindow     = 7 * 24 * time.Hour // a PIN is asked for this long after the number was last in use
	pinRounds     = 100_000
	saltSize      = 16
)

// RegistrarConfig configures a Registrar. Directory, Codes, Driver, Businesses and Clock are required.
type RegistrarConfig struct {
	Directory  *Directory
	Codes      CodeStore
	Driver     CodeDriver
	Businesses Businesses
	Clock      clock.Clock
	Log        *slog.Logger
	Rand       io.Reader // nil means crypto/rand
}

// Registrar turns the proof that a person holds a number into a device. It is safe for concurrent use.
type Registrar struct {
	dir    *Directory
	codes  CodeStore
	driver CodeDriver
	biz    Businesses
	clock  clock.Clock
	log    *slog.Logger
	rand   io.Reader
	phones *quota
	peers  *quota
}

// NewRegistrar makes a Registrar.
func NewRegistrar(c RegistrarConfig) *Registrar {
	g := &Registrar{
		dir: c.Directory, codes: c.Codes, driver: c.Driver, biz: c.Businesses, clock: c.Clock, log: c.Log, rand: c.Rand,
		phones: newQuota(codesPerPhone, time.Hour), peers: newQuota(codesPerPeer, time.Hour),
	}
	if g.rand == nil {
		g.rand = rand.Reader
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	return g
}

// SendCode sends a verification code to the number; peer is the address of who asks. An *frame.Error says why not.
func (g *Registrar) SendCode(ctx context.Context, req *frame.CodeRequest, peer string) (*frame.CodeAnswer, error) {
	phone, err := wa.ParsePhone(req.Phone)
	if err != nil {
		return nil, frame.Refuse(frame.ErrFormat, "phone is not an international number")
	}
	if req.Method == "" {
		req.Method = "sms"
	}
	if req.Method != "sms" && req.Method != "voice" || len(req.Locale) > 16 {
		return nil, frame.Refuse(frame.ErrFormat, "method or locale is not known")
	}
	if g.biz.Known(phone) {
		return nil, frame.Refuse(frame.ErrConflict, "the number is a business number")
	}
	now := g.clock.Now()
	if wait := g.peers.take(peer, now); wait > 0 {
		return nil, &frame.Error{Code: frame.ErrRate, Text: "too many codes for this address", After: wait.Milliseconds() + 1}
	}
	if wait := g.phones.take(string(phone), now); wait > 0 {
		return nil, &frame.Error{Code: frame.ErrRate, Text: "too many codes for this number", After: wait.Milliseconds() + 1}
	}
	id, err := g.issue(ctx, phone, req, now)
	if err != nil {
		return nil, err
	}
	return &frame.CodeAnswer{CodeID: id, ExpiresIn: int(codeLife.Seconds()), RetryAfter: int(codeRetry.Seconds())}, nil
}

// issue draws, stores and sends a code.
func (g *Registrar) issue(ctx context.Context, phone wa.WaID, req *frame.CodeRequest, now time.Time) (string, error) {
	text, err := g.draw(phone)
	if err != nil {
		return "", err
	}
	id, err := randomID("cd_", g.rand)
	if err != nil {
		return "", err
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(g.rand, salt); err != nil {
		return "", fmt.Errorf("draw salt: %w", err)
	}
	code := &Code{ID: id, Phone: phone, Salt: salt, Hash: hashCode(salt, text), Expires: now.Add(codeLife).UnixMilli()}
	if err := g.codes.SaveCode(ctx, code); err != nil {
		return "", fmt.Errorf("save code: %w", err)
	}
	err = g.driver.SendCode(ctx, CodeMessage{Phone: phone, Code: text, Method: req.Method, Locale: req.Locale, At: now})
	if err != nil {
		return "", fmt.Errorf("send code: %w", err)
	}
	return id, nil
}

// draw picks the code: six random digits, unless the driver has one for the number.
func (g *Registrar) draw(phone wa.WaID) (string, error) {
	if c, ok := g.driver.(CodeChooser); ok {
		if code, ok := c.ChooseCode(phone); ok {
			return code, nil
		}
	}
	n, err := rand.Int(g.rand, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("draw code: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

// Register makes the device the primary device of the number whose code it brings. An *frame.Error says why not.
func (g *Registrar) Register(ctx context.Context, req *frame.Registration) (*frame.Registered, error) {
	if len(req.Code) != frame.CodeLength || len(req.CodeID) > 64 || len(req.Name) > frame.MaxName {
		return nil, frame.Refuse(frame.ErrFormat, "code, code_id or name is missing or not of its form")
	}
	if e := req.Device.Check(); e != nil {
		return nil, e
	}
	code, err := g.try(ctx, req)
	if err != nil {
		return nil, err
	}
	// From here the person holds the number: whatever is still wrong does not cost a try.
	code.Tries--
	if err := g.codes.SaveCode(ctx, code); err != nil {
		return nil, fmt.Errorf("save code: %w", err)
	}
	if g.biz.Known(code.Phone) {
		return nil, frame.Refuse(frame.ErrConflict, "the number is a business number")
	}
	if err := verify(&req.Device); err != nil {
		return nil, err
	}
	if err := g.dir.checkPIN(ctx, code.Phone, req.PIN); err != nil {
		return nil, err
	}
	if err := g.codes.DeleteCode(ctx, code.ID); err != nil {
		return nil, fmt.Errorf("use code up: %w", err)
	}
	u, err := g.dir.Register(ctx, code.Phone, req.Name, &req.Device)
	if err != nil {
		return nil, err
	}
	g.log.Info("device registered", "user_id", u.ID, "platform", req.Device.Platform)
	return &frame.Registered{
		UserID: u.ID, WaID: string(u.WaID), Device: 1, IdentityHash: u.IdentityHash,
		OneTimeLeft: len(req.Device.OneTime), LastSeq: u.Devices[0].Base,
	}, nil
}

// try compares the code. The try is counted durably before the comparison, so that guesses at the same time count too.
func (g *Registrar) try(ctx context.Context, req *frame.Registration) (*Code, error) {
	code, err := g.codes.TryCode(ctx, req.CodeID)
	if err != nil {
		return nil, fmt.Errorf("try code: %w", err)
	}
	if code == nil || g.clock.Now().UnixMilli() >= code.Expires || code.Tries > codeTries {
		return nil, frame.Refuse(frame.ErrCodeExpired, "ask for a new code")
	}
	if subtle.ConstantTimeCompare(code.Hash, hashCode(code.Salt, req.Code)) != 1 {
		left := codeTries - code.Tries
		return nil, &frame.Error{Code: frame.ErrCodeWrong, Text: "wrong code", Left: &left}
	}
	c := *code
	return &c, nil
}

func hashCode(salt []byte, code string) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(code))
	return h.Sum(nil)
}

// hashPIN makes the stored form: salt ‖ PBKDF2.
func hashPIN(pin string, r io.Reader) ([]byte, error) {
	salt := make([]byte, saltSize, saltSize+sha256.Size)
	if _, err := io.ReadFull(r, salt); err != nil {
		return nil, fmt.Errorf("draw salt: %w", err)
	}
	sum, err := pbkdf2.Key(sha256.New, pin, salt, pinRounds, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("hash PIN: %w", err)
	}
	return append(salt, sum...), nil
}

func samePIN(stored []byte, pin string) bool {
	if len(stored) != saltSize+sha256.Size {
		return false
	}
	sum, err := pbkdf2.Key(sha256.New, pin, stored[:saltSize], pinRounds, sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(sum, stored[saltSize:]) == 1
}

// checkPIN asks for the PIN of a number that was in use within pinWindow. Five wrong ones pause it.
func (d *Directory) checkPIN(ctx context.Context, id wa.WaID, pin *string) error {
	defer d.writer(id)()
	u, err := d.user(ctx, id)
	if err != nil {
		return err
	}
	now := d.now()
	if u == nil || u.PIN == nil {
		return nil
	}
	changed := *u
	switch {
	case now-u.Seen >= pinWindow.Milliseconds():
		changed.PIN, changed.PINTries, changed.PINPause = nil, 0, 0
	case now < u.PINPause:
		return &frame.Error{Code: frame.ErrRate, Text: "too many wrong PINs", After: u.PINPause - now}
	case pin == nil || *pin == "":
		return frame.Refuse(frame.ErrPINRequired, "the number is protected by a PIN")
	case samePIN(u.PIN, *pin):
		if u.PINTries == 0 {
			return nil
		}
		changed.PINTries = 0
	default:
		return d.wrongPIN(ctx, &changed, now)
	}
	return d.saveUser(ctx, &changed)
}

// wrongPIN counts a wrong PIN and pauses after the fifth.
func (d *Directory) wrongPIN(ctx context.Context, u *User, now int64) error {
	u.PINTries++
	left := pinTries - u.PINTries
	if left <= 0 {
		u.PINTries, u.PINPause = 0, now+pinPause.Milliseconds()
	}
	if err := d.saveUser(ctx, u); err != nil {
		return err
	}
	e := &frame.Error{Code: frame.ErrPINWrong, Text: "wrong PIN", Left: &left}
	if left <= 0 {
		e.After = pinPause.Milliseconds()
	}
	return e
}
