package console

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/hikyaku/hikyaku/device"
)

// Below this size there is nothing to be seen.
const minWidth, minHeight = 20, 8

// View implements tea.Model.
func (m *model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen, v.ReportFocus = true, true
	v.WindowTitle = "Hikyaku " + number(m.me)
	if n := m.unreadTotal(); n > 0 {
		v.WindowTitle = "(" + strconv.Itoa(n) + ") " + v.WindowTitle
	}
	if m.w < minWidth || m.h < minHeight {
		v.Content = fit("Too small for a chat", m.w)
		return v
	}
	lines := m.screen()
	v.Content = strings.Join(lines, "\n")
	if m.dialog.kind != safetyDialog && m.dialog.kind != helpDialog {
		v.Cursor = m.cursor()
	}
	return v
}

// listWidth is how much of the screen the list of chats takes, its line included; 0 when it hides.
func (m *model) listWidth() int {
	if m.w < 64 || (len(m.chats) < 2 && m.w < 100) {
		return 0
	}
	return max(24, min(36, m.w*3/10))
}

// bottom is how many lines stand below the thread.
func (m *model) bottom() int {
	if m.reply != "" && m.dialog.kind == noDialog {
		return 4
	}
	return 3
}

// screen draws all lines, each at most as wide as the terminal.
func (m *model) screen() []string {
	t, list := &m.theme, m.listWidth()
	wide := m.w - list
	height := m.h - 2 - m.bottom()
	lines := make([]string, 0, m.h)
	lines = append(lines, m.topLine())
	pane := append([]string{m.paneTitle(wide)}, m.pane(wide, height)...)
	if list > 0 {
		side := append([]string{m.listTitle(list - 1)}, m.list(list-1, height)...)
		for i := range pane {
			pane[i] = pad(side[i], list-1) + t.line.Render("│") + pane[i]
		}
	}
	for i, l := range pane {
		if lipgloss.Width(l) > m.w {
			pane[i] = cut.MaxWidth(m.w).Render(l)
		}
	}
	lines = append(lines, pane...)
	if m.bottom() == 4 {
		lines = append(lines, m.replyLine())
	}
	rule := strings.Repeat("─", m.w)
	if list > 0 {
		rule = strings.Repeat("─", list-1) + "┴" + strings.Repeat("─", wide)
	}
	shown, _ := m.line().window(m.w - 4)
	if len(m.line().text) == 0 {
		shown = t.inputPending.Render(fit(m.invitation(), m.w-4))
	}
	return append(lines, t.line.Render(rule), " "+t.inputMark.Render("›")+" "+shown, m.helpLine())
}

func (m *model) cursor() *tea.Cursor {
	_, x := m.line().window(m.w - 4)
	return tea.NewCursor(x+3, m.h-2)
}

func (m *model) invitation() string {
	switch {
	case m.dialog.kind == findDialog:
		return "Search"
	case m.dialog.kind == formDialog:
		return "Answer"
	case m.open == "":
		return "ctrl+n finds a business"
	}
	return "Message to " + m.name(m.open)
}

// topLine says who this is and whether there is a connection.
func (m *model) topLine() string {
	t := &m.theme
	who := number(m.me)
	if n := oneLine(m.phone.Name()); n != "" {
		who += " · " + n
	}
	right := t.barOK.Render("● connected ")
	switch {
	case m.final:
		right = t.barBad.Render("✕ disconnected ")
	case !m.online && m.trouble != "":
		right = t.barBad.Render("○ " + fit(m.trouble+", trying again", max(12, m.w/2)) + " ")
	case !m.online:
		right = t.barDim.Render("○ connecting… ")
	}
	room := m.w - lipgloss.Width(right)
	left := t.bar.Bold(true).Render(fit(" Hikyaku ", room))
	left += t.barDim.Render(fit(" "+who, room-lipgloss.Width(left)))
	return fill(left, room, t.bar) + right
}

