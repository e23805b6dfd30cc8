package device

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// Keys of records. Messages and unanswered ones carry their position in fixed width, so that they sort.
const (
	keyAccount  = "account"
	keyKeys     = "keys"
	keyPosition = "position"
	keyReceipts = "receipts"
	keyRequests = "requests"
	keyChat     = "chat/"
	keySession  = "session/"
	keyMessage  = "message/"
	keyOutbox   = "outbox/"
)

const identitySeedSize = 32

// ErrRecord reports a stored record that cannot be read.
var ErrRecord = errors.New("stored record cannot be read")

// dirty is what the current step has changed. Without a store nobody asks.
type dirty struct {
	all, account, keys, position, receipts, requests bool

	chats    []*chat
	messages []*Message
	outbox   []*outgoing
	gone     []string
}

// position is where the device is in its mailbox and its history.
type position struct {
	Last    uint64  `json:"last"`
	Next    uint64  `json:"next"`
	Retries []retry `json:"retries,omitempty"`
}

type chatRecord struct {
	Name     string `json:"name,omitempty"`
	Verified bool   `json:"verified,omitempty"`
	Blocked  bool   `json:"blocked,omitempty"`
	Pin      []byte `json:"pin,omitempty"`
	Gen      uint32 `json:"gen,omitempty"`
	Fetch    bool   `json:"fetch,omitempty"`
}

func (d *Device) touch(m *Message) {
	if d.o.Store != nil && !m.unsaved {
		m.unsaved = true
		d.dirty.messages = append(d.dirty.messages, m)
	}
}

func (d *Device) touchChat(c *chat) {
	if d.o.Store != nil && !c.unsaved {
		c.unsaved = true
		d.dirty.chats = append(d.dirty.chats, c)
	}
}

func (d *Device) touchSession(c *chat) {
	c.unsavedSession = true
	d.touchChat(c)
}

func (d *Device) touchOutgoing(o *outgoing) {
	if d.o.Store != nil && !o.unsaved {
		o.unsaved = true
		d.dirty.outbox = append(d.dirty.outbox, o)
	}
}

func (d *Device) drop(m *Message) {
	if d.o.Store != nil {
		d.dirty.gone = append(d.dirty.gone, messageKey(m.N))
	}
}

func (d *Device) forget(o *outgoing) {
	if d.o.Store != nil {
		d.dirty.gone = append(d.dirty.gone, outboxKey(o.m.N))
	}
}

func messageKey(n uint64) string { return keyMessage + fmt.Sprintf("%016x", n) }
func outboxKey(n uint64) string  { return keyOutbox + fmt.Sprintf("%016x", n) }

// commit stores what the step has changed.
func (d *Device) commit() error {
	if d.o.Store == nil {
		d.dirty = dirty{}
		return nil
	}
	if d.dirty.all {
		records, err := d.Export()
		if err != nil {
			return err
		}
		d.dirty = dirty{}
		return d.store(Step{Reset: true, Put: records})
	}
	w := writer{}
	w.deleted = d.dirty.gone
	if d.dirty.account {
		w.put(keyAccount, &d.me)
	}
	if d.dirty.keys {
		w.put(keyKeys, &d.keys)
	}
	if d.dirty.position {
		w.put(keyPosition, position{d.last, d.next, d.retries})
	}
	if d.dirty.receipts {
		w.put(keyReceipts, d.receipts)
	}
	if d.dirty.requests {
		w.put(keyRequests, d.requests)
	}
	for _, c := range d.dirty.chats {
		w.chat(c)
	}
	for _, m := range d.dirty.messages {
		m.unsaved = false
		if !slices.Contains(w.deleted, messageKey(m.N)) {
			w.put(messageKey(m.N), m)
		}
	}
	for _, o := range d.dirty.outbox {
		o.unsaved = false
		if !slices.Contains(w.deleted, outboxKey(o.m.N)) {
			w.put(outboxKey(o.m.N), o.record())
		}
	}
	d.dirty = dirty{}
	if w.err != nil {
		return w.err
	}
	if len(w.list) == 0 && len(w.deleted) == 0 {
		return nil
	}
	return d.store(Step{Put: w.list, Delete: w.deleted})
}

func (d *Device) store(s Step) error {
	if err := d.o.Store.Commit(s); err != nil {
		return fmt.Errorf("store the device's step: %w", err)
	}
	return nil
}

// writer collects records and keeps the first error.
type writer struct {
	list    []Record
	deleted []string
	err     error
}

func (w *writer) put(key string, v any) {
	b, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode record %s: %w", key, err)
	}
	w.list = append(w.list, Record{key, b})
}

