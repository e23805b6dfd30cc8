package device

import (
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// EventKind says what an [Event] tells.
type EventKind uint8

// The kinds of events.
const (
	EventMessage   EventKind = iota + 1 // Message is new: received, sent by the user, or a notice
	EventChanged                        // Message has another status, preview or reaction than before
	EventTyping                         // the business Chat is typing, for Seconds
	EventIdentity                       // the business Chat has another identity key than the one known
	EventProfile                        // the profile of the business Chat changed
	EventFound                          // answer to Find: Found
	EventRefused                        // a request was refused: Error
	EventConnected                      // the platform has greeted the device
	EventOffline                        // the connection ended: Err; a Link tries again
	EventGone                           // the platform has removed this device: it must register again
)

// Event is something to show. Which fields count follows from Kind.
type Event struct {
	Kind    EventKind
	Chat    string   // wa_id of the business number
	Message *Message // shared with the device: read it before the next call, do not keep or change it
	Seconds int
	Found   []frame.Business
	Error   *frame.Error
	Err     error
}

// Effects is what a call asks its caller to do, in order: send Frames, show Events.
type Effects struct {
	Frames []frame.Frame
	Events []Event
}

func (e *Effects) send(f frame.Frame) { e.Frames = append(e.Frames, f) }

func (e *Effects) tell(v Event) { e.Events = append(e.Events, v) }
