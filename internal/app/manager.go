package app

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku"
	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/manager"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// manager is the web app over the rooms of the platform.
func (p *platform) manager(a *App, graph http.Handler) (*manager.Manager, error) {
	developer := ""
	if p.o.develops() {
		developer = string(p.plan.BusinessID)
	}
	standIn := wa.WaID("")
	if p.o.Sandbox {
		standIn = p.plan.UserPhone
	}
	return manager.New(manager.Options{
		Access: p.rules.access, Business: p.rules.business, Template: p.rules.template, Webhooks: p.rules.subs, Clock: p.clock,
		Counts: p.store, Reach: func(id wa.BusinessID, now int64) (int, int) { return p.policy.Used(id, now) },
		Dispatcher: p.webhooks, Removal: api.Removal{Access: p.rules.access, Business: p.rules.business, Webhooks: p.rules.subs}, Files: hikyaku.Examples,
		Graph: graph, BaseURL: a.PublicURL(), Version: GraphVersion, Log: p.log, Developer: developer, Open: p.o.Sandbox && !p.o.Strict, StandIn: standIn,
	})
}

// develops reports whether whoever opens a page of the web app on this machine is logged in without being asked: a sandbox that is not
// strict, reachable from this machine alone and by no other name. What a request must look like besides is in internal/manager.
func (o *Options) develops() bool {
	return o.Sandbox && !o.Strict && !o.BehindProxy && !o.secure() && o.PublicURL == "" && loopback(o.Listen)
}

// loginLink makes the address of a page where somebody chooses their name and password: the person with this e-mail address, or, when
// it is empty, a new one who administers the starter portfolio. Errors: [access.ErrUnknown].
func (p *platform) loginLink(ctx context.Context, email string) (string, *access.Session, error) {
	person, member := "", []access.Membership{{Business: p.plan.BusinessID, Role: access.Admin, Since: p.clock.Now()}}
	if email != "" {
		who, ok := p.rules.access.PersonByEmail(email)
		if !ok {
			return "", nil, access.ErrUnknown
		}
		person, member = who.ID, nil
	}
	secret, x, err := p.rules.access.SetupLink(ctx, person, member, access.SetupLife)
	if err != nil {
		return "", nil, err
	}
	return p.base + manager.FirstPath + "?" + url.Values{"key": {secret.Reveal()}}.Encode(), x, nil
}

// operatorKey is what proves to the operator port that a call comes from somebody who can read the data directory: the port itself
// asks for no password, and whoever makes a log-in link becomes an administrator.
func (p *Plan) operatorKey() string {
	m := hmac.New(sha256.New, []byte(p.Pepper))
	m.Write([]byte("operator key"))
	return hex.EncodeToString(m.Sum(nil))
}

// makeLoginLink is POST /login_link of the operator port.
func makeLoginLink(r *http.Request, p *platform) (any, error) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(key), []byte(p.plan.operatorKey())) != 1 {
		return nil, &controlError{http.StatusForbidden, "only hikyaku admin login-link, which reads the data directory, makes log-in links"}
	}
	var in struct {
		Email string `json:"email"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	link, x, err := p.loginLink(r.Context(), in.Email)
	if errors.Is(err, access.ErrUnknown) {
		return nil, notFound("nobody has the e-mail address %s", in.Email)
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"url": link, "expires": x.Ends}, nil
}

// LoginLink asks the running platform of a data directory for a link that lets somebody choose their name and password at the Manager:
// the person with this e-mail address, or a new administrator of the starter portfolio when it is empty. It works once, until expires.
func LoginLink(ctx context.Context, client *http.Client, o Options, email string) (link string, expires time.Time, err error) {
	p, err := ReadPlan(o)
	if err != nil {
		return "", time.Time{}, err
	}
	in, err := json.Marshal(map[string]string{"email": email})
	if err != nil {
		return "", time.Time{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.ControlURL+"/login_link", bytes.NewReader(in))
	if err != nil {
		return "", time.Time{}, err
	}
	r.Header.Set("Authorization", "Bearer "+p.operatorKey())
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("ask the platform at %s, which must be running: %w", p.ControlURL, err)
	}
	defer answer.Body.Close()
	var out struct {
		URL     string    `json:"url"`
		Expires time.Time `json:"expires"`
		Error   string    `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<16)).Decode(&out); err != nil {
		return "", time.Time{}, fmt.Errorf("read the answer of %s: %w", p.ControlURL, err)
	}
	if answer.StatusCode != http.StatusOK {
		return "", time.Time{}, fmt.Errorf("the platform refused: %s", out.Error)
	}
	return out.URL, out.Expires, nil
}
