package access

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// NewApp declares an app. Empty fields are filled in.
type NewApp struct {
	ID          wa.AppID
	Name        string
	Business    wa.BusinessID
	Secret      Secret // 32 lower-case hex characters
	VerifyToken Secret
	Mode        AppMode // Development
	Advanced    []Scope
}

var errSecretShape = errors.New("an app secret is 32 lower-case hex characters")

// CreateApp stores a new app, with a random secret and verify token unless they are declared. Errors: [ErrExists].
func (s *Service) CreateApp(ctx context.Context, na NewApp) (*App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := s.idFor(string(na.ID))
	if err != nil {
		return nil, fmt.Errorf("create app: %w", err)
	}
	now := s.clock.Now()
	a := &App{
		ID: wa.AppID(id), Name: na.Name, Business: na.Business, Mode: na.Mode, Advanced: slices.Clone(na.Advanced),
		SecretChanged: now, Created: now,
	}
	if a.Mode == "" {
		a.Mode = Development
	}
	if a.Secret, err = s.sealSecret(a.ID, na.Secret); err != nil {
		return nil, fmt.Errorf("create app %s: %w", a.ID, err)
	}
	if na.VerifyToken == "" {
		if na.VerifyToken, err = newHex(s.rand); err != nil {
			return nil, err
		}
	}
	if a.VerifyToken, err = s.seal(verifyAD(a.ID), na.VerifyToken); err != nil {
		return nil, fmt.Errorf("create app %s: %w", a.ID, err)
	}
	if err := s.commit(ctx, &Set{Apps: []*App{a}}); err != nil {
		return nil, fmt.Errorf("create app %s: %w", a.ID, err)
	}
	return a, nil
}

// UpdateApp changes an app: change gets a copy, replaces slices instead of writing into them, and an error from it leaves
// everything as it was. Secrets have methods of their own. Errors: [ErrUnknown] and those of change.
func (s *Service) UpdateApp(ctx context.Context, id wa.AppID, change func(*App) error) (*App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updateApp(ctx, id, nil, change)
}

// updateApp stores tokens in the same transaction.
func (s *Service) updateApp(ctx context.Context, id wa.AppID, tokens []*Token, change func(*App) error) (*App, error) {
	old, ok := s.snap.Load().apps[id]
	if !ok {
		return nil, fmt.Errorf("update app %s: %w", id, ErrUnknown)
	}
	a := *old
	if err := change(&a); err != nil {
		return nil, err
	}
	a.ID = id
	if err := s.commit(ctx, &Set{Apps: []*App{&a}, Tokens: tokens}); err != nil {
		return nil, fmt.Errorf("update app %s: %w", id, err)
	}
	return &a, nil
}

// ResetSecret replaces the app's secret. The old one dies at once, and with it the app's user and system user tokens
// (spec/access.md sections 2 and 4): they answer 190/460 from now on. Tokens declared by configuration stay.
func (s *Service) ResetSecret(ctx context.Context, id wa.AppID) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, err := newHex(s.rand)
	if err != nil {
		return "", err
	}
	sealed, err := s.sealSecret(id, secret)
	if err != nil {
		return "", fmt.Errorf("reset secret of app %s: %w", id, err)
	}
	now := s.clock.Now()
	var ended []*Token
	for _, t := range s.Tokens(func(t *Token) bool { return t.App == id && !t.Fixed && t.Revoked.IsZero() }) {
		c := *t
		c.Revoked, c.Why = now, PasswordChanged
		ended = append(ended, &c)
	}
	_, err = s.updateApp(ctx, id, ended, func(a *App) error {
		a.Secret, a.SecretChanged = sealed, now
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// SetVerifyToken replaces the verify token of the app's webhook.
func (s *Service) SetVerifyToken(ctx context.Context, id wa.AppID, token Secret) error {
	sealed, err := s.seal(verifyAD(id), token)
	if err != nil {
		return fmt.Errorf("set verify token of app %s: %w", id, err)
	}
	_, err = s.UpdateApp(ctx, id, func(a *App) error {
		a.VerifyToken = sealed
		return nil
	})
	return err
}

// AppSecret opens the app's secret, also of a removed one: the key of webhook signatures and of appsecret_proof. Errors: [ErrUnknown].
func (s *Service) AppSecret(id wa.AppID) (Secret, error) {
	a, ok := s.Signer(id)
	if !ok {
		return "", fmt.Errorf("secret of app %s: %w", id, ErrUnknown)
	}
	return s.open(secretAD(id), a.Secret)
}

// VerifyToken opens the app's verify token. Errors: [ErrUnknown].
func (s *Service) VerifyToken(id wa.AppID) (Secret, error) {
	a, ok := s.App(id)
	if !ok {
		return "", fmt.Errorf("verify token of app %s: %w", id, ErrUnknown)
	}
	return s.open(verifyAD(id), a.VerifyToken)
}

func (s *Service) sealSecret(id wa.AppID, secret Secret) (sealed []byte, err error) {
	if secret == "" {
		if secret, err = newHex(s.rand); err != nil {
			return nil, err
		}
	}
	if len(secret) != 32 {
		return nil, errSecretShape
	}
	for i := range len(secret) {
		if c := secret[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return nil, errSecretShape
		}
	}
	return s.seal(secretAD(id), secret)
}

func (s *Service) seal(ad string, v Secret) ([]byte, error) {
	b, err := s.sealer.Seal([]byte(ad), []byte(v))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", ad, err)
	}
	return b, nil
}

func (s *Service) open(ad string, sealed []byte) (Secret, error) {
	b, err := s.sealer.Open([]byte(ad), sealed)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", ad, err)
	}
	return Secret(b), nil
}

func secretAD(id wa.AppID) string { return "app/" + string(id) + "/secret" }
func verifyAD(id wa.AppID) string { return "app/" + string(id) + "/verify_token" }

// idFor is the declared id when it is free, else a new one.
func (s *Service) idFor(declared string) (string, error) {
	if declared == "" {
		return s.freeID()
	}
	if s.taken(declared) {
		return "", fmt.Errorf("%s: %w", declared, ErrExists)
	}
	return declared, nil
}
