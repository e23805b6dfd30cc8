package console

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/hikyaku/hikyaku/device"
)

// maxBubble is the widest text of a bubble, in cells; longer lines are hard to read.
const maxBubble = 72

// bubble is a message to be drawn.
type bubble struct {
	m      *device.Message
	width  int    // of the pane
	quote  string // who and what it answers; empty for none
	picked bool   // chosen with the arrow keys
	keys   bool   // its buttons can be answered with keys now
	chosen string // text of the button that was answered
	zone   *time.Location
}

// draw returns the lines of a bubble, as wide as the pane at most.
func (t *theme) draw(b *bubble) []string {
	if b.m.Direction == device.Notice {
		return notice(noticeLong(b.m), b.width, t.note)
	}
	k, mine := t.in, b.m.Direction == device.Out
	if mine {
		k = t.out
	}
	if b.picked {
		k.edge = k.picked
	}
	inner := max(8, min(maxBubble, b.width*4/5-4))
	rows := t.rows(b, &k, inner)
	meta := t.meta(b.m, &k, b.zone, inner)
	rows = closeWith(rows, meta, inner, k.text)
	w := 0
	for _, r := range rows {
		w = max(w, lipgloss.Width(r))
	}
	left, right := "▐", "▌"
	if b.picked {
		left, right = "┃", "┃"
	}
	out := make([]string, len(rows), len(rows)+1)
	for i, r := range rows {
		if r == meta {
			r = k.text.Render(strings.Repeat(" ", w-lipgloss.Width(r))) + r
		}
		out[i] = k.edge.Render(left) + fill(r, w, k.text) + k.edge.Render(right)
	}
	if badge := strings.TrimSpace(oneLine(b.m.Theirs) + " " + oneLine(b.m.Ours)); badge != "" {
		out = append(out, " "+fit(badge, inner))
	}
	for i, l := range out {
		if mine {
			l = strings.Repeat(" ", max(0, b.width-lipgloss.Width(l)-2)) + l
		}
		out[i] = " " + l
	}
	return out
}

// closeWith puts time and ticks behind the last line if they fit there, else below it.
func closeWith(rows []string, meta string, inner int, style lipgloss.Style) []string {
	if n := len(rows) - 1; n >= 0 {
		if lipgloss.Width(rows[n])+2+lipgloss.Width(meta) <= inner {
			w := 0
			for _, r := range rows {
				w = max(w, lipgloss.Width(r))
			}
			gap := max(2, w-lipgloss.Width(rows[n])-lipgloss.Width(meta))
			rows[n] += style.Render(strings.Repeat(" ", gap)) + meta
			return rows
		}
	}
	return append(rows, meta)
}

// rows is what a bubble says, without time and ticks.
func (t *theme) rows(b *bubble, k *look, w int) (rows []string) {
	p := read(b.m)
	if b.quote != "" {
		rows = append(rows, k.card.Render("┃ ")+k.meta.Render(fit(b.quote, w-2)))
	}
	n := 0
	rows = append(rows, t.parts(b, &p, k, w, &n)...)
	if c, ok := b.m.Card(); ok {
		rows = append(rows, card(&c, k, w)...)
	}
	for i := range p.cards {
		rows = append(rows, k.card.Render(fit(fmt.Sprintf("▏ %d of %d", i+1, len(p.cards)), w)))
		for _, r := range t.parts(b, &p.cards[i], k, w-2, &n) {
			rows = append(rows, k.card.Render("▏ ")+r)
		}
	}
	return rows
}

// parts is a message, or a card of a carousel. n counts the buttons that keys answer.
func (t *theme) parts(b *bubble, p *parts, k *look, w int, n *int) (rows []string) {
	plain := func(s string, style lipgloss.Style) {
		for _, l := range wrap(steady(s), w) {
			rows = append(rows, style.Render(l))
		}
	}
	if p.label != "" {
		for _, l := range wrap("▸ "+oneLine(p.label), w) {
			rows = append(rows, k.meta.Render(l))
		}
	}
	if p.header != "" {
		plain(p.header, k.text.Bold(true))
	}
	if p.body != "" {
		rows = append(rows, paint(p.body, w, k.text, k.link)...)
	}
	if p.footer != "" {
		plain(p.footer, k.meta)
	}
	return append(rows, t.buttons(b, p.buttons, k, w, n)...)
}

