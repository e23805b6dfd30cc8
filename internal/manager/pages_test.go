package manager_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// paths are every page of a portfolio with an account and a system user.
func (w *world) paths(t *testing.T) (all []string, q string) {
	t.Helper()
	waba := w.business.WABAs(w.home.ID)[0]
	u, err := w.access.CreateSystemUser(t.Context(), access.SystemUser{Business: w.home.ID, Name: "shop-backend"})
	if err != nil {
		t.Fatal(err)
	}
	q = "business_id=" + string(w.home.ID) + "&waba_id=" + string(waba.ID)
	for _, p := range []string{
		"/wa/manage/home/", "/wa/manage/phone-numbers/", "/wa/manage/phone-numbers/add", "/settings/info", "/settings/people",
		"/settings/system-users", "/settings/system-users/" + string(u.ID), "/settings/whatsapp-business-accounts/",
		"/settings/whatsapp-business-accounts/" + string(waba.ID),
	} {
		all = append(all, p+"?"+q)
	}
	for _, tab := range []string{"people", "partners", "settings"} {
		all = append(all, "/settings/whatsapp-business-accounts/"+string(waba.ID)+"?"+q+"&tab="+tab)
	}
	return append(all, "/get-started/", "/get-started/?step=portfolio&app_name=x"), q
}

func TestEveryPageInBothLanguages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *manager.Options) { o.Reach = func(wa.BusinessID, int64) (int, int) { return 240, 250 } })
	all, _ := w.paths(t)
	b := w.admin()
	for _, b.lang = range []string{"en", "ja"} {
		for _, path := range all {
			a := b.get(path)
			a.want(t, path, 200, `lang="`+b.lang+`"`)
			if strings.Contains(a.body, ">menu.") || strings.Contains(a.body, ">home.") || strings.Contains(a.body, ">users.") {
				t.Errorf("%s: a text is missing", path)
			}
		}
	}
	b.get("/wa/manage/nowhere/").want(t, "a page that is not built", 404)
	b.get("/wa/manage/home").want(t, "without the slash", 200, "/wa/manage/home/?")
}

// TestWithoutTheTask holds that pages ask for what the API asks for, and name it.
func TestWithoutTheTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	all, q := w.paths(t)
	waba := w.business.WABAs(w.home.ID)[0].ID
	clerk := w.person("clerk@example.com", access.Membership{Business: w.home.ID, Role: access.Employee})
	clerk.get("/wa/manage/home/?"+q).want(t, "nothing assigned", 404)
	clerk.get("/wa/manage/home/?business_id="+string(w.home.ID)).want(t, "nothing assigned", 200, "/get-started/")
	if err := w.access.Assign(t.Context(), clerk.id, waba, []access.Task{access.ViewPhoneAssets}); err != nil {
		t.Fatal(err)
	}
	clerk.get("/wa/manage/home/?"+q).want(t, "overview", 200)
	clerk.get("/wa/manage/phone-numbers/?"+q).want(t, "numbers", 200)
	clerk.get("/wa/manage/phone-numbers/add?"+q).want(t, "add a number", 403, string(access.ManagePhone))
	clerk.post("/wa/manage/phone-numbers/add?"+q, "name", "Aozora", "phone", "+819012345678").want(t, "add a number", 403, string(access.ManagePhone))
	for _, path := range []string{"/settings/info", "/settings/people", "/settings/system-users", "/settings/whatsapp-business-accounts/"} {
		clerk.get(path+"?"+q).want(t, path, 200)
		clerk.post(path+"?"+q, "name", "Taken", "email", "x@example.com").want(t, "post "+path, 403, string(access.Admin))
	}
	clerk.get("/settings/whatsapp-business-accounts/"+string(waba)+"?"+q+"&tab=people").want(t, "people", 403, string(access.ManageUsers))

	stranger := w.person("eve@example.com")
	for _, path := range all[:len(all)-2] {
		stranger.get(path).want(t, "a stranger at "+path, 404)
	}
	stranger.get("/wa/manage/home/").want(t, "a stranger", 200, "/get-started/")
	for _, path := range []string{"home/?business_id=1", "home/?waba_id=1", "home/?business_id=" + string(w.home.ID) + "&waba_id=2"} {
		clerk.get("/wa/manage/"+path).want(t, path, 404, "Aozora", "/wa/manage/home/?business_id="+string(w.home.ID))
	}
}

