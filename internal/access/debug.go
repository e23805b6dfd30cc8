package access

import (
	"context"
	"errors"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// TokenInfo is the answer of debug_token. Source: spec/access.md section 6.
type TokenInfo struct {
	App         *App // nil when the token is not known
	Type        TokenType
	Expires     time.Time // zero: never
	DataAccess  time.Time // zero: never
	Issued      time.Time // zero for app tokens
	Valid       bool
	Scopes      []Scope
	Granular    []Grant // scopes restricted to assets, newest asset first
	UserID      string  // empty for app tokens
	Why         *wa.Error
	fingerprint [32]byte
}

// Debug says what input is. It never fails: an invalid token is an answer with Why.
func (s *Service) Debug(ctx context.Context, input string) TokenInfo {
	var info TokenInfo
	if t, ok := s.Find(input); ok {
		info = TokenInfo{
			Type: t.Type, Expires: t.Expires, DataAccess: t.Access, Issued: t.Issued, Scopes: t.Scopes,
			Granular: t.Granular, UserID: t.Actor, fingerprint: t.Hash,
		}
		info.App, _ = s.App(t.App)
	}
	c, err := s.Authenticate(ctx, input)
	if err != nil {
		info.Scopes, info.Granular = nil, nil
		if !errors.As(err, &info.Why) {
			info.Why = wa.ErrTokenInvalid
		}
		return info
	}
	info.Valid, info.App, info.Type = true, c.App, c.Type
	return info
}

// MayDebug reports whether the caller may see info: it holds a token of the same app that is the app's own, or belongs to
// an administrator of the portfolio that owns the app, or it asks about its own token. Tokens that are not known tell
// nothing, so anyone may ask about them.
func (c *Caller) MayDebug(info TokenInfo) bool {
	switch {
	case info.App == nil:
		return true
	case c.Token != nil && c.Token.Hash == info.fingerprint:
		return true
	case c.App.ID != info.App.ID:
		return false
	case c.Type == AppToken:
		return true
	}
	role, ok := c.role(c.App.Business)
	return ok && role == Admin
}
