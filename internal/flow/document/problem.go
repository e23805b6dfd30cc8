package document

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// MaxProblems bounds what one document is told at once.
const MaxProblems = 100

// Code names a kind of problem. Source: spec/flows.md, section 4.
type Code string

// The codes. Those after InvalidScreenID stand for rules between parts of a document; their names are unverified.
const (
	InvalidKey       Code = "INVALID_PROPERTY_KEY"
	InvalidValue     Code = "INVALID_PROPERTY_VALUE"
	InvalidType      Code = "INVALID_PROPERTY_TYPE"
	MissingRequired  Code = "MISSING_REQUIRED_PROPERTY"
	InvalidScreenID  Code = "INVALID_SCREEN_ID"
	DuplicateScreen  Code = "DUPLICATE_SCREEN_ID"
	InvalidRouting   Code = "INVALID_ROUTING_MODEL"
	InvalidNavigate  Code = "INVALID_NAVIGATE_ACTION"
	InvalidComplete  Code = "INVALID_COMPLETE_ACTION"
	InvalidAction    Code = "INVALID_ON_CLICK_ACTION"
	InvalidDataModel Code = "INVALID_DATA_MODEL"
	MissingTerminal  Code = "MISSING_TERMINAL_SCREEN"
	InvalidReference Code = "INVALID_DYNAMIC_REFERENCE"
	InvalidComponent Code = "INVALID_COMPONENT"
)

// problemType is the type of every problem: the older JSON_SCHEMA_ERROR is not told any more.
const problemType = "FLOW_JSON_ERROR"

// Problem is one thing that is wrong with a document, as the API tells it. Lines and columns count from 1; columns count
// characters, and column_end is the last one. Source: spec/flows.md, section 4.
type Problem struct {
	Code    Code      `json:"error"`
	Type    string    `json:"error_type"`
	Message string    `json:"message"`
	Span              // where the problem stands; the pointer again
	Pointer []Pointer `json:"pointers"`
}

// Span is a piece of a document.
type Span struct {
	LineStart   int `json:"line_start"`
	LineEnd     int `json:"line_end"`
	ColumnStart int `json:"column_start"`
	ColumnEnd   int `json:"column_end"`
}

// Pointer is a place in a document by its position and by its name: screens[0].layout.children[0].type.
type Pointer struct {
	Span
	Path string `json:"path"`
}

// lines finds the line and column of a byte.
type lines struct {
	src    []byte
	starts []int
}

func newLines(src []byte) *lines {
	l := &lines{src: src, starts: []int{0}}
	for i, c := range src {
		if c == '\n' {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

func (l *lines) at(offset int) (line, column int) {
	offset = min(offset, len(l.src))
	i := sort.SearchInts(l.starts, offset+1) - 1
	// Counting stops after a while: a document on one line must not cost its length for every problem.
	from := l.starts[i]
	if offset-from > 4096 {
		return i + 1, offset - from + 1
	}
	return i + 1, utf8.RuneCount(l.src[from:offset]) + 1
}

func (l *lines) span(start, end int) (s Span) {
	s.LineStart, s.ColumnStart = l.at(start)
	s.LineEnd, s.ColumnEnd = l.at(max(start, end-1))
	return s
}

// report collects problems.
type report struct {
	lines *lines
	list  []Problem
}

func (r *report) full() bool { return len(r.list) >= MaxProblems }

func (r *report) add(code Code, start, end int, path, message string) {
	if r.full() {
		return
	}
	s := r.lines.span(start, end)
	path = strings.TrimPrefix(path, ".")
	r.list = append(r.list, Problem{code, problemType, message, s, []Pointer{{s, path}}})
}

// at adds a problem of a value.
func (r *report) at(code Code, v *value, path, format string, args ...any) {
	if !r.full() {
		r.add(code, v.start, v.end, path, fmt.Sprintf(format, args...))
	}
}

// short cuts foreign text for a message.
func short(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
