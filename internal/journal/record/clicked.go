package record

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Clicked says that a user opened the link behind a button of a message. It changes what is counted of the message's template
// and nothing else.
type Clicked struct {
	ID     wa.MessageID
	Number wa.PhoneNumberID
	User   wa.WaID
	At     int64
	Button uint32 // mark of the button's words, see message.ButtonMark; 0 when the device did not say
}

// Kind implements Record.
func (*Clicked) Kind() Kind { return KindClicked }

func (r *Clicked) appendTo(b []byte) []byte {
	b = text(b, fID, r.ID)
	b = text(b, fNumber, r.Number)
	b = text(b, fUser, r.User)
	b = num(b, fAt, r.At)
	return num(b, fButton, r.Button)
}

func (r *Clicked) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fID:
			r.ID = wa.MessageID(v)
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fUser:
			r.User = wa.WaID(v)
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fAt:
			r.At = int64(v)
		case fButton:
			r.Button = uint32(v)
		}
	})
}
