package console

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

const (
	firstPage = 200  // messages of a chat that are laid out at first; more when the reader scrolls to their beginning
	allPages  = 5000 // more than a device keeps
)

// What happens to a model besides keys.
type (
	eventsMsg []device.Event      // from the link, in order
	failedMsg struct{ err error } // a connection ended or did not come about
	endedMsg  struct{ err error } // the link has given up
	saidMsg   struct {            // a command is done
		said string
		err  error
		form *form // it has opened
	}
	typedMsg struct { // the typing indicator of a chat is over
		chat string
		n    int
	}
)

// model is the screen. Bubble Tea calls it from one goroutine.
type model struct {
	ctx   context.Context
	phone phone
	clock clock.Clock
	zone  *time.Location
	me    string // wa_id

	w, h  int
	theme theme
	in    input
	flash string // answer to the last key; the next key clears it
	told  string // the same when all is well
	hands hands  // for commands
	flows opener // nil: flows are answered unseen

	online  bool
	greeted bool   // it was connected at least once
	trouble string // why there is no connection
	final   bool   // there will be none
	err     error  // why the link gave up
	stale   bool   // the device has to register again

	chats  []device.Chat // with those that are open but empty
	names  map[string]frame.Business
	info   string          // the business whose profile was asked for
	asked  map[string]bool // chats whose name was looked for
	finds  []string        // searches that wait for an answer, oldest first
	drafts []string        // chats opened here that the device does not know yet
	typing map[string]int  // by chat; the number tells a later indication from an earlier one
	typed  int

	open    string // chat in the right pane; "" for none
	thread  []device.Message
	limit   int    // of messages in thread
	unread  uint64 // N of the first message that was unread when the chat was opened; 0 for none
	off     int    // lines of the thread below the screen
	fresh   int    // messages that came while the reader was further up
	picked  uint64 // N of the chosen message
	reply   string // wamid that the next message answers
	shown   string // chat that the device was told is in front of the person
	blurred bool
	dialog  dialog
	blocks  map[blockKey][]string
	area    layout // of the thread, as last drawn
}

func newModel(ctx context.Context, p phone, c clock.Clock, zone *time.Location, me, open string) *model {
	m := &model{
		ctx: ctx, phone: p, clock: c, zone: zone, me: me, w: 80, h: 24, theme: newTheme(true), names: map[string]frame.Business{},
		asked: map[string]bool{}, typing: map[string]int{}, blocks: map[blockKey][]string{},
	}
	m.refresh()
	if open == "" && len(m.chats) > 0 {
		open = m.chats[0].WaID
	}
	m.enter(open)
	return m
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		if dark := msg.IsDark(); dark != m.theme.dark {
			m.theme = newTheme(dark)
			clear(m.blocks)
		}
	case tea.FocusMsg:
		m.blurred = false
	case tea.BlurMsg:
		m.blurred = true
	case tea.PasteMsg:
		m.line().insert(msg.Content)
	case tea.KeyPressMsg:
		m.flash, m.told = "", ""
		cmd = m.key(msg)
	case eventsMsg:
		cmd = m.events(msg)
	case failedMsg:
		m.online, m.trouble = false, reasonOf(msg.err)
		cmd = m.leaveStale(msg.err)
	case endedMsg:
		m.online, m.final, m.err = false, true, msg.err
		m.trouble = reasonOf(msg.err)
		cmd = m.leaveStale(msg.err)
	case saidMsg:
		m.said(msg)
	case formMsg:
		m.worked(msg)
	case typedMsg:
		if m.typing[msg.chat] == msg.n {
			delete(m.typing, msg.chat)
		}
	}
	m.show()
	return m, cmd
}

// leaveStale ends the screen of a device that the platform did not greet and will not: the caller registers again.
func (m *model) leaveStale(err error) tea.Cmd {
	if m.greeted || !stale(err) {
		return nil
	}
	m.stale = true
	return tea.Quit
}

// events takes what the device tells.
func (m *model) events(list []device.Event) tea.Cmd {
	var cmds []tea.Cmd
	for _, e := range list {
		switch e.Kind {
		case device.EventConnected:
			m.online, m.greeted, m.trouble = true, true, ""
			m.finds = nil
		case device.EventOffline:
			m.online, m.trouble = false, reasonOf(e.Err)
		case device.EventMessage:
			m.arrived(e.Message)
		case device.EventTyping:
			cmds = append(cmds, m.startTyping(e.Chat, e.Seconds))
		case device.EventFound:
			m.found(e.Found)
		case device.EventRefused:
			m.refused(e.Error)
		case device.EventProfile:
			m.askName(e.Chat)
		case device.EventChanged, device.EventIdentity, device.EventGone: // seen in what the device holds
		}
	}
	m.refresh()
	m.askNames()
	return tea.Batch(cmds...)
}

func (m *model) arrived(msg *device.Message) {
	delete(m.typing, msg.Chat)
	if m.open == "" {
		m.enter(msg.Chat)
		return
	}
	if msg.Chat != m.open || beside(msg) {
		return
	}
	if m.off > 0 && msg.Direction != device.Out {
		m.fresh++
	}
	if msg.Direction == device.Out {
		m.unread = 0
	}
}

