package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// pst is the zone of the dates in the text of expired tokens. Source: spec/errors.md section 5.1.
var pst = time.FixedZone("PST", -8*60*60)

const expiryLayout = "Monday, 02-Jan-06 15:04:05 MST"

// Authenticate says who presents token. It reads memory only. Errors, all rows of the table: [wa.ErrTokenRequired] for
// the empty token, and code 190 with the variants of spec/errors.md section 5.1. [wa.ErrUnknown] wraps a failure to read
// the app's secret.
func (s *Service) Authenticate(_ context.Context, token string) (*Caller, error) {
	if token == "" {
		return nil, wa.ErrTokenRequired
	}
	snap := s.snap.Load()
	t, ok := (*Token)(nil), false
	if len(token) <= maxToken {
		t, ok = snap.tokens[s.keys.hash(token)]
	}
	if !ok {
		if id, secret, isApp := appToken(token); isApp {
			return s.authenticateApp(snap, id, secret)
		}
		return nil, s.refusal(token)
	}
	if err := alive(t, s.clock.Now()); err != nil {
		return nil, err
	}
	app, ok := snap.apps[t.App]
	if !ok {
		return nil, wa.ErrTokenAppRemoved.Fill(t.App)
	}
	actor, ok := snap.actor(t.Type, t.Actor)
	if !ok {
		return nil, wa.ErrTokenInvalid
	}
	t.used.now(s.clock.Now())
	return &Caller{App: app, Actor: actor, Type: t.Type, Scopes: t.Scopes, Token: t}, nil
}

// alive checks revocation first: a token that was taken away must not come back as merely expired.
func alive(t *Token, now time.Time) error {
	if !t.Revoked.IsZero() {
		switch t.Why {
		case AppRemoved:
			return wa.ErrTokenAppRemoved.Fill(t.App)
		case PasswordChanged:
			return wa.ErrTokenPassword
		default:
			return wa.ErrTokenRevoked
		}
	}
	if !t.Expires.IsZero() && !now.Before(t.Expires) {
		return wa.ErrTokenExpired.Titled("Error validating access token: Session has expired on %s. The current time is %s.",
			t.Expires.In(pst).Format(expiryLayout), now.In(pst).Format(expiryLayout))
	}
	return nil
}

// refusal chooses the wording for a text that is no known token.
func (s *Service) refusal(token string) error {
	if len(token) > maxToken {
		return wa.ErrToken
	}
	switch s.keys.inspect(token) {
	case malformed:
		return wa.ErrTokenMalformed.Fill(masked(token))
	case forged:
		return wa.ErrTokenData
	case genuine: // issued here once, and forgotten since
		return wa.ErrTokenInvalid
	default:
		return wa.ErrToken
	}
}

// masked shortens what might be somebody's token with a stray blank: error texts end up in logs.
func masked(token string) string {
	if len(token) < MinFixedToken {
		return strings.ToValidUTF8(token, "\ufffd")
	}
	return strings.ToValidUTF8(token[:4], "") + "…"
}

// appToken splits "{app_id}|{app_secret}".
func appToken(token string) (wa.AppID, string, bool) {
	id, secret, ok := strings.Cut(token, "|")
	if !ok || id == "" || len(token) > maxToken {
		return "", "", false
	}
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return "", "", false
		}
	}
	return wa.AppID(id), secret, true
}

func (s *Service) authenticateApp(snap *snapshot, id wa.AppID, secret string) (*Caller, error) {
	app, ok := snap.apps[id]
	if !ok || !app.Removed.IsZero() {
		return nil, wa.ErrTokenInvalid
	}
	want, err := s.open(secretAD(id), app.Secret)
	if err != nil {
		return nil, wa.ErrUnknown.Because(err)
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(secret)) != 1 {
		return nil, wa.ErrTokenInvalid
	}
	return &Caller{App: app, Type: AppToken}, nil
}

// proofLife is how old appsecret_time may be. Source: spec/access.md section 3.3.
const proofLife = 5 * time.Minute

// CheckProof verifies appsecret_proof and appsecret_time, both empty when not sent. force asks for a proof even if the
// app does not. Errors: [wa.ErrProofRequired], [wa.ErrProofInvalid]. Source: spec/access.md section 3.3.
func (s *Service) CheckProof(c *Caller, token, proof, proofTime string, force bool) error {
	if proof == "" {
		if c.Type != AppToken && (force || c.App.RequireProof) {
			return wa.ErrProofRequired
		}
		return nil
	}
	message := token
	if proofTime != "" {
		sec, err := strconv.ParseInt(proofTime, 10, 64)
		age := s.clock.Now().Sub(time.Unix(sec, 0))
		if err != nil || age > proofLife || age < -proofLife {
			return wa.ErrProofInvalid
		}
		message += "|" + proofTime
	}
	secret, err := s.open(secretAD(c.App.ID), c.App.Secret)
	if err != nil {
		return wa.ErrUnknown.Because(err)
	}
	got, err := hex.DecodeString(proof)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(message))
	if err != nil || !hmac.Equal(got, m.Sum(nil)) {
		return wa.ErrProofInvalid
	}
	return nil
}
