package record

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// fields is the payload of a record: protobuf fields in any order.
type fields []byte

// each calls text for length-delimited fields and num for varints; other wire types are skipped. Slices handed out share
// memory with the payload.
func (f fields) each(text func(n protowire.Number, v []byte), num func(n protowire.Number, v uint64)) error {
	b := []byte(f)
	for len(b) > 0 {
		n, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
		switch typ {
		case protowire.BytesType:
			v, size := protowire.ConsumeBytes(b)
			if size < 0 {
				return protowire.ParseError(size)
			}
			text(n, slices.Clip(v)) // a reader that appends must not write into the next field
			b = b[size:]
		case protowire.VarintType:
			v, size := protowire.ConsumeVarint(b)
			if size < 0 {
				return protowire.ParseError(size)
			}
			num(n, v)
			b = b[size:]
		default:
			size := protowire.ConsumeFieldValue(n, typ, b)
			if size < 0 {
				return protowire.ParseError(size)
			}
			b = b[size:]
		}
	}
	return nil
}

func text[S ~string](b []byte, n protowire.Number, v S) []byte {
	if v == "" {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.BytesType)
	return protowire.AppendString(b, string(v))
}

func blob(b []byte, n protowire.Number, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}

func num[N ~int | ~int64 | ~uint32 | ~uint64](b []byte, n protowire.Number, v N) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.VarintType)
	return protowire.AppendVarint(b, uint64(v))
}

func flag(b []byte, n protowire.Number, v bool) []byte {
	if !v {
		return b
	}
	b = protowire.AppendTag(b, n, protowire.VarintType)
	return protowire.AppendVarint(b, 1)
}

// Field numbers are shared by all kinds, so that a reader of one field (a number, a time) need not know the kind.
const (
	fID           protowire.Number = 1
	fNumber       protowire.Number = 2
	fWABA         protowire.Number = 3
	fUser         protowire.Number = 4
	fAt           protowire.Number = 5
	fExpires      protowire.Number = 6
	fType         protowire.Number = 7
	fCategory     protowire.Number = 8
	fHash         protowire.Number = 9
	fBody         protowire.Number = 10
	fOpaque       protowire.Number = 11
	fDevice       protowire.Number = 12
	fSeq          protowire.Number = 13
	fPreKey       protowire.Number = 14
	fSilent       protowire.Number = 15
	fCipher       protowire.Number = 16
	fSession      protowire.Number = 17
	fAttempt      protowire.Number = 18
	fPricingType  protowire.Number = 19
	fBillable     protowire.Number = 20
	fPriced       protowire.Number = 21
	fConversation protowire.Number = 22
	fProfile      protowire.Number = 23
	fCode         protowire.Number = 24
	fSubcode      protowire.Number = 25
	fDetails      protowire.Number = 26
	fClientID     protowire.Number = 27
	fOneTime      protowire.Number = 28
	fEvent        protowire.Number = 29
	fByBusiness   protowire.Number = 30
	fOn           protowire.Number = 31
	fPairStart    protowire.Number = 32
	fPairCount    protowire.Number = 33
	fTemplate     protowire.Number = 50
	fOutside      protowire.Number = 51
	fFresh        protowire.Number = 52
	fWhat         protowire.Number = 53
	fReason       protowire.Number = 54
	fCounted      protowire.Number = 55
	fQuoted       protowire.Number = 56
	fButton       protowire.Number = 57
	fBrief        protowire.Number = 58
	fApp          protowire.Number = 59
	fOpaqueAt     protowire.Number = 60
	fEntry        protowire.Number = 40
	fField        protowire.Number = 41
	fReferral     protowire.Number = 42
	fEntryAt      protowire.Number = 43
	fMoved        protowire.Number = 44
)

func (r *Accepted) appendTo(b []byte) []byte {
	b = text(b, fID, r.ID)
	b = text(b, fNumber, r.Number)
	b = text(b, fWABA, r.WABA)
	b = text(b, fUser, r.To)
	b = num(b, fAt, r.At)
	b = num(b, fExpires, r.Expires)
	b = text(b, fType, r.Type)
	b = text(b, fCategory, r.Category)
	b = text(b, fHash, r.IdentityHash)
	b = num(b, fPairStart, r.PairStart)
	b = num(b, fPairCount, r.PairCount)
	b = text(b, fTemplate, r.Template)
	b = blob(b, fBody, r.SealedBody)
	return blob(b, fOpaque, r.SealedOpaque)
}

func (r *Accepted) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fID:
			r.ID = wa.MessageID(v)
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fWABA:
			r.WABA = wa.WABAID(v)
		case fUser:
			r.To = wa.WaID(v)
		case fType:
			r.Type = string(v)
		case fCategory:
			r.Category = string(v)
		case fHash:
			r.IdentityHash = string(v)
		case fTemplate:
			r.Template = wa.TemplateID(v)
		case fBody:
			r.SealedBody = v
		case fOpaque:
			r.SealedOpaque = v
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fAt:
			r.At = int64(v)
		case fExpires:
			r.Expires = int64(v)
		case fPairStart:
			r.PairStart = int64(v)
		case fPairCount:
			r.PairCount = uint32(v)
		}
	})
}

func (r *Sealed) appendTo(b []byte) []byte {
	b = text(b, fID, r.ID)
	b = text(b, fNumber, r.Number)
	b = text(b, fDevice, r.Device)
	b = num(b, fSeq, r.Seq)
	b = num(b, fAt, r.At)
	b = num(b, fExpires, r.Expires)
	b = flag(b, fPreKey, r.PreKey)
	b = flag(b, fSilent, r.Silent)
	b = blob(b, fCipher, r.Cipher)
	b = blob(b, fSession, r.Session)
	return num(b, fAttempt, r.Attempt)
}

func (r *Sealed) parse(f fields) error {
	return f.each(func(n protowire.Number, v []byte) {
		switch n {
		case fID:
			r.ID = wa.MessageID(v)
		case fNumber:
			r.Number = wa.PhoneNumberID(v)
		case fDevice:
			r.Device = wa.DeviceID(v)
		case fCipher:
			r.Cipher = v
		case fSession:
			r.Session = v
		}
	}, func(n protowire.Number, v uint64) {
		switch n {
		case fSeq:
			r.Seq = v
		case fAt:
			r.At = int64(v)
		case fExpires:
			r.Expires = int64(v)
		case fPreKey:
			r.PreKey = v != 0
		case fSilent:
			r.Silent = v != 0
		case fAttempt:
			r.Attempt = uint32(v)
		}
	})
}
