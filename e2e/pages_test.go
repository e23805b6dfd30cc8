package e2e

import "testing"

// console and settings are the paths of an app's dashboard.
func (s *server) console() string {
	return "/apps/" + s.vars["APP_ID"] + "/whatsapp-business/wa-dev-console/"
}

func (s *server) configuration() string {
	return "/apps/" + s.vars["APP_ID"] + "/whatsapp-business/wa-settings/"
}

// TestPages looks at every page in both languages. Whether it is accessible takes most of the time and is looked at once, of one page in
// English and in the dark, of the next in Japanese and in the light; the parts of all pages are the same.
func TestPages(t *testing.T) {
	need(t)
	s := serve(t)
	p := s.visit()
	p.open("/wa/manage/home/")
	waba, app := "/settings/whatsapp-business-accounts/"+s.vars["WABA_ID"], "/apps/"+s.vars["APP_ID"]
	user, ok := eval[string](p, `fetch("/settings/system-users", { method: "POST", body: new URLSearchParams({ name: "shop-backend", role: "EMPLOYEE" }) }).then((r) => r.url)`)
	if !ok {
		t.Fatal("no system user")
	}
	p.expect("status of 404")
	for turn, language := range []string{"en", "ja"} {
		p.open("/wa/manage/home/")
		p.language(language)
		for i, x := range [][2]string{
			{"home", "/wa/manage/home/"},
			{"numbers", "/wa/manage/phone-numbers/"},
			{"add-number", "/wa/manage/phone-numbers/add"},
			{"info", "/settings/info"},
			{"people", "/settings/people"},
			{"system-users", "/settings/system-users"},
			{"system-user", user},
			{"accounts", "/settings/whatsapp-business-accounts/"},
			{"account", waba},
			{"account-people", waba + "?tab=people"},
			{"account-partners", waba + "?tab=partners"},
			{"apps", "/apps/"},
			{"api-setup", s.console()},
			{"configuration", s.configuration()},
			{"test-field", s.configuration() + "?test=messages"},
			{"app-settings", app + "/settings/"},
			{"roles", app + "/roles/"},
			{"debugger", "/tools/debug/accesstoken/"},
			{"get-started", "/get-started/"},
			{"get-started-portfolio", "/get-started/?step=portfolio&app_name=Shop"},
			{"log-in", "/login/"},
			{"not-found", "/wa/manage/nowhere/"},
		} {
			var schemes []string
			if i%2 == turn {
				schemes = []string{[]string{"dark", "light"}[turn]}
			}
			p.open(x[1])
			p.lookIn(x[0]+" "+language, schemes...)
		}
	}
}

// language is chosen in the bar.
func (p *page) language(to string) {
	p.t.Helper()
	p.until("the page", `document.querySelector("h1")`)
	if now, _ := eval[string](p, `document.documentElement.lang`); now == to {
		return
	}
	p.click(map[string]string{"ja": "Language", "en": "言語"}[to])
	p.click(map[string]string{"ja": "日本語", "en": "English"}[to])
	p.until("the language", `document.documentElement.lang === `+quote(to))
}
