package network

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrStopping says that the hub takes no more connections.
var ErrStopping = errors.New("the server stops")

// Config configures a Hub. Directory, Mailbox, Lanes, Businesses and Clock are required.
type Config struct {
	Directory  *Directory
	Mailbox    *Mailbox
	Lanes      Lanes
	Businesses Businesses
	Actions    Actions // nil: report, mute and the like are unsupported
	Blobs      Blobs   // nil: devices can keep no files
	Flows      Flows   // nil: devices can open no flows
	Grants     *Grants // of Flows
	Clock      clock.Clock
	Wire       clock.Clock // time of pings and timeouts; nil means Clock. A platform clock that jumps or runs fast must not cut connections.
	Log        *slog.Logger
	Rand       io.Reader // nonces; nil means crypto/rand

	Host       string                       // named in Hello and signed by devices; empty means the Host header of the request
	Origins    []string                     // further origins whose pages may connect, as host patterns
	Address    func(r *http.Request) string // of the client, for the limit; nil means the peer's address
	PerAddress int                          // sockets per address; 0 means 100
	ByeAfter   time.Duration                // devices come back within this time after a stop; 0 means 5 s
}

// Hub holds the connections of devices. It is safe for concurrent use. Shutdown ends it.
type Hub struct {
	cfg     Config
	dir     *Directory
	box     *Mailbox
	log     *slog.Logger
	words   [collectors]collector
	running sync.WaitGroup // collectors and the sweeper
	sockets sync.WaitGroup
	tokens  tokens
	uploads *quota
	flows   *quota          // flows and their steps
	giving  chan struct{}   // places for flows that go out
	ctx     context.Context // ends with the hub; connections outlive the requests of their sweeper
	cancel  context.CancelFunc
	stops   atomic.Bool

	mu    sync.Mutex
	open  map[*socket]struct{}
	peers map[string]int // sockets per address
}

