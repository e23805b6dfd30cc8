package access

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	// SessionLife is how long somebody stays logged in at the web app.
	SessionLife = 7 * 24 * time.Hour
	// SetupLife is how long the link of a first start, or of an operator, waits.
	SetupLife = 15 * time.Minute
	// InvitationLife is how long an invited person has.
	InvitationLife = 7 * 24 * time.Hour
	// maxSessions of one person; a newer one ends the oldest.
	maxSessions = 20
	// maxLinks for people who are not known yet, of all portfolios together; a newer one ends the oldest.
	maxLinks = 1000
)

// ErrLink says that a link for choosing a password is unknown, used or too old.
var ErrLink = errors.New("the link is used or too old")

// ErrEmail says that somebody else has an e-mail address, or was invited with it.
var ErrEmail = errors.New("somebody else has this e-mail address")

// errPassword is shown to people.
var errPassword = fmt.Errorf("a password has %d to %d bytes", MinPassword, MaxPassword)

// Session lets a browser act as a person, or lets somebody become one: a link for choosing a password. Neither can be told from what
// is stored.
type Session struct {
	Hash   [32]byte // of the secret in the cookie or link
	Person string   // empty: the link makes a new one
	Member []Membership
	Setup  bool   // a link, which works once
	Email  string // of whom the link is for; empty: they choose it

	Invitation string // the one that the link accepts

	Began time.Time
	Ends  time.Time

	Ended bool `json:"-"` // on its way out of the store
}

func (s *Session) alive(now time.Time) bool { return now.Before(s.Ends) }

// LogIn begins a session of a person who has shown who they are. The secret belongs into a cookie and is nowhere else. Errors:
// [ErrUnknown].
func (s *Service) LogIn(ctx context.Context, person string) (Secret, *Session, error) {
	return s.begin(ctx, Session{Person: person}, SessionLife)
}

// SetupLink makes the secret of a link that lets somebody choose their password: a person who is known, or a new one who becomes a
// member of portfolios. Errors: [ErrUnknown].
func (s *Service) SetupLink(ctx context.Context, person string, member []Membership, life time.Duration) (Secret, *Session, error) {
	return s.begin(ctx, Session{Person: person, Member: member, Setup: true}, life)
}

// InvitationLink makes the secret of a link that accepts one invitation: by somebody without a log-in ([Service.SetUp]), with its
// address and no other, or by the person who has the address ([Service.Accept]). Whoever invites sees the link, so it proves nothing
// to anybody else: it joins the portfolio that invited and none besides.
func (s *Service) InvitationLink(ctx context.Context, i *Invitation) (Secret, *Session, error) {
	return s.begin(ctx, Session{Setup: true, Email: i.Email, Invitation: i.ID}, InvitationLife)
}

// Accept uses the link of an invitation for a person who is logged in and has its address. Errors: [ErrLink].
func (s *Service) Accept(ctx context.Context, link, person string) error {
	x, ok := s.session(link, true)
	if !ok || x.Invitation == "" {
		return ErrLink
	}
	p, ok := s.Person(person)
	if !ok || !strings.EqualFold(strings.TrimSpace(p.Email), x.Email) {
		return ErrLink
	}
	if _, err := s.join(ctx, p, x.Invitation); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.commit(ctx, &Set{Sessions: []*Session{ended(x)}}); err != nil {
		return fmt.Errorf("end the link of an invitation: %w", err)
	}
	return nil
}

func (s *Service) begin(ctx context.Context, n Session, life time.Duration) (Secret, *Session, error) {
	secret, err := s.keys.mint(s.rand)
	if err != nil {
		return "", nil, err
	}
	secret = "SE" + secret[len(tokenPrefix):] // must not be taken for a token
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, now := s.snap.Load(), s.clock.Now()
	if _, ok := snap.people[n.Person]; !ok && (n.Person != "" || !n.Setup) {
		return "", nil, fmt.Errorf("begin a session of person %s: %w", n.Person, ErrUnknown)
	}
	n.Hash, n.Began, n.Ends = s.keys.hash(string(secret)), now, now.Add(life)
	set := &Set{Sessions: append(s.stale(snap, &n, now), &n)}
	if err := s.commit(ctx, set); err != nil {
		return "", nil, fmt.Errorf("begin a session: %w", err)
	}
	return secret, &n, nil
}

