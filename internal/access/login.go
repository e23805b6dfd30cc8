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
	"maps"
	"strings"
	"sync"
	"time"
)

// Passwords of people. The rounds are those OWASP asks for with SHA-256 (2023).
const (
	passwordRounds = 600_000
	passwordSalt   = 16
	MinPassword    = 10
	MaxPassword    = 256
	maxLogins      = 5 // wrong passwords before a pause
	loginPause     = 15 * time.Minute
	maxPaused      = 10_000 // addresses remembered
	maxPeerLogins  = 30     // from one network address in the time of a pause
	maxLoginQueue  = 16
)

// ErrLogin says that address and password do not belong together, or that nobody has the address: both take equally long.
var ErrLogin = errors.New("e-mail address or password is wrong")

// ErrLoginPause says that an address has seen too many wrong passwords.
var ErrLoginPause = errors.New("too many attempts; try again in 15 minutes")

// ErrLoginBusy says that too many people are logging in at once.
var ErrLoginBusy = errors.New("too many people are logging in; try again in a moment")

// logins counts wrong passwords, and bounds how many are checked at once.
type logins struct {
	mu    sync.Mutex
	wrong map[string]*attempts
	queue int           // hashing or waiting for it
	busy  chan struct{} // one hash at a time: guessing must not take the machine
}

// turn waits for the right to hash, in a short queue.
func (l *logins) turn(ctx context.Context) error {
	l.mu.Lock()
	full := l.queue >= maxLoginQueue
	if !full {
		l.queue++
	}
	l.mu.Unlock()
	if full {
		return ErrLoginBusy
	}
	select {
	case l.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		l.mu.Lock()
		l.queue--
		l.mu.Unlock()
		return ErrLoginBusy
	}
}

func (l *logins) over() {
	<-l.busy
	l.mu.Lock()
	l.queue--
	l.mu.Unlock()
}

type attempts struct {
	count int
	since time.Time
}

// SetPassword gives a person a password of 10 to 256 bytes. Their sessions, and the tokens they made, end. Errors: [ErrUnknown].
func (s *Service) SetPassword(ctx context.Context, id, password string) error {
	hash, err := s.hashPassword(password)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.snap.Load()
	old, ok := snap.people[id]
	if !ok {
		return fmt.Errorf("set the password of person %s: %w", id, ErrUnknown)
	}
	p := *old
	p.Password, p.Rounds = hash, s.rounds
	if err := s.commit(ctx, &Set{People: []*Person{&p}, Tokens: s.tokensOf(id), Sessions: snap.sessionsOf(id)}); err != nil {
		return fmt.Errorf("set the password of person %s: %w", id, err)
	}
	return nil
}

// Login finds the person with this address and password; one to whom the operator gave the address accepts what it was invited to. peer is
// the network address of who asks. Errors: [ErrLogin], [ErrLoginPause], [ErrLoginBusy].
func (s *Service) Login(ctx context.Context, email, password, peer string) (*Person, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	peer, now := neighbours(peer), s.clock.Now()
	if err := s.logins.allow("peer "+peer, maxPeerLogins, now); err != nil {
		return nil, err
	}
	if err := s.logins.allow(email, maxLogins, now); err != nil {
		return nil, err
	}
	var who *Person
	for _, p := range s.snap.Load().people {
		if strings.ToLower(p.Email) == email && email != "" && len(p.Password) > passwordSalt {
			who = p
		}
	}
	stored, rounds := make([]byte, passwordSalt+sha256.Size), s.rounds
	if who != nil {
		stored, rounds = who.Password, who.Rounds
	}
	if err := s.logins.turn(ctx); err != nil {
		return nil, err
	}
	hash, err := pbkdf2.Key(sha256.New, password[:min(len(password), MaxPassword)], stored[:passwordSalt], rounds, sha256.Size)
	s.logins.over()
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	if subtle.ConstantTimeCompare(hash, stored[passwordSalt:]) != 1 || who == nil {
		return nil, ErrLogin
	}
	s.logins.forget(email)
	s.logins.giveBack("peer " + peer)
	if who.Claimed {
		return who, nil
	}
	return s.join(ctx, who, "")
}

// allow counts an attempt before it is made, so that many at once do not slip through.
func (l *logins) allow(key string, most int, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) >= maxPaused {
		maps.DeleteFunc(l.wrong, func(_ string, a *attempts) bool { return now.Sub(a.since) >= loginPause })
	}
	a := l.wrong[key]
	if a == nil && len(l.wrong) >= maxPaused {
		return ErrLoginPause // whoever fills the table must not make it forget
	}
	if a == nil || now.Sub(a.since) >= loginPause {
		a = &attempts{since: now}
		l.wrong[key] = a
	}
	if a.count >= most {
		return ErrLoginPause
	}
	a.count++
	return nil
}

// giveBack takes an attempt back that succeeded: many people may log in from one address.
func (l *logins) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.wrong[key]; a != nil && a.count > 0 {
		a.count--
	}
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
	p, _, ok := s.openTicket(purpose, text)
	return p, ok
}

// SpendTicket is OpenTicket that works once.
func (s *Service) SpendTicket(purpose, text string) (*Person, bool) {
	p, ends, ok := s.openTicket(purpose, text)
	if !ok {
		return nil, false
	}
	c, now := &s.codes, s.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spent == nil {
		c.spent = map[string]time.Time{}
	}
	maps.DeleteFunc(c.spent, func(_ string, ends time.Time) bool { return !now.Before(ends) })
	if _, twice := c.spent[text]; twice || len(c.spent) >= maxCodes {
		return nil, false
	}
	c.spent[text] = ends
	return p, true
}

func (s *Service) openTicket(purpose, text string) (*Person, time.Time, bool) {
	body, mac, _ := strings.Cut(text, ".")
	got, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil || len(text) > 1024 || !hmac.Equal(got, s.keys.ticket(purpose, body)) {
		return nil, time.Time{}, false
	}
	var t ticket
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(raw, &t) != nil || s.clock.Now().Unix() >= t.Ends {
		return nil, time.Time{}, false
	}
	p, ok := s.Person(t.Person)
	return p, time.Unix(t.Ends, 0), ok
}

// ticket is the check of a ticket, kept apart from that of tokens by its prefix.
func (k *keys) ticket(purpose, body string) []byte {
	return k.sum([]byte("ticket\x00" + purpose + "\x00" + body))
}
