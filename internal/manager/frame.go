package manager

import (
	"net/url"
	"slices"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/manager/static"
)

// Frame is everything around the content of a page. It holds what to print and knows nothing else: who may see what is decided before.
type Frame struct {
	Lang  i18n.Lang
	Theme string // "light", "dark"; empty: as the system has it
	// Title is that of the browser's tab, and the last crumb. Empty, it is the name of the place.
	Title  string
	Crumbs []kit.Link // what the page lies below, from the top

	Here   Place
	Places []Place         // those that exist and that the person may use
	Counts map[Place]Count // figures beside entries of the menu

	Person     string // the name of who is logged in; empty: nobody, and there is no menu
	Scope      Scope
	Portfolios []Named
	WABAs      []Named // of the chosen portfolio: owned and shared

	URL     *url.URL // of the request: changes of language, theme and account come back to it
	Version string
	Notice  html.Node  // above every page: what is unusual about this server
	Bench   []kit.Link // what of that has a page: faults, a paused queue, a moved clock
}

// Named is an object with its id, for a drop-down.
type Named struct{ ID, Name string }

// Count is a figure in the menu. Bad ones are about failures.
type Count struct {
	N   int
	Bad bool
}

// Page is the whole document around a page's content.
func (f Frame) Page(body ...html.Node) html.Node {
	if f.Title == "" {
		f.Title = title(f.Lang, f.Here)
	}
	return html.Doc(html.Lang(string(f.Lang)), html.If(f.Theme != "", html.Data("theme", f.Theme)), f.head(),
		html.Body(
			html.A(html.Class("skip"), html.Href("#main"), html.Text(f.Lang.T("frame.skip"))),
			html.Iff(f.Person == "", func() html.Node { return f.bare(body) }),
			html.Iff(f.Person != "", func() html.Node { return f.around(body) }),
			html.Div(html.ID("spoken"), html.Class("unseen"), html.Role("status"), html.Aria("live", "polite"))))
}

func (f Frame) head() html.Node {
	return html.Head(
		html.Meta(html.Charset("utf-8")),
		html.Meta(html.Name("viewport"), html.Content("width=device-width, initial-scale=1")),
		html.Meta(html.Name("color-scheme"), html.Content("light dark")),
		html.Title(html.Text(f.Title+" · "+f.Lang.T("frame.product"))),
		html.Link(html.Rel("icon"), html.Href(static.URL("mark.svg"))),
		html.Link(html.Rel("stylesheet"), html.Href(static.URL("app.css"))),
		html.Script(html.Type("module"), html.Src(static.URL("js/app.js"))))
}

// bare is a page for somebody who is not logged in: no menu, one column.
func (f Frame) bare(body []html.Node) html.Node {
	return html.Div(html.Class("bare"),
		html.Header(html.Class("bare-bar"), f.brand("/"), html.Div(html.Class("bar-end"), f.languages(), f.themes())),
		html.Main(html.ID("main"), html.TabIndex("-1"), f.Notice, html.Group(body)))
}

func (f Frame) around(body []html.Node) html.Node {
	return html.Div(html.Class("app"),
		html.Aside(html.ID("side"), html.Class("side"), html.Popover(true), html.Aria("label", f.Lang.T("frame.side")),
			html.Div(html.Class("side-top"), f.brand(f.Scope.Path(Overview)), html.Span(html.Class("version"), html.Text(f.Version))),
			f.portfolios(), f.menu(), f.sideFoot()),
		html.Div(html.Class("page"),
			f.bar(),
			html.Main(html.ID("main"), html.Class("content"), html.TabIndex("-1"), f.Notice, html.Group(body))),
		f.bottom())
}

func (f Frame) brand(href string) html.Node {
	return html.A(html.Class("brand"), html.Href(href), html.Img(html.Src(static.URL("mark.svg")), html.Alt(""), html.Width("24"), html.Height("24")),
		html.Span(html.Text(f.Lang.T("frame.product"))))
}

func (f Frame) menu() html.Node {
	sections, label := managerMenu, "frame.menu"
	if f.Here.settings() {
		sections, label = settingsMenu, "frame.settings_menu"
	}
	return html.Nav(html.Class("menu-list"), html.Aria("label", f.Lang.T(label)), html.Map(sections, f.section))
}

func (f Frame) section(part section) html.Node {
	var entries html.Group
	for _, at := range part.sites {
		if slices.Contains(f.Places, at.place) {
			entries = append(entries, f.entry(at))
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return html.Group{
		html.If(part.text != "", html.P(html.Class("menu-head"), html.Text(f.Lang.T(part.text)))),
		html.Ul(entries),
	}
}

func (f Frame) entry(at site) html.Node {
	count := f.Counts[at.place]
	class := ""
	if count.Bad {
		class = "bad"
	}
	return html.Li(html.A(html.Href(f.Scope.path(at)), html.If(at.place == f.Here, html.Aria("current", "page")),
		kit.Icon(at.icon), html.Span(html.Text(f.Lang.T(at.text))),
		html.If(count.N > 0, html.Span(html.Class("menu-count", class), html.Int(count.N)))))
}

// bottom are the tabs of a narrow screen.
func (f Frame) bottom() html.Node {
	var shown html.Group
	for _, p := range tabs {
		if !slices.Contains(f.Places, p) || len(shown) == 4 {
			continue
		}
		for _, part := range managerMenu {
			for _, at := range part.sites {
				if at.place == p {
					shown = append(shown, html.A(html.Href(f.Scope.path(at)), html.If(p == f.Here, html.Aria("current", "page")),
						kit.Icon(at.icon), html.Span(html.Text(f.Lang.T(at.text)))))
				}
			}
		}
	}
	return html.Nav(html.Class("bottom"), html.Aria("label", f.Lang.T("frame.tabs")), shown,
		html.Button(html.Type("button"), html.PopoverTarget("side"), kit.Icon("ellipsis"), html.Span(html.Text(f.Lang.T("frame.more")))))
}
