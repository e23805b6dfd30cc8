package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/clock"
)

const (
	maxLine    = 64 << 10         // bytes of a line of input
	answerTime = 30 * time.Second // after the end of the input, for the platform's answers
	// commandTime is how long a command may take: a large file over a slow line.
	commandTime = 10 * time.Minute
	// mailboxTime is how long the input waits after the greeting for messages that were there before it.
	mailboxTime = 3 * time.Second
)

// lines is the phone in a pipe. One line per event goes to Out:
//
//	12:01 < text     the business wrote
//	12:01 > text     the platform holds the person's message
//	12:01 = text     the business has read it
//	12:01 ! text     it was refused; the reason stands in front
//
// A line of input that begins with a slash is a command, see help. "(#7)" behind a line is the number by which commands name
// a message.
// Lines of other chats than the one that is written to have "[number] " in front of the text. Line ends within a text are
// written as \n. What is no message goes to Err.
type lines struct {
	o             *Options
	l             *device.Link
	p             *pump
	failed, ended <-chan error

	greeted  bool
	patience <-chan time.Time // from the greeting on: how long the mailbox is waited for
	late     bool             // no longer
	refused  int              // messages that the platform did not take
	wrong    int              // commands that were not carried out
	form     *form            // a flow that is open: lines answer it
	asked    string           // the business whose profile is to be printed
	sent     int              // messages handed to the device in this run
	settled  int              // messages whose answer was printed; those of earlier runs count too
}

// errAnswers reports that the platform did not answer in time.
var errAnswers = errors.New("the platform has not taken every message; they stay in the state file and go out next time")

