package kit

import (
	"strconv"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

// Form is posted to an address. It works without script; give it [Swap] to have only parts of the page exchanged.
func Form(action string, body ...html.Node) html.Node {
	return html.Form(html.Method("post"), html.Action(action), html.Class("form"), html.Group(body))
}

// Search is a form that asks: its fields stand in the address.
func Search(action string, body ...html.Node) html.Node {
	return html.Form(html.Method("get"), html.Action(action), html.Role("search"), html.Class("search"), html.Group(body))
}

// Swap makes a form or a link fetch only the parts of the page with these ids, and exchange them in place.
func Swap(ids string) html.Node { return html.Data("swap", ids) }

// Live makes a form be posted while somebody types, 120 ms after the last key, and the parts with these ids be exchanged.
func Live(ids string) html.Node { return html.Data("live", ids) }

// Hidden is a value that goes with a form.
func Hidden(name, value string) html.Node {
	return html.Input(html.Type("hidden"), html.Name(name), html.Value(value))
}

// Input is a field of a form. Only Name and Label must be there.
type Input struct {
	ID       string // the name when empty
	Name     string
	Label    string
	Type     string // text when empty
	Value    string
	Hint     html.Node
	Error    string // what is wrong with the value
	Code     string // code of that in the API
	Max      int    // characters, counted while typing
	Required bool
	Mono     bool // ids, tokens, addresses
	More     html.Node
}

func (in *Input) frame(control func(attributes html.Node) html.Node) html.Node {
	if in.ID == "" {
		in.ID = in.Name
	}
	described := ""
	if in.Hint != nil {
		described = in.ID + "-hint"
	}
	if in.Error != "" {
		described = in.ID + "-error " + described
	}
	attributes := html.Group{
		html.ID(in.ID), html.Name(in.Name), html.Required(in.Required), html.If(in.Mono, html.Class("mono")),
		html.If(described != "", html.Aria("describedby", described)), html.If(in.Error != "", html.Aria("invalid", "true")),
		html.If(in.Max > 0, html.MaxLength(strconv.Itoa(in.Max))), in.More,
	}
	return html.Div(html.Class("field"),
		html.Div(html.Class("field-head"), html.Label(html.For(in.ID), html.Text(in.Label)), html.Iff(in.Max > 0, func() html.Node {
			return html.Span(html.Class("count"), html.Data("count", in.ID), html.Text(strconv.Itoa(len([]rune(in.Value)))+" / "+strconv.Itoa(in.Max)))
		})),
		control(attributes),
		html.Iff(in.Error != "", func() html.Node {
			return html.P(html.Class("error"), html.ID(in.ID+"-error"), Icon("circle-alert"), html.Span(html.Text(in.Error)),
				html.Iff(in.Code != "", func() html.Node { return html.Code(html.Text("#" + in.Code)) }))
		}),
		html.Iff(in.Hint != nil, func() html.Node { return html.P(html.Class("hint"), html.ID(in.ID+"-hint"), in.Hint) }))
}

// Field is a line to write in.
func Field(in Input) html.Node {
	if in.Type == "" {
		in.Type = "text"
	}
	return in.frame(func(attributes html.Node) html.Node {
		return html.Input(html.Type(in.Type), html.If(in.Value != "", html.Value(in.Value)), attributes)
	})
}

// Area is room for several lines.
func Area(in Input) html.Node {
	return in.frame(func(attributes html.Node) html.Node {
		return html.Textarea(attributes, html.Rows("4"), html.Text(in.Value))
	})
}

// Choice is one of a list.
type Choice struct {
	Value, Text string
	Off         bool
}

// Select is a choice of one of a list; the value of the field is the chosen one.
func Select(in Input, choices ...Choice) html.Node {
	return in.frame(func(attributes html.Node) html.Node {
		return html.Select(attributes, html.Map(choices, func(c Choice) html.Node {
			return html.Option(html.Value(c.Value), html.Selected(c.Value == in.Value), html.Disabled(c.Off), html.Text(c.Text))
		}))
	})
}

// Box is a yes or no, or one of many that may be chosen together.
type Box struct {
	ID, Name, Value string // the id is name-value when empty
	Label           string
	Hint            html.Node
	On, Off         bool // chosen; cannot be changed
	Radio           bool // one of those with its name
}

// Check is a box to tick.
func Check(b Box) html.Node {
	if b.ID == "" {
		b.ID = b.Name + "-" + b.Value
	}
	kind := "checkbox"
	if b.Radio {
		kind = "radio"
	}
	return html.Div(html.Class("check"),
		html.Input(html.Type(kind), html.ID(b.ID), html.Name(b.Name), html.Value(b.Value), html.Checked(b.On), html.Disabled(b.Off),
			html.If(b.Hint != nil, html.Aria("describedby", b.ID+"-hint"))),
		html.Label(html.For(b.ID), html.Text(b.Label)),
		html.Iff(b.Hint != nil, func() html.Node { return html.P(html.Class("hint"), html.ID(b.ID+"-hint"), b.Hint) }))
}

// Boxes are checks under one question.
func Boxes(question string, boxes ...html.Node) html.Node {
	return html.Fieldset(html.Class("boxes"), html.Legend(html.Text(question)), html.Group(boxes))
}

// Problem is a field that is wrong, for [Problems].
type Problem struct{ FieldID, Text string }

// Problems stands above a form with more than one field that is wrong and leads to each; with fewer it is nothing.
func Problems(l i18n.Lang, list []Problem) html.Node {
	if len(list) < 2 {
		return nil
	}
	return Note(Bad, html.P(html.Strong(html.Text(l.T("kit.problems", "n", len(list))))), html.Ul(html.Map(list, func(p Problem) html.Node {
		return html.Li(html.A(html.Href("#"+p.FieldID), html.Text(p.Text)))
	})))
}

// Actions are the buttons at the end of a form.
func Actions(buttons ...html.Node) html.Node {
	return html.Div(html.Class("actions"), html.Group(buttons))
}
