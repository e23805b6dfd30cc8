package access_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const password = "correct horse battery"

// setUp makes the first person through a link.
func (w *world) setUp(t *testing.T) (cookie access.Secret, p *access.Person) {
	t.Helper()
	link, _, err := w.SetupLink(t.Context(), "", []access.Membership{{Business: business, Role: access.Admin}}, access.SetupLife)
	if err != nil {
		t.Fatal(err)
	}
	cookie, p, err = w.SetUp(t.Context(), link.Reveal(), "Mio", "mio@example.com", password)
	if err != nil {
		t.Fatal(err)
	}
	return cookie, p
}

func TestSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if w.CanLogIn() {
		t.Error("nobody has a password yet")
	}
	cookie, mio := w.setUp(t)
	if p, _, ok := w.Session(cookie.Reveal()); !ok || p.ID != mio.ID || len(p.Member) != 1 || !w.CanLogIn() {
		t.Fatalf("session of %v: %v", p, ok)
	}
	if _, ok := w.OpenLink(cookie.Reveal()); ok {
		t.Error("a session is no link")
	}
	if err := w.LogOut(t.Context(), cookie.Reveal()); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := w.Session(cookie.Reveal()); ok {
		t.Error("it goes on after the log-out")
	}
	cookie, x, err := w.LogIn(t.Context(), mio.ID)
	if err != nil || x.Ends.Sub(x.Began) != access.SessionLife {
		t.Fatal(err)
	}
	token, _, err := w.Issue(t.Context(), access.TokenSpec{Type: access.UserToken, App: w.app.ID, Actor: mio.ID, Scopes: both})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetPassword(t.Context(), mio.ID, "another password"); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := w.Session(cookie.Reveal()); ok {
		t.Error("it goes on after a new password")
	}
	if _, err := w.Authenticate(t.Context(), token.Reveal()); err == nil {
		t.Error("a token of the old password works")
	}
	cookie, _, _ = w.LogIn(t.Context(), mio.ID)
	w.clock.now = w.clock.now.Add(access.SessionLife)
	if _, _, ok := w.Session(cookie.Reveal()); ok {
		t.Error("it goes on after its time")
	}
	if _, _, err := w.LogIn(t.Context(), "1"); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("somebody unknown: %v", err)
	}
}

func TestSessionsOfAPersonAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, mio := w.setUp(t)
	var last access.Secret
	for range 20 {
		w.clock.now = w.clock.now.Add(time.Second)
		last, _, _ = w.LogIn(t.Context(), mio.ID)
	}
	if _, _, ok := w.Session(first.Reveal()); ok {
		t.Error("the oldest of 21 goes on")
	}
	if _, _, ok := w.Session(last.Reveal()); !ok {
		t.Error("the newest does not work")
	}
	if set, _ := w.store.LoadAccess(t.Context()); len(set.Sessions) != 20 {
		t.Errorf("%d are kept", len(set.Sessions))
	}
}

func TestLinksWorkOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	member := []access.Membership{{Business: business, Role: access.Employee}}
	link, _, err := w.SetupLink(t.Context(), "", member, access.SetupLife)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := w.Session(link.Reveal()); ok {
		t.Error("a link is no session")
	}
	if _, _, err := w.SetUp(t.Context(), link.Reveal(), "Mio", "mio@example.com", "short"); err == nil {
		t.Error("a short password is taken")
	}
	_, mio, err := w.SetUp(t.Context(), link.Reveal(), "Mio", " mio@example.com ", password)
	if err != nil || mio.Email != "mio@example.com" {
		t.Fatal(err)
	}
	if _, _, err := w.SetUp(t.Context(), link.Reveal(), "Eve", "eve@example.com", password); !errors.Is(err, access.ErrLink) {
		t.Errorf("the second time: %v", err)
	}
	late, _, _ := w.SetupLink(t.Context(), "", member, access.SetupLife)
	w.clock.now = w.clock.now.Add(access.SetupLife)
	if _, _, err := w.SetUp(t.Context(), late.Reveal(), "Eve", "eve@example.com", password); !errors.Is(err, access.ErrLink) {
		t.Errorf("too late: %v", err)
	}
	same, _, _ := w.SetupLink(t.Context(), "", member, access.SetupLife)
	if _, _, err := w.SetUp(t.Context(), same.Reveal(), "Eve", "MIO@example.com", password); !errors.Is(err, access.ErrEmail) {
		t.Errorf("an address that is taken: %v", err)
	}
	if _, ok := w.OpenLink(same.Reveal()); !ok {
		t.Error("a refusal used the link up")
	}
	again, _, err := w.SetupLink(t.Context(), mio.ID, nil, access.SetupLife)
	if err != nil {
		t.Fatal(err)
	}
	old, _, _ := w.LogIn(t.Context(), mio.ID)
	if _, p, err := w.SetUp(t.Context(), again.Reveal(), "Mio", "mio@example.com", "a new password"); err != nil || p.ID != mio.ID || len(p.Member) != 1 {
		t.Errorf("a forgotten password: %v", err)
	}
	if _, _, ok := w.Session(old.Reveal()); ok {
		t.Error("a session from before goes on")
	}
	if p, err := w.Login(t.Context(), "mio@example.com", "a new password", "::1"); err != nil || p.ID != mio.ID {
		t.Errorf("log in: %v", err)
	}
}

func TestLeavingEndsSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie, mio := w.setUp(t)
	err := w.Leave(t.Context(), mio.ID, func(m access.Membership) bool { return m.Business == business }, func(access.Assignment) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := w.Session(cookie.Reveal()); ok {
		t.Error("the session goes on")
	}
	if p, _ := w.Person(mio.ID); len(p.Member) != 0 {
		t.Error("still a member")
	}
}

func TestGranted(t *testing.T) {
	t.Parallel()
	at := func(h int) time.Time { return time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC) }
	asset := access.Asset{WABA: "220", Owner: business, Shared: []access.Share{{Business: otherOwner, Since: at(3)}}}
	for name, row := range map[string]struct {
		actor access.Actor
		want  time.Time
	}{
		"from the start": {access.Actor{Member: []access.Membership{{Business: business}}}, time.Time{}},
		"joined":         {access.Actor{Member: []access.Membership{{Business: business, Since: at(1)}}}, at(1)},
		"shared":         {access.Actor{Member: []access.Membership{{Business: otherOwner, Since: at(1)}}}, at(3)},
		"assigned": {access.Actor{
			Member: []access.Membership{{Business: business}}, Assigned: []access.Assignment{{WABA: "220", Since: at(2)}, {WABA: "221", Since: at(9)}},
		}, at(2)},
		"a stranger": {access.Actor{Member: []access.Membership{{Business: "77", Since: at(1)}}}, time.Time{}},
	} {
		if got := (&access.Caller{Actor: row.actor}).Granted(asset); !got.Equal(row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}

func TestLinksOfPortfoliosLeaveEachOtherAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, mio := w.setUp(t)
	link := func(b wa.BusinessID, email string) access.Secret {
		w.clock.now = w.clock.now.Add(time.Second)
		i, err := w.Invite(t.Context(), b, email, access.Employee, mio.ID)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := w.InvitationLink(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := link(business, "kai@example.com")
	link("7001", "kai@example.com")
	for i := range 20 {
		link("7001", fmt.Sprintf("eve%d@example.com", i))
	}
	if _, ok := w.OpenLink(first.Reveal()); !ok {
		t.Error("the oldest of 22 ended")
	}
	again := link(business, "Kai@example.com")
	if _, ok := w.OpenLink(first.Reveal()); ok {
		t.Error("the older link of the same invitation goes on")
	}
	if _, ok := w.OpenLink(again.Reveal()); !ok {
		t.Error("the newer link of the same invitation does not work")
	}
}

func TestNobodyChoosesAnInvitedAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, mio := w.setUp(t)
	i, err := w.Invite(t.Context(), business, "eve@example.com", access.Employee, mio.ID)
	if err != nil {
		t.Fatal(err)
	}
	stray, _, _ := w.SetupLink(t.Context(), "", nil, access.SetupLife)
	if _, _, err := w.SetUp(t.Context(), stray.Reveal(), "Mallory", " Eve@example.com", password); !errors.Is(err, access.ErrEmail) {
		t.Errorf("an address that was invited: %v", err)
	}
	right, _, _ := w.InvitationLink(t.Context(), i)
	_, eve, err := w.SetUp(t.Context(), right.Reveal(), "Eve", "", password)
	if err != nil || len(eve.Member) != 1 || !eve.Member[0].Since.Equal(w.clock.now) {
		t.Errorf("%+v: %v", eve, err)
	}
}

// Whoever invites sees the link: it must open nothing but their own portfolio, neither at once nor when somebody else invites the address.
func TestLinksAcceptOneInvitation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, mio := w.setUp(t)
	invite := func(b wa.BusinessID) access.Secret {
		t.Helper()
		i, err := w.Invite(t.Context(), b, "bob@corp.example", access.Admin, mio.ID)
		if err != nil {
			t.Fatal(err)
		}
		link, _, err := w.InvitationLink(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	good, evil := invite(business), invite("7001")
	_, bob, err := w.SetUp(t.Context(), evil.Reveal(), "Bob", "", password)
	if err != nil || len(bob.Member) != 1 || bob.Member[0].Business != "7001" {
		t.Fatalf("%+v: %v", bob, err)
	}
	bob, err = w.Login(t.Context(), "bob@corp.example", password, "192.0.2.1")
	if err != nil || len(bob.Member) != 1 {
		t.Fatalf("after a log-in: %+v: %v", bob, err)
	}
	if err := w.Accept(t.Context(), good.Reveal(), mio.ID); !errors.Is(err, access.ErrLink) {
		t.Errorf("another's invitation: %v", err)
	}
	if err := w.Accept(t.Context(), good.Reveal(), bob.ID); err != nil {
		t.Fatal(err)
	}
	if p, _ := w.Person(bob.ID); len(p.Member) != 2 || p.Member[1].Business != business {
		t.Errorf("with the link of the other: %+v", p)
	}
	if _, ok := w.OpenLink(good.Reveal()); ok {
		t.Error("the link works again")
	}
}

func TestGoodLogInsDoNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setUp(t)
	for n := range 40 { // one machine of a company, or a network of IPv6 addresses
		if _, err := w.Login(t.Context(), "mio@example.com", password, "192.0.2.1"); err != nil {
			t.Fatalf("log-in %d: %v", n, err)
		}
	}
	var err error
	for n := range 40 {
		_, err = w.Login(t.Context(), fmt.Sprintf("nobody%d@example.com", n), password, fmt.Sprintf("2001:db8::%x", n+1))
	}
	if !errors.Is(err, access.ErrLoginPause) {
		t.Errorf("forty guesses of one network: %v", err)
	}
}
