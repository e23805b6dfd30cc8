package kit

import (
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/static"
)

// Tone is what a colour says. It never stands without a word or an icon.
type Tone string

// The tones.
const (
	OK   Tone = "ok"
	Warn Tone = "warn"
	Bad  Tone = "bad"
	Info Tone = "info"
	Mute Tone = "mute"
)

// Icon is a sign of the sprite, for the eye only: what it means stands beside it or in the label of its control.
func Icon(name string) html.Node {
	return html.SVG(html.Class("icon"), html.Aria("hidden", "true"), html.Use(html.Href(static.Icon(name))))
}

// Head is the top of a page or a card. Only the title must be there.
type Head struct {
	Title string
	Sub   html.Node // beside the title of a card, below that of a page
	Right html.Node // what can be done, at the right edge
}

// Page is the content of a page below its title.
func Page(h Head, body ...html.Node) html.Node {
	return html.Group{
		html.Header(html.Class("page-head"),
			html.Div(html.H1(html.Text(h.Title)), html.Iff(h.Sub != nil, func() html.Node { return html.P(html.Class("sub"), h.Sub) })),
			html.Iff(h.Right != nil, func() html.Node { return html.Div(html.Class("actions"), h.Right) })),
		html.Group(body),
	}
}

// Columns puts cards beside each other, the first side wider, and below each other where there is no room.
func Columns(wide, narrow html.Node) html.Node {
	return html.Div(html.Class("columns"), html.Div(html.Class("stack"), wide), html.Div(html.Class("stack"), narrow))
}

// Stack puts parts below each other with the space of the page.
func Stack(parts ...html.Node) html.Node { return html.Div(html.Class("stack"), html.Group(parts)) }

// Row puts parts beside each other, and below where there is no room.
func Row(parts ...html.Node) html.Node { return html.Div(html.Class("row"), html.Group(parts)) }

// Card is a part of a page with a heading of the second level; without a title it has none. An attribute in body, such as an id, is
// the card's.
func Card(h Head, body ...html.Node) html.Node {
	g := html.Group(body)
	return html.Section(html.Class("card"), html.Attributes(g),
		html.Iff(h.Title != "" || h.Right != nil, func() html.Node {
			return html.Header(html.H2(html.Text(h.Title)), html.Iff(h.Sub != nil, func() html.Node { return html.Span(html.Class("sub"), h.Sub) }),
				html.Iff(h.Right != nil, func() html.Node { return html.Div(html.Class("actions"), h.Right) }))
		}),
		html.Div(html.Class("card-body"), html.Children(g)))
}

// Flush is a card whose body reaches its edges, for tables.
func Flush(h Head, body ...html.Node) html.Node {
	return Card(h, html.Data("flush", ""), html.Group(body))
}

// Foot is the last line of a card, set apart.
func Foot(parts ...html.Node) html.Node { return html.Div(html.Class("foot"), html.Group(parts)) }

var noteIcon = map[Tone]string{OK: "circle-check", Warn: "triangle-alert", Bad: "circle-alert", Info: "info", Mute: "info"}

// Note says something about the page or a part of it. One that is bad is spoken at once.
func Note(tone Tone, body ...html.Node) html.Node {
	role := "status"
	if tone == Bad {
		role = "alert"
	}
	return html.Div(html.Class("note", string(tone)), html.Role(role), Icon(noteIcon[tone]), html.Div(html.Class("note-body"), html.Group(body)))
}

// Empty stands where a list has nothing yet: what would be here, one sentence, one action.
func Empty(icon, title, sentence string, action ...html.Node) html.Node {
	return html.Div(html.Class("empty"), Icon(icon), html.P(html.Strong(html.Text(title))), html.P(html.Text(sentence)),
		html.Iff(len(action) > 0, func() html.Node { return html.Div(html.Class("actions"), html.Group(action)) }))
}

// Link is a word that leads somewhere. Here marks the place the person is at.
type Link struct {
	Text, Href string
	Here       bool
}

// Tabs are the sides of one thing, each at its own address.
func Tabs(label string, tabs ...Link) html.Node {
	return html.Nav(html.Class("tabs"), html.Aria("label", label), html.Map(tabs, func(t Link) html.Node {
		return html.A(html.Href(t.Href), html.If(t.Here, html.Aria("current", "page")), html.Text(t.Text))
	}))
}

// Seg is a choice of two to six that excludes each other, each at its own address.
func Seg(label string, choices ...Link) html.Node {
	return html.Nav(html.Class("seg"), html.Aria("label", label), html.Map(choices, func(c Link) html.Node {
		return html.A(html.Href(c.Href), html.If(c.Here, html.Aria("current", "true")), html.Text(c.Text))
	}))
}

// Facts are names with values, one pair a line.
func Facts(facts ...Fact) html.Node {
	return html.Dl(html.Class("facts"), html.Map(facts, func(f Fact) html.Node {
		return html.Div(html.Dt(html.Text(f.Name)), html.Dd(f.Value))
	}))
}

// Fact is a name with a value.
type Fact struct {
	Name  string
	Value html.Node
}
