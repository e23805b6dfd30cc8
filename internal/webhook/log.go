package webhook

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// State says what became of a delivery.
type State string

// The states of a delivery.
const (
	StateSending   State = "sending"
	StateDelivered State = "delivered"
	StateRetrying  State = "retrying" // waits in the store for Next
	StateHeld      State = "held"     // the endpoint is suspended; sent again from the cursor, as another delivery
	StateDropped   State = "dropped"
)

// Delivery is one POST as the delivery log remembers it.
type Delivery struct {
	ID       string
	Endpoint EndpointID
	URL      string
	Messages []wa.MessageID // of its updates; those of other fields than messages have none
	Updates  int
	Born     time.Time // of the youngest update
	Attempts []Attempt // made since the process started, oldest first
	State    State
	Next     time.Time // of the next attempt while retrying
	Payload  []byte    // the exact bytes; shared, read-only. nil an hour later, of numbers without storage
}

// entry is a Delivery with less to allocate.
type entry struct {
	n        uint64
	row      string // id given by an earlier process or attempt
	endpoint EndpointID
	url      string
	message  wa.MessageID
	more     []wa.MessageID
	updates  int
	born     time.Time
	first    Attempt
	tries    int
	others   []Attempt
	state    State
	next     time.Time
	payload  []byte
	brief    bool // the payload is forgotten when the life of its updates is over
}

// deliveryLog remembers the newest deliveries, bounded by number and bytes. Its zero value is not usable.
type deliveryLog struct {
	run         string // makes ids differ between processes
	count, size int    // bounds

	mu    sync.Mutex
	last  uint64
	ring  []*entry // oldest first
	bytes int
	brief int               // entries with a payload that is to be forgotten
	rows  map[string]*entry // entries of stored POSTs, so that later attempts find theirs
}

func newDeliveryLog(run string, count, size int) *deliveryLog {
	return &deliveryLog{run: run, count: count, size: size, rows: map[string]*entry{}}
}

func (l *deliveryLog) id(e *entry) string {
	if e.row != "" {
		return e.row
	}
	return l.run + strconv.FormatUint(e.n, 36)
}

// begin notes that a POST is about to be sent.
func (l *deliveryLog) begin(id EndpointID, url string, j *job, body []byte) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if j.row != nil {
		if e, ok := l.rows[j.row.ID]; ok {
			e.state, e.url = StateSending, url
			return e
		}
	}
	l.last++
	e := &entry{
		n: l.last, endpoint: id, url: url, updates: j.updates(), born: j.born(), state: StateSending, payload: body, brief: j.brief() != "",
	}
	if j.row != nil {
		e.row, e.message = j.row.ID, j.row.Message
		l.rows[e.row] = e
	} else {
		e.message = j.events[0].id
		for i := 1; i < len(j.events); i++ {
			e.more = append(e.more, j.events[i].id)
		}
	}
	l.push(e)
	return e
}

// push needs mu.
func (l *deliveryLog) push(e *entry) {
	l.ring = append(l.ring, e)
	l.bytes += len(e.payload)
	if e.brief {
		l.brief++
	}
	n := 0
	for n < len(l.ring)-1 && (len(l.ring)-n > l.count || l.bytes > l.size) {
		l.bytes -= len(l.ring[n].payload)
		if l.ring[n].brief {
			l.brief--
		}
		if old := l.ring[n]; l.rows[old.row] == old {
			delete(l.rows, old.row)
		}
		l.ring[n] = nil
		n++
	}
	l.ring = l.ring[n:]
}

// forget drops the payloads of numbers without storage whose hour is over.
func (l *deliveryLog) forget(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.brief == 0 {
		return
	}
	for _, e := range l.ring {
		if e.brief && !now.Before(e.born.Add(BriefLife)) {
			l.bytes -= len(e.payload)
			l.brief--
			e.payload, e.brief = nil, false
		}
	}
}

func (l *deliveryLog) attempt(e *entry, a Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.tries == 0 {
		e.first = a
	} else {
		e.others = append(e.others, a)
	}
	e.tries++
}

func (l *deliveryLog) end(e *entry, s State, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.state, e.next = s, next
	if s == StateRetrying && e.row == "" {
		e.row = l.run + strconv.FormatUint(e.n, 36)
		l.rows[e.row] = e
	}
}

// list returns up to limit deliveries, newest first, for which keep is true; a nil keep means all.
func (l *deliveryLog) list(limit int, keep func(*Delivery) bool) []Delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Delivery
	for i := len(l.ring) - 1; i >= 0 && len(out) < limit; i-- {
		if d := l.show(l.ring[i]); keep == nil || keep(&d) {
			out = append(out, d)
		}
	}
	return out
}

// about returns the deliveries that concern one of the messages, newest first.
func (l *deliveryLog) about(ids []wa.MessageID) (out []Delivery) {
	wanted := make(map[wa.MessageID]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range slices.Backward(l.ring) {
		if wanted[e.message] || slices.ContainsFunc(e.more, func(id wa.MessageID) bool { return wanted[id] }) {
			out = append(out, l.show(e))
		}
	}
	return out
}

// show needs mu.
func (l *deliveryLog) show(e *entry) Delivery {
	d := Delivery{
		ID: l.id(e), Endpoint: e.endpoint, URL: e.url, Updates: e.updates, Born: e.born, State: e.state, Next: e.next,
		Payload: e.payload, Messages: []wa.MessageID{},
	}
	for _, id := range append([]wa.MessageID{e.message}, e.more...) {
		if id != "" {
			d.Messages = append(d.Messages, id)
		}
	}
	if e.tries > 0 {
		d.Attempts = append([]Attempt{e.first}, e.others...)
	}
	return d
}

// find returns the delivery with this id.
func (l *deliveryLog) find(id string) (Delivery, *entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range slices.Backward(l.ring) {
		if l.id(e) == id {
			return l.show(e), e, true
		}
	}
	return Delivery{}, nil, false
}
