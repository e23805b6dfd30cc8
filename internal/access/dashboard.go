package access

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// What people do in an app's dashboard.

const (
	// dashboardLife is that of the tokens for trying out. Source: spec/manager.md section 7.2 A1: below 24 hours, ours 23.
	dashboardLife = 23 * time.Hour
	// dashboardTokens is how many of them a person has for an app; a newer one ends the oldest.
	dashboardTokens = 5
	dashboardLabel  = "dashboard"
)

// Temporary is the newest token for trying out that the person has for the app. Errors: [ErrUnknown] when there is none.
func (s *Service) Temporary(person string, app wa.AppID) (Secret, *Token, error) {
	all := s.temporary(person, app)
	if len(all) == 0 {
		return "", nil, fmt.Errorf("read a temporary token: %w", ErrUnknown)
	}
	t := all[len(all)-1]
	secret, err := s.Reveal(t)
	return secret, t, err
}

// temporary are the living ones, oldest first.
func (s *Service) temporary(person string, app wa.AppID) []*Token {
	now := s.clock.Now()
	all := s.Tokens(func(t *Token) bool {
		return t.Label == dashboardLabel && t.Type == UserToken && t.Actor == person && t.App == app && t.Sealed != nil && alive(t, now) == nil
	})
	slices.SortFunc(all, func(a, b *Token) int { return a.Expires.Compare(b.Expires) })
	return all
}

// IssueTemporary makes a user token of 23 hours with both WhatsApp scopes, which can be read again with [Service.Temporary].
// Earlier ones go on working, the newest few. Errors: [ErrUnknown]. Source: spec/manager.md section 7.2, A1.
func (s *Service) IssueTemporary(ctx context.Context, person string, app wa.AppID) (Secret, *Token, error) {
	all, life := s.temporary(person, app), dashboardLife
	if len(all) > 0 { // the newest expires last, on a clock that stands still, too
		life = max(life, all[len(all)-1].Expires.Sub(s.clock.Now())+time.Millisecond)
	}
	if len(all) >= dashboardTokens {
		old := all[:len(all)-dashboardTokens+1]
		if _, err := s.Revoke(ctx, LoggedOut, func(t *Token) bool {
			return slices.ContainsFunc(old, func(o *Token) bool { return o.Hash == t.Hash })
		}); err != nil {
			return "", nil, err
		}
	}
	return s.Issue(ctx, TokenSpec{
		Type: UserToken, App: app, Actor: person, Scopes: []Scope{Management, Messaging}, Life: life, Keep: true,
		Label: dashboardLabel,
	})
}

// Confirm checks the password of somebody who is logged in, before a secret is shown; peer is their network address. People
// without a password have none to show. Errors: [ErrLogin], [ErrLoginPause], [ErrLoginBusy], [ErrUnknown].
func (s *Service) Confirm(ctx context.Context, person, password, peer string) error {
	p, ok := s.Person(person)
	if !ok {
		return fmt.Errorf("confirm person %s: %w", person, ErrUnknown)
	}
	if len(p.Password) <= passwordSalt {
		return nil
	}
	peer, now := neighbours(peer), s.clock.Now()
	for key, most := range map[string]int{"peer " + peer: maxPeerLogins, "person " + person: maxLogins} {
		if err := s.logins.allow(key, most, now); err != nil {
			return err
		}
	}
	if err := s.logins.turn(ctx); err != nil {
		return err
	}
	hash, err := pbkdf2.Key(sha256.New, password[:min(len(password), MaxPassword)], p.Password[:passwordSalt], p.Rounds, sha256.Size)
	s.logins.over()
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	if subtle.ConstantTimeCompare(hash, p.Password[passwordSalt:]) != 1 {
		return ErrLogin
	}
	s.logins.forget("person " + person)
	s.logins.giveBack("peer " + peer)
	return nil
}

// RemoveApp ends an app: nobody sees it any more, and each of its tokens answers 190. Its id is not given away again. Errors:
// [ErrUnknown].
func (s *Service) RemoveApp(ctx context.Context, id wa.AppID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var ended []*Token
	for _, t := range s.Tokens(func(t *Token) bool { return t.App == id && t.Revoked.IsZero() }) {
		c := *t
		c.Revoked, c.Why = now, AppRemoved
		ended = append(ended, &c)
	}
	_, err := s.updateApp(ctx, id, ended, func(a *App) error {
		if a.Removed.IsZero() {
			a.Removed = now
		}
		return nil
	})
	return err
}
