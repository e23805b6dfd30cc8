package record

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/wa"
)

func (s *Status) appendTo(b []byte) []byte {
	b = text(b, fID, s.ID)
	b = text(b, fNumber, s.Number)
	b = text(b, fWABA, s.WABA)
	b = text(b, fUser, s.To)
	b = num(b, fAt, s.At)
	b = text(b, fType, s.Type)
	b = text(b, fCategory, s.Category)
	b = text(b, fTemplate, s.Template)
	b = flag(b, fOutside, s.Outside)
	b = num(b, fFresh, uint32(s.Fresh))
	b = num(b, fCounted, s.Counted)
	b = text(b, fPricingType, s.PricingType)
	b = flag(b, fBillable, s.Billable)
	b = flag(b, fPriced, s.Priced)
	b = num(b, fConversation, s.Conversation)
	b = num(b, fEntryAt, s.Entry)
	b = text(b, fHash, s.IdentityHash)
	b = text(b, fProfile, s.Profile)
	b = text(b, fDevice, s.Device)
	b = num(b, fSeq, s.Seq)
	b = num(b, fCode, s.Code)
	b = num(b, fSubcode, s.Subcode)
	b = text(b, fDetails, s.Details)
	b = flag(b, fBrief, s.Brief)
	b = num(b, fOpaqueAt, s.OpaqueAt)
	b = blob(b, fOpaque, s.SealedOpaque)
	return blob(b, fBody, s.SealedBody)
}

func (s *Status) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fID:
			s.ID = wa.MessageID(v)
		case fNumber:
			s.Number = wa.PhoneNumberID(v)
		case fWABA:
			s.WABA = wa.WABAID(v)
		case fUser:
			s.To = wa.WaID(v)
		case fType:
			s.Type = string(v)
		case fCategory:
			s.Category = string(v)
		case fPricingType:
			s.PricingType = string(v)
		case fTemplate:
			s.Template = wa.TemplateID(v)
		case fHash:
			s.IdentityHash = string(v)
		case fProfile:
			s.Profile = string(v)
		case fDevice:
			s.Device = wa.DeviceID(v)
		case fDetails:
			s.Details = string(v)
		case fOpaque:
			s.SealedOpaque = v
		case fBody:
			s.SealedBody = v
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fAt:
			s.At = int64(v)
		case fBillable:
			s.Billable = v != 0
		case fOutside:
			s.Outside = v != 0
		case fFresh:
			s.Fresh = Fresh(v)
		case fCounted:
			s.Counted = int64(v)
		case fPriced:
			s.Priced = v != 0
		case fConversation:
			s.Conversation = int64(v)
		case fEntryAt:
			s.Entry = int64(v)
		case fSeq:
			s.Seq = v
		case fCode:
			s.Code = int(v)
		case fSubcode:
			s.Subcode = int(v)
		case fBrief:
			s.Brief = v != 0
		case fOpaqueAt:
			s.OpaqueAt = int64(v)
		}
	})
}

func (r *Received) appendTo(b []byte) []byte {
	b = text(b, fID, r.ID)
	b = text(b, fNumber, r.Number)
	b = text(b, fWABA, r.WABA)
	b = text(b, fUser, r.From)
	b = num(b, fAt, r.At)
	b = text(b, fDevice, r.Device)
	b = text(b, fClientID, r.ClientID)
	b = text(b, fType, r.Type)
	b = text(b, fProfile, r.Profile)
	b = text(b, fHash, r.IdentityHash)
	b = blob(b, fSession, r.Session)
	b = num(b, fOneTime, r.OneTime)
	b = text(b, fQuoted, r.Quoted)
	b = num(b, fButton, r.Button)
	b = flag(b, fBrief, r.Brief)
	return blob(b, fBody, r.SealedBody)
}

func (r *Received) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fID:
			r.ID = wa.MessageID(v)
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fWABA:
			r.WABA = wa.WABAID(v)
		case fUser:
			r.From = wa.WaID(v)
		case fDevice:
			r.Device = wa.DeviceID(v)
		case fClientID:
			r.ClientID = string(v)
		case fType:
			r.Type = string(v)
		case fProfile:
			r.Profile = string(v)
		case fHash:
			r.IdentityHash = string(v)
		case fSession:
			r.Session = v
		case fBody:
			r.SealedBody = v
		case fQuoted:
			r.Quoted = wa.MessageID(v)
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fAt:
			r.At = int64(v)
		case fOneTime:
			r.OneTime = uint32(v)
		case fButton:
			r.Button = uint32(v)
		case fBrief:
			r.Brief = v != 0
		}
	})
}

func (r *Marked) appendTo(b []byte) []byte {
	b = text(b, fID, r.ID)
	b = text(b, fNumber, r.Number)
	b = text(b, fUser, r.User)
	return num(b, fAt, r.At)
}

func (r *Marked) parse(f fields) error {
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
		if n == fAt {
			r.At = int64(v)
		}
	})
}

func (r *Item) appendTo(b []byte) []byte {
	b = text(b, fNumber, r.Number)
	b = text(b, fDevice, r.Device)
	b = num(b, fSeq, r.Seq)
	b = num(b, fAt, r.At)
	b = num(b, fExpires, r.Expires)
	return blob(b, fEvent, r.Event)
}

func (r *Item) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fDevice:
			r.Device = wa.DeviceID(v)
		case fEvent:
			r.Event = v
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fSeq:
			r.Seq = v
		case fAt:
			r.At = int64(v)
		case fExpires:
			r.Expires = int64(v)
		}
	})
}

func (r *Acked) appendTo(b []byte) []byte {
	b = text(b, fNumber, r.Number)
	b = text(b, fDevice, r.Device)
	b = num(b, fSeq, r.Seq)
	b = text(b, fID, r.ID)
	return num(b, fAt, r.At)
}

func (r *Acked) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fDevice:
			r.Device = wa.DeviceID(v)
		case fID:
			r.ID = wa.MessageID(v)
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fSeq:
			r.Seq = v
		case fAt:
			r.At = int64(v)
		}
	})
}

func (r *Blocked) appendTo(b []byte) []byte {
	b = text(b, fNumber, r.Number)
	b = text(b, fUser, r.User)
	b = num(b, fAt, r.At)
	b = flag(b, fByBusiness, r.ByBusiness)
	return flag(b, fOn, r.On)
}

func (r *Blocked) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fUser:
			r.User = wa.WaID(v)
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fAt:
			r.At = int64(v)
		case fByBusiness:
			r.ByBusiness = v != 0
		case fOn:
			r.On = v != 0
		}
	})
}

func (r *Dropped) appendTo(b []byte) []byte {
	b = text(b, fID, r.ID)
	b = text(b, fNumber, r.Number)
	b = text(b, fUser, r.To)
	return num(b, fAt, r.At)
}

func (r *Dropped) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fID:
			r.ID = wa.MessageID(v)
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fUser:
			r.To = wa.WaID(v)
		}
	}, func(n protowire.Number, v uint64) {
		if n == fAt {
			r.At = int64(v)
		}
	})
}
