package pipeline

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// number is what a lane keeps per business number: the throughput window. It dies with the process; start refills it.
type number struct {
	window  Throughput
	linking int // messages that wait for media by link
}

func (l *lane) number(id wa.PhoneNumberID) *number {
	n, ok := l.numbers[id]
	if !ok {
		n = &number{window: l.p.o.Throughput()}
		l.numbers[id] = n
	}
	return n
}

// peer is a pair of a business number and a user in memory.
type peer struct {
	pin
	key     PeerKey
	loaded  bool
	stale   bool // the user changed, or a mailbox is not ready: load again before the next use
	asked   bool // a load is on its way
	outrun  bool // the user changed while it was: its answer may be old
	freshly bool // not used since the load: a mailbox that allots nothing is full

	standing          Standing
	lastInbound       int64
	pair              limits.PairState
	blockedByUser     bool
	blockedByBusiness bool
	deliveredAt       int64
	template          wa.TemplateID // delivered last
	templateAt        int64

	user    *User // nil: nobody has this number
	keys    *numberKeys
	threads []*thread
	waiting []command // parked until loaded
}

// thread is the conversation with one device of the peer's user.
type thread struct {
	device  Device
	session *signal.Session // nil until first contact
	since   uint64          // first mailbox position that used the session; acknowledgements before it prove nothing
	slot    uint64          // position reserved for the message at hand

	asked bool      // a first contact is on its way
	tries int       // first contacts that failed since the last one that did not
	queue []command // waiting for first contact, in order: redeliver and reseal

	reading bool      // a first message of the device waits for its keys
	inbox   []command // what the device sent after it, in order
}

// takeWaiting empties the queues of t.
func (t *thread) takeWaiting() []command {
	list := slices.Concat(t.queue, t.inbox)
	t.queue, t.inbox = nil, nil
	return list
}

func (p *peer) ready() bool { return p.loaded && !p.stale }

// peer returns the pair, which may have to be loaded first.
func (l *lane) peer(key PeerKey) *peer {
	p, ok := l.peers.get(key)
	if !ok {
		p = &peer{key: key}
		l.peers.put(key, p)
		l.byUser[key.User] = append(l.byUser[key.User], p)
	}
	return p
}

func (l *lane) unlink(p *peer) {
	rest := slices.DeleteFunc(l.byUser[p.key.User], func(q *peer) bool { return q == p })
	if len(rest) == 0 {
		delete(l.byUser, p.key.User)
	} else {
		l.byUser[p.key.User] = rest
	}
}

// park lets c run again when the pair has been loaded.
func (l *lane) park(p *peer, c command) {
	if l.crowded(c) {
		return
	}
	l.busy.Add(1)
	l.parked++
	p.held++
	p.waiting = append(p.waiting, c)
	if !p.asked {
		p.asked = true
		l.missing = append(l.missing, p.key)
	}
}

// load starts one job for everything this burst found missing.
func (l *lane) load() {
	if keys := l.missing; len(keys) > 0 {
		l.missing = nil
		l.loading(func(ctx context.Context) command { return l.loadPeers(ctx, keys) })
	}
	if ids := l.absent; len(ids) > 0 {
		l.absent = nil
		l.loading(func(ctx context.Context) command { return l.loadMessages(ctx, ids) })
	}
	l.readAgain()
}

// loadedPeer is the outcome of a load, prepared as far as possible outside the lane.
type loadedPeer struct {
	key     PeerKey
	row     Peer
	user    *User
	keys    *numberKeys
	threads []*thread
	err     error
}

func (l *lane) loadPeers(ctx context.Context, keys []PeerKey) command {
	rows := map[PeerKey]Peer{}
	list, err := l.p.o.Store.Peers(ctx, keys)
	for _, r := range list {
		rows[r.Key] = r
	}
	out := make([]loadedPeer, len(keys))
	var devices []wa.DeviceID
	for i, k := range keys {
		lp := &out[i]
		*lp = loadedPeer{key: k, row: rows[k], err: err}
		if err == nil {
			l.completePeer(ctx, lp)
		}
		for _, t := range lp.threads {
			devices = append(devices, t.device.ID)
		}
	}
	if len(devices) > 0 {
		if err := l.p.o.Mailbox.Prepare(ctx, devices); err != nil {
			for i := range out {
				out[i].err = err
			}
		}
	}
	return &peersLoaded{out}
}

func (l *lane) completePeer(ctx context.Context, lp *loadedPeer) {
	if lp.user, lp.err = l.p.o.Directory.User(ctx, lp.key.User); lp.err != nil || lp.user == nil {
		return
	}
	if lp.keys, lp.err = l.p.keys.number(ctx, lp.key.Number); lp.err != nil {
		return
	}
	for _, d := range lp.user.Devices {
		t := &thread{device: d}
		for _, s := range lp.row.Sessions {
			if s.Device == d.ID && len(s.State) > 0 {
				t.session, t.since = l.openSession(lp.key.Number, d, s.State)
			}
		}
		lp.threads = append(lp.threads, t)
	}
}

type peersLoaded struct{ list []loadedPeer }

func (c *peersLoaded) run(l *lane) {
	for i := range c.list {
		l.install(&c.list[i])
	}
}

