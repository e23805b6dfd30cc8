package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// TokenSpec says what a new token is for.
type TokenSpec struct {
	Type     TokenType // UserToken or SystemUserToken; app tokens are never issued, see [Service.AppSecret]
	App      wa.AppID
	Actor    string // id of a person or system user
	Scopes   []Scope
	Granular []Grant
	Life     time.Duration // 0: never expires
	Keep     bool          // the operator may read it again with [Service.Reveal]
	Label    string
}

var (
	errTokenType   = errors.New("a token is issued for a person or a system user")
	errFixedLength = fmt.Errorf("a declared token has at least %d and at most %d characters", MinFixedToken, maxToken)
)

// Issue makes a token. It is in the answer and nowhere else, unless spec.Keep. Errors: [ErrUnknown] for the app or actor.
func (s *Service) Issue(ctx context.Context, spec TokenSpec) (Secret, *Token, error) {
	secret, err := s.keys.mint(s.rand)
	if err != nil {
		return "", nil, err
	}
	t, err := s.put(ctx, secret, spec, false)
	if err != nil {
		return "", nil, fmt.Errorf("issue token: %w", err)
	}
	return secret, t, nil
}

// Declare accepts a token given by configuration, whatever it looks like. Declaring it again replaces what it is for. A
// declared token must not be shorter than [MinFixedToken] bytes.
func (s *Service) Declare(ctx context.Context, token Secret, spec TokenSpec) (*Token, error) {
	if len(token) < MinFixedToken || len(token) > maxToken {
		return nil, errFixedLength
	}
	t, err := s.put(ctx, token, spec, true)
	if err != nil {
		return nil, fmt.Errorf("declare token: %w", err)
	}
	return t, nil
}

func (s *Service) put(ctx context.Context, token Secret, spec TokenSpec, fixed bool) (*Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := s.snap.Load()
	if _, ok := s.App(spec.App); !ok {
		return nil, fmt.Errorf("app %s: %w", spec.App, ErrUnknown)
	}
	switch spec.Type {
	case UserToken, SystemUserToken:
	default:
		return nil, errTokenType
	}
	if _, ok := snap.actor(spec.Type, spec.Actor); !ok {
		return nil, fmt.Errorf("actor %s: %w", spec.Actor, ErrUnknown)
	}
	now := s.clock.Now()
	t := &Token{
		Hash: s.keys.hash(string(token)), Type: spec.Type, App: spec.App, Actor: spec.Actor,
		Scopes: withPublicProfile(spec.Scopes), Granular: slices.Clone(spec.Granular),
		Issued: now, Fixed: fixed, Label: spec.Label,
	}
	if spec.Life > 0 {
		t.Expires = now.Add(spec.Life)
	}
	if spec.Keep {
		sealed, err := s.seal(tokenAD(t), token)
		if err != nil {
			return nil, err
		}
		t.Sealed = sealed
	}
	if err := s.commit(ctx, &Set{Tokens: []*Token{t}}); err != nil {
		return nil, err
	}
	return t, nil
}

func withPublicProfile(scopes []Scope) []Scope {
	out := slices.Clone(scopes)
	if !slices.Contains(out, PublicProfile) {
		out = append(out, PublicProfile)
	}
	return out
}

func tokenAD(t *Token) string { return fmt.Sprintf("token/%x", t.Hash[:]) }

// Reveal opens a token that was issued to be kept. Errors: [ErrUnknown] when it was not.
func (s *Service) Reveal(t *Token) (Secret, error) {
	if t.Sealed == nil {
		return "", fmt.Errorf("read a token that is not kept: %w", ErrUnknown)
	}
	return s.open(tokenAD(t), t.Sealed)
}

// Revoke ends every token that matches, at once, and says how many there were. Ended tokens stay known, so that their
// holders learn why.
func (s *Service) Revoke(ctx context.Context, why Reason, match func(*Token) bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var ended []*Token
	for _, t := range s.Tokens(func(t *Token) bool { return t.Revoked.IsZero() && match(t) }) {
		c := *t
		c.Revoked, c.Why = now, why
		ended = append(ended, &c)
	}
	if len(ended) == 0 {
		return 0, nil
	}
	if err := s.commit(ctx, &Set{Tokens: ended}); err != nil {
		return 0, fmt.Errorf("revoke tokens: %w", err)
	}
	return len(ended), nil
}

// Find returns what is known of a presented token, valid or not.
func (s *Service) Find(token string) (*Token, bool) {
	if len(token) > maxToken {
		return nil, false
	}
	t, ok := s.snap.Load().tokens[s.keys.hash(token)]
	return t, ok
}
