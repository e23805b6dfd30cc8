package manager_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Every form stands on a page, which has all that the page's address needs.
func TestEveryFormHasAPage(t *testing.T) {
	t.Parallel()
	names := regexp.MustCompile(`\{[a-z]+\}`)
	for _, d := range newWorld(t, nil).manager.Deeds() {
		if !d.Known {
			t.Errorf("POST %s stands on %q, which is no page", d.Path, d.Page)
		}
		for _, name := range names.FindAllString(d.Page, -1) {
			if !strings.Contains(d.Path, name) {
				t.Errorf("POST %s does not know %s of %s", d.Path, name, d.Page)
			}
		}
	}
}

// back is where a change of language on a page leads.
func (a answer) back(t *testing.T) string {
	t.Helper()
	return html.UnescapeString(a.find(t, `name="back" value="([^"]*)"`))
}

// What answers a form is a page that people change the language or theme of: that leads to the page of the form.
func TestLanguageAfterAForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	u, err := w.access.CreateSystemUser(t.Context(), access.SystemUser{Business: w.home.ID, Name: "shop-backend"})
	if err != nil {
		t.Fatal(err)
	}
	waba := w.business.WABAs(w.home.ID)[0]
	test := w.business.Numbers(waba.ID)[0]
	live, err := w.business.CreateWABA(t.Context(), business.WABA{Owner: w.home.ID, Name: "Live"})
	if err != nil {
		t.Fatal(err)
	}
	n, err := w.business.AddNumber(t.Context(), business.NewNumber{WABA: live.ID, WaID: "819012345678", Name: "Aozora Shop"})
	if err != nil {
		t.Fatal(err)
	}
	q := "?business_id=" + string(w.home.ID)
	app := "/apps/" + string(w.app.ID)
	users := "/settings/system-users/" + string(u.ID)
	number := "/wa/manage/phone-numbers/" + string(n.ID)
	for _, c := range []struct {
		path   string
		fields []string
		status int
		page   string // where the language is changed
	}{
		{"/apps/" + q, []string{"name", ""}, 400, "/apps/?"},
		{"/apps/" + q, []string{"name", "<b>\"&"}, 200, "/apps/?"},
		{app + "/settings/save" + q, []string{"name", ""}, 400, app + "/settings/?"},
		{app + "/settings/secret" + q, []string{"password", "wrong"}, 403, app + "/settings/?"},
		{app + "/settings/rotate" + q, []string{"password", "wrong"}, 403, app + "/settings/?"},
		{app + "/whatsapp-business/wa-settings/callback" + q, []string{"callback_url", "nonsense"}, 400, app + "/whatsapp-business/wa-settings/?"},
		{app + "/whatsapp-business/wa-settings/test" + q, []string{"test", "messages"}, 404, app + "/whatsapp-business/wa-settings/?"},
		{app + "/whatsapp-business/wa-dev-console/recipients" + q, []string{"phone", "x", "from", string(test.ID)}, 400, "from=" + string(test.ID)},
		{"/settings/info" + q, []string{"name", ""}, 400, "/settings/info?"},
		{"/settings/people" + q, []string{"email", "nobody"}, 400, "/settings/people?"},
		{"/settings/people" + q, []string{"email", "kai@example.com"}, 200, "/settings/people?"},
		{"/settings/people/remove" + q, []string{"person", b.id}, 404, "/settings/people?"},
		{users + "/token" + q, []string{"app", string(w.app.ID), "scope", "business_management"}, 200, users + "?"},
		{users + "/assign" + q, []string{"waba", string(waba.ID), "access", "nonsense"}, 404, users + "?"},
		{"/settings/whatsapp-business-accounts/" + q, []string{"name", ""}, 400, "/settings/whatsapp-business-accounts/?"},
		{"/settings/whatsapp-business-accounts/" + string(waba.ID) + "/people" + q, []string{"user", "x"}, 404, string(waba.ID) + "?"},
		{"/wa/manage/phone-numbers/add" + q, []string{"phone", "x"}, 400, "/wa/manage/phone-numbers/add?"},
		{number + "/register" + q + "&waba_id=" + string(live.ID), []string{"pin", "123456"}, 400, number + "/connect?"},
		{"/tools/debug/accesstoken/", []string{"token", "x"}, 200, "/tools/debug/accesstoken/"},
		{"/get-started/", []string{"app_name", "Shop", "portfolio_name", ""}, 400, "app_name=Shop"},
		{"/login/", []string{"email", "mio@example.com", "password", "wrong", "next", "/settings/info"}, 403, "next=%2Fsettings%2Finfo"},
	} {
		a := b.post(c.path, c.fields...)
		a.want(t, c.path, c.status)
		back := a.back(t)
		if !strings.Contains(back, c.page) {
			t.Errorf("%s: back to %s, want %s", c.path, back, c.page)
		}
		for _, lang := range []string{"ja", "en"} {
			b.post("/preferences", "lang", lang, "back", back).want(t, c.path+" in "+lang, 200, `lang="`+lang+`"`)
		}
	}
}

