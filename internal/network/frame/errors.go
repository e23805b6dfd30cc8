package frame

// Code says what was wrong, in Error frames and in HTTP answers below /network/v1.
type Code string

// The codes. Status tells the HTTP status of each.
const (
	ErrFormat        Code = "format"        // field missing, too long, not base64, wrong key length
	ErrBadSignature  Code = "bad_signature" // a prekey's signature does not verify
	ErrCodeWrong     Code = "code_wrong"    // Left tells the tries left
	ErrCodeExpired   Code = "code_expired"
	ErrPINRequired   Code = "pin_required"
	ErrPINWrong      Code = "pin_wrong"    // Left tells the tries left
	ErrUnauthorized  Code = "unauthorized" // token or Auth not valid
	ErrNotFound      Code = "not_found"    // no such business number, blob, device
	ErrGone          Code = "gone"         // the device was removed: register again
	ErrConflict      Code = "conflict"     // same id with other content
	ErrStaleKey      Code = "stale_key"    // the message names a prekey that no longer exists: fetch the bundle, send again
	ErrUndecryptable Code = "undecryptable"
	ErrBlocked       Code = "blocked"  // the business blocked this user
	ErrBlocking      Code = "blocking" // this user blocked the business: unblock it first
	ErrRate          Code = "rate"     // After tells when to come back
	ErrTooLarge      Code = "too_large"
	ErrBusy          Code = "busy"        // nothing was stored: try again with the same id
	ErrUnsupported   Code = "unsupported" // frame type or version unknown
	ErrFlowOver      Code = "flow_over"   // the flow's token is no longer valid; Text is what the business says
	ErrFlowFailed    Code = "flow_failed" // the flow's endpoint did not answer as it must
)

// Status is the HTTP status that goes with the code; 500 for codes that are not in the table. It
// spells the numbers out, because net/http would weigh more in a browser than all the rest.
func (c Code) Status() int {
	switch c {
	case ErrFormat, ErrBadSignature, ErrUnsupported:
		return 400
	case ErrUnauthorized:
		return 401
	case ErrCodeWrong, ErrCodeExpired, ErrPINRequired, ErrPINWrong, ErrBlocked, ErrBlocking:
		return 403
	case ErrNotFound:
		return 404
	case ErrConflict, ErrStaleKey:
		return 409
	case ErrGone, ErrFlowOver:
		return 410
	case ErrTooLarge:
		return 413
	case ErrUndecryptable:
		return 422
	case ErrRate:
		return 429
	case ErrFlowFailed:
		return 502
	case ErrBusy:
		return 503
	}
	return 500
}

// Error is a refusal: a frame of type "error", and, without "t" and "r", the body of a refused HTTP request.
type Error struct {
	R     uint64 `json:"r,omitempty"` // the request refused; 0 when it had none
	Code  Code   `json:"code"`
	Text  string `json:"text,omitempty"`  // for people
	After int64  `json:"after,omitempty"` // milliseconds until another try makes sense; 0 when unknown
	Left  *int   `json:"left,omitempty"`  // tries left of a code or PIN
}

// Type implements Frame.
func (*Error) Type() Type { return TypeError }

// Error implements error.
func (e *Error) Error() string {
	if e.Text == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Text
}

// Is reports whether target is an Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// To returns a copy that answers request r.
func (e *Error) To(r uint64) *Error {
	c := *e
	c.R = r
	return &c
}

// Refuse makes an Error.
func Refuse(code Code, text string) *Error { return &Error{Code: code, Text: text} }

// CloseCode is a WebSocket close code. In-process links use the same.
type CloseCode int

// The close codes.
const (
	CloseGoingAway CloseCode = 1001 // the server stops: come back after Bye.After
	CloseMalformed CloseCode = 4000 // malformed frame
	CloseAuth      CloseCode = 4001 // authentication failed
	CloseRemoved   CloseCode = 4003 // device removed or registered again
	CloseTimeout   CloseCode = 4008 // no Auth in time, or silence
	CloseReplaced  CloseCode = 4009 // another connection of the same device
	CloseSlow      CloseCode = 4013 // the device reads too slowly
	CloseTooMany   CloseCode = 4029 // too many requests
)
