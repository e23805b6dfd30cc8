package webhook

import (
	"bytes"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// event is one update on its way to one endpoint. Its bytes are shared with every endpoint that gets the same variant.
type event struct {
	body  []byte // the POST that carries this update alone
	open  int    // where the change begins in body
	frame *openFrame
	waba  wa.WABAID
	id    wa.MessageID
	born  int64 // Unix milliseconds
	kind  record.Kind
	alone bool             // its entry holds no other change: it has a time, or an id that is not the WABA's
	brief wa.PhoneNumberID // the number, when it is one without storage; empty for all others
}

// eventOverhead is what an event costs besides its bytes.
const eventOverhead = 176

func (e *event) cost() int { return len(e.body) + eventOverhead }

// joins reports whether e may share a POST with o: what lives for an hour goes with updates of the same number and minute, so that
// all of a POST is tried until the same time and forgotten with it.
func (e *event) joins(o *event) bool {
	return e.brief == o.brief && (e.brief == "" || e.born/60_000 == o.born/60_000)
}

// change is the element of changes[].
func (e *event) change() []byte {
	return e.body[e.open : len(e.body)-len(entryClose)-len(payloadClose)]
}

// entry is the element of entry[].
func (e *event) entry() []byte { return e.body[len(payloadOpen) : len(e.body)-len(payloadClose)] }

// openFrame counts the events of a frame that an endpoint has not finished.
type openFrame struct {
	part int
	seq  uint64
	left int
}

// update is what routing needs to know of a record.
type update struct {
	waba   wa.WABAID
	number wa.PhoneNumberID
	id     wa.MessageID
	field  string
	entry  wa.BusinessID // the portfolio that the update names; empty for most
	only   wa.AppID      // nobody else is told; empty for most
	brief  bool          // of a number without storage
	born   int64
	rec    record.Record
}

// updateOf returns the update a record stands for; false for records that no webhook tells of.
func updateOf(r record.Record) (update, bool) {
	switch r := r.(type) {
	case *record.Status:
		return update{waba: r.WABA, number: r.Number, id: r.ID, field: FieldMessages, born: r.At, brief: r.Brief, rec: r}, true
	case *record.Received:
		return update{waba: r.WABA, number: r.Number, id: r.ID, field: FieldMessages, born: r.At, brief: r.Brief, rec: r}, true
	case *record.Notice:
		return update{waba: r.WABA, number: r.Number, field: r.Field, entry: wa.BusinessID(r.Entry), only: r.App, born: r.At, rec: r}, true
	default:
		return update{}, false
	}
}

// event builds the bytes of an update. scratch is reused between calls and returned.
func (d *Dispatcher) event(u *update, v variant, scratch []byte) (event, []byte) {
	b := append(scratch[:0], payloadOpen...)
	notice, _ := u.rec.(*record.Notice)
	alone := false
	if notice != nil {
		b, alone = appendNoticeOpen(b, notice)
	} else {
		b = appendEntryOpen(b, u.waba)
	}
	open, born := len(b), u.born
	switch r := u.rec.(type) {
	case *record.Status:
		opaque := d.opaque(r)
		if opaque != "" && r.OpaqueAt != 0 {
			born = r.OpaqueAt // nothing of it outlives the callback data
		}
		b = d.build.status(b, r, opaque, v.legacy())
	case *record.Received:
		b = d.build.received(b, r, d.plaintext(r))
	case *record.Notice:
		b = d.build.notice(b, r, v.adapt(r.Field, d.noticed(r)))
	}
	b = append(b, entryClose+payloadClose...)
	e := event{body: bytes.Clone(b), open: open, waba: u.waba, id: u.id, born: born, kind: u.rec.Kind(), alone: alone}
	if u.brief {
		e.brief = u.number
	}
	return e, b
}

// opaque is the callback data of a status: clear in records from memory, sealed in those read back from disk. A status that was read
// back when the hour of its callback data is over is told without it.
func (d *Dispatcher) opaque(s *record.Status) string {
	if s.OpaqueAt != 0 && s.OpaqueAt <= d.o.Clock.Now().Add(-BriefLife).UnixMilli() {
		return ""
	}
	if s.Opaque != "" || len(s.SealedOpaque) == 0 {
		return s.Opaque
	}
	b, err := d.o.Safe.Open("message/"+string(s.ID)+"/opaque", s.SealedOpaque)
	if err != nil {
		// The key is gone for good or never fits: the status itself must still be told.
		d.o.Log.Error("callback data cannot be opened", "wamid", s.ID, "err", err)
		return ""
	}
	return string(b)
}

// plaintext is the body of an inbound message; nil when it cannot be opened, which makes the message unsupported.
func (d *Dispatcher) plaintext(r *record.Received) []byte {
	if r.Body != nil || len(r.SealedBody) == 0 {
		return r.Body
	}
	b, err := d.o.Safe.Open("message/"+string(r.ID)+"/body", r.SealedBody)
	if err != nil {
		d.o.Log.Error("message body cannot be opened", "wamid", r.ID, "err", err)
		return nil
	}
	return b
}

// batch appends one POST with all events: an entry per WABA in the order of their first update, a change per update; what
// stands alone has an entry of its own.
func batch(b []byte, events []event) []byte {
	b = append(b, payloadOpen...)
	first := true
	for i := range events {
		waba := events[i].waba
		if !events[i].alone && appearsBefore(events[:i], waba) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		if events[i].alone {
			b = append(b, events[i].entry()...)
			continue
		}
		b = appendEntryOpen(b, waba)
		b = append(b, events[i].change()...)
		for j := i + 1; j < len(events); j++ {
			if events[j].waba == waba && !events[j].alone {
				b = append(b, ',')
				b = append(b, events[j].change()...)
			}
		}
		b = append(b, entryClose...)
	}
	return append(b, payloadClose...)
}

func appearsBefore(events []event, waba wa.WABAID) bool {
	for i := range events {
		if events[i].waba == waba && !events[i].alone {
			return true
		}
	}
	return false
}
