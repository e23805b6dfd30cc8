package pipeline

import (
	"slices"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// sketch merges the records of some frames into what they change in the store, so that a message that passed all its steps
// meanwhile is one row written once, and a mailbox item that came and went is none.
type sketch struct {
	b        *Batch
	records  int
	rows     map[wa.MessageID]*Message
	peers    map[PeerKey]int    // index in b.Peers
	sessions map[sessionKey]int // index in b.Sessions
	items    map[MailboxRef]int // index in b.Items
	tally    tally
	engaged  []engaged // what users did about earlier messages, see engage
}

type sessionKey struct {
	number wa.PhoneNumberID
	device wa.DeviceID
}

func newSketch(partition int) *sketch {
	return &sketch{
		b: &Batch{Partition: partition}, rows: map[wa.MessageID]*Message{}, peers: map[PeerKey]int{},
		sessions: map[sessionKey]int{}, items: map[MailboxRef]int{},
	}
}

func (s *sketch) frame(f *journal.Frame) {
	s.records += len(f.Records)
	s.b.Position = f.Seq
	for _, r := range f.Records {
		s.record(r)
	}
}

func (s *sketch) record(r record.Record) {
	s.tally.record(s.b, r)
	switch r := r.(type) {
	case *record.Accepted:
		s.accepted(r)
	case *record.Sealed:
		s.sealed(r)
	case *record.Status:
		s.status(r)
	case *record.Received:
		s.received(r)
		s.answered(r)
	case *record.Item:
		s.session(r.Number, r.Device, nil, r.Seq)
		s.item(&MailboxItem{
			Device: r.Device, Seq: r.Seq, Number: r.Number, At: r.At, Expires: r.Expires, Event: r.Event,
		})
	case *record.Acked:
		s.remove(r.Device, r.Seq)
	case *record.Blocked:
		on := r.On
		if p := s.peer(PeerKey{r.Number, r.User}); r.ByBusiness {
			p.BlockedByBusiness = &on
		} else {
			p.BlockedByUser = &on
		}
	case *record.Standing:
		s.b.Standing = append(s.b.Standing, Standing{
			Key: PeerKey{r.Number, r.User}, ReferralAt: r.ReferralAt, EntryAt: r.EntryAt, Hash: r.Hash, OptedOut: r.OptedOut, MovedTo: r.MovedTo,
		})
	case *record.Clicked:
		s.clicked(r)
	case *record.Dropped:
		m := s.message(r.ID)
		m.State, m.Content = StateDropped, nil
	}
	// Marked changes nothing here: its effect is the item. Kinds of a newer binary are skipped.
}

func (s *sketch) accepted(r *record.Accepted) {
	s.insert(&Message{
		ID: r.ID, Number: r.Number, WABA: r.WABA, User: r.To, State: StateAccepted, Type: r.Type, Category: r.Category,
		Template: r.Template, IdentityHash: r.IdentityHash, AcceptedAt: r.At, Expires: r.Expires, Content: r.SealedBody, Opaque: r.SealedOpaque,
	})
	p := s.peer(PeerKey{r.Number, r.To})
	p.PairStart, p.PairCount = r.PairStart, r.PairCount
}

func (s *sketch) sealed(r *record.Sealed) {
	s.session(r.Number, r.Device, r.Session, r.Seq)
	s.item(&MailboxItem{
		Device: r.Device, Seq: r.Seq, ID: r.ID, Number: r.Number, At: r.At, Expires: r.Expires,
		PreKey: r.PreKey, Silent: r.Silent, Cipher: r.Cipher,
	})
	if r.Attempt > 0 {
		s.message(r.ID).Attempt = r.Attempt
	}
}

func (s *sketch) status(r *record.Status) {
	m := s.message(r.ID)
	switch r.Of {
	case record.KindSent:
		m.State, m.SentAt = StateSent, r.At
		m.Category, m.PricingType, m.Billable, m.Outside = r.Category, r.PricingType, r.Billable, r.Outside
		if len(r.SealedBody) > 0 {
			m.Content = r.SealedBody
		}
	case record.KindDelivered:
		m.State, m.DeliveredAt = StateDelivered, r.At
	case record.KindRead:
		m.State, m.ReadAt = StateRead, r.At
	case record.KindPlayed:
		m.State, m.PlayedAt = StatePlayed, r.At
	case record.KindFailed:
		m.State, m.FailedAt, m.Code = StateFailed, r.At, r.Code
	}
	if r.Priced && r.Of != record.KindSent {
		m.PricedOnce = true
		p := s.peer(PeerKey{r.Number, r.To})
		p.DeliveredAt = max(p.DeliveredAt, r.At)
		if r.Template != "" {
			p.Template, p.TemplateAt = r.Template, r.At
		}
	}
	if m.State >= StateDelivered {
		m.Content = nil
	}
	s.remove(r.Device, r.Seq)
}

func (s *sketch) received(r *record.Received) {
	s.insert(&Message{
		ID: r.ID, Number: r.Number, WABA: r.WABA, User: r.From, State: StateReceived, Type: r.Type, AcceptedAt: r.At,
		Device: r.Device, ClientID: r.ClientID,
	})
	s.session(r.Number, r.Device, r.Session, 0)
	p := s.peer(PeerKey{r.Number, r.From})
	p.LastInbound = max(p.LastInbound, r.At)
	if r.OneTime != 0 {
		s.b.OneTime = append(s.b.OneTime, OneTimeRef{r.Number, r.OneTime})
	}
}

func (s *sketch) insert(m *Message) {
	s.rows[m.ID] = m
	s.b.Insert = append(s.b.Insert, m)
}

// message is the row to change, which may be of an earlier batch.
func (s *sketch) message(id wa.MessageID) *Message {
	m, ok := s.rows[id]
	if !ok {
		m = &Message{ID: id}
		s.rows[id] = m
		s.b.Update = append(s.b.Update, m)
	}
	return m
}

// peer is valid until the next call.
func (s *sketch) peer(k PeerKey) *PeerChange {
	i, ok := s.peers[k]
	if !ok {
		i = len(s.b.Peers)
		s.peers[k] = i
		s.b.Peers = append(s.b.Peers, PeerChange{Key: k})
	}
	return &s.b.Peers[i]
}

func (s *sketch) session(number wa.PhoneNumberID, device wa.DeviceID, state []byte, seq uint64) {
	k := sessionKey{number, device}
	i, ok := s.sessions[k]
	if !ok {
		i = len(s.b.Sessions)
		s.sessions[k] = i
		s.b.Sessions = append(s.b.Sessions, Session{Number: number, Device: device})
	}
	e := &s.b.Sessions[i]
	if state != nil {
		e.State = state
	}
	e.LastSeq = max(e.LastSeq, seq)
}

func (s *sketch) item(it *MailboxItem) {
	ref := MailboxRef{it.Device, it.Seq}
	s.b.Placed = append(s.b.Placed, ref)
	s.items[ref] = len(s.b.Items)
	s.b.Items = append(s.b.Items, it)
}

func (s *sketch) remove(device wa.DeviceID, seq uint64) {
	if seq == 0 {
		return
	}
	ref := MailboxRef{device, seq}
	if i, ok := s.items[ref]; ok {
		delete(s.items, ref)
		s.b.Items[i] = nil
		return
	}
	s.b.Gone = append(s.b.Gone, ref)
}

// finish returns the batch. Everything in it is in the order of the journal.
func (s *sketch) finish() *Batch {
	s.b.Counts = s.tally.counts()
	s.b.Items = slices.DeleteFunc(s.b.Items, func(it *MailboxItem) bool { return it == nil })
	return s.b
}
