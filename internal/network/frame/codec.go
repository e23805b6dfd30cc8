package frame

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrMalformed says that bytes are no frame at all: too long, no JSON object, or without "t". The connection ends with
// CloseMalformed.
var ErrMalformed = errors.New("malformed frame")

// Encode writes f as JSON.
func Encode(f Frame) ([]byte, error) { return AppendJSON(nil, f) }

// AppendJSON appends f as JSON to b and returns the extended slice. The frames that fly by the thousand are written without
// reflection.
func AppendJSON(b []byte, f Frame) ([]byte, error) {
	switch f := f.(type) {
	case *Deliver:
		return f.append(b), nil
	case *Sent:
		return f.append(b), nil
	case *Ack:
		return f.append(b), nil
	case *Send:
		return f.append(b), nil
	}
	body, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", f.Type(), err)
	}
	b = append(b, `{"t":"`...)
	b = append(b, f.Type()...)
	b = append(b, '"')
	if len(body) > 2 {
		b = append(b, ',')
	}
	return append(b, body[1:]...), nil
}

// FromDevice reads a frame that a device sent. The error is ErrMalformed, or an *Error that is ready to be sent as the
// answer: ErrUnsupported for an unknown type, ErrFormat or ErrTooLarge for a field that breaks a rule.
func FromDevice(data []byte) (Frame, error) {
	return decode(data, func(t Type) Frame {
		switch t {
		case TypeAuth:
			return new(Auth)
		case TypeAck:
			return new(Ack)
		case TypeReceipt:
			return new(Receipt)
		case TypeSend:
			return new(Send)
		case TypeRetry:
			return new(Retry)
		case TypeBundle:
			return new(BundleRequest)
		case TypePreKeys:
			return new(PreKeys)
		case TypeAct:
			return new(Act)
		case TypeProfile:
			return new(Profile)
		case TypeFind:
			return new(Find)
		}
		return nil
	})
}

// FromServer reads a frame that the server sent, with the errors of FromDevice; a device ignores frames of types it does
// not know.
func FromServer(data []byte) (Frame, error) {
	return decode(data, func(t Type) Frame {
		switch t {
		case TypeHello:
			return new(Hello)
		case TypeWelcome:
			return new(Welcome)
		case TypeBye:
			return new(Bye)
		case TypeDeliver:
			return new(Deliver)
		case TypeSent:
			return new(Sent)
		case TypeBundle:
			return new(Bundle)
		case TypeOK:
			return new(OK)
		case TypeLow:
			return new(Low)
		case TypeError:
			return new(Error)
		}
		return nil
	})
}

func decode(data []byte, pick func(Type) Frame) (Frame, error) {
	if len(data) > MaxFrame {
		return nil, ErrMalformed
	}
	t, ok := peek(data)
	if !ok {
		return nil, ErrMalformed
	}
	f := pick(t)
	if f == nil {
		return nil, &Error{R: request(data), Code: ErrUnsupported, Text: "unknown frame type"}
	}
	if err := json.Unmarshal(data, f); err != nil {
		if _, syntax := errors.AsType[*json.SyntaxError](err); syntax {
			return nil, ErrMalformed
		}
		return nil, &Error{R: request(data), Code: ErrFormat, Text: "a field has the wrong type"}
	}
	if e := f.Check(); e != nil {
		return nil, e
	}
	return f, nil
}

// peek finds the type. Every known client writes it first; others may not.
func peek(data []byte) (Type, bool) {
	if rest, ok := bytes.CutPrefix(data, []byte(`{"t":"`)); ok {
		if end := bytes.IndexByte(rest, '"'); end > 0 && end < 16 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return Type(rest[:end]), json.Valid(data)
		}
	}
	var head struct {
		T *Type `json:"t"`
	}
	if json.Unmarshal(data, &head) != nil || head.T == nil {
		return "", false
	}
	return *head.T, true
}

// request finds the request number of a frame that cannot be read otherwise; 0 when it has none.
func request(data []byte) uint64 {
	var head struct {
		R uint64 `json:"r"`
	}
	if json.Unmarshal(data, &head) != nil {
		return 0
	}
	return head.R
}
