package console

import (
	"time"

	"github.com/hikyaku/hikyaku/device"
)

// blockKey is everything that decides how a message looks.
type blockKey struct {
	n                                     uint64
	width                                 int
	status                                device.Status
	theirs, ours, chosen, quote, recorded string
	saved                                 string
	card                                  int
	picked, keys, edited, revoked         bool
}

// layout is the thread in lines. The reader sees height of them.
type layout struct {
	width, height int
	total         int
	parts         []part
}

// part is a message, or a line between messages (n 0), and where it begins.
type part struct {
	n     uint64
	start int
	lines []string
}

// measure lays the open chat out for the pane as last drawn.
func (m *model) measure() { m.layOut(m.area.width, m.area.height) }

func (m *model) layOut(width, height int) {
	anchor := m.area.bottomLine(m.off)
	a := layout{width: width, height: height}
	add := func(n uint64, lines ...string) {
		a.parts = append(a.parts, part{n, a.total, lines})
		a.total += len(lines)
	}
	t := &m.theme
	add(0, notice(protection, width, t.dim)...)
	add(0, "")
	var keys uint64
	if v := m.answerable(); v != nil {
		keys = v.N
	}
	day := ""
	for i := range m.thread {
		v := &m.thread[i]
		if d := m.day(v.Time); d != day {
			day = d
			add(0, t.divider(d, width, t.dim), "")
		}
		if v.N == m.unread && i > 0 {
			add(0, t.divider("new", width, t.accent), "")
		}
		add(v.N, m.block(v, width, keys == v.N)...)
		add(0, "")
	}
	if m.typing[m.open] != 0 {
		add(0, " "+t.in.edge.Render("▐")+t.in.meta.Render("typing ···")+t.in.edge.Render("▌"), "")
	}
	m.area = a
	if m.off > 0 {
		m.off = a.offset(anchor, m.off) // what comes below does not move what is being read
	}
	m.off = max(0, min(m.off, a.total-height))
}

// place is a line of a message.
type place struct {
	n    uint64
	line int
}

// bottomLine is the last line of a message above the lower edge, with off lines below it.
func (a *layout) bottomLine(off int) (at place) {
	edge := a.total - off
	for _, p := range a.parts {
		if p.start >= edge {
			break
		}
		if p.n != 0 {
			at = place{p.n, edge - p.start}
		}
	}
	return at
}

// offset is how many lines are below a place, off if it is no longer there.
func (a *layout) offset(at place, off int) int {
	for _, p := range a.parts {
		if p.n == at.n && p.n != 0 {
			return a.total - p.start - at.line
		}
	}
	return off
}

// block draws a message, or takes it from those drawn before.
func (m *model) block(v *device.Message, width int, keys bool) []string {
	key := blockKey{
		n: v.N, width: width, status: v.Status, theirs: v.Theirs, ours: v.Ours, recorded: v.ID, card: len(v.Preview),
		saved: v.Saved, edited: v.Edited, revoked: v.Revoked,
		picked: v.N == m.picked, keys: keys, chosen: m.answered(v), quote: m.quote(v),
	}
	if lines, ok := m.blocks[key]; ok {
		return lines
	}
	if len(m.blocks) > 4*allPages {
		clear(m.blocks)
	}
	lines := m.theme.draw(&bubble{
		m: v, width: width, quote: key.quote, picked: key.picked, keys: keys, chosen: key.chosen, zone: m.zone,
	})
	m.blocks[key] = lines
	return lines
}

// quote is the line that says what a message answers.
func (m *model) quote(v *device.Message) string {
	if v.Context == "" {
		return ""
	}
	of, ok := m.phone.Message(v.Context)
	if !ok {
		return "an earlier message"
	}
	if of.Direction == device.Out {
		return "You: " + summary(&of)
	}
	return m.name(of.Chat) + ": " + summary(&of)
}

// day names the day of a message.
func (m *model) day(ts int64) string {
	at, now := time.Unix(ts, 0).In(m.zone), m.clock.Now().In(m.zone)
	switch at.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "Today"
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday"
	}
	if at.Year() == now.Year() {
		return at.Format("Monday, 2 January")
	}
	return at.Format("2 January 2006")
}

// visible returns the lines of the thread that the reader sees; the newest are at the bottom.
func (m *model) visible() []string {
	a := &m.area
	end := a.total - m.off
	start := max(0, end-a.height)
	out := make([]string, 0, a.height)
	for range a.height - (end - start) {
		out = append(out, "") // a short chat stands at the bottom
	}
	for _, p := range a.parts {
		for i, l := range p.lines {
			if at := p.start + i; at >= start && at < end {
				out = append(out, l)
			}
		}
	}
	return out
}

// reveal scrolls as little as needed to show a message.
func (m *model) reveal(n uint64) {
	for _, p := range m.area.parts {
		if p.n != n || n == 0 {
			continue
		}
		below := m.area.total - (p.start + len(p.lines))
		above := m.area.total - p.start
		if m.off > below {
			m.scroll(below - m.off)
		}
		if m.off+m.area.height < above {
			m.scroll(above - m.area.height - m.off)
		}
	}
}
