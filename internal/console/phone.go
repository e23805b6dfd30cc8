package console

import (
	"context"
	"log/slog"
	"sync"

	"github.com/hikyaku/hikyaku/device"
)

// phone is what the screen needs of a device.
type phone interface {
	Name() string
	Chats() []device.Chat
	// Messages returns the newest messages of a chat, oldest first.
	Messages(chat string, limit int) []device.Message
	Message(id string) (device.Message, bool)
	Send(to string, content []byte) error
	Resend(clientID string) error
	// Show says which chat is in front of the person: what is in it and what arrives in it is read. "" for none.
	Show(chat string) error
	Find(q string) error
	SafetyNumber(chat string) (string, error)
}

// linked is a phone at the end of a link. A message that the link cannot store is not sent, so errors are to be shown.
type linked struct{ l *device.Link }

func (p linked) Name() (s string) {
	p.l.Look(func(d *device.Device) { s = d.Name() })
	return s
}

func (p linked) Chats() (list []device.Chat) {
	p.l.Look(func(d *device.Device) { list = d.Chats() })
	return list
}

func (p linked) Messages(chat string, limit int) (list []device.Message) {
	p.l.Look(func(d *device.Device) { list = d.Messages(chat, 0, limit) })
	return list
}

func (p linked) Message(id string) (m device.Message, ok bool) {
	p.l.Look(func(d *device.Device) { m, ok = d.Message(id) })
	return m, ok
}

func (p linked) Send(to string, content []byte) error {
	_, err := p.l.Send(to, content)
	return err
}

func (p linked) Resend(clientID string) error {
	return p.l.Do(func(d *device.Device) (device.Effects, error) {
		_, eff, err := d.Resend(clientID)
		return eff, err
	})
}

func (p linked) Show(chat string) error {
	return p.l.Do(func(d *device.Device) (device.Effects, error) {
		d.OpenChat(chat)
		if chat == "" {
			return device.Effects{}, nil
		}
		return d.MarkChatRead(chat)
	})
}

func (p linked) Find(q string) error {
	return p.l.Do(func(d *device.Device) (device.Effects, error) { return d.Find(q) })
}

func (p linked) SafetyNumber(chat string) (s string, err error) {
	p.l.Look(func(d *device.Device) { s, err = d.SafetyNumber(chat) })
	return s, err
}

// pump collects events until somebody takes them, all at once: a full mailbox must not redraw the screen for every message.
type pump struct {
	mu     sync.Mutex
	events []device.Event
	ready  chan struct{} // holds a token when there may be events
}

func newPump() *pump { return &pump{ready: make(chan struct{}, 1)} }

func (p *pump) put(e device.Event) {
	p.mu.Lock()
	p.events = append(p.events, e)
	p.mu.Unlock()
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

func (p *pump) take() []device.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.events
	p.events = nil
	return list
}

// failures is a log handler that hears of every connection that ended, also of those that never came about: the link tells
// of them to its logger only.
type failures struct {
	slog.Handler
	f func(error)
}

func (h failures) Enabled(context.Context, slog.Level) bool { return true }

func (h failures) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			h.f(err)
		}
		return true
	})
	return nil
}