// The link with which somebody chooses their password stays good while they choose the language.
func TestLanguageOfAFirstLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	secret, _, err := w.access.SetupLink(t.Context(), "", []access.Membership{{Business: w.home.ID, Role: access.Admin}}, access.SetupLife)
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	a := b.post("/login/first", "key", secret.Reveal(), "name", "Mio", "email", "mio@example.com", "password", "short")
	a.want(t, "short password", 400)
	if strings.Contains(a.back(t), "short") || strings.Contains(a.back(t), "mio") {
		t.Errorf("the address holds what was written: %s", a.back(t))
	}
	b.post("/preferences", "lang", "ja", "back", a.back(t)).want(t, "in Japanese", 200, `lang="ja"`, `type="password"`)
}

// Another account can be chosen where the page is about one, and not on that of one object.
func TestAccountsOnPagesOfObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	all, q := w.paths(t)
	b := w.admin()
	n, err := w.business.AddNumber(t.Context(), business.NewNumber{WABA: w.live(t), WaID: "819012345678", Name: "Aozora Shop"})
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, "/apps/?"+q, "/apps/"+string(w.app.ID)+"/settings/?"+q, "/tools/debug/accesstoken/",
		"/wa/manage/phone-numbers/"+string(n.ID)+"/connect?business_id="+string(w.home.ID)+"&waba_id="+string(n.WABA))
	shown := regexp.MustCompile(`class="waba".*?</details>`)
	links := regexp.MustCompile(`href="([^"]+)"`)
	for _, path := range all {
		if strings.HasPrefix(path, "/get-started/") {
			continue
		}
		menu := shown.FindString(b.get(path).body)
		object := regexp.MustCompile(`/(system-users|whatsapp-business-accounts)/\d|/connect|/tools/`).MatchString(path)
		if (menu == "") != object {
			t.Errorf("%s: the accounts are shown: %v", path, menu != "")
		}
		for _, link := range links.FindAllStringSubmatch(menu, -1) {
			b.get(html.UnescapeString(link[1])).want(t, "chosen on "+path, 200)
		}
	}
}

// live is another account of the portfolio.
func (w *world) live(t *testing.T) wa.WABAID {
	t.Helper()
	x, err := w.business.CreateWABA(t.Context(), business.WABA{Owner: w.home.ID, Name: "Live"})
	if err != nil {
		t.Fatal(err)
	}
	return x.ID
}

func TestFormsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	q := "?business_id=" + string(w.home.ID)
	for lang, title := range map[string]string{"en": "The form is too large", "ja": "フォームの内容が大きすぎます"} {
		b.lang = lang
		b.post("/settings/info"+q, "name", strings.Repeat("x", 70<<10)).want(t, lang, 413, "<h1>"+title, `lang="`+lang+`"`, "64 KiB", `action="/logout"`)
		w.browser().post("/login/", "email", strings.Repeat("x", 70<<10)).want(t, "nobody", 413)
	}
	b.lang = "en"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/settings/info"+q, strings.NewReader("name=%zz"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	b.do(r).want(t, "unreadable", 400, "cannot be read")
	if p, _ := w.business.Portfolio(w.home.ID); p.Name != "Aozora" {
		t.Error("the name was changed")
	}
}