// TestScope is MC3, MC4 and MC5 of spec/manager.md.
func TestScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ctx := t.Context()
	other, err := w.business.CreatePortfolio(ctx, business.Portfolio{Name: "Birch"})
	if err != nil {
		t.Fatal(err)
	}
	b := w.person("mio@example.com", access.Membership{Business: w.home.ID, Role: access.Admin}, access.Membership{Business: other.ID, Role: access.Admin})
	stranger, err := w.business.CreatePortfolio(ctx, business.Portfolio{Name: "Cedar"})
	if err != nil {
		t.Fatal(err)
	}
	opened := func(owner wa.BusinessID, name string) *business.WABA {
		w.clock.Advance(time.Minute)
		x, err := w.business.CreateWABA(ctx, business.WABA{Owner: owner, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	first := w.business.WABAs(w.home.ID)[0]
	newest := opened(other.ID, "Newest")
	foreign := opened(stranger.ID, "Foreign")
	at := func(what string, p *business.Portfolio, x *business.WABA) {
		t.Helper()
		q := url.Values{"business_id": {string(p.ID)}, "waba_id": {string(x.ID)}}.Encode()
		b.get("/wa/manage/home/").want(t, what, 200, "/wa/manage/home/?"+q, x.Name)
	}
	at("made last", other, newest)
	b.get("/wa/manage/home/?business_id="+string(w.home.ID)).want(t, "bookmark", 200, "waba_id="+string(first.ID))

	w.clock.Advance(time.Minute)
	if _, err := w.business.ShareWABA(ctx, foreign.ID, business.Share{Business: w.home.ID, Tasks: []string{"MANAGE"}}); err != nil {
		t.Fatal(err)
	}
	at("granted last", w.home, foreign)
	a := b.get("/wa/manage/home/?business_id=" + string(w.home.ID))
	a.want(t, "owned and shared", 200, "Foreign", first.Name, "Shared with this portfolio")
	at2 := opened(other.ID, "Later")
	at("made last again", other, at2)

	// The drop-down leads to the settings of a portfolio, and the way back goes through its accounts.
	page := b.get("/wa/manage/home/?business_id=" + string(w.home.ID))
	settings := page.find(t, `href="(/settings/info\?business_id=`+string(other.ID)+`)"`)
	page = b.get(settings)
	page.want(t, "settings", 200, w.url+"/wa/manage/home/?business_id="+string(other.ID))
	page = b.get(strings.ReplaceAll(page.find(t, `href="(/settings/whatsapp-business-accounts/\?[^"]+)"`), "&amp;", "&"))
	page = b.get(strings.ReplaceAll(page.find(t, `href="(/settings/whatsapp-business-accounts/`+string(newest.ID)+`\?[^"]+)"`), "&amp;", "&"))
	page = b.get(strings.ReplaceAll(page.find(t, `href="([^"]+tab=settings)"`), "&amp;", "&"))
	page.want(t, "tab", 200, "WhatsApp Manager")
	page = b.get(strings.ReplaceAll(page.find(t, `class="btn primary" href="([^"]+)"|href="([^"]+)" class="btn primary`), "&amp;", "&"))
	page.want(t, "back", 200, "/wa/manage/home/?", string(newest.ID))
}

// TestGetStarted is R9 and R28 of the requirements.
func TestGetStarted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.person("new@example.com")
	b.get("/wa/manage/home/").want(t, "before", 200, "/get-started/")
	b.get("/get-started/").want(t, "app", 200, `name="app_name"`)
	b.get("/get-started/?step=portfolio&app_name=Shop").want(t, "no portfolio: the step that makes one", 200, `name="portfolio_name"`, "required", "docs/portfolio.md")
	b.post("/get-started/", "app_name", "Shop", "portfolio_name", " ").want(t, "without a name", 400, "100")
	b.post("/get-started/", "app_name", "Shop", "portfolio_name", "Dahlia").want(t, "first run", 200, "waba_id=")
	p, _ := w.access.Person(b.id)
	if len(p.Member) != 1 || p.Member[0].Role != access.Admin {
		t.Fatalf("memberships: %v", p.Member)
	}
	id := p.Member[0].Business
	check := func(what string) {
		t.Helper()
		list := w.business.WABAs(id)
		if len(list) != 1 || !list[0].Test {
			t.Fatalf("%s: accounts %v", what, list)
		}
		numbers := w.business.Numbers(list[0].ID)
		if len(numbers) != 1 || !numbers[0].Registered || numbers[0].Mode != business.Sandbox {
			t.Errorf("%s: numbers %v", what, numbers)
		}
		apps := slices.DeleteFunc(w.access.Apps(), func(a *access.App) bool { return a.Business != id })
		if len(apps) != 1 || len(w.webhooks.Links(list[0].ID)) != 1 {
			t.Errorf("%s: %d apps", what, len(apps))
		}
		tokens := w.access.Tokens(func(k *access.Token) bool { return k.Actor == b.id })
		if len(tokens) != 1 || tokens[0].Type != access.UserToken {
			t.Errorf("%s: %d tokens", what, len(tokens))
		}
		list2 := b.get("/get-started/")
		list2.want(t, what, 200, string(apps[0].ID))
		b.post("/get-started/", "app", string(apps[0].ID)).want(t, what, 200)
	}
	check("first run") // which runs it again
	check("second run")
	b.post("/get-started/", "app", string(w.app.ID), "portfolio", string(w.home.ID)).want(t, "somebody else's", 400)
	b.post("/get-started/", "app_name", "x", "portfolio", string(w.home.ID)).want(t, "somebody else's portfolio", 404)
}

func TestTwentyAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	path := "/settings/whatsapp-business-accounts/?business_id=" + string(w.home.ID)
	b.post(path, "name", "x", "currency", "nope", "timezone_id", "1").want(t, "currency", 400, "ISO 4217")
	for i := range business.MaxWABAs - 1 {
		b.post(path, "name", fmt.Sprint("Account ", i), "currency", "usd", "timezone_id", "1").want(t, "make", 200, "Account ")
	}
	b.post(path, "name", "One too many", "currency", "USD", "timezone_id", "1").want(t, "the 21st", 400, "at most 20")
	b.get(path+"&q=account+17").want(t, "search", 200, "Account 17", "1 result")
	b.get(path+"&q=nothing").want(t, "search", 200, "nothing")
	all := w.business.WABAs(w.home.ID)
	made := all[slices.IndexFunc(all, func(a *business.WABA) bool { return a.Name == "Account 3" })]
	if list, _ := w.business.Activities(t.Context(), business.ActivityQuery{WABA: made.ID, Limit: 9}); len(list) != 1 || list[0].Actor.ID != b.id {
		t.Errorf("history: %v", list)
	}
}

