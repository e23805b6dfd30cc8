package pipeline

import (
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// sketch merges the records of some frames into what they change in the store, so that a message that passed all its steps
// meanwhile is one row written once, and a mailbox item that came and went is none.
type sketch struct {
	b        *Batch
	records  int
	fresh    map[wa.MessageID]*Message // rows inserted by this batch
	changed  map[wa.MessageID]*Message // rows of earlier batches
	peers    map[PeerKey]*PeerChange
	sessions map[sessionKey]*Session
	items    map[MailboxRef]*MailboxItem
	gone     map[MailboxRef]bool
}

type sessionKey struct {
	number wa.PhoneNumberID
	device wa.DeviceID
}

func newSketch(partition int) *sketch {
	return &sketch{
		b: &Batch{Partition: partition}, fresh: map[wa.MessageID]*Message{}, changed: map[wa.MessageID]*Message{},
		peers: map[PeerKey]*PeerChange{}, sessions: map[sessionKey]*Session{}, items: map[MailboxRef]*MailboxItem{},
		gone: map[MailboxRef]bool{},
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
	switch r := r.(type) {
	case *record.Accepted:
		s.accepted(r)
	case *record.Sealed:
		s.sealed(r)
	case *record.Status:
		s.status(r)
	case *record.Received:
		s.received(r)
	case *record.Item:
		s.session(r.Number, r.Device, nil, r.Seq)
		s.b.Placed = append(s.b.Placed, MailboxRef{r.Device, r.Seq})
		s.items[MailboxRef{r.Device, r.Seq}] = &MailboxItem{
			Device: r.Device, Seq: r.Seq, Number: r.Number, At: r.At, Expires: r.Expires, Event: r.Event,
		}
	case *record.Acked:
		s.remove(r.Device, r.Seq)
	case *record.Blocked:
		on := r.On
		if p := s.peer(PeerKey{r.Number, r.User}); r.ByBusiness {
			p.BlockedByBusiness = &on
		} else {
			p.BlockedByUser = &on
		}
	case *record.Dropped:
		s.message(r.ID).State = StateDropped
	}
	// Marked changes nothing here: its effect is the item. Kinds of a newer binary are skipped.
}

func (s *sketch) accepted(r *record.Accepted) {
	s.fresh[r.ID] = &Message{
		ID: r.ID, Number: r.Number, WABA: r.WABA, User: r.To, State: StateAccepted, Type: r.Type, Category: r.Category,
		IdentityHash: r.IdentityHash, AcceptedAt: r.At, Expires: r.Expires, Content: r.SealedBody, Opaque: r.SealedOpaque,
	}
	p := s.peer(PeerKey{r.Number, r.To})
	p.PairStart, p.PairCount = r.PairStart, r.PairCount
}

func (s *sketch) sealed(r *record.Sealed) {
	s.session(r.Number, r.Device, r.Session, r.Seq)
	s.b.Placed = append(s.b.Placed, MailboxRef{r.Device, r.Seq})
	s.items[MailboxRef{r.Device, r.Seq}] = &MailboxItem{
		Device: r.Device, Seq: r.Seq, ID: r.ID, Number: r.Number, At: r.At, Expires: r.Expires,
		PreKey: r.PreKey, Silent: r.Silent, Cipher: r.Cipher,
	}
	if r.Attempt > 0 {
		s.message(r.ID).Attempt = r.Attempt
	}
}

func (s *sketch) status(r *record.Status) {
	m := s.message(r.ID)
	switch r.Of {
	case record.KindSent:
		m.State, m.SentAt = StateSent, r.At
		m.Category, m.PricingType, m.Billable = r.Category, r.PricingType, r.Billable
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
	}
	if m.State >= StateDelivered {
		m.Content = nil
	}
	s.remove(r.Device, r.Seq)
}

func (s *sketch) received(r *record.Received) {
	s.fresh[r.ID] = &Message{
		ID: r.ID, Number: r.Number, WABA: r.WABA, User: r.From, State: StateReceived, Type: r.Type, AcceptedAt: r.At,
		Device: r.Device, ClientID: r.ClientID,
	}
	s.session(r.Number, r.Device, r.Session, 0)
	p := s.peer(PeerKey{r.Number, r.From})
	p.LastInbound = max(p.LastInbound, r.At)
	if r.OneTime != 0 {
		s.b.OneTime = append(s.b.OneTime, OneTimeRef{r.Number, r.OneTime})
	}
}

func (s *sketch) message(id wa.MessageID) *Message {
	if m, ok := s.fresh[id]; ok {
		return m
	}
	m, ok := s.changed[id]
	if !ok {
		m = &Message{ID: id}
		s.changed[id] = m
	}
	return m
}

func (s *sketch) peer(k PeerKey) *PeerChange {
	p, ok := s.peers[k]
	if !ok {
		p = &PeerChange{Key: k}
		s.peers[k] = p
	}
	return p
}

func (s *sketch) session(number wa.PhoneNumberID, device wa.DeviceID, state []byte, seq uint64) {
	k := sessionKey{number, device}
	e, ok := s.sessions[k]
	if !ok {
		e = &Session{Number: number, Device: device}
		s.sessions[k] = e
	}
	if state != nil {
		e.State = state
	}
	e.LastSeq = max(e.LastSeq, seq)
}

func (s *sketch) remove(device wa.DeviceID, seq uint64) {
	if seq == 0 {
		return
	}
	ref := MailboxRef{device, seq}
	if _, ok := s.items[ref]; ok {
		delete(s.items, ref)
		return
	}
	s.gone[ref] = true
}

func (s *sketch) finish() *Batch {
	b := s.b
	for _, m := range s.fresh {
		b.Insert = append(b.Insert, m)
	}
	for _, m := range s.changed {
		b.Update = append(b.Update, m)
	}
	for _, p := range s.peers {
		b.Peers = append(b.Peers, *p)
	}
	for _, e := range s.sessions {
		b.Sessions = append(b.Sessions, *e)
	}
	for _, it := range s.items {
		b.Items = append(b.Items, it)
	}
	for ref := range s.gone {
		b.Gone = append(b.Gone, ref)
	}
	return b
}
