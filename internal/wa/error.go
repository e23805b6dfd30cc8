package wa

import (
	"fmt"
	"slices"
	"strings"
)

// Error is one row of the error table as it is raised, with what this occurrence adds. Rows are package variables
// ([ErrThroughput], …) and are never changed: the With methods return a copy. Source: spec/errors.md.
type Error struct {
	Name      string   // of the row, "ErrThroughput"; empty for rows that are never raised. For logs and metric labels
	Code      int      // what clients program against
	Subcode   int      // 0 when the row has none
	Type      string   // "OAuthException" unless the row says otherwise
	Title     string   // without the "(#code) " prefix; with verbs for [Error.Fill] in rows whose sentence names something
	HTTP      int      // status when answered synchronously; 0 when only webhooks carry it
	Transient bool     // the same call may succeed later
	Family    Family   // which envelope the HTTP answer uses
	Bare      bool     // the message carries no "(#code) " prefix
	Channels  Channels // where the row may appear

	Details   string     // error_data.details
	UserTitle string     // error_user_title
	UserMsg   string     // error_user_msg
	Blame     [][]string // error_data.blame_field_specs
	RetryIn   float64    // seconds until a retry can succeed; 0 when unknown

	cause error
}

// Family says which of the three envelopes of spec/graph.md section 11 an error uses.
type Family uint8

// The three families of error envelopes.
const (
	FamilyGraph      Family = iota // a sentence, no error_data
	FamilyCloud                    // "(#code) Title" and error_data{messaging_product, details}
	FamilyManagement               // "Invalid parameter" with subcode and user texts
)

// Channels says where a row may appear: one letter each, the usual place first. Empty: never raised.
//
//	S  synchronous HTTP answer
//	F  status webhook "failed"
//	E  value.errors[] of a webhook
//	M  messages[].errors[] of an inbound message
//	H  health_status of a node
//	T  call-terminate webhook
type Channels string

// Has reports whether c names the channel, one of the letters above.
func (c Channels) Has(channel byte) bool { return strings.IndexByte(string(c), channel) >= 0 }

// Error implements error. The text is for logs; the wire form is written by the graph room.
func (e *Error) Error() string {
	s := e.Message()
	if e.Details != "" {
		s += ": " + e.Details
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns what Because attached.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the same row, whatever the details.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Subcode == e.Subcode
}

// Message is the wire text of the message key: "(#code) Title", or the bare title for rows without prefix.
func (e *Error) Message() string {
	if e.Bare {
		return e.Title
	}
	return fmt.Sprintf("(#%d) %s", e.Code, e.Title)
}

// With returns a copy whose details are the given text.
func (e *Error) With(details string) *Error {
	c := *e
	c.Details = details
	return &c
}

// Withf is With and fmt.Sprintf.
func (e *Error) Withf(format string, args ...any) *Error {
	return e.With(fmt.Sprintf(format, args...))
}

// Titled returns a copy with another message sentence, for rows whose text names the parameter (code 100 and others).
func (e *Error) Titled(format string, args ...any) *Error {
	c := *e
	c.Title = fmt.Sprintf(format, args...)
	return &c
}

// Fill returns a copy whose title has its verbs replaced: ErrParamRequired.Fill("to"). The row's comment lists the
// arguments.
func (e *Error) Fill(args ...any) *Error { return e.Titled(e.Title, args...) }

// FillMsg returns a copy whose UserMsg has its verbs replaced, for management rows whose text names something.
func (e *Error) FillMsg(args ...any) *Error {
	return e.User(e.UserTitle, fmt.Sprintf(e.UserMsg, args...))
}

// User returns a copy with other texts for people: error_user_title and error_user_msg.
func (e *Error) User(title, msg string) *Error {
	c := *e
	c.UserTitle, c.UserMsg = title, msg
	return &c
}

// Blaming returns a copy that points at one field, as a path: Blaming("name") is [["name"]] on the wire.
func (e *Error) Blaming(path ...string) *Error {
	c := *e
	c.Blame = append(slices.Clone(e.Blame), path)
	return &c
}

// Retry returns a copy that says in how many seconds a retry can succeed.
func (e *Error) Retry(seconds float64) *Error {
	c := *e
	c.RetryIn = seconds
	return &c
}

// Because returns a copy that wraps cause. The cause is for logs; callers of the API never see it.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// ByCode returns the first row of the table with this code and subcode; without such a row the first with the code and
// no subcode. Several rows may share a code: they differ in the sentence only.
func ByCode(code, subcode int) (*Error, bool) {
	if e, ok := byCode[codeKey{code, subcode}]; ok {
		return e, true
	}
	e, ok := byCode[codeKey{code, 0}]
	return e, ok
}

// All returns every row in the order of the table, those that are never raised included. The rows must not be changed.
func All() []*Error { return slices.Clone(rows) }

type codeKey struct{ code, subcode int }

var byCode = func() map[codeKey]*Error {
	m := make(map[codeKey]*Error, len(rows))
	for _, e := range rows {
		k := codeKey{e.Code, e.Subcode}
		if _, ok := m[k]; !ok {
			m[k] = e
		}
	}
	return m
}()
