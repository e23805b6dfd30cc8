package pipeline

import (
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Step says what a device reports about an item.
type Step uint8

// The steps.
const (
	Stored  Step = iota // the device holds it: delivered
	Shown               // the device holds it and its chat is open: read, without delivered before it
	Opened              // read later on
	Heard               // played
	Skipped             // acknowledged without being of use: expired, repeated, or asked again by retry
)

// Receipt is a device's word about one mailbox item, or, for Opened and Heard, about a message.
type Receipt struct {
	Device wa.DeviceID
	Seq    uint64           // 0 for Opened and Heard
	ID     wa.MessageID     // empty for events
	Number wa.PhoneNumberID // of the item; empty for Opened and Heard
	Silent bool
	Step   Step
}

// Receipts takes what devices report. It never refuses: a report that is lost would have to be asked for again.
func (p *Pipeline) Receipts(list []Receipt) {
	for len(list) > 0 {
		// Reports of one device nearly always concern one lane: split only where it changes.
		l, n := p.laneFor(list[0]), 1
		for n < len(list) && p.laneFor(list[n]) == l {
			n++
		}
		if l != nil {
			l.tell(&receipts{list[:n:n]})
		}
		list = list[n:]
	}
}

func (p *Pipeline) laneFor(r Receipt) *lane {
	if r.Number != "" {
		return p.laneOf(r.Number)
	}
	l, ok := p.laneOfMessage(r.ID)
	if !ok {
		return nil
	}
	return l
}

type receipts struct{ list []Receipt }

func (c *receipts) owed() {}

func (c *receipts) run(l *lane) {
	batch := make([]receipt, len(c.list))
	for i := range c.list {
		batch[i].Receipt = c.list[i]
		batch[i].run(l)
		l.spill()
	}
}

// receipt is one report. It is an outcome too: if its record is lost with a frame, the report is kept for later.
type receipt struct {
	Receipt
	l *lane
}

func (c *receipt) owed() {}

func (c *receipt) durable() {}

func (c *receipt) lost(error) { c.l.tell(c) }

func (c *receipt) run(l *lane) {
	c.l = l
	if c.ID == "" || c.Silent {
		c.acknowledge(l)
		return
	}
	m, known, wait := l.letter(c.ID, c)
	switch {
	case wait:
	case !known || m.User != c.Device.User() || m.State == StateReceived:
		// Not this device's message, or none of ours: only its own mailbox is concerned.
		c.acknowledge(l)
	default:
		c.apply(l, m)
	}
}

func (c *receipt) apply(l *lane, m *letter) {
	p := l.peer(PeerKey{m.Number, m.User})
	if !p.ready() {
		l.park(p, c) // the status carries what the platform knows of the user now
		return
	}
	c.confirm(p)
	kind := c.due(m)
	if kind == 0 {
		c.acknowledge(l)
		return
	}
	first := l.arrived(kind, m, p, l.now())
	s := l.status(kind, m, p)
	s.Device, s.Seq = c.Device, c.Seq
	if first {
		s.Priced = true
		s.Fresh = p.reached(m, s.At)
		s.Counted = l.settleReach(m, true)
		if m.PricingType == message.PriceFreeEntry && m.Type == message.TypeTemplate && l.classOf(m) == "marketing" {
			s.Fresh |= record.Marketing
		}
	}
	if kind == record.KindRead && s.At-m.SentAt <= readWindow {
		s.Fresh |= record.InTime
	}
	l.out.write(s, 256+len(s.SealedOpaque))
	l.out.outcomes = append(l.out.outcomes, c)
	switch kind {
	case record.KindDelivered:
		l.p.counts.Delivered.Add(1)
	case record.KindRead:
		l.p.counts.Read.Add(1)
	}
}

// due is the status that follows; 0 for none. Each (message, status) is emitted once, the first report counts, and nothing
// follows before sent or after failed. Source: spec/messages.md section 14.1.
func (c *receipt) due(m *letter) record.Kind {
	if m.State < StateSent || m.Type == message.TypeReaction { // reactions stop at sent
		return 0
	}
	switch {
	case c.Step == Stored && m.State < StateDelivered, c.Step == Shown && m.Type == message.TypePin && m.State < StateDelivered:
		return record.KindDelivered
	case (c.Step == Shown || c.Step == Opened) && m.State < StateRead && m.Type != message.TypePin:
		return record.KindRead
	case c.Step == Heard && m.State < StatePlayed && m.Type == message.TypeAudio:
		return record.KindPlayed
	}
	return 0
}

// confirm stops repeating the key agreement once the device has acknowledged a message of the session.
func (c *receipt) confirm(p *peer) {
	if c.Seq == 0 || c.Step == Skipped {
		return
	}
	if t := p.thread(c.Device); t != nil && t.since != 0 && c.Seq >= t.since {
		t.session.Confirm()
	}
}

// acknowledge removes an item from the mailbox for good when no status does.
func (c *receipt) acknowledge(l *lane) {
	if c.Seq == 0 {
		return
	}
	l.out.write(&record.Acked{Number: c.Number, Device: c.Device, Seq: c.Seq, ID: c.ID, At: l.now()}, 0)
	l.out.outcomes = append(l.out.outcomes, c)
}
