package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Lives of tokens and codes. Source: spec/access.md sections 4 and 5.1.
const (
	ShortLife  = 2 * time.Hour       // a user token from a log-in
	LongLife   = 60 * 24 * time.Hour // an exchanged user token, and an expiring system user token
	DialogCode = 10 * time.Minute    // unverified
	SignupCode = 30 * time.Second
)

// maxCodes bounds the codes that wait, and those that are remembered so that a second use can be told from a guess.
const maxCodes = 10_000

// CodeSpec is what a code can be exchanged for.
type CodeSpec struct {
	Token    TokenSpec
	Redirect string        // the redirect_uri that the exchange must repeat; empty: it must be empty
	Life     time.Duration // of the code
}

// codes are in memory: a restart makes them unknown, and their holders begin again.
type codes struct {
	mu   sync.Mutex
	byID map[[32]byte]*issued
	age  [][32]byte // oldest first

	spent map[string]time.Time // tickets that were used, and when they end
}

type issued struct {
	spec    CodeSpec
	expires time.Time
	used    bool
}

// IssueCode makes a code for an app. It works once.
func (s *Service) IssueCode(spec CodeSpec) (Secret, error) {
	code, err := s.keys.mint(s.rand)
	if err != nil {
		return "", err
	}
	code = "AQ" + code[len(tokenPrefix):] // must not be taken for a token
	c := &s.codes
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[[32]byte]*issued{}
	}
	for len(c.age) >= maxCodes {
		delete(c.byID, c.age[0])
		c.age = c.age[1:]
	}
	id := s.keys.hash(string(code))
	c.byID[id] = &issued{spec: spec, expires: s.clock.Now().Add(spec.Life)}
	c.age = append(c.age, id)
	return code, nil
}

// Client checks who an app says it is. Errors: [wa.ErrClientIDMissing], [wa.ErrClientID], [wa.ErrClientSecret].
func (s *Service) Client(id wa.AppID, secret string) (*App, error) {
	if id == "" {
		return nil, wa.ErrClientIDMissing
	}
	a, ok := s.App(id)
	if !ok {
		return nil, wa.ErrClientID
	}
	want, err := s.open(secretAD(id), a.Secret)
	if err != nil {
		return nil, wa.ErrUnknown.Because(err)
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(secret)) != 1 {
		return nil, wa.ErrClientSecret
	}
	return a, nil
}

// ExchangeCode turns a code into a token. Errors: [wa.ErrOAuthCode], [wa.ErrOAuthCodeUsed], [wa.ErrOAuthCodeExpired],
// [wa.ErrOAuthRedirect].
func (s *Service) ExchangeCode(ctx context.Context, app wa.AppID, code, redirect string) (Secret, *Token, error) {
	spec, err := s.takeCode(app, code, redirect)
	if err != nil {
		return "", nil, err
	}
	return s.Issue(ctx, spec)
}

func (s *Service) takeCode(app wa.AppID, code, redirect string) (TokenSpec, error) {
	if len(code) > maxToken {
		return TokenSpec{}, wa.ErrOAuthCode
	}
	c := &s.codes
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := c.byID[s.keys.hash(code)]
	switch {
	case !ok, have.spec.Token.App != app:
		return TokenSpec{}, wa.ErrOAuthCode
	case have.used:
		return TokenSpec{}, wa.ErrOAuthCodeUsed
	case !s.clock.Now().Before(have.expires):
		return TokenSpec{}, wa.ErrOAuthCodeExpired
	case have.spec.Redirect != redirect:
		return TokenSpec{}, wa.ErrOAuthRedirect
	}
	have.used = true
	return have.spec.Token, nil
}

