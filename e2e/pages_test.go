package e2e

import "testing"

// console and settings are the paths of an app's dashboard.
func (s *server) console() string {
	return "/apps/" + s.vars["APP_ID"] + "/whatsapp-business/wa-dev-console/"
}

func (s *server) configuration() string {
	return "/apps/" + s.vars["APP_ID"] + "/whatsapp-business/wa-settings/"
}

// TestPages looks at every page of the dashboard in both languages.
func TestPages(t *testing.T) {
	need(t)
	s := serve(t)
	p := s.visit()
	p.open("/wa/manage/home/")
	for _, language := range []string{"en", "ja"} {
		p.open("/wa/manage/home/")
		p.language(language)
		for name, path := range map[string]string{
			"home": "/wa/manage/home/", "apps": "/apps/", "api-setup": s.console(), "configuration": s.configuration(), "test-field": s.configuration() + "?test=messages",
			"app-settings": "/apps/" + s.vars["APP_ID"] + "/settings/", "roles": "/apps/" + s.vars["APP_ID"] + "/roles/", "debugger": "/tools/debug/accesstoken/",
		} {
			p.open(path)
			p.look(name + " " + language)
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