// NewHub makes a Hub and starts its goroutines.
func NewHub(c Config) *Hub {
	if c.Wire == nil {
		c.Wire = c.Clock
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Address == nil {
		c.Address = peerAddress
	}
	if c.PerAddress == 0 {
		c.PerAddress = 100
	}
	if c.ByeAfter == 0 {
		c.ByeAfter = 5 * time.Second
	}
	h := &Hub{
		cfg: c, dir: c.Directory, box: c.Mailbox, log: c.Log,
		open: make(map[*socket]struct{}), peers: make(map[string]int), uploads: newQuota(blobsPerHour, time.Hour),
		flows: newQuota(frame.FlowRate, flowSpan), giving: make(chan struct{}, maxGiven),
	}
	var err error
	if h.tokens, err = newTokens(c.Rand); err != nil {
		panic(err) // nothing else would work without randomness
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	for i := range h.words {
		h.words[i].start(c.Lanes, &h.running)
	}
	h.running.Go(h.watch)
	c.Directory.OnChange(h.changed)
	c.Directory.mu.Lock()
	c.Directory.onLow = h.low
	c.Directory.mu.Unlock()
	return h
}

// Sink is the receiving end of a connection. Its methods are called from any goroutine, must not block and must not call
// the Link or the Hub.
type Sink interface {
	// Push takes a frame, or returns false when there is no room for it. A refused Deliver comes again after Link.Resume;
	// any other refused frame ends the connection with frame.CloseSlow. Frames are read-only.
	Push(f frame.Frame) bool
	// Close says that the connection has ended. It is called once, unless Link.Close ended it. A Push that is under way in
	// another goroutine may come after it and is to be ignored.
	Close(code frame.CloseCode, reason string)
}

// Attach connects a device that is known to be itself: a socket checks the signature first, an in-process link is trusted.
// lastSeq is the position the device stored last and counts as an acknowledgement. The first frame pushed is Welcome. An
// older connection of the device ends with frame.CloseReplaced. Errors: ErrNoDevice, ErrStopping, or the store's.
func (h *Hub) Attach(ctx context.Context, device wa.DeviceID, lastSeq uint64, sink Sink) (*Link, error) {
	u, dev, err := h.dir.device(ctx, device)
	if err != nil {
		return nil, err
	}
	return h.attach(ctx, u, dev, lastSeq, sink)
}

// attach connects a device as the caller knows it.
func (h *Hub) attach(ctx context.Context, u *User, dev *Device, lastSeq uint64, sink Sink) (*Link, error) {
	device := dev.ID
	left, err := h.dir.store.OneTimeLeft(ctx, device)
	if err != nil {
		return nil, fmt.Errorf("count one-time prekeys: %w", err)
	}
	if err := h.dir.seen(ctx, u, dev); err != nil {
		return nil, err
	}
	l := &Link{hub: h, device: device, sink: sink, words: &h.words[hashString(string(device))%collectors]}
	l.hideReads = u.HideReads
	w := &frame.Welcome{
		OneTimeLeft: left, SignedAge: (h.dir.now() - dev.SignedAt) / 1000, Limits: frame.DefaultLimits(),
	}
	if h.cfg.Blobs != nil || h.cfg.Flows != nil {
		w.Token = h.tokens.issue(device, h.cfg.Wire.Now().Add(tokenLife))
	}
	for !h.box.attach(l, lastSeq, w) {
		if err := h.box.Prepare(ctx, []wa.DeviceID{device}); err != nil {
			return nil, err
		}
	}
	if h.stops.Load() { // Shutdown may have missed it
		l.bye(h.cfg.ByeAfter)
		return nil, ErrStopping
	}
	// Whoever removes or replaces a device changes the directory first and ends connections then.
	if _, now, err := h.dir.device(ctx, device); err != nil || !now.AuthKey.Equal(dev.AuthKey) {
		l.drop(frame.CloseRemoved, "device removed")
		return nil, cmp.Or(err, ErrNoDevice)
	}
	return l, nil
}

// attach puts the connection on the device's mailbox and welcomes it; false when the mailbox is not in memory.
func (m *Mailbox) attach(l *Link, lastSeq uint64, w *frame.Welcome) bool {
	s := m.shard(l.device)
	s.mu.Lock()
	b := s.boxes[l.device]
	if b == nil {
		s.mu.Unlock()
		return false
	}
	old, acks := b.attach(l, lastSeq, m.clock.Now().UnixMilli())
	l.box, l.shard = b, s
	l.hub.acked(l.device, acks)
	w.LastSeq, w.Pending = b.acked, b.items
	welcomed := l.sink.Push(w)
	if welcomed {
		m.pump(b)
	}
	s.mu.Unlock()
	if old != nil {
		old.drop(frame.CloseReplaced, "replaced by another connection")
	}
	if !welcomed {
		l.drop(frame.CloseSlow, "no room for the first frame")
	}
	return true
}

// acked passes acknowledgements on.
func (h *Hub) acked(device wa.DeviceID, acks []Ack) {
	if len(acks) > 0 {
		h.words[hashString(string(device))%collectors].acked(acks)
	}
}

// Online reports whether any device of the user is connected.
func (h *Hub) Online(user wa.WaID) bool { return len(h.connections(user)) > 0 }

func (h *Hub) connections(user wa.WaID) []*Link {
	var list []*Link
	for n := uint8(1); n <= frame.MaxDevices; n++ {
		if l := h.box.online(wa.NewDeviceID(user, n)); l != nil {
			list = append(list, l)
		}
	}
	return list
}

// Event pushes an event that is not stored, such as typing, to the connected devices of the user. from is the business
// number's wa_id.
func (h *Hub) Event(user, from wa.WaID, ev *frame.Event) {
	links := h.connections(user)
	if len(links) == 0 {
		return
	}
	d := &frame.Deliver{Items: []frame.Item{{
		From: string(from), K: frame.KindEvent, Ev: ev, TS: h.cfg.Clock.Now().Unix(),
	}}}
	for _, l := range links {
		l.sink.Push(d) // without room the event is lost, as for a device that is away
	}
}

func (h *Hub) low(device wa.DeviceID, left int) {
	if l := h.box.online(device); l != nil {
		l.push(&frame.Low{OneTimeLeft: left})
	}
}

// changed ends connections whose device is no more. Replaced devices were cut by Mailbox.Reset.
func (h *Hub) changed(c Change) {
	gone := c.Device
	switch c.Kind {
	case DeviceRemoved:
	case NumberChanged:
		gone = wa.NewDeviceID(c.OldWaID, 1)
	case ProfileChanged:
		for _, l := range h.connections(c.User.WaID) {
			l.setHideReads(c.User.HideReads)
		}
		return
	default:
		return
	}
	if l := h.box.online(gone); l != nil {
		l.drop(frame.CloseRemoved, "device removed")
	}
}

// Shutdown says Bye to every device, closes the connections and waits for what they said to reach the lanes. After ctx it
// cuts them.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.stops.Store(true)
	h.mu.Unlock()
	for _, l := range h.box.links() {
		l.bye(h.cfg.ByeAfter)
	}
	gone := make(chan struct{})
	go func() { // ends with the sockets, which h.cancel ends
		h.sockets.Wait()
		close(gone)
	}()
	var err error
	select {
	case <-gone:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	h.cancel()
	<-gone
	for i := range h.words {
		h.words[i].stop()
	}
	h.running.Wait()
	return err
}
