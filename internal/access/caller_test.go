package access_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func mac(key, message string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(message))
	return hex.EncodeToString(m.Sum(nil))
}

// Source: spec/access.md section 10.
func TestMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, admin := w.issue(t, w.admin, nil)
	_, employee := w.issue(t, w.employee, nil)
	_, onlyMessaging := w.issue(t, w.admin, func(s *access.TokenSpec) { s.Scopes = []access.Scope{access.Messaging} })
	_, nothing := w.issue(t, w.admin, func(s *access.TokenSpec) { s.Scopes = nil })
	_, granular := w.issue(t, w.admin, func(s *access.TokenSpec) {
		s.Granular = []access.Grant{{Scope: access.Management, Targets: []string{"221"}}, {Scope: access.Messaging, Targets: []string{"221", "222"}}}
	})
	appCaller, err := w.Authenticate(t.Context(), "440330220110550|"+appSecret)
	if err != nil {
		t.Fatal(err)
	}
	advanced := *admin
	advanced.App = &access.App{Business: business, Advanced: []access.Scope{access.Messaging}}

	own := func(id wa.WABAID) access.Asset { return access.Asset{WABA: id, Owner: business} }
	foreign := access.Asset{WABA: "900", Owner: otherOwner}
	shared := foreign
	shared.Shared = []access.Share{{Business: business, Tasks: []access.Task{access.MessagingTask}}}
	for _, c := range []struct {
		name   string
		caller *access.Caller
		asset  access.Asset
		task   access.Task
		scope  access.Scope
		want   access.Verdict
	}{
		{"an admin reaches every account of the portfolio", admin, own("221"), access.MessagingTask, access.Messaging, access.Allowed},
		{"and no account of another", admin, foreign, access.MessagingTask, access.Messaging, access.Invisible},
		{"an employee reaches what is assigned", employee, own("220"), access.MessagingTask, access.Messaging, access.Allowed},
		{"and sees nothing else", employee, own("221"), access.MessagingTask, access.Messaging, access.Invisible},
		{"managing templates implies viewing them", employee, own("220"), access.ViewTemplates, access.Management, access.Allowed},
		{"a task that is not assigned", employee, own("220"), access.ManagePhone, access.Management, access.NoTask},
		{"a scope the token lacks", onlyMessaging, own("221"), access.ManageTemplates, access.Management, access.NoScope},
		{"a token without any scope sees nothing", nothing, own("221"), access.MessagingTask, access.Messaging, access.Invisible},
		{"an app token has no actor", appCaller, own("221"), access.MessagingTask, access.Messaging, access.Invisible},
		{"a target of the scope", granular, own("221"), access.ManageTemplates, access.Management, access.Allowed},
		{"a target of another scope only", granular, own("222"), access.ManageTemplates, access.Management, access.NoScope},
		{"no target at all", granular, own("223"), access.MessagingTask, access.Messaging, access.Invisible},
		{"shared, but the app has standard access", admin, shared, access.MessagingTask, access.Messaging, access.Invisible},
		{"shared, and the app has advanced access", &advanced, shared, access.MessagingTask, access.Messaging, access.Allowed},
		{"the share limits even an admin", &advanced, shared, access.ManagePhone, access.Messaging, access.NoTask},
		{"advanced access does not replace a share", &advanced, foreign, access.MessagingTask, access.Messaging, access.Invisible},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.caller.May(c.asset, c.task, c.scope); got != c.want {
				t.Errorf("verdict %d, want %d", got, c.want)
			}
			if got := c.caller.SeesWABA(c.asset); got != (c.want != access.Invisible) {
				t.Errorf("sees: %v", got)
			}
		})
	}
	if got := onlyMessaging.May(own("221"), access.Develop, access.Management, access.Messaging); got != access.Allowed {
		t.Errorf("either scope is enough: %d", got)
	}
}

func TestMayBusiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, admin := w.issue(t, w.admin, func(s *access.TokenSpec) { s.Scopes = append(s.Scopes, access.BusinessManagement) })
	_, employee := w.issue(t, w.employee, func(s *access.TokenSpec) { s.Scopes = append(s.Scopes, access.BusinessManagement) })
	_, without := w.issue(t, w.admin, nil)
	for _, c := range []struct {
		name   string
		caller *access.Caller
		id     wa.BusinessID
		admin  bool
		want   access.Verdict
	}{
		{"an admin", admin, business, true, access.Allowed},
		{"an employee reads", employee, business, false, access.Allowed},
		{"an employee does not administer", employee, business, true, access.NoTask},
		{"another portfolio", admin, otherOwner, false, access.Invisible},
		{"without the scope", without, business, false, access.NoScope},
	} {
		if got := c.caller.MayBusiness(c.id, c.admin, access.BusinessManagement); got != c.want {
			t.Errorf("%s: verdict %d, want %d", c.name, got, c.want)
		}
	}
}

func TestDebugToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, admin := w.issue(t, w.admin, func(s *access.TokenSpec) {
		s.Granular = []access.Grant{{Scope: access.Management, Targets: []string{"221", "220"}}}
	})
	_, employee := w.issue(t, w.employee, nil)
	app, err := w.Authenticate(t.Context(), "440330220110550|"+appSecret)
	if err != nil {
		t.Fatal(err)
	}
	other := &access.Caller{App: &access.App{ID: "1", Business: business}, Type: access.AppToken}
	info := w.Debug(t.Context(), token)
	if !info.Valid || info.App != w.app || info.UserID != string(w.admin.ID) || !info.Expires.IsZero() || len(info.Scopes) != 3 ||
		info.Granular[0].Targets[0] != "221" || info.Type != access.SystemUserToken || !info.Issued.Equal(w.clock.now) {
		t.Errorf("info %+v", info)
	}
	if !app.MayDebug(info) || !admin.MayDebug(info) || employee.MayDebug(info) || other.MayDebug(info) {
		t.Error("who may ask: the app, its administrators, and the token itself")
	}
	if _, err := w.Revoke(t.Context(), access.LoggedOut, func(*access.Token) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if info = w.Debug(t.Context(), token); info.Valid || info.Why == nil || info.Why.Subcode != 467 || info.Scopes != nil || info.App == nil {
		t.Errorf("revoked: %+v", info)
	}
	if info = w.Debug(t.Context(), "nonsense"); info.Valid || info.App != nil || info.Why.Code != 190 || !other.MayDebug(info) {
		t.Errorf("garbage: %+v", info)
	}
	if info = w.Debug(t.Context(), "440330220110550|"+appSecret); !info.Valid || info.Type != access.AppToken || info.UserID != "" {
		t.Errorf("app token: %+v", info)
	}
}