func (w *writer) chat(c *chat) {
	r := chatRecord{Name: c.name, Verified: c.verified, Blocked: c.blocked, Gen: c.gen, Fetch: c.fetch}
	if !c.pin.IsZero() {
		r.Pin = c.pin.Bytes()
	}
	w.put(keyChat+c.waID, r)
	if c.unsavedSession {
		w.session(c)
	}
	c.unsaved, c.unsavedSession = false, false
}

func (w *writer) session(c *chat) {
	if c.session == nil {
		return
	}
	b, err := c.session.AppendBinary(nil)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode session: %w", err)
	}
	w.list = append(w.list, Record{keySession + c.waID, b})
}

// Export returns the whole state, as a store would hold it. It holds secrets.
func (d *Device) Export() ([]Record, error) {
	w := writer{}
	w.put(keyAccount, &d.me)
	w.put(keyKeys, &d.keys)
	w.put(keyPosition, position{d.last, d.next, d.retries})
	if len(d.receipts) > 0 {
		w.put(keyReceipts, d.receipts)
	}
	if len(d.requests) > 0 {
		w.put(keyRequests, d.requests)
	}
	for _, c := range d.chats {
		w.chat(c)
		w.session(c)
	}
	for _, m := range d.history {
		m.unsaved = false
		w.put(messageKey(m.N), m)
	}
	for _, o := range d.outbox {
		o.unsaved = false
		w.put(outboxKey(o.m.N), o.record())
	}
	return w.list, w.err
}

// Import makes a device of what [Device.Export] returned or a store holds. The state must not be used by anybody else, nor
// twice: an older state would use message keys again. Errors: [ErrEmpty], [ErrRecord].
func Import(o Options, records []Record) (*Device, error) {
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	d := &Device{o: o}
	slices.SortFunc(records, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	var found bool
	var outbox []outgoingRecord
	for _, r := range records {
		var err error
		switch kind, name, _ := strings.Cut(r.Key, "/"); {
		case r.Key == keyAccount:
			found, err = true, json.Unmarshal(r.Value, &d.me)
		case r.Key == keyKeys:
			err = json.Unmarshal(r.Value, &d.keys)
		case r.Key == keyPosition:
			var p position
			err = json.Unmarshal(r.Value, &p)
			d.last, d.next, d.retries = p.Last, p.Next, p.Retries
		case r.Key == keyReceipts:
			err = json.Unmarshal(r.Value, &d.receipts)
		case r.Key == keyRequests:
			err = json.Unmarshal(r.Value, &d.requests)
		case kind+"/" == keyChat:
			err = d.loadChat(name, r.Value)
		case kind+"/" == keySession:
			err = d.loadSession(name, r.Value)
		case kind+"/" == keyMessage:
			m := new(Message)
			err = json.Unmarshal(r.Value, m)
			d.history = append(d.history, m)
		case kind+"/" == keyOutbox:
			outbox = append(outbox, outgoingRecord{})
			err = json.Unmarshal(r.Value, &outbox[len(outbox)-1])
		}
		if err != nil {
			return nil, fmt.Errorf("record %s: %w: %w", r.Key, ErrRecord, err)
		}
	}
	if !found {
		return nil, ErrEmpty
	}
	d.reweigh()
	return d, d.complete(outbox)
}

// complete checks what records cannot check alone.
func (d *Device) complete(outbox []outgoingRecord) error {
	// The identity key is expanded when it is first used.
	if len(d.me.IdentitySeed) != identitySeedSize || len(d.me.AuthSeed) != ed25519.SeedSize || len(d.keys.Signed) == 0 || len(d.keys.KEM) == 0 {
		return fmt.Errorf("keys of %s are missing: %w", strconv.Quote(d.me.WaID), ErrRecord)
	}
	for i := range outbox {
		o := outbox[i].outgoing()
		j := slices.IndexFunc(d.history, func(m *Message) bool { return m.N == outbox[i].N })
		if j < 0 {
			return fmt.Errorf("unanswered message %d is missing: %w", outbox[i].N, ErrRecord)
		}
		o.m = d.history[j]
		d.outbox = append(d.outbox, o)
	}
	return nil
}

func (d *Device) loadChat(waID string, value []byte) error {
	var r chatRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return err
	}
	c := &chat{waID: waID, name: r.Name, verified: r.Verified, blocked: r.Blocked, gen: r.Gen, fetch: r.Fetch}
	if len(r.Pin) > 0 {
		pin, err := signal.ParsePublicKey(r.Pin)
		if err != nil {
			return err
		}
		c.pin = pin
	}
	d.chats = append(d.chats, c)
	return nil
}

func (d *Device) loadSession(waID string, value []byte) error {
	c := d.chat(waID) // "chat/" sorts before "session/"
	if c == nil {
		return ErrUnknown
	}
	s, err := signal.ParseSession(value)
	c.session = s
	return err
}
