package console

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/hikyaku/hikyaku/device"
)

// line is the one that is written on.
func (m *model) line() *input {
	if m.dialog.kind == findDialog || m.dialog.kind == formDialog {
		return &m.dialog.in
	}
	return &m.in
}

// key does what a key means.
func (m *model) key(k tea.KeyPressMsg) tea.Cmd {
	s := k.String()
	switch s {
	case "ctrl+c":
		return tea.Quit
	case "esc":
		m.escape()
		return nil
	}
	if m.dialog.kind != noDialog {
		return m.dialogKey(k)
	}
	switch s {
	case "enter":
		return m.send()
	case "tab":
		m.turn(1)
	case "shift+tab":
		m.turn(-1)
	case "up":
		m.pick(-1)
	case "down":
		m.pick(1)
	case "pgup":
		m.scroll(max(1, m.area.height-2))
	case "pgdown":
		m.scroll(-max(1, m.area.height-2))
	case "ctrl+home":
		m.limit = allPages
		m.refresh()
		m.measure()
		m.scroll(m.area.total)
	case "ctrl+end":
		m.scroll(-m.off)
		m.picked = 0
	case "ctrl+r":
		m.answer()
	case "ctrl+n":
		m.openFind()
	case "ctrl+s":
		m.openSafety()
	default:
		if n, ok := buttonKey(s); ok {
			return m.press(n)
		}
		m.in.key(k)
	}
	return nil
}

func (m *model) dialogKey(k tea.KeyPressMsg) tea.Cmd {
	d := &m.dialog
	switch s := k.String(); {
	case d.kind == formDialog && s == "enter":
		return m.submit()
	case d.kind == formDialog && m.formKey(s):
	case d.kind == helpDialog:
		d.scroll(s)
	case d.kind == safetyDialog:
		if s == "enter" || s == "ctrl+s" {
			m.dialog = dialog{}
		}
	case s == "enter":
		m.search()
	case s == "up":
		d.at = max(0, d.at-1)
	case s == "down":
		d.at = max(0, min(len(d.found)-1, d.at+1))
	default:
		d.in.key(k)
	}
	return nil
}

// escape goes back by one step.
func (m *model) escape() {
	switch {
	case m.dialog.kind != noDialog:
		m.dialog = dialog{}
	case m.reply != "":
		m.reply = ""
	case m.picked != 0:
		m.picked = 0
		m.scroll(-m.off)
	default:
		m.scroll(-m.off)
	}
}

// buttonKey reads alt+1 to alt+9, and f1 to f9 for terminals that keep alt to themselves.
func buttonKey(s string) (n int, ok bool) {
	if rest, found := strings.CutPrefix(s, "alt+"); found {
		s = rest
	} else if s, found = strings.CutPrefix(s, "f"); !found {
		return 0, false
	}
	if len(s) != 1 || s[0] < '1' || s[0] > '9' {
		return 0, false
	}
	return int(s[0] - '0'), true
}

// turn opens the next chat of the list.
func (m *model) turn(by int) {
	if len(m.chats) < 2 {
		return
	}
	i := slices.IndexFunc(m.chats, func(c device.Chat) bool { return c.WaID == m.open })
	m.enter(m.chats[(i+by+len(m.chats))%len(m.chats)].WaID)
}

// pick chooses the message above or below.
func (m *model) pick(by int) {
	i := slices.IndexFunc(m.thread, func(v device.Message) bool { return v.N == m.picked })
	switch {
	case len(m.thread) == 0:
		return
	case i < 0 && by > 0:
		m.scroll(-m.off)
		return
	case i < 0:
		i = len(m.thread) - 1
	case i == len(m.thread)-1 && by > 0:
		m.picked = 0
		m.scroll(-m.off)
		return
	default:
		i = max(0, i+by)
	}
	m.picked = m.thread[i].N
	if i == 0 {
		m.more()
	}
	m.measure()
	m.reveal(m.picked)
}

// more lays out older messages too, once the reader is at the beginning of those that are.
func (m *model) more() {
	if len(m.thread) == 0 || m.limit >= allPages {
		return
	}
	m.limit *= 2
	m.refresh()
}

// scroll moves the thread by lines, up for positive ones.
func (m *model) scroll(by int) {
	if by > 0 && m.off+by > m.area.total-m.area.height {
		m.more()
		m.measure()
	}
	m.off = max(0, min(m.off+by, m.area.total-m.area.height))
	if m.off == 0 {
		m.fresh = 0
	}
}

