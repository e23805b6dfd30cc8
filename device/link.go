package device

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Times and bounds of a link.
const (
	dialTime    = 20 * time.Second // until Welcome
	settled     = 10 * time.Second // a connection that lasted this long starts the backoff anew
	maxWaiting  = 4096             // events nobody has taken; then reading stops
	closeReason = "done"
)

// ErrReplaced reports that another connection of the same device has taken over: two at once would fight.
var ErrReplaced = errors.New("another connection of this device has taken over")

// LinkOptions are what a [Link] is given. Server, Clock and Events are needed.
type LinkOptions struct {
	// Server is the platform's address, "https://example.org".
	Server string
	Clock  Clock
	// Events is called with every event, in order, one at a time, on a goroutine of the link's own. It may call the link.
	// A message in it must not be kept: it belongs to the device. The link hands out copies.
	Events func(Event)
	// HTTP makes the connection; nil means a client of its own. Browsers ignore it.
	HTTP *http.Client
	// Jitter picks a number below n; nil means random. Tests choose it.
	Jitter func(n time.Duration) time.Duration
	// Logger gets connections that ended, at level debug. Nil is silent.
	Logger *slog.Logger
}

// Link connects a device to the platform over a WebSocket and keeps it connected. Make it with [NewLink], then call Run
// once. Its other methods are safe for concurrent use, before, during and after Run.
//
// Locks: mu guards the device and the queues; it is never held while a socket is written or Events is called.
type Link struct {
	o   LinkOptions
	url string

	mu     sync.Mutex
	d      *Device
	out    []frame.Frame // to be written on the current connection
	events []Event
	wrote  chan struct{}           // holds one token when out may be non-empty
	told   chan struct{}           // the same for events
	ticked chan struct{}           // the same for a change of Due
	room   chan struct{}           // the same for events having been taken
	wake   context.CancelFunc      // nil unless resting
	end    context.CancelCauseFunc // nil unless connected
	seen   time.Time               // last sign of life of the server
}

// NewLink prepares a link for a registered device, which belongs to the link from now on. Errors: a server address it
// cannot use.
func NewLink(d *Device, o LinkOptions) (*Link, error) {
	u, err := url.Parse(o.Server)
	if err != nil {
		return nil, fmt.Errorf("server address: %w", err)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return nil, fmt.Errorf("server address %q is neither http nor https", o.Server)
	}
	d.o.Host = cmp.Or(d.o.Host, u.Host)
	if o.Jitter == nil {
		o.Jitter = func(n time.Duration) time.Duration { return rand.N(n) } //nolint:gosec // spreads load, keeps no secret
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	token := func() chan struct{} { return make(chan struct{}, 1) }
	return &Link{
		o: o, d: d, url: u.JoinPath(frame.PathSocket).String(),
		wrote: token(), told: token(), ticked: token(), room: token(),
	}, nil
}

// Do calls f with the device, alone, sends the frames and shows the events that f returns. f must not keep the device.
// If the step could not be stored, the device is loaded again; the connection ends and comes back.
func (l *Link) Do(f func(d *Device) (Effects, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	eff, err := f(l.d)
	if errors.Is(err, ErrBroken) {
		// What is stored counts. Frames of earlier steps that were not written yet may be lost: the next connection repeats
		// what matters of them.
		l.out = nil
		err = errors.Join(err, l.d.Reload())
		if l.end != nil {
			l.end(err)
		}
	}
	if err != nil {
		return err
	}
	l.take(eff)
	return nil
}

// Look calls f with the device, alone, for reading.
func (l *Link) Look(f func(d *Device)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l.d)
}

// Send is [Device.Send].
func (l *Link) Send(to string, content []byte) (m Message, err error) {
	err = l.Do(func(d *Device) (eff Effects, err error) {
		m, eff, err = d.Send(to, content)
		return eff, err
	})
	return m, err
}

// relay keeps files at the platform of the link.
func (l *Link) relay() Relay { return l.host() }

func (l *Link) host() *HTTPRelay {
	return &HTTPRelay{Server: l.o.Server, HTTP: l.o.HTTP, Token: func() (token string) {
		l.Look(func(d *Device) { token = d.Token() })
		return token
	}}
}

// SendFile encrypts a file, uploads it and sends the message that carries it. It waits for the upload, not for the
// message. Errors: those of [Attachment.Upload] and [Device.Send].
func (l *Link) SendFile(ctx context.Context, to string, a Attachment) (Message, error) {
	content, err := a.Upload(ctx, nil, l.relay())
	if err != nil {
		return Message{}, err
	}
	return l.Send(to, content)
}

// Fetch downloads and opens file n, counted from 0, of a message. Errors: [ErrUnknown], those of [Media.Fetch].
func (l *Link) Fetch(ctx context.Context, id string, n int) (f Media, data []byte, err error) {
	err = ErrUnknown
	l.Look(func(d *Device) {
		if m, ok := d.Message(id); ok {
			if list := m.Media(); n >= 0 && n < len(list) {
				f, err = list[n], nil
			}
		}
	})
	if err != nil {
		return Media{}, nil, err
	}
	data, err = f.Fetch(ctx, l.relay())
	return f, data, err
}

// Wake ends the pause before the next connection: the network has come back.
func (l *Link) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wake != nil {
		l.wake()
	}
}

