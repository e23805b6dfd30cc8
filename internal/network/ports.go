package network

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Lanes is where the words of devices go. Except for Bundle and Act no call waits for SQL; a call may block for a short
// time when a lane is behind, which slows the devices down. Calls for one device come in the order of its frames, save
// that Receive, Bundle and Act do not wait for earlier acknowledgements.
type Lanes interface {
	// Acked says that devices hold these items. Every item is reported at least once; repeats happen after reconnects and
	// restarts. The slice belongs to the callee.
	Acked(items []Ack)
	// Receipts says that messages were read or played. The slice belongs to the callee.
	Receipts(list []Receipt)
	// Retry asks for a message to be encrypted again in a new session.
	Retry(r Retry)
	// Receive takes a device's message. It ends in exactly one call of in.Sent or in.Refuse, from any goroutine.
	Receive(in *Inbound)
	// Bundle makes the keys of a business number for a device, with a one-time prekey that is durable. An *frame.Error is
	// passed on to the device; other errors become ErrBusy. R and Of are filled in by the hub.
	Bundle(ctx context.Context, of wa.WaID, device wa.DeviceID) (*frame.Bundle, error)
	// Act takes block and unblock; it returns when the change is durable. Errors as for Bundle.
	Act(ctx context.Context, a Action) error
}

// Actions takes the user actions besides block and unblock: report, mute, archive, opt_out, opt_in, click. Without one they are
// answered with ErrUnsupported.
type Actions interface {
	Act(ctx context.Context, a Action) error
}

// Businesses knows the business numbers. WaID and Known are reads from memory.
type Businesses interface {
	// WaID is the number behind an id.
	WaID(number wa.PhoneNumberID) (wa.WaID, bool)
	// Known reports whether id is a business number of this platform that devices may write to.
	Known(id wa.WaID) bool
	// Find returns up to limit business numbers whose number or name matches q.
	Find(ctx context.Context, q string, limit int) ([]frame.Business, error)
}

// Ack is an item that a device holds.
type Ack struct {
	Device  wa.DeviceID
	Seq     uint64
	ID      wa.MessageID // empty for events
	Number  wa.PhoneNumberID
	Silent  bool  // as the item said: no status follows
	Read    bool  // the device showed the message at once
	Retried bool  // the device could not decrypt it and asked for a retry: not a delivery
	At      int64 // Unix milliseconds, platform time
}

// Receipt is a device's word about messages it holds.
type Receipt struct {
	Device wa.DeviceID
	State  frame.ReceiptState
	IDs    []wa.MessageID
	At     int64 // Unix milliseconds, never in the future
}

// Retry is a device's request for another encryption of a message.
type Retry struct {
	Device wa.DeviceID
	Seq    uint64
	ID     wa.MessageID
	Reason frame.RetryReason
}

// Action is something a user did.
type Action struct {
	Device wa.DeviceID
	Do     frame.Do
	Of     wa.WaID // the business number; empty when none was named
	ID     wa.MessageID
	Reason string
	Button string // words on the button that was clicked
}

// Inbound is a message of a device on its way to a lane.
type Inbound struct {
	Device wa.DeviceID
	ID     string // the device's own id of the message; unique per device
	To     wa.WaID
	PreKey bool
	Cipher []byte
	At     int64 // Unix milliseconds as the device told it; 0 when it did not

	r      uint64
	answer func(frame.Frame)
}

// NewInbound makes an Inbound whose answer goes to answer, for tests of lanes and for callers without a connection.
func NewInbound(s *frame.Send, device wa.DeviceID, answer func(frame.Frame)) *Inbound {
	return &Inbound{
		Device: device, ID: s.ID, To: wa.WaID(s.To), PreKey: s.K == frame.KindPreKey, Cipher: s.Ct, At: s.TS * 1000,
		r: s.R, answer: answer,
	}
}

// Sent tells the device that its message is recorded, at a time in Unix milliseconds.
func (in *Inbound) Sent(id wa.MessageID, at int64) {
	in.answer(&frame.Sent{R: in.r, ID: in.ID, Wamid: string(id), TS: at / 1000})
}

// Refuse tells the device why its message was not recorded.
func (in *Inbound) Refuse(e *frame.Error) { in.answer(e.To(in.r)) }
