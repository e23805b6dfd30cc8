package record

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Notice is an update of a webhook field other than messages: something happened to an account, a number or a template.
// It changes nothing in the store, whose rows belong to the room that noticed.
type Notice struct {
	WABA   wa.WABAID
	Number wa.PhoneNumberID // empty for fields of a WABA
	Entry  string           // id of the webhook's entry when it is not the WABA's: the portfolio's, for events of partners
	Field  string           // "account_update", …
	App    wa.AppID         // the only app that is told; empty: all that are subscribed
	At     int64
	Value  []byte // JSON object; memory only

	SealedValue []byte // the same under a content key
}

// Kind implements Record.
func (*Notice) Kind() Kind { return KindNotice }

// AD is what binds the sealed value to its record.
func (r *Notice) AD() []byte { return fmt.Appendf(nil, "notice/%s/%s/%d", r.WABA, r.Field, r.At) }

func (r *Notice) appendTo(b []byte) []byte {
	b = text(b, fNumber, r.Number)
	b = text(b, fWABA, r.WABA)
	b = num(b, fAt, r.At)
	b = text(b, fEntry, r.Entry)
	b = text(b, fField, r.Field)
	b = text(b, fApp, r.App)
	return blob(b, fBody, r.SealedValue)
}

func (r *Notice) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fWABA:
			r.WABA = wa.WABAID(v)
		case fEntry:
			r.Entry = string(v)
		case fField:
			r.Field = string(v)
		case fApp:
			r.App = wa.AppID(v)
		case fBody:
			r.SealedValue = v
		}
	}, func(n protowire.Number, v uint64) {
		if n == fAt {
			r.At = int64(v)
		}
	})
}