// stale are the sessions that n makes room for: those that ended by the clock, and the oldest of a person with too many. A new link
// takes the place of the old one of the person or invitation. Links for people who are not known yet belong to many portfolios: none may
// use up the others' room.
func (s *Service) stale(snap *snapshot, n *Session, now time.Time) (out []*Session) {
	var mine []*Session
	for _, x := range snap.sessions {
		switch {
		case !x.alive(now), n.replaces(x):
			out = append(out, ended(x))
		case x.Person == n.Person && x.Setup == n.Setup:
			mine = append(mine, x)
		}
	}
	slices.SortFunc(mine, func(a, b *Session) int { return a.Began.Compare(b.Began) })
	most := maxSessions
	if n.Person == "" {
		most = maxLinks
	}
	for len(mine) >= most {
		out, mine = append(out, ended(mine[0])), mine[1:]
	}
	return out
}

// replaces reports whether s is a newer link for the same person or address.
func (s *Session) replaces(x *Session) bool {
	if !s.Setup || !x.Setup || s.Person != x.Person {
		return false
	}
	return s.Person != "" || s.Invitation != "" && s.Invitation == x.Invitation
}

func ended(x *Session) *Session {
	c := *x
	c.Ended = true
	return &c
}

// Session is who a cookie's secret belongs to. It reads memory only.
func (s *Service) Session(secret string) (*Person, *Session, bool) {
	x, ok := s.session(secret, false)
	if !ok {
		return nil, nil, false
	}
	p, ok := s.Person(x.Person)
	return p, x, ok
}

// OpenLink tells what a link is for, without using it.
func (s *Service) OpenLink(secret string) (*Session, bool) { return s.session(secret, true) }

func (s *Service) session(secret string, setup bool) (*Session, bool) {
	if secret == "" || len(secret) > maxToken {
		return nil, false
	}
	x, ok := s.snap.Load().sessions[s.keys.hash(secret)]
	if !ok || x.Setup != setup || !x.alive(s.clock.Now()) {
		return nil, false
	}
	return x, true
}

// LogOut ends a session at once; an unknown one is no error.
func (s *Service) LogOut(ctx context.Context, secret string) error {
	x, ok := s.session(secret, false)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.commit(ctx, &Set{Sessions: []*Session{ended(x)}}); err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}

// sessionsOf are the person's sessions and links, ended.
func (s *snapshot) sessionsOf(person string) (out []*Session) {
	for _, x := range s.sessions {
		if x.Person == person {
			out = append(out, ended(x))
		}
	}
	return out
}

// SetUp uses a link: it makes the person, or gives a known one a new name and password, and begins a session. Other sessions of the
// person end. Errors: [ErrLink], [ErrEmail], and one for a password of the wrong length.
func (s *Service) SetUp(ctx context.Context, link, name, email, password string) (Secret, *Person, error) {
	x, ok := s.session(link, true)
	if !ok {
		return "", nil, ErrLink
	}
	hash, err := s.hashPassword(password)
	if err != nil {
		return "", nil, err
	}
	p, err := s.useLink(ctx, x, name, strings.TrimSpace(email), hash)
	if err != nil {
		return "", nil, err
	}
	if x.Invitation != "" {
		if p, err = s.join(ctx, p, x.Invitation); err != nil {
			return "", nil, err
		}
	}
	secret, _, err := s.LogIn(ctx, p.ID)
	return secret, p, err
}

