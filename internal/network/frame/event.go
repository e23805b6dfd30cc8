package frame

import (
	"encoding/json"
	"fmt"
)

// EventKind names what an Event tells.
type EventKind string

// The kinds of events.
const (
	EventRead     EventKind = "read"      // the business read the user's messages IDs, and all before them
	EventTyping   EventKind = "typing"    // the business is typing, for For seconds; not stored
	EventIdentity EventKind = "identity"  // the business number Of has new keys
	EventProfile  EventKind = "profile"   // the profile of the business number Of changed
	EventSelfRead EventKind = "self_read" // the user read IDs on another device
)

// Event is a mailbox item that is not encrypted. Which fields count follows from Kind; devices ignore kinds they do not
// know.
type Event struct {
	Kind EventKind `json:"kind"`
	IDs  []string  `json:"ids,omitempty"` // wamids
	For  int       `json:"for,omitempty"` // seconds
	Of   string    `json:"of,omitempty"`  // wa_id
}

// JSON is the stored form of the event.
func (e *Event) JSON() []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic("frame: an event of strings does not marshal: " + err.Error())
	}
	return b
}

// ParseEvent reads what Event.JSON wrote.
func ParseEvent(data []byte) (*Event, error) {
	e := new(Event)
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("parse event: %w", err)
	}
	return e, nil
}