// What we say ourselves is said in the language of the page; what the API says stays as it is and is marked as English.
func TestRefusalsInJapanese(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, err := range []error{access.ErrEmail, access.ErrLink, business.ErrNoCourier, fmt.Errorf("add: %w", access.ErrEmail)} {
		en, _, _ := w.manager.Problem(i18n.English, err)
		ja, code, lang := w.manager.Problem(i18n.Japanese, err)
		if en == "" || ja == en || code != "" || lang != "" || regexp.MustCompile(`[a-z]{4}`).MatchString(strings.ReplaceAll(ja, "--codes", "")) {
			t.Errorf("%v: %q and %q", err, en, ja)
		}
	}
	b := w.person("new@example.com")
	b.lang = "ja"
	b.post("/get-started/", "app_name", strings.Repeat("x", 99), "portfolio_name", "x").want(t, "wizard", 400, "名前は1〜64文字です。", ">100<")
	b.post("/get-started/", "app_name", "Shop", "portfolio_name", "Dahlia").want(t, "wizard", 200)
	b.post("/wa/manage/phone-numbers/add", "name", "Dahlia", "phone", "x").want(t, "number", 400, "国番号付きの電話番号ではありません。")
	b.post("/settings/people", "email", "nobody").want(t, "the API's words", 400, `<p lang="en">(#100) Param email`)
	b.lang = "en"
	if a := b.post("/settings/people", "email", "nobody"); strings.Contains(a.body, `<p lang="en">`) {
		t.Error("English is marked on an English page")
	}
}

func TestAppSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	at := "/apps/" + string(w.app.ID) + "/settings/"
	a := b.post(at+"save", "name", " ", "mode", "live", "proof", "1")
	a.want(t, "no name", 400, "A name has 1 to 64 characters.", `value="live" selected`, "checked")
	a = b.post(at+"save", "name", "Kiosk", "mode", "nonsense")
	a.want(t, "no mode", 400, "one of the two modes", `value="Kiosk"`)
	if x, _ := w.access.App(w.app.ID); x.Name != "Shop" || x.RequireProof {
		t.Errorf("saved: %+v", x)
	}
	describes := func(a answer, id string) bool {
		return regexp.MustCompile(`id="` + id + `-error"|id="` + id + `"[^>]*aria-invalid`).MatchString(a.body)
	}
	a = b.post(at+"secret", "password", "wrong")
	a.want(t, "show", 403, "not your password")
	if !describes(a, "password") || describes(a, "rotate-password") {
		t.Error("show: the wrong field says so")
	}
	a = b.post(at+"rotate", "password", "wrong")
	a.want(t, "replace", 403, "not your password", "The secret was not replaced.")
	if describes(a, "password") || !describes(a, "rotate-password") {
		t.Error("replace: the wrong field says so")
	}
	old, err := w.access.AppSecret(w.app.ID)
	if err != nil {
		t.Fatal(err)
	}
	a = b.post(at+"rotate", "password", password)
	fresh, err := w.access.AppSecret(w.app.ID)
	if err != nil || fresh.Reveal() == old.Reveal() {
		t.Fatal("not replaced")
	}
	a.want(t, "replace", 200, fresh.Reveal())
}

// Of somebody else's token, nothing is told.
func TestDebuggerOfTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	clerk := w.person("clerk@example.com", access.Membership{Business: w.home.ID, Role: access.Employee})
	mine, _, err := w.access.IssueTemporary(t.Context(), b.id, w.app.ID)
	if err != nil {
		t.Fatal(err)
	}
	const path = "/tools/debug/accesstoken/"
	b.post(path, "token", mine.Reveal()).want(t, "one's own", 200, "is_valid", b.id)
	a := clerk.post(path, "token", mine.Reveal())
	a.want(t, "another's", 403, "Nothing can be told about this token.", "your own tokens")
	for _, told := range []string{"is_valid", "scopes", b.id, "app_id"} {
		if strings.Contains(a.body, told) {
			t.Errorf("another's: %s is told", told)
		}
	}
	clerk.lang = "ja"
	clerk.post(path, "token", mine.Reveal()).want(t, "in Japanese", 403, "何も表示できません")
	clerk.post(path, "token", "nonsense").want(t, "no token", 200, "is_valid", "190")
}