func (s *Service) useLink(ctx context.Context, x *Session, name, email string, hash []byte) (*Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.snap.Load()
	if _, ok := snap.sessions[x.Hash]; !ok { // somebody was quicker
		return nil, ErrLink
	}
	p := &Person{Member: x.Member, Created: s.clock.Now(), Claimed: true}
	if old, ok := snap.people[x.Person]; ok {
		c := *old
		p = &c
	} else {
		id, err := s.freeID()
		if err != nil {
			return nil, err
		}
		p.ID = id
	}
	switch {
	case x.Email != "":
		email = x.Email
	case p.Email != "":
		email = p.Email // a link gives a password, not another's address
	case snap.invited(email, s.clock.Now()): // by the link for this address alone
		return nil, ErrEmail
	}
	if snap.emailTaken(email, p.ID) {
		return nil, ErrEmail
	}
	p.Name, p.Email, p.Password, p.Rounds = name, email, hash, s.rounds
	set := &Set{People: []*Person{p}, Sessions: []*Session{ended(x)}}
	if x.Person != "" {
		set.Sessions, set.Tokens = snap.sessionsOf(p.ID), s.tokensOf(p.ID)
	}
	if err := s.commit(ctx, set); err != nil {
		return nil, fmt.Errorf("set up a person: %w", err)
	}
	return p, nil
}

// tokensOf are the person's tokens, ended because the password changed (spec/access.md section 4).
func (s *Service) tokensOf(person string) (out []*Token) {
	for _, t := range s.Tokens(func(t *Token) bool {
		return t.Type == UserToken && t.Actor == person && t.Revoked.IsZero() && !t.Fixed
	}) {
		c := *t
		c.Revoked, c.Why = s.clock.Now(), PasswordChanged
		out = append(out, &c)
	}
	return out
}

// emailTaken reports whether somebody but the person with this id has an address.
func (s *snapshot) emailTaken(email, but string) bool {
	for _, p := range s.people {
		if p.ID != but && email != "" && strings.EqualFold(strings.TrimSpace(p.Email), email) {
			return true
		}
	}
	return false
}

// hashPassword is salt and hash.
func (s *Service) hashPassword(password string) ([]byte, error) {
	if len(password) < MinPassword || len(password) > MaxPassword {
		return nil, errPassword
	}
	salt := make([]byte, passwordSalt)
	if _, err := io.ReadFull(s.rand, salt); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	hash, err := pbkdf2.Key(sha256.New, password, salt, s.rounds, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return append(salt, hash...), nil
}

// CanLogIn reports whether anybody has a password.
func (s *Service) CanLogIn() bool {
	for _, p := range s.snap.Load().people {
		if len(p.Password) > passwordSalt {
			return true
		}
	}
	return false
}

// PersonByEmail finds a person by their address.
func (s *Service) PersonByEmail(email string) (*Person, bool) {
	for _, p := range s.snap.Load().people {
		if email = strings.TrimSpace(email); email != "" && strings.EqualFold(strings.TrimSpace(p.Email), email) {
			return p, true
		}
	}
	return nil, false
}

// Leave takes a person out of a portfolio: the membership, and what was assigned of its accounts. Their sessions end. Errors:
// [ErrUnknown].
func (s *Service) Leave(ctx context.Context, person string, m func(Membership) bool, a func(Assignment) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.snap.Load()
	old, ok := snap.people[person]
	if !ok {
		return fmt.Errorf("take person %s out of a portfolio: %w", person, ErrUnknown)
	}
	p := *old
	p.Member = slices.DeleteFunc(slices.Clone(old.Member), m)
	p.Assigned = slices.DeleteFunc(slices.Clone(old.Assigned), a)
	if err := s.commit(ctx, &Set{People: []*Person{&p}, Sessions: snap.sessionsOf(person)}); err != nil {
		return fmt.Errorf("take person %s out of a portfolio: %w", person, err)
	}
	return nil
}

// Visitor is a person who acts by hand in the pages of the platform itself. No app stands between, so neither scopes nor an app's
// access level narrow what they may do; what is left is what the API asks for besides: roles and tasks.
func (s *Service) Visitor(p *Person) *Caller {
	return &Caller{
		App:   &App{Advanced: Scopes},
		Actor: Actor{ID: p.ID, Name: p.Name, Member: p.Member, Assigned: p.Assigned},
		Type:  UserToken, Scopes: Scopes,
	}
}
