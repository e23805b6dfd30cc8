package access

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Passwords of people. The rounds are those OWASP asks for with SHA-256 (2023).
const (
	passwordRounds = 600_000
	passwordSalt   = 16
	minPassword    = 10
	maxPassword    = 256
	maxLogins      = 5 // wrong passwords before a pause
	loginPause     = 15 * time.Minute
	maxPaused      = 10_000 // addresses remembered
)

// ErrLogin says that address and password do not belong together, or that nobody has the address: both take equally long.
var ErrLogin = errors.New("e-mail address or password is wrong")

// ErrLoginPause says that an address has seen too many wrong passwords.
var ErrLoginPause = errors.New("too many attempts; try again in 15 minutes")

// logins counts wrong passwords, and bounds how many are checked at once.
type logins struct {
	mu    sync.Mutex
	wrong map[string]*attempts
	busy  sync.Mutex // one hash at a time: guessing must not take the machine
}

type attempts struct {
	count int
	since time.Time
}

// SetPassword gives a person a password of 10 to 256 bytes. Errors: [ErrUnknown].
func (s *Service) SetPassword(ctx context.Context, id, password string) error {
	if len(password) < minPassword || len(password) > maxPassword {
		return fmt.Errorf("a password has %d to %d bytes", minPassword, maxPassword)
	}
	salt := make([]byte, passwordSalt)
	if _, err := io.ReadFull(s.rand, salt); err != nil {
		return fmt.Errorf("draw a salt: %w", err)
	}
	hash, err := pbkdf2.Key(sha256.New, password, salt, passwordRounds, sha256.Size)
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	_, err = s.UpdatePerson(ctx, id, func(p *Person) error {
		p.Password = append(salt, hash...)
		return nil
	})
	return err
}

// Login finds the person with this address and password. Errors: [ErrLogin], [ErrLoginPause].
func (s *Service) Login(email, password string) (*Person, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if err := s.logins.allow(email, s.clock.Now()); err != nil {
		return nil, err
	}
	var who *Person
	for _, p := range s.snap.Load().people {
		if strings.ToLower(p.Email) == email && email != "" && len(p.Password) > passwordSalt {
			who = p
		}
	}
	stored := make([]byte, passwordSalt+sha256.Size)
	if who != nil {
		stored = who.Password
	}
	s.logins.busy.Lock()
	hash, err := pbkdf2.Key(sha256.New, password[:min(len(password), maxPassword)], stored[:passwordSalt], passwordRounds, sha256.Size)
	s.logins.busy.Unlock()
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	if subtle.ConstantTimeCompare(hash, stored[passwordSalt:]) != 1 || who == nil {
		return nil, ErrLogin
	}
	s.logins.forget(email)
	return who, nil
}

// allow counts an attempt before it is made, so that many at once do not slip through.
func (l *logins) allow(email string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong == nil || len(l.wrong) > maxPaused {
		l.wrong = map[string]*attempts{}
	}
	a := l.wrong[email]
	if a == nil || now.Sub(a.since) >= loginPause {
		a = &attempts{since: now}
		l.wrong[email] = a
	}
	if a.count >= maxLogins {
		return ErrLoginPause
	}
	a.count++
	return nil
}

func (l *logins) forget(email string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wrong, email)
}

// Ticket carries a person from one page of the log-in dialog to the next: v and who it is about, unforgeable, until it ends.
// purpose binds it to its dialog.
func (s *Service) Ticket(purpose, person string, life time.Duration) Secret {
	body, err := json.Marshal(ticket{person, s.clock.Now().Add(life).Unix()})
	if err != nil {
		panic(err) // a string and a number
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return Secret(text + "." + base64.RawURLEncoding.EncodeToString(s.keys.ticket(purpose, text)))
}

type ticket struct {
	Person string `json:"p"`
	Ends   int64  `json:"e"`
}

// OpenTicket returns who a ticket is about.
func (s *Service) OpenTicket(purpose, text string) (*Person, bool) {
	body, mac, _ := strings.Cut(text, ".")
	got, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil || len(text) > 1024 || !hmac.Equal(got, s.keys.ticket(purpose, body)) {
		return nil, false
	}
	var t ticket
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(raw, &t) != nil || s.clock.Now().Unix() >= t.Ends {
		return nil, false
	}
	return s.Person(t.Person)
}

// ticket is the check of a ticket, kept apart from that of tokens by its prefix.
func (k *keys) ticket(purpose, body string) []byte {
	return k.sum([]byte("ticket\x00" + purpose + "\x00" + body))
}