func (m *model) startTyping(chat string, seconds int) tea.Cmd {
	m.typed++
	n := m.typed
	m.typing[chat] = n
	return func() tea.Msg {
		if m.clock.Sleep(m.ctx, time.Duration(seconds)*time.Second) != nil {
			return nil
		}
		return typedMsg{chat, n}
	}
}

// refresh takes chats and thread from the device.
func (m *model) refresh() {
	m.chats = m.phone.Chats()
	known := map[string]bool{}
	for i := range m.chats {
		c := &m.chats[i]
		known[c.WaID] = true
		if b, ok := m.names[c.WaID]; ok && c.Name == "" {
			c.Name, c.Verified = b.Name, b.Verified
		}
	}
	for _, d := range m.drafts {
		if !known[d] {
			m.chats = append([]device.Chat{{WaID: d, Name: m.names[d].Name, Verified: m.names[d].Verified}}, m.chats...)
		}
	}
	m.thread = nil
	if m.open == "" {
		return
	}
	for _, msg := range m.phone.Messages(m.open, m.limit) {
		if !beside(&msg) {
			m.thread = append(m.thread, msg)
		}
	}
}

// beside reports whether a message shows on the one it is about, not as a line of its own.
func beside(m *device.Message) bool {
	return m.Type == "reaction" || m.Type == "edit" || m.Type == "revoke"
}

// enter opens a chat at its end.
func (m *model) enter(chat string) {
	if chat == "" {
		return
	}
	if m.chat(chat) == nil {
		m.drafts = append(m.drafts, chat)
	}
	m.area = layout{}
	m.open, m.off, m.fresh, m.picked, m.reply, m.limit, m.unread = chat, 0, 0, 0, "", firstPage, 0
	clear(m.blocks)
	m.refresh()
	for _, msg := range m.thread {
		if msg.Direction == device.In && msg.Status == device.Received {
			m.unread = msg.N
			break
		}
	}
}

func (m *model) chat(waID string) *device.Chat {
	for i := range m.chats {
		if m.chats[i].WaID == waID {
			return &m.chats[i]
		}
	}
	return nil
}

// show tells the device what the person sees: the end of the open chat, if nothing covers it.
func (m *model) show() {
	want := m.open
	if m.blurred || m.off > 0 || m.dialog.kind != noDialog {
		want = ""
	}
	if want == m.shown {
		return
	}
	m.shown = want
	if err := m.phone.Show(want); err != nil {
		m.flash = reasonOf(err)
	}
	m.refresh()
}

// askNames looks for the names of chats that have none, each once.
func (m *model) askNames() {
	if !m.online {
		return
	}
	for i := range m.chats {
		if c := &m.chats[i]; c.Name == "" && !m.asked[c.WaID] {
			m.askName(c.WaID)
		}
	}
}

func (m *model) askName(chat string) {
	m.asked[chat] = true
	if m.phone.Find(chat) == nil {
		m.finds = append(m.finds, chat)
	}
}

func (m *model) nextFind() (q string) {
	if len(m.finds) > 0 {
		q, m.finds = m.finds[0], m.finds[1:]
	}
	return q
}

func (m *model) found(list []frame.Business) {
	q := m.nextFind()
	for _, b := range list {
		b.Name = oneLine(b.Name)
		m.names[b.WaID] = b
	}
	if rows, ok := foundProfile(m.info, list); ok {
		m.info, m.told = "", strings.Join(rows, " · ")
	}
	if m.dialog.kind == findDialog && m.dialog.asked == q {
		m.dialog.answered(list)
	}
}

func (m *model) refused(e *frame.Error) {
	if q := m.nextFind(); q != "" && (m.dialog.kind != findDialog || m.dialog.asked != q) {
		return // a name that cannot be had is no news
	}
	m.flash = "The platform refused: " + oneLine(e.Error())
	m.dialog.asked = ""
}

// name is what a chat is called.
func (m *model) name(waID string) string {
	if c := m.chat(waID); c != nil && c.Name != "" {
		return oneLine(c.Name)
	}
	return number(waID)
}

// reasonOf says an error of the link in a person's words.
func reasonOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, device.ErrReplaced):
		return "this phone is in use in another window"
	case errors.Is(err, device.ErrGone):
		return "this number was registered on another device"
	case errors.Is(err, device.ErrHost):
		return "the server calls itself something else: " + oneLine(err.Error())
	case errors.Is(err, device.ErrBlocked):
		return refusals["blocking"]
	case errors.Is(err, device.ErrOffline):
		return "not connected"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	}
	s := oneLine(err.Error())
	for _, noise := range []string{"connect: ", "failed to WebSocket dial: ", "failed to send handshake request: ", "read: "} {
		s = strings.TrimPrefix(s, noise)
	}
	switch {
	case strings.Contains(s, "connection refused"):
		return "the server does not answer"
	case strings.Contains(s, "received close frame"), strings.HasSuffix(s, "EOF"):
		return "the server ended the connection"
	}
	return s
}