// Extend exchanges a living token of the app for one of 60 days; the old one stays valid until its own end. System user
// tokens must be asked for so. Errors: rows of code 190, [wa.ErrInvalidParameter].
func (s *Service) Extend(ctx context.Context, app wa.AppID, token string, sixty bool) (Secret, *Token, error) {
	t, ok := s.Find(token)
	if !ok {
		return "", nil, s.refusal(token)
	}
	if err := alive(t, s.clock.Now()); err != nil {
		return "", nil, err
	}
	switch {
	case t.App != app:
		return "", nil, wa.ErrInvalidParameter.Titled("The access token does not belong to application %s", app)
	case t.Type == SystemUserToken && !sixty:
		return "", nil, wa.ErrInvalidParameter.Titled("Param set_token_expires_in_60_days must be true for tokens of system users.")
	}
	return s.Issue(ctx, TokenSpec{Type: t.Type, App: app, Actor: t.Actor, Scopes: t.Scopes, Granular: t.Granular, Life: LongLife})
}

// ---- system users ----

// Limits of a portfolio's system users; unverified. Source: spec/access.md section 7.2.
const (
	maxAdmins    = 1
	maxEmployees = 10
	maxName      = 128
)

func limitError(format string, args ...any) error {
	return wa.ErrInvalidParameter.Titled(format, args...)
}

// AddSystemUser is CreateSystemUser within the limits of a portfolio. Errors: rows of code 100.
func (s *Service) AddSystemUser(ctx context.Context, u SystemUser) (*SystemUser, error) {
	if n := len([]rune(u.Name)); n == 0 || n > maxName {
		return nil, limitError("Param name must have 1 to %d characters.", maxName)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	admins, employees := 0, 0
	for _, x := range s.SystemUsers(u.Business) {
		switch {
		case x.Client != "":
		case x.Role == Admin:
			admins++
		default:
			employees++
		}
	}
	switch {
	case u.Role == Admin && admins >= maxAdmins:
		return nil, limitError("The business has its %d system user with the role ADMIN.", maxAdmins)
	case u.Role != Admin && employees >= maxEmployees:
		return nil, limitError("The business has its %d system users with the role EMPLOYEE.", maxEmployees)
	}
	return s.createSystemUser(ctx, u)
}

// Install lets an app issue tokens for a system user; doing it again changes nothing. Errors: [ErrUnknown].
func (s *Service) Install(ctx context.Context, id wa.SystemUserID, app wa.AppID) error {
	_, err := s.UpdateSystemUser(ctx, id, func(u *SystemUser) error {
		if !slices.Contains(u.Installed, app) {
			u.Installed = append(slices.Clone(u.Installed), app)
		}
		return nil
	})
	return err
}

// Assign gives a person or system user tasks on an account instead of those they have; no tasks take all away. Errors:
// [ErrUnknown].
func (s *Service) Assign(ctx context.Context, actor string, waba wa.WABAID, tasks []Task) error {
	change := func(have []Assignment) []Assignment {
		since := s.clock.Now()
		have = slices.DeleteFunc(slices.Clone(have), func(a Assignment) bool {
			if a.WABA == waba {
				since = a.Since // access was granted then, whatever it covers now
			}
			return a.WABA == waba
		})
		if len(tasks) > 0 {
			have = append(have, Assignment{WABA: waba, Tasks: tasks, Since: since})
		}
		return have
	}
	_, err := s.UpdateSystemUser(ctx, wa.SystemUserID(actor), func(u *SystemUser) error {
		u.Assigned = change(u.Assigned)
		return nil
	})
	if !errors.Is(err, ErrUnknown) {
		return err
	}
	_, err = s.UpdatePerson(ctx, actor, func(p *Person) error {
		p.Assigned = change(p.Assigned)
		return nil
	})
	return err
}

// Tasks are all task names. Source: spec/access.md section 8.2.
var Tasks = []Task{
	Manage, Develop, MessagingTask, ManageTemplates, ViewTemplates, ManagePhone, ViewPhoneAssets, ManagePhoneAssets, ManageExtensions,
	ViewCost, ViewInsights, ManageUsers, ManageBilling, ReceiveIncomingTask, FullControl,
}

// Scopes are all scope names.
var Scopes = []Scope{Management, Messaging, BusinessManagement, ManageEvents, AdsRead, CatalogManagement, PublicProfile}