// An app of a portfolio without accounts: there is nothing that anybody could lack a task on.
func TestAppsWithoutAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{Name: "Birch"})
	if err != nil {
		t.Fatal(err)
	}
	app, err := w.access.CreateApp(t.Context(), access.NewApp{Name: "Empty", Business: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	b := w.person("mio@example.com", access.Membership{Business: p.ID, Role: access.Admin})
	for _, part := range []string{"wa-dev-console/", "wa-settings/"} {
		b.get("/apps/"+string(app.ID)+"/whatsapp-business/"+part).want(t, part, 200, "Nothing here yet", "/get-started/")
	}
	b.post("/apps/"+string(app.ID)+"/whatsapp-business/wa-dev-console/token").want(t, "a token", 409, "Nothing here yet")
	if list := w.access.Tokens(func(*access.Token) bool { return true }); len(list) != 0 {
		t.Errorf("tokens: %v", list)
	}
	b.get("/apps/"+string(app.ID)+"/settings/").want(t, "settings", 200, "Empty")
	clerk := w.person("kai@example.com", access.Membership{Business: p.ID, Role: access.Employee})
	clerk.get("/apps/"+string(app.ID)+"/settings/").want(t, "without the role", 403, string(access.Admin))
}

// forgetful is a store that cannot write the history any more.
type forgetful struct {
	business.Store
	broken *bool
}

func (f forgetful) SaveBusiness(ctx context.Context, s *business.Set) error {
	if *f.broken && len(s.Activities) > 0 {
		return errors.New("no room for the history")
	}
	return f.Store.SaveBusiness(ctx, s)
}

// A token is shown once: it must not be lost because something after it fails.
func TestTokenWithoutHistory(t *testing.T) {
	t.Parallel()
	broken := false
	w := newWorld(t, nil, func(s business.Store) business.Store { return forgetful{s, &broken} })
	b := w.admin()
	u, err := w.access.CreateSystemUser(t.Context(), access.SystemUser{Business: w.home.ID, Name: "shop-backend", Role: access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	broken = true
	a := b.post("/settings/system-users/"+string(u.ID)+"/token?business_id="+string(w.home.ID), "app", string(w.app.ID), "scope", "business_management")
	a.want(t, "generate", 200, "only time", "has no entry for this token")
	if _, err := w.access.Authenticate(t.Context(), a.find(t, `(EAA[0-9A-Za-z]{40,})`)); err != nil {
		t.Error(err)
	}
	list, err := w.business.Activities(t.Context(), business.ActivityQuery{WABA: w.business.WABAs(w.home.ID)[0].ID, Limit: 9})
	if err != nil || slices.ContainsFunc(list, func(x *business.Activity) bool { return x.Type == business.ActGranted }) {
		t.Errorf("history: %v %v", list, err)
	}
}

func TestLegalName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	path := "/settings/info?business_id=" + string(w.home.ID)
	legal := `Legal name</dt><dd[^>]*>([^<]+)<`
	if got := b.get(path).find(t, legal); got != "–" {
		t.Errorf("the portfolio's own name stands as the legal one: %s", got)
	}
	if _, err := w.business.OpenCredit(t.Context(), w.home.ID, "Aozora KK"); err != nil {
		t.Fatal(err)
	}
	if got := b.get(path).find(t, legal); got != "Aozora KK" {
		t.Errorf("of the credit line: %s", got)
	}
}

// Other sites can begin no session of the development mode: each would end one of the person's.
func TestOtherSitesBeginNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *manager.Options) { o.Developer = "500600700800900" })
	if _, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{ID: "500600700800900", Name: "x"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		site, mode string
		begins     bool
	}{
		"typed, or a bookmark":      {"none", "navigate", true},
		"a link of ours":            {"same-origin", "navigate", true},
		"an old browser":            {"", "", true},
		"a link of another site":    {"cross-site", "navigate", false},
		"another port of this host": {"same-site", "navigate", false},
		"a picture of another site": {"cross-site", "no-cors", false},
		"a picture of ours":         {"same-origin", "no-cors", false},
		"a script of ours":          {"same-origin", "cors", false},
	} {
		b := w.browser()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/wa/manage/home/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for header, value := range map[string]string{"Sec-Fetch-Site": c.site, "Sec-Fetch-Mode": c.mode} {
			if value != "" {
				r.Header.Set(header, value)
			}
		}
		b.do(r)
		u, err := url.Parse(w.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(b.client.Jar.Cookies(u)) > 0; got != c.begins {
			t.Errorf("%s: a session begins: %v", name, got)
		}
		if c.begins || c.site == "" || c.site == "same-origin" {
			continue
		}
		for _, path := range []string{"/login/developer", "/login/", "/logout", "/preferences", "/login/first"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Sec-Fetch-Site", c.site)
			if a := b.do(r); a.status != http.StatusForbidden {
				t.Errorf("%s posts to %s: %d", name, path, a.status)
			}
		}
	}
}