// take needs mu.
func (l *Link) take(eff Effects) {
	if len(eff.Frames) > 0 {
		l.out = append(l.out, eff.Frames...)
		signalTo(l.wrote)
	}
	for _, e := range eff.Events {
		l.tell(e)
	}
	signalTo(l.ticked)
}

// tell needs mu. The message is copied: the device goes on changing its own.
func (l *Link) tell(e Event) {
	if e.Message != nil {
		m := *e.Message
		e.Message = &m
	}
	l.events = append(l.events, e)
	signalTo(l.told)
}

func signalTo(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run connects, and connects again after every end, until ctx ends (then it returns nil), the connection was replaced
// ([ErrReplaced]), the platform has removed the device ([ErrGone]), or the server is another one ([ErrHost]).
func (l *Link) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var shown sync.WaitGroup
	shown.Go(func() { l.show(ctx) })
	defer shown.Wait()
	defer stop()
	for attempt := 0; ; attempt++ {
		began := l.o.Clock.Now()
		end := l.connect(ctx)
		l.mu.Lock()
		greeted := l.d.Online()
		l.d.Disconnected()
		l.out = nil
		if l.d.broken != nil { // the store did not give its state back yet
			end.err = errors.Join(end.err, l.d.Reload())
		}
		if ctx.Err() == nil && greeted {
			l.tell(Event{Kind: EventOffline, Err: end.err})
		}
		l.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // asked to stop
		case end.final:
			return end.err
		}
		l.o.Logger.Debug("connection ended", "err", end.err)
		if greeted && l.o.Clock.Now().Sub(began) >= settled {
			attempt = 0
		}
		l.rest(ctx, attempt, end.after)
	}
}

// rest waits before the next connection: 0.5 s × 2ⁿ with full jitter, at most 60 s, at least what the server asked for.
// Source: design "The user network", section 9.1.
func (l *Link) rest(ctx context.Context, attempt int, least time.Duration) {
	bound := min(frame.BackoffMin<<min(attempt, 10), frame.BackoffMax)
	pause := max(l.o.Jitter(bound), least)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	l.wake = cancel
	l.mu.Unlock()
	_ = l.o.Clock.Sleep(ctx, pause) // its error is that somebody woke it
	l.mu.Lock()
	l.wake = nil
	l.mu.Unlock()
}

// show hands events to the caller until ctx ends, and then those that are left.
func (l *Link) show(ctx context.Context) {
	for {
		l.mu.Lock()
		list := l.events
		l.events = nil
		l.mu.Unlock()
		signalTo(l.room)
		for _, e := range list {
			l.o.Events(e)
		}
		if len(list) > 0 {
			continue
		}
		select {
		case <-l.told:
		case <-ctx.Done():
			l.mu.Lock()
			rest := l.events
			l.events = nil
			l.mu.Unlock()
			for _, e := range rest {
				l.o.Events(e)
			}
			return
		}
	}
}

// ending says how a connection ended.
type ending struct {
	err   error
	final bool          // do not come back
	after time.Duration // the server asked to stay away so long
}

// judge turns the error of a connection into what to do next.
func (l *Link) judge(err error) ending {
	e := ending{err: err}
	switch code := frame.CloseCode(websocket.CloseStatus(err)); {
	case errors.Is(err, ErrHost), errors.Is(err, ErrGone):
		e.final = true
	case code == frame.CloseReplaced:
		e.err, e.final = ErrReplaced, true
	case code == frame.CloseRemoved:
		e.err, e.final = ErrGone, true
		l.mu.Lock()
		if eff, err := l.d.Removed(); err == nil {
			l.take(eff)
		}
		l.mu.Unlock()
	case code == frame.CloseAuth:
		e.err = fmt.Errorf("the server does not accept the device's proof: %w", err)
	}
	return e
}