func (n *lines) run(ctx context.Context) error {
	var input <-chan string
	var failure *error
	var due clock.Timer
	var fire <-chan time.Time
	start := func(d time.Duration) {
		if due == nil {
			due = n.o.Clock.NewTimer(d)
		} else {
			due.Reset(d)
		}
		fire = due.C()
	}
	ended, grace := false, false
	start(answerTime)
	for {
		if failure == nil && n.upToDate() {
			input, failure = n.read(ctx)
		}
		if ended && !grace && n.settled >= n.sent && n.unanswered() == 0 {
			grace = true
			start(n.o.Wait)
		}
		select {
		case text, ok := <-input:
			if !ok {
				n.leaveForm()
				input, ended = nil, true
				start(answerTime)
				continue
			}
			if err := n.send(ctx, text); err != nil {
				return err
			}
		case <-n.p.ready:
			n.print(n.p.take())
			if n.greeted && !ended {
				fire = nil // connected: the input may take as long as it likes
			}
		case <-n.patience:
			n.late = true
		case err := <-n.failed:
			if !n.greeted && stale(err) {
				return errStale
			}
			n.o.say("Not connected: %s. Trying again.", reasonOf(err))
		case err := <-n.ended:
			n.print(n.p.take())
			return n.over(err)
		case <-fire:
			n.print(n.p.take())
			if !ended {
				return errors.New("the platform cannot be reached")
			}
			return n.verdict(grace, *failure)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read hands out lines of the input until it ends. The error is set before the channel closes.
func (n *lines) read(ctx context.Context) (<-chan string, *error) {
	list, failure := make(chan string), new(error)
	go func() {
		defer close(list)
		s := bufio.NewScanner(n.o.In)
		s.Buffer(nil, maxLine)
		for s.Scan() {
			select {
			case list <- s.Text():
			case <-ctx.Done():
				return
			}
		}
		if err := s.Err(); err != nil {
			*failure = fmt.Errorf("read input: %w", err)
		}
	}()
	return list, failure
}

func (n *lines) unanswered() (count int) {
	n.l.Look(func(d *device.Device) { count = d.Unanswered() })
	return count
}

// upToDate says whether the input may be read. Nothing is read before the first greeting: a device that has to register
// again would lose it. Nor before the mailbox is: a command that answers the newest message would answer an older one.
func (n *lines) upToDate() bool {
	if !n.greeted {
		return false
	}
	waiting := 0
	n.l.Look(func(d *device.Device) { waiting = d.Waiting() })
	return waiting == 0 || n.late
}

// over is what the end of the link means.
func (n *lines) over(err error) error {
	switch {
	case !n.greeted && stale(err):
		return errStale
	case err != nil:
		return errors.New(reasonOf(err))
	}
	return nil
}

// verdict is the result after the end of the input.
func (n *lines) verdict(answered bool, failure error) error {
	switch {
	case failure != nil:
		return failure
	case !answered:
		return errAnswers
	case n.wrong > 0:
		return fmt.Errorf("%d commands were not carried out", n.wrong)
	case n.refused > 0:
		return fmt.Errorf("%d of %d messages were refused", n.refused, n.sent)
	}
	return nil
}

// command carries one out. The input goes on after one that went wrong; the end says so.
func (n *lines) command(ctx context.Context, to, line string) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	c := &commander{hands: n.l, flows: n.l, chat: to}
	said, err := c.do(ctx, line)
	n.sent += c.sent
	if c.asked {
		n.asked = to
	}
	if err != nil {
		n.wrong++
		n.o.say("%s: %s.", strings.Fields(line)[0], reasonOf(err))
	} else if said != "" {
		n.o.say("%s", said)
	}
	if c.form != nil {
		n.form = c.form
		n.o.say("%s", strings.Join(append(n.form.text(), n.form.prompt()...), "\n"))
	}
}

// fill hands a line to the form that is open.
func (n *lines) fill(ctx context.Context, typed string) error {
	if typed == "/cancel" {
		n.form = nil
		n.o.say("The form is left.")
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	before := n.form.view.ID
	n.form.answer(ctx, typed)
	if n.form.done == nil {
		said := n.form.prompt()
		if n.form.view.ID != before {
			said = append(n.form.text(), said...)
		}
		n.o.say("%s", strings.Join(said, "\n"))
		return nil
	}
	f := n.form
	n.form = nil
	return n.write(f.offer.Chat, f.done)
}

// write sends a message. The input goes on after one to a business that the person blocked; the end says so.
func (n *lines) write(to string, content []byte) error {
	_, err := n.l.Send(to, content)
	switch {
	case errors.Is(err, device.ErrBlocked):
		n.settled++
		n.refused++
		n.o.say("Not sent: %s.", reasonOf(err))
	case err != nil:
		return fmt.Errorf("send: %w", err)
	}
	n.sent++
	return nil
}

// leaveForm is the end of the input.
func (n *lines) leaveForm() {
	if n.form != nil {
		n.form = nil
		n.wrong++
		n.o.say("The form was not finished.")
	}
}

func (n *lines) send(ctx context.Context, text string) error {
	text = strings.TrimSpace(text)
	if n.form != nil {
		return n.fill(ctx, text)
	}
	if text == "" {
		return nil
	}
	if text == "/help" {
		n.o.say("%s", strings.Join(help(), "\n"))
		return nil
	}
	to, err := n.to()
	if err != nil {
		return err
	}
	if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
		n.command(ctx, to, text)
		return nil
	}
	text = strings.TrimPrefix(text, "/")
	return n.write(to, textContent(text, ""))
}

// to is the business number that is written to.
func (n *lines) to() (string, error) {
	if n.o.To != "" {
		return n.o.To, nil
	}
	var chats []device.Chat
	n.l.Look(func(d *device.Device) { chats = d.Chats() })
	switch {
	case len(chats) == 1:
		return chats[0].WaID, nil
	case len(chats) > 1:
		return "", errors.New("there are several chats: --to names the business number to write to")
	case n.o.Suggest != "":
		return n.o.Suggest, nil
	}
	return "", errors.New("no business has written yet: --to names the business number to write to")
}

func (n *lines) print(list []device.Event) {
	for i := range list {
		e := &list[i]
		switch e.Kind {
		case device.EventConnected:
			if !n.greeted {
				n.greeted, n.patience = true, n.o.Clock.NewTimer(mailboxTime).C()
			}
			n.o.say("Connected as %s.", number(n.o.Phone))
		case device.EventOffline:
			n.o.say("Disconnected: %s.", reasonOf(e.Err))
		case device.EventMessage:
			if e.Message.Direction != device.Out {
				n.message("<", e.Message, "")
			}
		case device.EventChanged:
			n.changed(e.Message)
		case device.EventRefused:
			n.o.say("The platform refused a request: %s", oneLine(e.Error.Error()))
		case device.EventTyping:
			n.o.say("%s is typing.", number(e.Chat))
		case device.EventFound:
			if rows, ok := foundProfile(n.asked, e.Found); ok {
				n.asked = ""
				n.o.say("%s", strings.Join(rows, "\n"))
			}
		case device.EventIdentity, device.EventProfile, device.EventGone: // seen elsewhere, or of no use here
		}
	}
}

// changed prints the next step of one of the person's own messages.
func (n *lines) changed(m *device.Message) {
	if m.Direction != device.Out {
		return
	}
	switch m.Status {
	case device.Sent:
		n.settled++
		n.message(">", m, "")
	case device.Read:
		n.message("=", m, "")
	case device.Failed:
		n.settled++
		n.refused++
		n.message("!", m, refusal(m)+": ")
	case device.Pending, device.Received, device.Played:
	}
}

func (n *lines) message(sign string, m *device.Message, before string) {
	if to, err := n.to(); err != nil || to != m.Chat {
		before = "[" + m.Chat + "] " + before
	}
	if m.Type == device.TypeNotice {
		n.o.say("%s%s.", before, noticeShort(m))
		return
	}
	line := Line(m)
	if m.Direction == device.In && m.Type != "text" && m.Type != "reaction" {
		line += fmt.Sprintf(" (#%d)", m.N)
	}
	fmt.Fprintf(n.o.Out, "%s %s %s%s\n", clockTime(m, n.o.zone()), sign, before, line)
}

// escaped is clean text in one line.
func escaped(s string) string { return strings.ReplaceAll(clean(s), "\n", `\n`) }

// Line is a whole message in one line, as a pipe gets it.
func Line(m *device.Message) string {
	switch {
	case m.Type == "reaction" && m.Text() == "":
		return "took a reaction away"
	case m.Type == "reaction":
		return "reacted " + escaped(m.Text())
	}
	p := read(m)
	n := 0
	return strings.Join(p.inLine(&n), " · ")
}

// inLine lists what a message, or a card of it, says. n counts the buttons that answer.
func (p *parts) inLine(n *int) (list []string) {
	for _, s := range []string{p.label, p.header, p.body, p.footer} {
		if s != "" {
			list = append(list, escaped(s))
		}
	}
	for i := range p.buttons {
		b := &p.buttons[i]
		if b.section != "" {
			list = append(list, escaped(b.section)+":")
		}
		s := "↗ " + escaped(b.text)
		if b.answers() {
			*n++
			s = fmt.Sprintf("[%d] %s", *n, escaped(b.text))
		}
		if b.extra != "" {
			s += " (" + escaped(b.extra) + ")"
		}
		list = append(list, s)
	}
	for i := range p.cards {
		list = append(list, fmt.Sprintf("card %d", i+1))
		list = append(list, p.cards[i].inLine(n)...)
	}
	return list
}
