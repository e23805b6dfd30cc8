package manager

import (
	"net/url"
	"strings"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

func (f Frame) bar() html.Node {
	return html.Header(html.Class("bar-top"),
		html.Button(html.Type("button"), html.Class("icon-btn menu-btn"), html.PopoverTarget("side"), html.Aria("label", f.Lang.T("frame.open_menu")), kit.Icon("menu")),
		f.crumbs(),
		html.Div(html.Class("bar-end"), f.bench(), f.wabas(), html.Div(html.Class("wide-only"), f.languages(), f.themes()), f.person()))
}

func (f Frame) crumbs() html.Node {
	return html.Nav(html.Class("crumbs"), html.Aria("label", f.Lang.T("frame.crumbs")), html.Ol(
		html.Map(f.Crumbs, func(c kit.Link) html.Node {
			return html.Li(html.A(html.Href(c.Href), html.Text(c.Text)), kit.Icon("chevron-right"))
		}),
		html.Li(html.Span(html.Aria("current", "page"), html.Text(f.Title)))))
}

// bench counts what is unusual on this server, and leads to it.
func (f Frame) bench() html.Node {
	return html.Map(f.Bench, func(b kit.Link) html.Node {
		return html.A(html.Class("tag warn"), html.Href(b.Href), kit.Icon("zap"), html.Text(b.Text))
	})
}

// wabas switches the account in place.
func (f Frame) wabas() html.Node {
	if len(f.WABAs) == 0 || f.URL == nil {
		return nil
	}
	return html.Div(html.Class("waba"), kit.Menu(f.Lang.T("frame.waba"),
		html.Group{html.Class("select"), html.Span(html.Text(name(f.WABAs, f.Scope.WABA))), kit.Icon("chevrons-up-down")},
		html.Map(f.WABAs, func(n Named) html.Node {
			return html.A(html.Href(with(f.URL, f.Scope.Business, n.ID)), html.If(n.ID == f.Scope.WABA, html.Aria("current", "true")),
				html.Span(html.Class("two"), html.Span(html.Text(n.Name)), html.Small(html.Text(n.ID))))
		})))
}

// with is an address with another account in its query.
func with(u *url.URL, business, waba string) string {
	q := u.Query()
	if business != "" {
		q.Set("business_id", business)
	}
	q.Set("waba_id", waba)
	q.Del("after")
	q.Del("before")
	return u.Path + "?" + q.Encode()
}

// portfolios does what the original's does: choosing one leaves for its settings; the bookmark beside it is the overview of it.
func (f Frame) portfolios() html.Node {
	if len(f.Portfolios) == 0 {
		return nil
	}
	chosen := f.Lang.T("frame.choose_portfolio")
	if f.Scope.Business != "" {
		chosen = name(f.Portfolios, f.Scope.Business)
	}
	return html.Div(html.Class("portfolio"), kit.Menu(f.Lang.T("frame.portfolio"),
		html.Group{
			html.Class("select"), html.Span(html.Class("avatar square"), html.Aria("hidden", "true"), html.Text(initials(chosen, 1))),
			html.Span(html.Class("two"), html.Span(html.Text(chosen)), html.Small(html.Text(f.Lang.T("frame.business_portfolio")))), kit.Icon("chevrons-up-down"),
		},
		html.Map(f.Portfolios, func(n Named) html.Node {
			return html.Div(html.Class("menu-pair"),
				html.A(html.Href(Scope{Business: n.ID}.Path(Info)), html.If(n.ID == f.Scope.Business, html.Aria("current", "true")),
					html.Span(html.Class("two"), html.Span(html.Text(n.Name)), html.Small(html.Text(n.ID)))),
				kit.IconLink(f.Lang.T("frame.bookmark", "name", n.Name), "bookmark", Scope{Business: n.ID}.Path(Overview)))
		})))
}

func (f Frame) sideFoot() html.Node {
	return html.Div(html.Class("side-foot"), html.Div(html.Class("narrow-only"), f.languages(), f.themes()))
}

// preference is a form with one button for each value of a choice that is kept in a cookie.
func (f Frame) preference(field, now string, values [][2]string) html.Node {
	back := "/"
	if f.URL != nil {
		back = f.URL.RequestURI()
	}
	return html.Form(html.Method("post"), html.Action("/preferences"), kit.Hidden("back", back),
		html.Map(values, func(v [2]string) html.Node {
			return html.Button(html.Type("submit"), html.Name(field), html.Value(v[0]), html.If(field == "lang", html.Lang(v[0])),
				html.If(v[0] == now, html.Aria("current", "true")), html.Span(html.Text(v[1])))
		}))
}

func (f Frame) languages() html.Node {
	return kit.Menu(f.Lang.T("frame.language"), html.Group{html.Class("icon-btn"), kit.Icon("languages")},
		f.preference("lang", string(f.Lang), [][2]string{{string(i18n.English), "English"}, {string(i18n.Japanese), "日本語"}}))
}

func (f Frame) themes() html.Node {
	icon, now := "sun-moon", "auto"
	switch f.Theme {
	case "light":
		icon, now = "sun", f.Theme
	case "dark":
		icon, now = "moon", f.Theme
	}
	return kit.Menu(f.Lang.T("frame.theme"), html.Group{html.Class("icon-btn"), kit.Icon(icon)},
		f.preference("theme", now, [][2]string{{"light", f.Lang.T("frame.light")}, {"dark", f.Lang.T("frame.dark")}, {"auto", f.Lang.T("frame.auto")}}))
}

func (f Frame) person() html.Node {
	return kit.Menu(f.Lang.T("frame.person", "name", f.Person), html.Group{html.Class("avatar"), html.Span(html.Aria("hidden", "true"), html.Text(initials(f.Person, 2)))},
		html.P(html.Class("menu-name"), html.Text(f.Person)),
		html.Form(html.Method("post"), html.Action("/logout"), html.Button(html.Type("submit"), kit.Icon("log-out"), html.Span(html.Text(f.Lang.T("frame.logout"))))))
}

func name(list []Named, id string) string {
	for _, n := range list {
		if n.ID == id {
			return n.Name
		}
	}
	return id
}

// initials are the first letters of the words of a name; of a name without spaces, as in Japanese, the first.
func initials(name string, most int) string {
	var out []rune
	for word := range strings.FieldsSeq(name) {
		if len(out) < most {
			out = append(out, []rune(word)[0])
		}
	}
	return strings.ToUpper(string(out))
}
