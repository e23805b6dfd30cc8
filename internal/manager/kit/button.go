package kit

import (
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

// Kind is the weight of a button: one primary in a view; danger for what cannot be taken back.
type Kind string

// The kinds of buttons.
const (
	Plain   Kind = ""
	Primary Kind = "primary"
	Quiet   Kind = "quiet"
	Danger  Kind = "danger"
)

// Button is something to press. With an Href it leads there, else it sends the form it stands in.
type Button struct {
	Text, Icon string
	Kind       Kind
	Href       string
	Small      bool
	Name       string // sent with the form, with Value
	Value      string
	Off        bool
	More       html.Node // further attributes
}

// Btn is a button.
func Btn(b Button) html.Node {
	small := ""
	if b.Small {
		small = "small"
	}
	inside := html.Group{html.Class("btn", string(b.Kind), small), b.More, html.Iff(b.Icon != "", func() html.Node { return Icon(b.Icon) }), html.Span(html.Text(b.Text))}
	if b.Href != "" && !b.Off {
		return html.A(html.Href(b.Href), inside)
	}
	return html.Button(html.Type("submit"), html.If(b.Name != "", html.Group{html.Name(b.Name), html.Value(b.Value)}), html.Disabled(b.Off), inside)
}

// IconBtn is a button that shows only an icon; the label is its name for those who do not see it and its tip for those who do.
func IconBtn(label, icon string, more ...html.Node) html.Node {
	return html.Button(html.Type("button"), html.Class("icon-btn"), html.Aria("label", label), html.TitleAttr(label), Icon(icon), html.Group(more))
}

// IconLink is an icon that leads somewhere.
func IconLink(label, icon, href string) html.Node {
	return html.A(html.Href(href), html.Class("icon-btn"), html.Aria("label", label), html.TitleAttr(label), Icon(icon))
}

// Menu is what opens below a control: links, or buttons of forms. The label says what the control does, after the words of its face. It
// opens without script; script closes it by Escape and by a press elsewhere.
func Menu(label string, face html.Node, items ...html.Node) html.Node {
	return html.Details(html.Class("menu"), html.Summary(html.TitleAttr(label), face, html.Span(html.Class("unseen"), html.Text(label))),
		html.Div(html.Class("menu-items"), html.Group(items)))
}

// Ask is a question before something that cannot be taken back.
type Ask struct {
	ID     string    // of the dialog, on the page once
	Button Button    // what opens it
	Title  string    // the thing by its name
	Text   html.Node // what goes with it
	Verb   string    // on the button that does it
	Action string    // where it is posted
	Fields html.Node // what is posted with it
	Type   string    // what the person must type first; for accounts, portfolios, all data
}

// Confirm is a button that asks before it does. It opens without script; with script it holds the focus until it is answered.
func Confirm(l i18n.Lang, a Ask) html.Node {
	open := a.Button
	open.More = html.Group{open.More, html.PopoverTarget(a.ID), html.Aria("haspopup", "dialog")}
	return html.Group{
		button(open),
		html.Dialog(html.ID(a.ID), html.Popover(true), html.Class("confirm"), html.Aria("labelledby", a.ID+"-title"),
			html.Form(html.Method("post"), html.Action(a.Action), a.Fields,
				html.H2(html.ID(a.ID+"-title"), html.Text(a.Title)), html.Div(html.Class("confirm-text"), a.Text),
				html.Iff(a.Type != "", func() html.Node {
					return Field(Input{
						ID: a.ID + "-type", Name: "confirm", Label: l.T("kit.type_name", "name", a.Type), Required: true,
						More: html.Group{html.Data("must", a.Type), html.Autocomplete("off")},
					})
				}),
				html.Div(html.Class("actions"),
					button(Button{Text: l.T("kit.cancel"), More: html.Group{html.PopoverTarget(a.ID), html.PopoverAction("hide"), html.Data("close", "")}}),
					Btn(Button{Text: a.Verb, Kind: Danger})))),
	}
}

// button is one that sends nothing.
func button(b Button) html.Node {
	small := ""
	if b.Small {
		small = "small"
	}
	return html.Button(html.Type("button"), html.Class("btn", string(b.Kind), small), html.Disabled(b.Off), b.More,
		html.Iff(b.Icon != "", func() html.Node { return Icon(b.Icon) }), html.Span(html.Text(b.Text)))
}
