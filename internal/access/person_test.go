package access_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	mio, err := w.CreatePerson(ctx, access.Person{Name: "Mio", Member: []access.Membership{{Business: business, Role: access.Admin}}})
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := w.Issue(ctx, access.TokenSpec{Type: access.UserToken, App: w.app.ID, Actor: mio.ID, Scopes: both, Life: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	asset := access.Asset{WABA: "220", Owner: business}
	c, err := w.Authenticate(ctx, secret.Reveal())
	if err != nil || c.Type != access.UserToken || c.Actor.System || c.May(asset, access.ManagePhone, access.Management) != access.Allowed {
		t.Fatalf("user token: %v %+v", err, c)
	}
	if _, err = w.UpdatePerson(ctx, mio.ID, func(p *access.Person) error { p.Member = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	if c, err = w.Authenticate(ctx, secret.Reveal()); err != nil || c.SeesWABA(asset) || c.SeesBusiness(business) {
		t.Errorf("after leaving the portfolio: %v", err)
	}
	if p, ok := w.Person(mio.ID); !ok || p.Name != "Mio" || len(w.People()) != 1 {
		t.Error("not found")
	}
}

func TestActorsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	if _, err := w.CreateSystemUser(ctx, access.SystemUser{ID: w.admin.ID}); !errors.Is(err, access.ErrExists) {
		t.Errorf("taken id: %v", err)
	}
	for _, spec := range []access.TokenSpec{
		{Type: access.SystemUserToken, App: "1", Actor: string(w.admin.ID)},
		{Type: access.SystemUserToken, App: w.app.ID, Actor: "1"},
		{Type: access.UserToken, App: w.app.ID, Actor: string(w.admin.ID)},
	} {
		if _, _, err := w.Issue(ctx, spec); !errors.Is(err, access.ErrUnknown) {
			t.Errorf("%+v: %v", spec, err)
		}
	}
	if _, _, err := w.Issue(ctx, access.TokenSpec{Type: access.AppToken, App: w.app.ID}); err == nil {
		t.Error("an app token is issued")
	}
	u, err := w.UpdateSystemUser(ctx, w.employee.ID, func(u *access.SystemUser) error {
		u.Name, u.Business = "renamed", wa.BusinessID(otherOwner)
		return nil
	})
	if err != nil || u.Name != "renamed" || u.Business != business {
		t.Errorf("a system user stays in its portfolio: %v %+v", err, u)
	}
	if l := w.SystemUsers(business); len(l) != 2 || w.employee.Name != "shop-backend" {
		t.Error("the old object was changed")
	}
	w.store.fail = errors.New("disk full")
	if _, _, err := w.Issue(ctx, access.TokenSpec{Type: access.SystemUserToken, App: w.app.ID, Actor: string(w.admin.ID)}); !errors.Is(err, w.store.fail) {
		t.Errorf("failing store: %v", err)
	}
	if got := w.Tokens(func(*access.Token) bool { return true }); len(got) != 0 {
		t.Error("a token that is not durable is known")
	}
}
