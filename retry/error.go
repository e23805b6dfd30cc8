package retry

import (
	"encoding/json"
	"fmt"
)

// Coder is an error that knows its code, as [Do] looks for it with errors.As. Clients with an error type of their own
// give it this method.
type Coder interface {
	error
	// ErrorCode is the "code" of the error object.
	ErrorCode() int
}

// Error is an error answer of the API.
type Error struct {
	Status    int    // HTTP
	Code      int    // what to decide on
	Subcode   int    // 0 when there is none
	Message   string // "(#131056) …"
	Details   string // error_data.details
	Transient bool   // is_transient
	TraceID   string // fbtrace_id, for the operator
}

// Error implements error.
func (e *Error) Error() string {
	s := fmt.Sprintf("HTTP %d, code %d: %s", e.Status, e.Code, e.Message)
	if e.Details != "" {
		s += ": " + e.Details
	}
	return s
}

// ErrorCode implements [Coder].
func (e *Error) ErrorCode() int { return e.Code }

// Response is nil for a status below 300 and an [*Error] for an answer with an error object. Any other answer, like that
// of a proxy in between, is an error without a code, so it is not tried again.
func Response(status int, body []byte) error {
	if status < 300 {
		return nil
	}
	var answer struct {
		Error *struct {
			Message   string          `json:"message"`
			Code      *int            `json:"code"`
			Subcode   int             `json:"error_subcode"`
			Transient bool            `json:"is_transient"`
			TraceID   string          `json:"fbtrace_id"`
			Data      json.RawMessage `json:"error_data"` // an object, or a string in some answers
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("HTTP %d without an error object: %w", status, err)
	}
	if answer.Error == nil || answer.Error.Code == nil {
		return fmt.Errorf("HTTP %d without an error object", status)
	}
	var data struct {
		Details string `json:"details"`
	}
	_ = json.Unmarshal(answer.Error.Data, &data) // absent or of another shape: no details
	return &Error{
		Status: status, Code: *answer.Error.Code, Subcode: answer.Error.Subcode, Message: answer.Error.Message,
		Details: data.Details, Transient: answer.Error.Transient, TraceID: answer.Error.TraceID,
	}
}
