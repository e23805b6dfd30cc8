package record

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Standing is what a number and a user have come to, as it is after a change: what changes rarely and outlives messages.
type Standing struct {
	Number wa.PhoneNumberID
	User   wa.WaID
	At     int64

	ReferralAt int64   // latest message that came from an ad or a post; spec/messages.md section 8.2
	EntryAt    int64   // when the latest free entry point window opened
	Hash       string  // the user's identity as the business knows it; empty while the number does not check identities
	OptedOut   bool    // the user wants no marketing messages
	MovedTo    wa.WaID // the number the user has now; empty for this one
}

// Kind implements Record.
func (*Standing) Kind() Kind { return KindStanding }

func (r *Standing) appendTo(b []byte) []byte {
	b = text(b, fNumber, r.Number)
	b = text(b, fUser, r.User)
	b = num(b, fAt, r.At)
	b = num(b, fReferral, r.ReferralAt)
	b = num(b, fEntryAt, r.EntryAt)
	b = text(b, fHash, r.Hash)
	b = flag(b, fOn, r.OptedOut)
	return text(b, fMoved, r.MovedTo)
}

func (r *Standing) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fUser:
			r.User = wa.WaID(v)
		case fHash:
			r.Hash = string(v)
		case fMoved:
			r.MovedTo = wa.WaID(v)
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fAt:
			r.At = int64(v)
		case fReferral:
			r.ReferralAt = int64(v)
		case fEntryAt:
			r.EntryAt = int64(v)
		case fOn:
			r.OptedOut = v != 0
		}
	})
}
