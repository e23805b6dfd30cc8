package access_test

import (
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ruins is a world in which a portfolio was deleted and a share has ended.
type ruins struct {
	gone wa.BusinessID
	lost wa.WABAID
}

func (r ruins) Gone(id wa.BusinessID) bool                 { return id == r.gone }
func (r ruins) Reaches(_ wa.BusinessID, id wa.WABAID) bool { return id != r.lost }

func TestSettle(t *testing.T) {
	t.Parallel()
	const home, partner, other = wa.BusinessID("10"), wa.BusinessID("11"), wa.BusinessID("12")
	r := newWorld(t)
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	token := map[string]string{}
	for i, b := range []wa.BusinessID{home, partner, other} {
		app, user := wa.AppID("4403302201105"+string(b)), wa.SystemUserID("1223304405506"+string(b))
		_, err := r.CreateApp(ctx, access.NewApp{ID: app, Name: "a", Business: b})
		check(err)
		u := access.SystemUser{ID: user, Business: b, Name: "u", Role: access.Admin}
		var granular []access.Grant
		if b == partner {
			u.Client = home
			granular = []access.Grant{{Scope: access.Management, Targets: []string{"77", "78"}}}
		}
		_, err = r.CreateSystemUser(ctx, u)
		check(err)
		secret, _, err := r.Issue(ctx, access.TokenSpec{
			Type: access.SystemUserToken, App: app, Actor: string(user), Scopes: []access.Scope{access.Management}, Granular: granular,
		})
		check(err)
		token[[]string{"home", "partner", "other"}[i]] = secret.Reveal()
	}
	_, err := r.CreatePerson(ctx, access.Person{ID: "40", Name: "Mio", Member: []access.Membership{{Business: home, Role: access.Admin}, {Business: other}}})
	check(err)
	alive := func(fact string, want ...string) {
		t.Helper()
		n := 0
		for name, s := range token {
			_, err := r.Authenticate(ctx, s)
			for _, w := range want {
				if w == name && err != nil {
					t.Errorf("%s: %s: %v", fact, name, err)
				}
			}
			if err == nil {
				n++
			}
		}
		if n != len(want) {
			t.Errorf("%s: %d tokens are alive, want %v", fact, n, want)
		}
	}
	check(r.Settle(ctx, ruins{}))
	alive("nothing is gone", "home", "partner", "other")
	check(r.Settle(ctx, ruins{lost: "78"}))
	alive("the share has ended", "home", "other")
	check(r.Settle(ctx, ruins{gone: home}))
	alive("the portfolio was deleted", "other")
	if p, _ := r.Person("40"); len(p.Member) != 1 || p.Member[0].Business != other {
		t.Errorf("member of %v", p.Member)
	}
	ended := r.clock.Now()
	r.clock.now = r.clock.now.Add(time.Hour)
	check(r.Settle(ctx, ruins{gone: home, lost: "78"}))
	for _, k := range r.Tokens(func(k *access.Token) bool { return k.Revoked.After(ended) }) {
		t.Errorf("ended twice: %v", k.Actor)
	}
}