// send sends the line, carries out the command in it, or sends a failed message again.
func (m *model) send() tea.Cmd {
	text := strings.TrimSpace(m.in.value())
	if text == "" {
		if p := m.pickedMessage(); p != nil && p.Status == device.Failed {
			m.tell(m.phone.Resend(p.ClientID))
		}
		return nil
	}
	if m.open == "" {
		m.flash = "No chat is open: ctrl+n finds a business."
		return nil
	}
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
		return m.command(text)
	}
	text = strings.TrimPrefix(text, "/")
	if !m.tell(m.phone.Send(m.open, textContent(text, m.reply))) {
		return nil // the words stay where they are
	}
	m.in.clear()
	m.reply, m.picked = "", 0
	m.toEnd()
	return nil
}

// toEnd shows what was just sent.
func (m *model) toEnd() {
	m.refresh()
	m.measure()
	m.scroll(-m.off)
}

// command carries out the line. Files take their time, so it runs beside the screen.
func (m *model) command(line string) tea.Cmd {
	if line == "/help" {
		m.in.clear()
		m.dialog = dialog{kind: helpDialog}
		return nil
	}
	if strings.TrimSpace(line) == "/info" {
		m.in.clear()
		m.asked[m.open], m.info, m.told = true, m.open, "…"
		m.askName(m.open)
		return nil
	}
	c := &commander{hands: m.hands, flows: m.flows, chat: m.open, at: m.picked}
	m.in.clear()
	m.picked = 0
	m.told = "…"
	return func() tea.Msg {
		said, err := c.do(m.ctx, line)
		return saidMsg{said, err, c.form}
	}
}

// said shows what came of a command.
func (m *model) said(msg saidMsg) {
	m.flash, m.told = "", oneLine(msg.said)
	if msg.err != nil {
		m.flash, m.told = reasonOf(msg.err), ""
	}
	if msg.form != nil && m.dialog.kind == noDialog {
		m.openForm(msg.form)
	}
	m.toEnd()
}

// tell shows an error; it reports whether there was none.
func (m *model) tell(err error) bool {
	if err != nil {
		m.flash = "Not sent: " + reasonOf(err)
	}
	return err == nil
}

// answer makes the next message a reply to the chosen one, or to the newest of the business.
func (m *model) answer() {
	if p := m.pickedMessage(); p != nil {
		m.reply = p.ID
		return
	}
	for _, v := range slices.Backward(m.thread) {
		if v.Direction == device.In && v.ID != "" {
			m.reply = v.ID
			return
		}
	}
}

func (m *model) pickedMessage() *device.Message {
	for i := range m.thread {
		if m.thread[i].N == m.picked && m.picked != 0 {
			return &m.thread[i]
		}
	}
	return nil
}

// press answers the button with this number.
func (m *model) press(n int) tea.Cmd {
	msg := m.answerable()
	if msg == nil {
		m.flash = "No message here has buttons to answer."
		return nil
	}
	p := read(msg)
	b, at := p.pressable("", n)
	if b == nil {
		return nil
	}
	if _, err := msg.Flow(at); err == nil && m.flows != nil {
		return m.command(fmt.Sprintf("/press #%d %d", msg.N, n))
	}
	if more, needed := asks[b.choice.Kind]; needed {
		m.in.set(fmt.Sprintf("/press #%d %d %s", msg.N, n, more))
		m.told = "Complete the line, then enter."
		return nil
	}
	content, err := b.choice.Content(m.clock.Now(), device.Filling{})
	if err == nil {
		err = m.phone.Send(m.open, device.WithContext(content, msg.ID))
	}
	m.tell(err)
	m.picked = 0
	m.toEnd()
	return nil
}

// asks is what a person has to add to a choice, as key=value.
var asks = map[device.ChoiceKind]string{
	device.ChoiceFlow: "", device.ChoiceAddress: "address=", device.ChoiceLocation: "lat= lon= name=", device.ChoiceContact: "",
	device.ChoiceOrder: "sku= quantity=1 price= currency=",
}

// answerable is the message whose buttons the keys answer: the chosen one, else the newest one that was not answered.
func (m *model) answerable() *device.Message {
	can := func(v *device.Message) bool {
		return v.Direction == device.In && v.ID != "" && (v.Type == "template" || v.Type == "interactive") && m.answered(v) == "" &&
			hasAnswers(v)
	}
	if p := m.pickedMessage(); p != nil && can(p) {
		return p
	}
	for i := range slices.Backward(m.thread) {
		if can(&m.thread[i]) {
			return &m.thread[i]
		}
	}
	return nil
}

func hasAnswers(v *device.Message) bool {
	p := read(v)
	b, _ := p.pressable("", 1)
	return b != nil
}

// answered is the text of the button with which the person answered a message; "" if they did not.
func (m *model) answered(of *device.Message) string {
	for i := range m.thread {
		v := &m.thread[i]
		if v.Direction == device.Out && v.Context == of.ID && of.ID != "" && (v.Type == "button" || v.Type == "interactive") {
			return read(v).body
		}
	}
	return ""
}
