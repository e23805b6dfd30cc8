package kit

import (
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

// Series is one measure of a [Chart]: its name, one value for each point, and the hue it is drawn in, a data token without "d-":
// sent, delivered, read and failed are a ladder of one hue for measures that contain each other; 1 to 6 are told apart.
type Series struct {
	Name   string
	Hue    string
	Values []int64
	Area   bool // filled to the ground, for measures that lie within another
}

// Chart draws series over the same points, such as days. Below it lies a table with the same figures.
type Chart struct {
	Label  string
	Points string   // what a point is: "Day"
	X      []string // names of the points
	Series []Series
}

// Lines draws a chart as lines and areas. Its scale begins at zero. With fewer than two points it is the table alone.
func Lines(l i18n.Lang, c Chart) html.Node {
	top := int64(1)
	for _, s := range c.Series {
		for _, v := range s.Values {
			top = max(top, v)
		}
	}
	step := axis(top)
	whole := step * ((top-1)/step + 1)
	return html.Figure(html.Class("chart"), html.Aria("label", c.Label),
		html.Div(html.Class("legend"), html.Map(c.Series, func(s Series) html.Node {
			return html.Span(html.Class("hue", "d-"+s.Hue), html.Text(s.Name))
		})),
		html.If(len(c.X) > 1, html.Div(html.Class("plot"), html.Aria("hidden", "true"), scale(step, whole), c.drawing(step, whole), c.points())),
		html.Details(html.Open(len(c.X) < 2), html.Summary(html.Text(l.T("kit.as_table"))), c.table()))
}

func (c *Chart) drawing(step, whole int64) html.Node {
	width := strconv.Itoa(max(1, len(c.X)-1))
	var grid html.Group
	for at := int64(0); at <= whole; at += step {
		y := height(at, whole)
		grid = append(grid, html.Line(html.Class("grid"), html.X1("0"), html.X2(width), html.Y1(y), html.Y2(y)))
	}
	return html.SVG(html.ViewBox("0 0 "+width+" 100"), html.PreserveAspectRatio("none"), grid, html.Map(c.Series, func(s Series) html.Node {
		var line strings.Builder
		for i, v := range s.Values {
			line.WriteString(strconv.Itoa(i) + "," + height(v, whole) + " ")
		}
		class := "d-" + s.Hue
		if s.Area && len(s.Values) > 0 {
			return html.Polygon(html.Class("area", class), html.Points("0,100 "+line.String()+strconv.Itoa(len(s.Values)-1)+",100"))
		}
		return html.Polyline(html.Class("line", class), html.Points(strings.TrimSpace(line.String())))
	}))
}

// scale are the words at the left, from the top down.
func scale(step, whole int64) html.Node {
	var g html.Group
	for at := whole; at >= 0; at -= step {
		g = append(g, html.Span(html.Text(short(at))))
	}
	return html.Div(html.Class("scale"), g)
}

// points are the words below, at most eight of them.
func (c *Chart) points() html.Node {
	every := (len(c.X) + 7) / 8
	var g html.Group
	for i, x := range c.X {
		if i%every == 0 {
			g = append(g, html.Span(html.Text(x)))
		}
	}
	return html.Div(html.Class("points"), g)
}

func (c *Chart) table() html.Node {
	columns := []Column{{Title: c.Points}}
	for _, s := range c.Series {
		columns = append(columns, Column{Title: s.Name, Num: true})
	}
	rows := make([]Cells, len(c.X))
	for i, x := range c.X {
		rows[i] = Cells{html.Text(x)}
		for _, s := range c.Series {
			if i < len(s.Values) {
				rows[i] = append(rows[i], Num(s.Values[i]))
			} else {
				rows[i] = append(rows[i], html.Text("–"))
			}
		}
	}
	return Table(c.Label, columns, rows)
}

// Bucket is one column of a [Hist].
type Bucket struct {
	Name string
	N    int64
	Tone Tone
}

// Hist draws how often something fell into each of several ranges. The figures are its text.
func Hist(label string, buckets ...Bucket) html.Node {
	top := int64(1)
	for _, b := range buckets {
		top = max(top, b.N)
	}
	return html.Ul(html.Class("hist"), html.Aria("label", label), html.Map(buckets, func(b Bucket) html.Node {
		percent := int64(float64(b.N) / float64(top) * 100)
		if b.N > 0 {
			percent = max(1, percent)
		}
		return html.Li(html.TitleAttr(b.Name+": "+i18n.Thousands(b.N)), html.Span(html.Class("hist-bar", string(b.Tone)), html.Var("part", strconv.FormatInt(percent, 10)+"%")),
			html.Span(html.Text(b.Name)), html.Span(html.Class("unseen"), html.Text(": "+i18n.Thousands(b.N))))
	}))
}

// axis is the step of a scale that reaches top in at most five: 1, 2, 4, 5 or 8 times a power of ten.
func axis(top int64) int64 {
	for power := int64(1); ; power *= 10 {
		for _, n := range []int64{1, 2, 4, 5, 8} {
			if step := n * power; (top-1)/step < 5 {
				return step
			}
		}
	}
}

// height is where a value lies in a drawing of 100, counted from above.
func height(v, whole int64) string {
	return strconv.FormatFloat(100-float64(v)/float64(whole)*100, 'f', 2, 64)
}

// short writes a number of a scale: "800", "2.4k", "3M".
func short(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n >= unit.size {
			return strconv.FormatFloat(float64(n)/float64(unit.size), 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatInt(n, 10)
}
