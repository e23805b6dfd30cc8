package kit

import (
	"strconv"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

// Strip is a line of few facts across a page, divided by lines.
func Strip(facts ...Fact) html.Node {
	return html.Dl(html.Class("strip"), html.Map(facts, func(f Fact) html.Node {
		return html.Div(html.Dt(html.Text(f.Name)), html.Dd(f.Value))
	}))
}

// Figure is a number large enough to be seen first, with what it means above and what it compares with below.
func Figure(what string, n int64, below html.Node) html.Node {
	return html.Div(html.Class("figure"), html.Span(html.Class("sub"), html.Text(what)), html.Strong(html.Text(i18n.Thousands(n))),
		html.Iff(below != nil, func() html.Node { return html.Span(html.Class("sub"), below) }))
}

// Figures puts figures beside each other in a card.
func Figures(figures ...html.Node) html.Node {
	return html.Div(html.Class("strip figures"), html.Group(figures))
}

// Rung is one step of something that happened.
type Rung struct {
	Tone   Tone
	Title  string
	Right  html.Node // when, or how long it took
	Detail html.Node
	Ahead  bool // has not happened yet
}

// Ladder is what happened, step by step, in the order of time.
func Ladder(rungs ...Rung) html.Node {
	return html.Ol(html.Class("ladder"), html.Map(rungs, func(r Rung) html.Node {
		ahead := ""
		if r.Ahead {
			ahead = "ahead"
		}
		return html.Li(html.Class(string(r.Tone), ahead),
			html.Div(html.Class("rung"), html.Span(html.Text(r.Title)), html.Iff(r.Right != nil, func() html.Node { return html.Strong(html.Class("num"), r.Right) })),
			html.Iff(r.Detail != nil, func() html.Node { return html.Div(html.Class("sub"), r.Detail) }))
	}))
}

// Latency is how long an answer took, as a number and as a bar against one second with a notch at 250 ms.
func Latency(ms int64) html.Node {
	tone := Info
	switch {
	case ms > 1000:
		tone = Bad
	case ms > 250:
		tone = Warn
	}
	return html.Span(html.Class("latency", string(tone)), html.Span(html.Class("latency-bar"), html.Aria("hidden", "true"),
		html.Span(html.Var("part", strconv.FormatInt(min(100, max(2, ms/10)), 10)+"%"))), html.Span(html.Class("num"), html.Text(Millis(ms))))
}

// Millis is a time in milliseconds as people read it: "84 ms", "1.3 s".
func Millis(ms int64) string {
	if ms < 1000 {
		return i18n.Thousands(ms) + " ms"
	}
	return strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64) + " s"
}

// Panel is one side of a [Switch].
type Panel struct {
	Text string
	Body html.Node
}

// Switch shows one of several panels, the first at once, and changes between them in place, without script. The name is that of the
// choice, on the page once.
func Switch(name, label string, panels ...Panel) html.Node {
	at := 0
	return html.Fieldset(html.Class("switch"), html.Legend(html.Class("unseen"), html.Text(label)), html.Map(panels, func(p Panel) html.Node {
		id := name + "-" + strconv.Itoa(at)
		at++
		return html.Group{
			html.Input(html.Type("radio"), html.Name(name), html.ID(id), html.Checked(at == 1), html.Class("unseen")),
			html.Label(html.For(id), html.Text(p.Text)), html.Div(html.Class("panel"), p.Body),
		}
	}))
}

// Person is who or what a row is about: letters in a disc, a name, and something below it.
func Person(name string, below html.Node) html.Node {
	first := ""
	for _, r := range name {
		first = string(r)
		break
	}
	return html.Span(html.Class("person"), html.Span(html.Class("avatar"), html.Aria("hidden", "true"), html.Text(first)),
		html.Span(html.Class("two"), html.Strong(html.Dir("auto"), html.Text(name)), html.Iff(below != nil, func() html.Node { return html.Span(html.Class("sub"), below) })))
}

// Bubble is a message as it stands on the phone of whom it was sent to.
func Bubble(text html.Node, lang, below string) html.Node {
	return html.Div(html.Class("chat"), html.Div(html.Class("bubble"), html.Div(html.If(lang != "", html.Lang(lang)), html.Dir("auto"), text),
		html.Iff(below != "", func() html.Node { return html.Small(html.Text(below)) })))
}