// TestSystemUserTokens is B3, MC11 and R37: the token has the chosen scopes, and ends at once.
func TestSystemUserTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	q := "?business_id=" + string(w.home.ID)
	b.post("/settings/system-users"+q, "name", "", "role", "EMPLOYEE").want(t, "without a name", 400, "100")
	b.post("/settings/system-users"+q, "name", "shop-backend", "role", "EMPLOYEE").want(t, "add", 200, "shop-backend")
	u := w.access.SystemUsers(w.home.ID)[0]
	at := "/settings/system-users/" + string(u.ID)
	waba := w.business.WABAs(w.home.ID)[0]
	b.post(at+"/assign"+q, "waba", string(waba.ID), "access", "full").want(t, "assign", 200)
	b.post(at+"/token"+q, "app", string(w.app.ID), "life", "60").want(t, "no permission", 400)
	a := b.post(at+"/token"+q, "app", string(w.app.ID), "life", "60", "scope", "whatsapp_business_messaging")
	a.want(t, "generate", 200, "only time")
	token := a.find(t, `(EAA[0-9A-Za-z]{40,})`)
	c, err := w.access.Authenticate(t.Context(), token)
	if err != nil || !slices.Equal(c.Scopes, []access.Scope{access.Messaging, access.PublicProfile}) || c.Token.Expires.Sub(c.Token.Issued) != access.LongLife {
		t.Fatalf("the token: %v, %+v", err, c)
	}
	if c.May(access.Asset{WABA: waba.ID, Owner: w.home.ID}, access.MessagingTask, access.Messaging) != access.Allowed {
		t.Error("the token does not reach the account")
	}
	page := b.get(at + q)
	if strings.Contains(page.body, token) {
		t.Error("the token is shown twice")
	}
	page.want(t, "list", 200, "whatsapp_business_messaging", "data-ago")
	b.post(at+"/revoke"+q, "token", page.find(t, `name="token" value="([0-9a-f]{64})"`)).want(t, "revoke", 200, "No tokens")
	if _, err := w.access.Authenticate(t.Context(), token); err == nil {
		t.Error("a revoked token works")
	}
	list, err := w.business.Activities(t.Context(), business.ActivityQuery{WABA: waba.ID, Limit: 9})
	if err != nil || len(list) < 3 || list[0].Type != business.ActRevoked || list[0].Actor.ID != b.id || list[1].Type != business.ActGranted || list[2].Type != business.ActUserAdded {
		t.Errorf("history: %v %v", list, err)
	}
	other, _ := w.access.CreateSystemUser(t.Context(), access.SystemUser{Business: "500600700800900", Name: "other"})
	b.get("/settings/system-users/"+string(other.ID)+q).want(t, "of another portfolio", 404)
	b.post("/settings/system-users/"+string(other.ID)+"/token"+q, "app", string(w.app.ID), "scope", "business_management").want(t, "of another portfolio", 404)
}

