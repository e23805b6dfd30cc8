package kit

import (
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

// Column is a column of a table.
type Column struct {
	Title  string
	Num    bool // figures: at the right
	Second bool // goes where there is little room, as on a phone
	Third  bool // goes where there is not the whole width of a page
	Quiet  bool // the title is for readers of the screen only, above buttons
}

// Cells is one row of a table, one node for each column. The first is its name.
type Cells []html.Node

// Table is a real table. The caption says what it lists, to those who do not see the card around it.
func Table(caption string, columns []Column, rows []Cells) html.Node {
	return html.Div(html.Class("table"), html.Role("group"), html.Aria("label", caption), html.TabIndex("0"), html.Table(
		html.Caption(html.Class("unseen"), html.Text(caption)),
		html.Thead(html.Tr(html.Map(columns, func(c Column) html.Node {
			if c.Quiet {
				return html.Th(html.ScopeAttr("col"), c.class(), html.Span(html.Class("unseen"), html.Text(c.Title)))
			}
			return html.Th(html.ScopeAttr("col"), c.class(), html.Text(c.Title))
		}))),
		html.Tbody(html.Map(rows, func(cells Cells) html.Node { return line(columns, cells) }))))
}

func (c Column) class() html.Node {
	num, goes := "", ""
	if c.Num {
		num = "num"
	}
	switch {
	case c.Third:
		goes = "third"
	case c.Second:
		goes = "second"
	}
	return html.Class(num, goes)
}

func line(columns []Column, cells Cells) html.Node {
	g := make(html.Group, 0, len(cells))
	for i, cell := range cells {
		if i >= len(columns) {
			break
		}
		if i == 0 {
			g = append(g, html.Th(html.ScopeAttr("row"), columns[i].class(), cell))
			continue
		}
		g = append(g, html.Td(columns[i].class(), cell))
	}
	return html.Tr(g)
}

// Pager leads to the rows before and after; an empty address means that there are none.
func Pager(l i18n.Lang, before, after string) html.Node {
	if before == "" && after == "" {
		return nil
	}
	step := func(text, icon, href string) html.Node {
		return Btn(Button{Text: text, Icon: icon, Href: href, Small: true, Off: href == ""})
	}
	return html.Nav(html.Class("pager"), html.Aria("label", l.T("kit.pages")),
		step(l.T("kit.before"), "chevron-left", before), step(l.T("kit.after"), "chevron-right", after))
}

// Results says how many rows there are.
func Results(l i18n.Lang, n int) html.Node {
	return html.Span(html.Class("sub"), html.Text(l.T("kit.results", "n", n)))
}
