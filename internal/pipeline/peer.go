package pipeline

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// number is what a lane keeps per business number: the throughput window. It dies with the process; warm refills it.
type number struct {
	window *limits.Window
	keys   *numberKeys // nil until loaded
}

func (l *lane) number(id wa.PhoneNumberID) *number {
	n, ok := l.numbers[id]
	if !ok {
		n = &number{window: limits.NewWindow()}
		l.numbers[id] = n
	}
	return n
}

// peer is a pair of a business number and a user in memory.
type peer struct {
	pin
	key    PeerKey
	loaded bool
	stale  bool // the user changed: load again before the next use
	asked  bool // a load is on its way

	lastInbound       int64
	pair              limits.PairState
	blockedByUser     bool
	blockedByBusiness bool

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
	asked   bool            // a first contact is on its way
	queue   []*letter       // waiting for first contact
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
		l.job(func(ctx context.Context) command { return l.loadPeers(ctx, keys) })
	}
	if ids := l.absent; len(ids) > 0 {
		l.absent = nil
		l.job(func(ctx context.Context) command { return l.loadMessages(ctx, ids) })
	}
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
	out := make([]loadedPeer, 0, len(keys))
	for _, k := range keys {
		lp := loadedPeer{key: k, row: rows[k], err: err}
		if err == nil {
			l.completePeer(ctx, &lp)
		}
		out = append(out, lp)
	}
	return &peersLoaded{out}
}

func (l *lane) completePeer(ctx context.Context, lp *loadedPeer) {
	o := &l.p.o
	if lp.user, lp.err = o.Directory.User(ctx, lp.key.User); lp.err != nil {
		return
	}
	if lp.keys, lp.err = l.p.keys.number(ctx, lp.key.Number); lp.err != nil || lp.user == nil {
		return
	}
	ids := make([]wa.DeviceID, 0, len(lp.user.Devices))
	for _, d := range lp.user.Devices {
		t := &thread{device: d}
		for _, s := range lp.row.Sessions {
			if s.Device == d.ID && len(s.State) > 0 {
				t.session = l.openSession(lp.key.Number, d, s.State)
			}
		}
		lp.threads = append(lp.threads, t)
		ids = append(ids, d.ID)
	}
	lp.err = o.Mailbox.Prepare(ctx, ids)
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
	p.asked = false
	if lp.err != nil {
		l.logger.Warn("load pair", "number_id", string(lp.key.Number), "err", lp.err)
	} else {
		p.adopt(lp)
	}
	waiting := p.waiting
	p.waiting = nil
	for _, c := range waiting {
		p.held--
		l.parked--
		if lp.err != nil {
			if r, ok := c.(refuser); ok {
				r.refuse(wa.ErrUnavailable.Because(lp.err))
				l.busy.Add(-1)
				continue
			}
			// What has been acknowledged cannot be refused: it waits for the store to come back.
			l.retryLater(c)
			continue
		}
		l.decide(c)
	}
}

// adopt takes over what was loaded. State that the lane itself maintains is taken only the first time; on a reload only
// the user and the devices are new, and sessions with devices that registered again are gone.
func (p *peer) adopt(lp *loadedPeer) {
	if !p.loaded {
		r := &lp.row
		p.lastInbound, p.blockedByUser, p.blockedByBusiness = r.LastInbound, r.BlockedByUser, r.BlockedByBusiness
		p.pair = limits.PairState{Start: r.PairStart, Sent: int(r.PairCount)}
	}
	old := p.threads
	p.user, p.keys, p.threads = lp.user, lp.keys, lp.threads
	for i, t := range p.threads {
		for _, o := range old {
			if o.device == t.device {
				p.threads[i] = o
			}
		}
	}
	p.loaded, p.stale = true, false
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

// A stored session is the registration id of the device it was made with (4 bytes) and the session: a device that
// registered again must not be greeted with a session it has lost.
const sessionHeader = 4

func sessionAD(number wa.PhoneNumberID, device wa.DeviceID) []byte {
	return []byte("session/" + string(number) + "/" + string(device))
}

func (l *lane) sealSession(number wa.PhoneNumberID, t *thread) ([]byte, error) {
	b := make([]byte, sessionHeader, 1024)
	binary.BigEndian.PutUint32(b, t.device.RegistrationID)
	b, err := t.session.AppendBinary(b)
	if err != nil {
		return nil, err
	}
	return l.p.o.Vault.SealNumber(number, sessionAD(number, t.device.ID), b)
}

// openSession returns nil when the stored state is of an earlier installation of the device, or unreadable: then a first
// contact follows, which is always safe.
func (l *lane) openSession(number wa.PhoneNumberID, d Device, sealed []byte) *signal.Session {
	b, err := l.p.o.Vault.Open(sessionAD(number, d.ID), sealed)
	if err == nil && len(b) < sessionHeader {
		err = signal.ErrFormat
	}
	if err == nil && binary.BigEndian.Uint32(b) != d.RegistrationID {
		return nil
	}
	var s *signal.Session
	if err == nil {
		s, err = signal.ParseSession(b[sessionHeader:])
	}
	if err != nil {
		l.logger.Error("open stored session", "number_id", string(number), "err", err)
		return nil
	}
	if s.Ready() && s.RemoteIdentity() != d.Identity {
		return nil
	}
	return s
}
