package console

import (
	"slices"
	"strconv"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/hikyaku/hikyaku/device"
)

func (m *model) unreadOf(chat string) int {
	if c := m.chat(chat); c != nil {
		return c.Unread
	}
	return 0
}

func (m *model) unreadTotal() (n int) {
	for i := range m.chats {
		n += m.chats[i].Unread
	}
	return n
}

func (m *model) listTitle(w int) string {
	s := "Chats"
	if n := m.unreadTotal(); n > 0 {
		s += " · " + strconv.Itoa(n) + " unread"
	}
	return " " + m.theme.dim.Render(fit(s, w-1))
}

// list draws the chats, two lines each, so that the open one is among those seen.
func (m *model) list(w, h int) []string {
	room := max(1, h/2)
	at := slices.IndexFunc(m.chats, func(c device.Chat) bool { return c.WaID == m.open })
	first := max(0, at-room+1)
	out := make([]string, 0, h)
	for i := first; i < len(m.chats) && len(out)+2 <= h; i++ {
		out = append(out, m.row(&m.chats[i], w)...)
	}
	for len(out) < h {
		out = append(out, "")
	}
	return out[:h]
}

// row is a chat of the list: name and time, then the last line and the count of unread ones.
func (m *model) row(c *device.Chat, w int) []string {
	t := &m.theme
	style, dim, sign := lipgloss.NewStyle(), t.dim, " "
	if c.WaID == m.open {
		style, dim, sign = t.item, t.itemDim, "▌"
	}
	mark := t.accent
	if c.WaID == m.open {
		mark = mark.Background(t.item.GetBackground())
	}
	at, badge := m.when(&c.Last), ""
	name := style.Bold(c.Unread > 0 || c.WaID == m.open)
	if c.Unread > 0 {
		badge = t.badge.Render(" " + strconv.Itoa(c.Unread) + " ")
	}
	inner := w - 2
	top := mark.Render(sign) + fill(name.Render(fit(m.name(c.WaID), inner-lipgloss.Width(at)-1)), inner-lipgloss.Width(at), style) +
		dim.Render(at+" ")
	last := m.lastLine(c)
	low := mark.Render(sign) + fill(dim.Render(fit(last, inner-lipgloss.Width(badge)-1)), inner-lipgloss.Width(badge), dim) +
		badge + dim.Render(" ")
	return []string{top, low}
}

func (m *model) lastLine(c *device.Chat) string {
	switch {
	case m.typing[c.WaID] != 0:
		return "typing…"
	case c.Last.N == 0:
		return "no messages yet"
	case c.Blocked:
		return "blocked"
	}
	s := summary(&c.Last)
	if c.Last.Type == "reaction" && c.Last.Text() == "" {
		s = "took a reaction away"
	} else if c.Last.Type == "reaction" {
		s = "reacted " + oneLine(c.Last.Text())
	}
	if c.Last.Direction != device.Out {
		return s
	}
	switch c.Last.Status {
	case device.Read, device.Played:
		return "✓✓ " + s
	case device.Sent:
		return "✓ " + s
	case device.Failed:
		return "! " + s
	case device.Pending, device.Received:
	}
	return "○ " + s
}

// when is the time of a chat's last line: of the day if it was today, else the date.
func (m *model) when(last *device.Message) string {
	if last.N == 0 {
		return ""
	}
	at, now := time.Unix(last.Time, 0).In(m.zone), m.clock.Now().In(m.zone)
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("2 Jan")
}
