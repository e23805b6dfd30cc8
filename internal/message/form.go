package message

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// maxURL bounds a URL in characters; signed links to storage have some thousand.
const maxURL = 4096

// form reads the object of a type and writes what the device gets to see of it, in one pass. What cannot be read at all
// is an error of gate 6 and ends the reading: err. What can be read and is wrong is an error of gate 8 and waits there
// until the gate between them has been passed: the first one is kept as the message's flaw.
type form[V Value[V]] struct {
	o    *Outbound
	b    []byte
	kind string // what details of errors call the object at hand: "Parameter 'x' is mandatory for type 'kind'"
	err  error
}

// keep remembers the first error of gate 6.
func (f *form[V]) keep(err error) {
	if f.err == nil {
		f.err = err
	}
}

// flaw remembers the first error of gate 8.
func (f *form[V]) flaw(row *wa.Error) {
	if f.o.flaw == nil {
		f.o.flaw = row
	}
}

func (f *form[V]) missing(name string) {
	f.flaw(wa.ErrRequired.With("Parameter '" + name + "' is mandatory for type '" + f.kind + "'"))
}

func (f *form[V]) count(what string, least, most int) {
	f.flaw(wa.ErrValue.Withf("Invalid %[1]s count. Min allowed %[1]s: %[2]d, Max allowed %[1]s: %[3]d", what, least, most))
}

func (f *form[V]) length(what string, most int) {
	f.flaw(wa.ErrValue.Withf("%s length invalid. Min length: 1, Max length: %d", what, most))
}

func (f *form[V]) wrong(details string) { f.flaw(wa.ErrValue.With(details)) }

// ---- reading ----

// within runs read on v, an object that has no members but keys.
func (f *form[V]) within(v V, keys []string, read func(o V)) {
	if f.err != nil {
		return
	}
	o, err := v.Object()
	if err == nil {
		err = o.Only(keys...)
	}
	if err != nil {
		f.err = err
		return
	}
	read(o)
}

// part is within for a member that must be there; its absence is a flaw.
func (f *form[V]) part(o V, name string, keys []string, read func(o V)) {
	v := o.Get(name)
	if !v.Present() {
		f.missing(name)
		return
	}
	f.within(v, keys, read)
}

// elements reads a list that must be there.
func (f *form[V]) elements(o V, name string) []V {
	v := o.Get(name)
	if f.err != nil {
		return nil
	}
	if !v.Present() {
		f.missing(name)
		return nil
	}
	list, err := v.List()
	f.keep(err)
	return list
}

// text reads an optional string whose length the schema bounds: a longer one has code 100.
func (f *form[V]) text(v V, most int) string {
	if f.err != nil || !v.Present() {
		return ""
	}
	s, err := v.StrMax(most)
	f.keep(err)
	return s
}

// id reads an optional string or integer.
func (f *form[V]) id(v V) string {
	if f.err != nil {
		return ""
	}
	s, err := v.IDOr("")
	f.keep(err)
	return s
}

// label reads a string of 1 to most characters that must be there; what names it in the details.
func (f *form[V]) label(o V, name, what string, most int) string {
	v := o.Get(name)
	if f.err != nil {
		return ""
	}
	if !v.Present() {
		f.missing(name)
		return ""
	}
	s, err := v.StrOr("")
	if f.keep(err); err == nil && (s == "" || longer(s, most)) {
		f.length(what, most)
	}
	return s
}

// option is label for a string that may be left out or empty.
func (f *form[V]) option(o V, name, what string, most int) string {
	if f.err != nil {
		return ""
	}
	s, err := o.Get(name).StrOr("")
	if f.keep(err); longer(s, most) {
		f.length(what, most)
	}
	return s
}

// enum reads one of the allowed texts; def when it is absent, and a flaw when def is empty.
func (f *form[V]) enum(o V, name, def string, allowed ...string) string {
	v := o.Get(name)
	if f.err != nil {
		return ""
	}
	if !v.Present() {
		if def == "" {
			f.missing(name)
		}
		return def
	}
	s, err := v.Enum(allowed...)
	f.keep(err)
	return s
}

// whole reads an integer between least and most; def when it is absent.
func (f *form[V]) whole(o V, name string, def, least, most int64) int64 {
	if f.err != nil {
		return 0
	}
	n, err := o.Get(name).IntOr(def)
	if f.keep(err); err == nil && (n < least || n > most) {
		f.flaw(wa.ErrValue.Withf("Parameter '%s' must be between %d and %d.", name, least, most))
	}
	return n
}

// webURL reads an absolute http or https URL that must be there.
func (f *form[V]) webURL(o V, name string) string {
	s := f.label(o, name, "URL", maxURL)
	if s != "" && !isURL(s) {
		f.wrong("Parameter '" + name + "' must be an absolute http or https URL.")
	}
	return s
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (strings.EqualFold(u.Scheme, "https") || strings.EqualFold(u.Scheme, "http"))
}

func longer(s string, most int) bool { return len(s) > most && utf8.RuneCountInString(s) > most }

// ---- writing ----

// key starts a member, or with an empty name an element.
func (f *form[V]) key(name string) {
	if n := len(f.b); n > 0 && f.b[n-1] != '{' && f.b[n-1] != '[' {
		f.b = append(f.b, ',')
	}
	if name != "" {
		f.b = append(append(append(f.b, '"'), name...), `":`...)
	}
}

func (f *form[V]) put(name, s string) {
	f.key(name)
	f.b = quote(f.b, s)
}

// putSome is put for strings that are left out when empty.
func (f *form[V]) putSome(name, s string) {
	if s != "" {
		f.put(name, s)
	}
}

func (f *form[V]) putInt(name string, n int64) {
	f.key(name)
	f.b = strconv.AppendInt(f.b, n, 10)
}

// object writes an object, as a member or an element; list writes an array.
func (f *form[V]) object(name string, write func()) { f.nest(name, '{', '}', write) }
func (f *form[V]) list(name string, write func())   { f.nest(name, '[', ']', write) }

func (f *form[V]) nest(name string, open, shut byte, write func()) {
	f.key(name)
	f.b = append(f.b, open)
	write()
	f.b = append(f.b, shut)
}