// card is the preview of a link.
func card(c *device.Card, k *look, w int) (rows []string) {
	add := func(s string, style lipgloss.Style, most int) {
		for i, l := range wrap(oneLine(s), w-2) {
			if i == most {
				break
			}
			if i == most-1 {
				l = fit(l, w-2)
			}
			rows = append(rows, k.card.Render("▏ ")+style.Render(l))
		}
	}
	add(c.Title, k.text.Bold(true), 2)
	add(c.Description, k.meta, 2)
	if u, err := url.Parse(c.URL); err == nil && u.Host != "" {
		add(u.Host, k.card, 1)
	}
	return rows
}

// buttons are rows below a message, numbered while keys answer them.
func (t *theme) buttons(b *bubble, list []button, k *look, w int, n *int) (rows []string) {
	for i := range list {
		o := &list[i]
		text, style := oneLine(o.text), k.card
		switch {
		case !o.answers():
			text = "↗ " + text
		case b.chosen != "" && b.chosen == o.text:
			text, style = "✓ "+text, k.card.Bold(true)
		case b.keys:
			*n++
			text = fmt.Sprintf("[%d] %s", *n, text)
		default:
			text, style = "· "+text, k.meta
		}
		if i == 0 {
			rows = append(rows, k.meta.Render(strings.Repeat("┄", min(w, 24))))
		}
		if o.section != "" {
			rows = append(rows, k.text.Bold(true).Render(fit(oneLine(o.section), w)))
		}
		rows = append(rows, style.Render(fit(text, w)))
		if o.extra != "" {
			for _, l := range wrap(oneLine(o.extra), w-4) {
				rows = append(rows, k.text.Render("    ")+k.meta.Render(l))
			}
		}
	}
	return rows
}

// meta is the time, and for sent messages how far they came: a ring while the platform does not have it, one tick when it
// does, two when the business has read it, an exclamation mark when it was refused. Voice messages that were played say so.
func (t *theme) meta(m *device.Message, k *look, zone *time.Location, w int) string {
	at := k.meta.Render(clockTime(m, zone))
	if m.Direction != device.Out {
		if m.Status == device.Played {
			return k.read.Render("▶ ") + at
		}
		return at
	}
	switch m.Status {
	case device.Failed:
		return at + k.bad.Render(fit(" ! "+refusal(m), w-5))
	case device.Read, device.Played:
		return at + k.read.Render(" ✓✓")
	case device.Sent:
		return at + k.meta.Render(" ✓")
	case device.Pending, device.Received:
	}
	return at + k.meta.Render(" ○")
}

func clockTime(m *device.Message, zone *time.Location) string {
	return time.Unix(m.Time, 0).In(zone).Format("15:04")
}

// refusals says in a person's words why a message was not taken.
var refusals = map[string]string{
	"not_found": "no such number", "blocked": "the business blocked you", "blocking": "you blocked this business, /unblock it first",
	"bad_signature": "the business's keys are not valid",
	"too_large":     "too long", "gone": "this phone was removed", "undecryptable": "the platform could not read it",
	"stale_key": "the business's keys kept changing",
}

func refusal(m *device.Message) string {
	if s := refusals[string(m.Error)]; s != "" {
		return s
	}
	return "not sent (" + oneLine(string(m.Error)) + ")"
}

// notice is a line in the middle of a chat that nobody wrote.
func notice(text string, width int, style lipgloss.Style) (out []string) {
	for _, l := range wrap(text, max(20, min(64, width-8))) {
		out = append(out, centre(style.Render(l), width))
	}
	return out
}

// divider is a word in the middle of a line.
func (t *theme) divider(text string, width int, style lipgloss.Style) string {
	return centre(t.line.Render("── ")+style.Render(text)+t.line.Render(" ──"), width)
}
