//go:build crash

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/test/child"
)

// person is a user with a real device in this process.
type person struct {
	w     *world
	phone string
	link  *device.Link

	mu       sync.Mutex
	got      []device.Message          // as they arrived
	seen     map[string]int            // wamid to how often it was shown
	wrote    map[string]device.Message // own id to the message as it was sent
	sent     map[string]string         // own id to wamid, once the platform said so
	problems []string
}

func newPerson(w *world, i int) *person {
	w.t.Helper()
	p := &person{
		w: w, phone: fmt.Sprintf("4915550142%02d", i), seen: map[string]int{}, wrote: map[string]device.Message{},
		sent: map[string]string{},
	}
	store, err := device.OpenFile(filepath.Join(w.t.TempDir(), "device"))
	if err != nil {
		w.t.Fatal(err)
	}
	r := device.Registrar{Server: w.place.URL(), HTTP: w.place.HTTP}
	ctx := w.t.Context()
	code, err := r.RequestCode(ctx, "+"+p.phone, "sms", "en")
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.must(w.place.Do(ctx, "GET", "/control/v1/codes?phone="+p.phone, nil))
	var codes struct {
		Data []struct {
			Code string `json:"code"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &codes); err != nil || len(codes.Data) == 0 {
		w.t.Fatalf("codes: %v, %s", err, a.Body)
	}
	d, err := r.Register(ctx, device.Registration{
		CodeID: code.CodeID, Code: codes.Data[0].Code, Profile: "Person " + p.phone[len(p.phone)-2:], Device: "test", Platform: frame.PlatformOther,
	}, device.Options{Clock: clock.System(), Store: store, History: 60, Client: "crash test"})
	if err != nil {
		w.t.Fatal(err)
	}
	p.link, err = device.NewLink(d, device.LinkOptions{
		Server: w.place.URL(), Clock: clock.System(), Events: p.event,
		Jitter: func(n time.Duration) time.Duration { return min(n, 100*time.Millisecond) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	run, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.link.Run(run) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Errorf("device %s ended: %v", p.phone, err)
		}
		store.Close()
	})
	for _, n := range w.numbers {
		p.write(n, "first word of "+p.phone)
	}
	return p
}

func (p *person) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// event is called by the link, one at a time.
func (p *person) event(e device.Event) {
	var read []string
	p.mu.Lock()
	switch m := e.Message; {
	case e.Kind == device.EventIdentity:
		p.problem("the business %s has another identity key", e.Chat)
	case e.Kind == device.EventGone, e.Kind == device.EventRefused:
		p.problem("event %d: %v %v", e.Kind, e.Err, e.Error)
	case e.Kind == device.EventMessage && m.Direction == device.Notice:
		p.problem("notice: %s", m.Raw)
	case e.Kind == device.EventMessage && m.Direction == device.In:
		p.got = append(p.got, *m)
		if p.seen[m.ID]++; p.seen[m.ID] > 1 {
			p.problem("message %s was shown %d times", m.ID, p.seen[m.ID])
		}
		if p.w.chance(0.4) {
			read = []string{m.ID}
		}
	case e.Kind == device.EventChanged && m.Direction == device.Out && (m.Status == device.Sent || m.Status == device.Read):
		if old := p.sent[m.ClientID]; old != "" && old != m.ID {
			p.problem("own message %s has two ids: %s and %s", m.ClientID, old, m.ID)
		}
		p.sent[m.ClientID] = m.ID
	case e.Kind == device.EventChanged && m.Direction == device.Out && m.Status == device.Failed:
		p.problem("own message %s failed: %s", m.ClientID, m.Error)
	}
	p.mu.Unlock()
	if read != nil {
		_ = p.link.Do(func(d *device.Device) (device.Effects, error) { return d.MarkRead(read...) })
	}
}

// write sends a text; a full queue is no problem.
func (p *person) write(n number, text string) {
	raw, err := json.Marshal(map[string]any{"type": "text", "text": map[string]string{"body": text}})
	if err != nil {
		p.w.t.Error(err)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m, err := p.link.Send(n.phone, raw)
	if err == nil {
		p.wrote[m.ClientID] = m
	}
}

func (p *person) unanswered() (n int) {
	p.link.Look(func(d *device.Device) { n = d.Unanswered() })
	return n
}

// live writes now and then until stop is closed.
func (p *person) live(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		if p.unanswered() < 20 {
			p.write(p.w.numbers[p.w.pick(len(p.w.numbers))], fmt.Sprintf("word %d of %s", i, p.phone))
		}
		_ = clock.System().Sleep(ctx, time.Duration(20+p.w.pick(120))*time.Millisecond)
	}
}

// live sends messages to everybody until stop is closed, and reads what came in.
func (w *world) live(ctx context.Context, worker int) {
	for i := 0; ctx.Err() == nil; i++ {
		n := w.numbers[w.pick(len(w.numbers))]
		to := member(w.pick(crowd))
		if w.chance(0.3) {
			to = w.people[w.pick(len(w.people))].phone
		}
		text := fmt.Sprintf("%x/%d/%d", w.seed, worker, i)
		body := child.Text(to, text)
		if w.chance(0.15) {
			body, text = child.Hello(to, text), ""
		}
		if w.chance(0.1) {
			w.markRead(ctx)
		}
		a, err := w.place.Graph(ctx, "POST", version+"/"+n.id+"/messages", w.start.Token, body)
		switch {
		case err != nil:
			_ = clock.System().Sleep(ctx, 5*time.Millisecond)
		case a.Status == 200:
			w.ledger.accept(a.MessageID(), n.id, to, text)
		default:
			w.ledger.refuse(a)
		}
		_ = clock.System().Sleep(ctx, time.Duration(w.pick(40))*time.Millisecond)
	}
}

// markRead lets the business read a message that a person wrote.
func (w *world) markRead(ctx context.Context) {
	p := w.people[w.pick(len(w.people))]
	var id, chat string
	p.mu.Lock()
	for own, wamid := range p.sent {
		if wamid != "" {
			id, chat = wamid, p.wrote[own].Chat
			break
		}
	}
	p.mu.Unlock()
	for _, n := range w.numbers {
		if n.phone == chat {
			a, err := w.place.Graph(ctx, "POST", version+"/"+n.id+"/messages", w.start.Token,
				map[string]any{"messaging_product": "whatsapp", "status": "read", "message_id": id})
			if err == nil && a.Status != 200 {
				w.ledger.refuse(a)
			}
		}
	}
}
