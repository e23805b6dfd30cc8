package manager_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/manager"
)

func TestLogIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.browser()
	b.get("/settings/people?business_id=1").want(t, "without a session", 200, "/login/?next=%2Fsettings%2Fpeople%3Fbusiness_id%3D1", `type="password"`)
	b.get("/login/first?key=nonsense").want(t, "no link", 403, "hikyaku admin login-link")
	secret, _, err := w.access.SetupLink(t.Context(), "", []access.Membership{{Business: w.home.ID, Role: access.Admin}}, access.SetupLife)
	if err != nil {
		t.Fatal(err)
	}
	first := "/login/first?" + url.Values{"key": {secret.Reveal()}}.Encode()
	b.get(first).want(t, "first", 200, `name="email"`)
	form := []string{"key", secret.Reveal(), "name", "Mio", "email", "mio@example.com", "password"}
	b.post("/login/first", append(form, "short")...).want(t, "short password", 400, "10 to 256")
	b.post("/login/first", append(form, password)...).want(t, "set up", 200, "/get-started/")
	b.get("/wa/manage/home/").want(t, "logged in", 200, "Aozora")
	w.browser().get(first).want(t, "the link again", 403)

	for _, c := range b.client.Jar.Cookies(&url.URL{Scheme: "http", Host: strings.TrimPrefix(w.url, "http://"), Path: "/"}) {
		if strings.Contains(c.Value, "mio") {
			t.Error("the cookie tells something")
		}
	}
	b.post("/logout").want(t, "log out", 200, `type="password"`)
	b.get("/wa/manage/home/").want(t, "logged out", 200, "/login/")
	for range 5 {
		b.post("/login/", "email", "mio@example.com", "password", "wrong").want(t, "wrong password", 403)
	}
	b.post("/login/", "email", "mio@example.com", "password", password).want(t, "after five wrong ones", 429, "15 minutes")
	w.clock.Advance(access.SetupLife)
	b.post("/login/", "email", "mio@example.com", "password", password, "next", "//evil.example.com/").want(t, "later", 200, "/wa/manage/home/")
	w.clock.Advance(access.SessionLife)
	b.get("/wa/manage/home/").want(t, "after a week", 200, "/login/")
}

func TestCookie(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"":                        "hikyaku_session_",
		"https://graph.example":   "__Host-hikyaku_session=",
		"https://graph.example:9": "__Host-hikyaku_session_9=",
	} {
		w := newWorld(t, func(o *manager.Options) {
			if base != "" {
				o.BaseURL = base
			}
		})
		b := w.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if _, err := w.access.CreatePerson(t.Context(), access.Person{ID: "1", Email: "a@example.com"}); err != nil {
			t.Fatal(err)
		}
		if err := w.access.SetPassword(t.Context(), "1", password); err != nil {
			t.Fatal(err)
		}
		res, err := b.client.PostForm(w.url+"/login/", url.Values{"email": {"a@example.com"}, "password": {password}})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		c := res.Header.Get("Set-Cookie")
		for _, part := range []string{want, "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="} {
			if !strings.Contains(c, part) {
				t.Errorf("%s: %s lacks %s", base, c, part)
			}
		}
		if strings.Contains(c, "Secure") != (base != "") {
			t.Errorf("%s: %s", base, c)
		}
	}
}

func TestOtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	for _, header := range []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example.com"} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/settings/info", strings.NewReader("name=Taken"))
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if got := b.do(r); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", header, got.status)
		}
	}
	if p, _ := w.business.Portfolio(w.home.ID); p.Name != "Aozora" {
		t.Error("the name was changed")
	}
}

func TestDevelopmentMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *manager.Options) { o.Developer = "500600700800900" })
	if _, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{ID: "500600700800900", Name: "x"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		host, header string
		in           bool
	}{
		"this machine":        {"", "", true},
		"by its name":         {"localhost:8080", "", true},
		"IPv6":                {"[::1]:8080", "", true},
		"another name":        {"rebound.example.com:8080", "", false},
		"a name of one word":  {"hikyaku", "", false},
		"a private address":   {"192.168.0.9", "", false},
		"through a proxy":     {"", "X-Forwarded-For", false},
		"through a tunnel":    {"localhost", "Forwarded", false},
		"through a tail net":  {"", "Tailscale-User-Login", false},
		"through a CDN":       {"", "Cf-Connecting-Ip", false},
		"localhost as prefix": {"localhost.evil.example", "", false},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/get-started/", nil)
		if c.host != "" {
			r.Host = c.host
		}
		if c.header != "" {
			r.Header.Set(c.header, "203.0.113.9")
		}
		res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if in := res.Header.Get("Set-Cookie") != ""; in != c.in {
			t.Errorf("%s: logged in is %v", name, in)
		}
	}
	b := w.browser()
	b.get("/login/").want(t, "it says so", 200, "Development mode")
	b.post("/login/developer").want(t, "as developer", 200)
	off := newWorld(t, nil).browser()
	off.post("/login/developer").want(t, "where it is off", 404)
}