// paneTitle says with whom the person talks.
func (m *model) paneTitle(w int) string {
	t := &m.theme
	if m.open == "" {
		return ""
	}
	c := m.chat(m.open)
	left, right := m.name(m.open), ""
	if c != nil && c.Verified {
		left += " ✔"
	}
	if left != number(m.open) {
		right = number(m.open)
	}
	switch others := m.unreadTotal() - m.unreadOf(m.open); {
	case m.typing[m.open] != 0:
		right = "typing…"
	case m.fresh > 0:
		right = strconv.Itoa(m.fresh) + " new ↓"
	case others > 0 && m.listWidth() == 0:
		right = strconv.Itoa(others) + " unread in other chats (tab)"
	}
	right = fit(right, w/2)
	left = fit(left, w-3-lipgloss.Width(right))
	gap := max(1, w-2-lipgloss.Width(left)-lipgloss.Width(right))
	return " " + t.title.Render(left) + strings.Repeat(" ", gap) + t.dim.Render(right)
}

// pane is what stands right of the list: the thread, or what covers it.
func (m *model) pane(w, h int) []string {
	if m.dialog.kind != noDialog {
		return m.dialogLines(w, h)
	}
	if m.open == "" {
		m.area = layout{}
		return m.welcome(w, h)
	}
	m.layOut(w-1, h)
	return m.visible()
}

func (m *model) welcome(w, h int) []string {
	out := make([]string, 0, h)
	for range h / 3 {
		out = append(out, "")
	}
	for _, l := range wrap("No chats yet. A business that writes to "+strings.ReplaceAll(number(m.me), " ", "\u00a0")+" appears here; ctrl+n finds one.", min(50, w-4)) {
		out = append(out, centre(m.theme.dim.Render(l), w))
	}
	out = append(out, "")
	out = append(out, notice(protection, w, m.theme.dim)...)
	for len(out) < h {
		out = append(out, "")
	}
	return out[:h]
}

func (m *model) replyLine() string {
	of, ok := m.phone.Message(m.reply)
	if !ok {
		return " ↩ answering an earlier message"
	}
	who := m.name(of.Chat)
	if of.Direction == device.Out {
		who = "yourself"
	}
	return " " + m.theme.accent.Render(fit("↩ "+who+": "+summary(&of), m.w-2))
}

// helpLine answers the last key, or says which keys there are; the most useful ones come first.
func (m *model) helpLine() string {
	t := &m.theme
	switch {
	case m.flash != "":
		return " " + t.bad.Render(fit(m.flash, m.w-2))
	case m.told != "":
		return " " + t.accent.Render(fit(m.told, m.w-2))
	case m.final:
		return " " + t.bad.Render(fit(strings.ToUpper(m.trouble[:1])+m.trouble[1:]+". ctrl+c quits.", m.w-2))
	}
	var keys []string
	switch m.dialog.kind {
	case findDialog:
		keys = []string{"enter search, then open", "↑↓ choose", "esc back"}
	case safetyDialog:
		keys = []string{"esc back"}
	case helpDialog:
		keys = []string{"esc back", "↑↓ scroll"}
	case formDialog:
		keys = []string{"enter next", "↑↓ choose", "esc leave the form", "/back to what was before"}
	case noDialog:
		keys = m.threadKeys()
	}
	line := ""
	for _, k := range keys {
		name, what, _ := strings.Cut(k, " ")
		if lipgloss.Width(line)+lipgloss.Width(k)+3 > m.w {
			break
		}
		line += " " + t.dim.Bold(true).Render(name) + " " + t.dim.Render(what) + " "
	}
	return line
}

func (m *model) threadKeys() []string {
	keys := []string{"enter send"}
	p := m.pickedMessage()
	switch {
	case p != nil && p.Status == device.Failed:
		keys = []string{"enter send again", "esc back"}
	case p != nil:
		keys = append(keys, "ctrl+r reply", "esc back", "#"+strconv.FormatUint(p.N, 10)+" is chosen")
		if hasFile(p) {
			keys = append([]string{"/save its file"}, keys...)
		}
	case m.reply != "":
		keys = append(keys, "esc no reply")
	}
	if m.answerable() != nil {
		keys = append(keys, "alt+1…9 button")
	}
	if len(m.chats) > 1 {
		keys = append(keys, "tab next chat")
	}
	keys = append(keys, "↑↓ choose", "pgup/pgdn scroll")
	if p == nil {
		keys = append(keys, "ctrl+r reply")
	}
	return append(keys, "/help commands", "ctrl+n new", "ctrl+s safety", "ctrl+c quit")
}