// TestAddNumber is P2 and R17.
func TestAddNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	live, err := w.business.CreateWABA(t.Context(), business.WABA{Owner: w.home.ID, Name: "Live"})
	if err != nil {
		t.Fatal(err)
	}
	q := "?" + url.Values{"business_id": {string(w.home.ID)}, "waba_id": {string(live.ID)}}.Encode()
	add := func(phone string) answer {
		return b.post("/wa/manage/phone-numbers/add"+q, "name", "Aozora Shop", "vertical", "RETAIL", "description", "Tea", "phone", phone)
	}
	add("nonsense").want(t, "no number", 400, "phone number")
	add("+81 90 1234 5678").want(t, "add", 200, "/connect?", "Send code")
	n, ok := w.business.NumberByWaID("819012345678")
	if !ok || n.Profile == nil || n.Profile.Vertical != "RETAIL" || n.Profile.Description != "Tea" {
		t.Fatal("the number is not there")
	}
	at := "/wa/manage/phone-numbers/" + string(n.ID)
	b.post(at+"/register"+q, "pin", "123456").want(t, "too early", 400, "code")
	b.post(at+"/code"+q, "method", "SMS").want(t, "ask", 200, "Enter the code")
	b.post(at+"/verify"+q, "code", "000").want(t, "wrong code", 400)
	code := w.codes[n.WaID]
	b.post(at+"/verify"+q, "code", code[:3]+"-"+code[3:]).want(t, "right code", 200, `name="pin"`)
	b.post(at+"/register"+q, "pin", "12").want(t, "a PIN of two digits", 400)
	b.post(at+"/register"+q, "pin", "123456").want(t, "register", 200, "Aozora Shop")
	if n, _ = w.business.Number(n.ID); !n.Registered || !n.PIN.Enabled() {
		t.Error("not registered")
	}
	add("+81 90 1234 5679").want(t, "the second", 200)
	add("+81 90 1234 5670").want(t, "the third of an unverified portfolio", 400, "maximum number of phone numbers", "200/1349175")
	if _, err := w.business.SetVerification(t.Context(), w.home.ID, business.Verified); err != nil {
		t.Fatal(err)
	}
	add("+81 90 1234 5670").want(t, "the third, verified", 200, "/connect?")
	b.get("/wa/manage/phone-numbers/1/connect"+q).want(t, "unknown", 404)
}

func TestPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	q := "?business_id=" + string(w.home.ID)
	b.post("/settings/people"+q, "email", "nobody").want(t, "no address", 400, "e-mail")
	a := b.post("/settings/people"+q, "email", "kai@example.com", "role", "EMPLOYEE")
	a.want(t, "invite", 200, "kai@example.com")
	key := a.find(t, `/login/first\?key=(SE[0-9A-Za-z]+)`)
	kai := w.browser()
	kai.post("/login/first", "key", key, "name", "Kai", "email", "other@example.com", "password", password).want(t, "set up", 200)
	p, ok := w.access.PersonByEmail("kai@example.com")
	if !ok || len(p.Member) != 1 || p.Member[0].Role != access.Employee {
		t.Fatalf("the invited person: %v", p)
	}
	kai.get("/settings/info"+q).want(t, "a member", 200)

	other, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{Name: "Birch"})
	if err != nil {
		t.Fatal(err)
	}
	i, err := w.access.Invite(t.Context(), other.ID, "kai@example.com", access.Employee, b.id)
	if err != nil {
		t.Fatal(err)
	}
	link, _, err := w.access.InvitationLink(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	path := "/login/first?key=" + link.Reveal()
	if a := w.browser().get(path); !strings.HasPrefix(a.path, "/login/") || strings.HasPrefix(a.path, "/login/first") {
		t.Errorf("a link for somebody who has a log-in, opened by nobody, leads to %s", a.path)
	}
	b.post("/login/first", "key", link.Reveal(), "name", "Kai", "email", "x@example.com", "password", password).want(t, "another's", 409)
	kai.get("/settings/info?business_id="+string(other.ID)).want(t, "not yet", 404)
	kai.get(path).want(t, "asks", 200, "Accept the invitation")
	kai.post("/login/first", "key", link.Reveal()).want(t, "accepts", 200)
	kai.get("/settings/info?business_id="+string(other.ID)).want(t, "a member there, too", 200)
	kai.get("/settings/info"+q).want(t, "and still here", 200)
	b.post("/settings/people/remove"+q, "person", p.ID).want(t, "remove", 200)
	if a := kai.get("/settings/info" + q); a.status != http.StatusOK || !strings.HasPrefix(a.path, "/login/") {
		t.Errorf("the session of somebody removed goes on: %d at %s", a.status, a.path)
	}
	b.post("/settings/people/remove"+q, "person", b.id).want(t, "oneself", 404)
}

// An app hears of many accounts: who works for one of them reads nothing of the others.
func TestDeliveriesOfOtherAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.admin()
	theirs := w.business.WABAs(w.home.ID)[0].ID
	own, err := w.business.CreateWABA(t.Context(), business.WABA{Owner: w.home.ID, Name: "Second", Currency: "USD", TimezoneID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.access.CreatePerson(t.Context(), access.Person{
		Name: "Clerk", Email: "clerk@example.com", Member: []access.Membership{{Business: w.home.ID, Role: access.Employee}},
		Assigned: []access.Assignment{{WABA: own.ID, Tasks: []access.Task{access.Develop}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	payload := func(ids ...wa.WABAID) string {
		var entries []string
		for _, id := range ids {
			entries = append(entries, `{"id":"`+string(id)+`","changes":[]}`)
		}
		return `{"object":"whatsapp_business_account","entry":[` + strings.Join(entries, ",") + `]}`
	}
	for _, c := range []struct {
		payload string
		want    bool
	}{{payload(own.ID), true}, {payload(theirs), false}, {payload(own.ID, theirs), false}, {payload("42"), false}, {"no payload", false}} {
		if got := w.manager.Reads(p, w.app, c.payload); got != c.want {
			t.Errorf("%s: %v", c.payload, got)
		}
	}
}