func (l *lane) install(lp *loadedPeer) {
	p, ok := l.peers.get(lp.key)
	if !ok || !p.asked {
		return // the lane forgot its memory meanwhile
	}
	if lp.err != nil {
		l.logger.Warn("load pair", "number_id", string(lp.key.Number), "err", lp.err)
		l.loadLater(p, lp.err)
		return
	}
	p.asked = false
	orphans := l.adopt(p, lp)
	if err := l.recognise(p); err != nil {
		l.logger.Error("look at a pair", "number_id", string(lp.key.Number), "err", err)
	}
	p.stale = p.stale || p.outrun
	p.outrun = false
	waiting := p.waiting
	p.waiting = nil
	p.held -= len(waiting)
	l.parked -= len(waiting)
	for _, c := range orphans {
		l.decide(c)
	}
	for _, c := range waiting {
		l.decide(c)
	}
}

// loadLater keeps what waits for a pair that could not be loaded, in its order; who waits for an answer is refused.
func (l *lane) loadLater(p *peer, err error) {
	all := len(p.waiting)
	p.waiting = slices.DeleteFunc(p.waiting, func(c command) bool {
		r, ok := c.(refuser)
		if ok {
			r.refuse(wa.ErrUnavailable.Because(err))
			l.busy.Add(-1)
		}
		return ok
	})
	gone := all - len(p.waiting)
	p.held -= gone
	l.parked -= gone
	p.asked, p.outrun = len(p.waiting) > 0, false
	if p.asked {
		l.busy.Add(1)
		l.retryLater(&reload{p.key})
	}
}

// reload loads a pair once more.
type reload struct{ key PeerKey }

func (c *reload) run(l *lane) { l.missing = append(l.missing, c.key) }

// adopt takes over what was loaded. State that the lane itself maintains is taken only the first time; on a reload only
// the user and the devices are new, and sessions with devices that registered again are gone. It returns what waited for
// such devices.
func (l *lane) adopt(p *peer, lp *loadedPeer) (orphans []command) {
	if !p.loaded {
		r := &lp.row
		p.lastInbound, p.blockedByUser, p.blockedByBusiness = r.LastInbound, r.BlockedByUser, r.BlockedByBusiness
		p.pair = limits.PairState{Start: r.PairStart, Sent: int(r.PairCount)}
		p.standing = r.Standing
		p.deliveredAt, p.template, p.templateAt = r.DeliveredAt, r.Template, r.TemplateAt
	}
	old := p.threads
	p.user, p.keys, p.threads = lp.user, lp.keys, lp.threads
	for _, o := range old {
		i := slices.IndexFunc(p.threads, func(t *thread) bool { return t.device == o.device })
		if i >= 0 {
			p.threads[i] = o
		} else {
			l.greeting -= len(o.queue)
			l.parked -= len(o.inbox)
			orphans = append(orphans, o.takeWaiting()...)
		}
	}
	p.loaded, p.stale, p.freshly = true, false, true
	return orphans
}

func (p *peer) thread(d wa.DeviceID) *thread {
	for _, t := range p.threads {
		if t.device.ID == d {
			return t
		}
	}
	return nil
}

// ---- sessions at rest ----

// A stored session is the registration id of the device it was made with (4 bytes), the first mailbox position that used
// it (8 bytes), and the session: a device that registered again must not be greeted with a session it has lost, and what
// acknowledges older items must not confirm it.
const sessionHeader = 4 + 8

func sessionAD(number wa.PhoneNumberID, device wa.DeviceID) []byte {
	return []byte("session/" + string(number) + "/" + string(device))
}

func (l *lane) sealSession(number wa.PhoneNumberID, t *thread) ([]byte, error) {
	b := l.scratch[:sessionHeader]
	binary.BigEndian.PutUint32(b, t.device.RegistrationID)
	binary.BigEndian.PutUint64(b[4:], t.since)
	b, err := t.session.AppendBinary(b)
	if err != nil {
		return nil, err
	}
	sealed, err := l.p.o.Vault.SealNumber(number, sessionAD(number, t.device.ID), b)
	clear(b)
	if cap(b) <= maxScratch {
		l.scratch = b[:cap(b)]
	}
	return sealed, err
}

// openSession returns nil when the stored state is of an earlier installation of the device, or unreadable: then a first
// contact follows, which is always safe.
func (l *lane) openSession(number wa.PhoneNumberID, d Device, sealed []byte) (s *signal.Session, since uint64) {
	b, err := l.p.o.Vault.Open(sessionAD(number, d.ID), sealed)
	if err == nil && len(b) < sessionHeader {
		err = signal.ErrFormat
	}
	if err == nil && binary.BigEndian.Uint32(b) != d.RegistrationID {
		return nil, 0
	}
	if err == nil {
		s, err = signal.ParseSession(b[sessionHeader:])
	}
	if err != nil {
		l.logger.Error("open stored session", "number_id", string(number), "err", err)
		return nil, 0
	}
	if s.Ready() && s.RemoteIdentity() != d.Identity {
		return nil, 0
	}
	return s, binary.BigEndian.Uint64(b[4:])
}
