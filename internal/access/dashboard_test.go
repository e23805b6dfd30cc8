package access_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestTemporaryTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	p, err := w.CreatePerson(ctx, access.Person{Name: "Mio", Member: []access.Membership{{Business: business, Role: access.Admin}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Temporary(p.ID, w.app.ID); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("before the first: %v", err)
	}
	var first, last access.Secret
	for i := range 6 {
		secret, token, err := w.IssueTemporary(ctx, p.ID, w.app.ID)
		if err != nil {
			t.Fatal(err)
		}
		if left := token.Expires.Sub(w.clock.Now()); left != 23*time.Hour {
			t.Errorf("it lives for %v, want 23 hours", left)
		}
		if i == 0 {
			first = secret
		}
		last = secret
		w.clock.now = w.clock.now.Add(time.Minute)
	}
	if _, err := w.Authenticate(ctx, first.Reveal()); !errors.Is(err, wa.ErrTokenRevoked) {
		t.Errorf("the sixth leaves the first alive: %v", err)
	}
	if again, _, err := w.Temporary(p.ID, w.app.ID); err != nil || again != last {
		t.Errorf("read again: another token than the newest, %v", err)
	}
	c, err := w.Authenticate(ctx, last.Reveal())
	if err != nil || c.Type != access.UserToken || !c.Can(access.Messaging) || !c.Can(access.Management) || c.Can(access.BusinessManagement) {
		t.Errorf("the newest: %+v, %v", c, err)
	}
	w.clock.now = w.clock.now.Add(23 * time.Hour)
	if _, err := w.Authenticate(ctx, last.Reveal()); !errors.Is(err, wa.ErrTokenExpired) {
		t.Errorf("after 23 hours: %v", err)
	}
	if _, _, err := w.Temporary(p.ID, w.app.ID); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("an expired one is read again: %v", err)
	}
}

// Where time stands still, the newest is the newest all the same.
func TestTemporaryTokensAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, err := w.CreatePerson(t.Context(), access.Person{Name: "Mio", Member: []access.Membership{{Business: business, Role: access.Admin}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		made, _, err := w.IssueTemporary(t.Context(), p.ID, w.app.ID)
		if err != nil {
			t.Fatal(err)
		}
		if shown, _, err := w.Temporary(p.ID, w.app.ID); err != nil || shown != made {
			t.Fatalf("another token than the newest is shown, %v", err)
		}
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	p, err := w.CreatePerson(ctx, access.Person{Name: "Mio", Email: "mio@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Confirm(ctx, p.ID, "", "::1"); err != nil {
		t.Errorf("somebody without a password: %v", err)
	}
	if err := w.SetPassword(ctx, p.ID, "right-password"); err != nil {
		t.Fatal(err)
	}
	if err := w.Confirm(ctx, p.ID, "right-password", "::1"); err != nil {
		t.Errorf("the right one: %v", err)
	}
	for range 5 {
		if err := w.Confirm(ctx, p.ID, "wrong-password", "::1"); !errors.Is(err, access.ErrLogin) {
			t.Errorf("a wrong one: %v", err)
		}
	}
	if err := w.Confirm(ctx, p.ID, "right-password", "::1"); !errors.Is(err, access.ErrLoginPause) {
		t.Errorf("after five wrong ones: %v", err)
	}
	if err := w.Confirm(ctx, strconv.Itoa(7), "", "::1"); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("nobody: %v", err)
	}
}

func TestRemovedApps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	token, _, err := w.Issue(ctx, access.TokenSpec{Type: access.SystemUserToken, App: w.app.ID, Actor: string(w.admin.ID), Scopes: []access.Scope{access.Messaging}})
	if err != nil {
		t.Fatal(err)
	}
	own := string(w.app.ID) + "|" + appSecret
	if _, err := w.Authenticate(ctx, own); err != nil {
		t.Fatal(err)
	}
	if err := w.RemoveApp(ctx, w.app.ID); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a system user's": token.Reveal(), "the app's own": own} {
		var row *wa.Error
		if _, err := w.Authenticate(ctx, text); !errors.As(err, &row) || row.Code != 190 {
			t.Errorf("%s token: %v, want 190", name, err)
		}
	}
	if _, ok := w.App(w.app.ID); ok || len(w.Apps()) != 0 {
		t.Error("the app is still seen")
	}
	if secret, err := w.AppSecret(w.app.ID); err != nil || secret != appSecret {
		t.Errorf("what waits cannot be signed any more: %v", err)
	}
	if _, _, err := w.Issue(ctx, access.TokenSpec{Type: access.SystemUserToken, App: w.app.ID, Actor: string(w.admin.ID)}); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("a new token: %v", err)
	}
	if err := w.RemoveApp(ctx, "1"); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("an app that never was: %v", err)
	}
}
