package graph

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrInvisible is what loaders and resolvers return for an object that does not exist or that the caller cannot see. Both
// are answered with the same bytes: 100/33, HTTP 400, naming method and id (spec/errors.md 5.3). Loaders should also take
// the same steps in both cases, so that the time taken says nothing either.
var ErrInvisible = errors.New("object does not exist or is not visible")

// Invalid is code 100 with the given sentence as message: "(#100) …".
func Invalid(format string, args ...any) *wa.Error {
	return wa.ErrInvalidParameter.Titled("%s", fmt.Sprintf(format, args...))
}

// Required is "(#100) The parameter {path} is required."
func Required(path string) *wa.Error { return wa.ErrParamRequired.Fill(clip(path)) }

// unsupported is the 100/33 answer.
func unsupported(method, id string) *wa.Error {
	return wa.ErrUnsupportedRequest.Fill(strings.ToLower(method), clip(id))
}

func unknownPath(rest []string) *wa.Error {
	return wa.ErrUnknownPath.Fill(clip("/" + strings.Join(rest, "/")))
}

func nonexisting(field, typeName string) *wa.Error {
	return wa.ErrNonexistentField.Fill(clip(field), typeName)
}

// clip bounds what an error message repeats of a request, and keeps it valid UTF-8.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most]
		for i := 0; i < utf8.UTFMax && !utf8.ValidString(s); i++ {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}
