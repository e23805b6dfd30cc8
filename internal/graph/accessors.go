package graph

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// The typed accessors follow spec/graph.md 3.3. Each comes in two forms: X fails with "The parameter p is required." when
// the value is absent or null, XOr returns its argument then. All other errors are "(#100) Param p must be …".

// Invalid is a code 100 error about this value: v.Invalid("must be a positive integer") is
// "(#100) Param a['b'] must be a positive integer."
func (v Value) Invalid(format string, args ...any) *wa.Error {
	return wa.ErrParamType.Fill(clip(v.Path()), strings.TrimPrefix(fmt.Sprintf(format, args...), "must be "))
}

// Required fails when the value is absent or null.
func (v Value) Required() error {
	if v.Present() {
		return nil
	}
	return Required(v.Path())
}

// scalar returns the text of a scalar. Of a form field sent several times the last counts.
func (v Value) scalar() (string, Kind) {
	k := v.Kind()
	if k == KindAbsent {
		return "", k
	}
	n := &v.d.nodes[v.i]
	if k == KindArray && n.loose && n.last != 0 {
		n = &v.d.nodes[n.last]
		k = n.kind
	}
	return n.text, k
}

func (v Value) loose() bool { return v.Kind() != KindAbsent && v.d.nodes[v.i].loose }

// String returns the text of a scalar and the JSON text of anything else; it is empty for an absent value. For logs and
// for values that are passed on unread.
func (v Value) String() string {
	switch t, k := v.scalar(); k {
	case KindAbsent, KindUpload:
		return ""
	case KindArray, KindObject:
		return string(v.AppendJSON(nil))
	default:
		return t
	}
}

// Str is a JSON string, or any form field.
func (v Value) Str() (string, error) {
	t, k := v.scalar()
	switch k {
	case KindString:
		return t, nil
	case KindAbsent, KindNull:
		return "", Required(v.Path())
	default:
		return "", wa.ErrParamType.Fill(clip(v.Path()), "a string")
	}
}

// StrOr is Str with a default.
func (v Value) StrOr(def string) (string, error) {
	if !v.Present() {
		return def, nil
	}
	return v.Str()
}

// StrMax is Str of at most limit characters (Unicode code points).
func (v Value) StrMax(limit int) (string, error) {
	t, err := v.Str()
	if err != nil {
		return "", err
	}
	if len(t) > limit && utf8.RuneCountInString(t) > limit {
		return "", wa.ErrParamTooLong.Fill(clip(v.Path()), limit)
	}
	return t, nil
}

// ID is a string, or a JSON integer as its digits: what ids, phone numbers and PINs are sent as.
func (v Value) ID() (string, error) {
	t, k := v.scalar()
	if k == KindNumber && digits(t) {
		return t, nil
	}
	return v.Str()
}

// IDOr is ID with a default.
func (v Value) IDOr(def string) (string, error) {
	if !v.Present() {
		return def, nil
	}
	return v.ID()
}

// Phone is ID without plus sign, spaces, dashes, dots and parentheses. It does not check that digits remain.
func (v Value) Phone() (string, error) {
	t, err := v.ID()
	if err != nil || digits(t) {
		return t, err
	}
	return phonePunctuation.Replace(t), nil
}

var phonePunctuation = strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "", ".", "", "\u00a0", "")

// Bool is JSON true or false, or one of the texts true, false, 1, 0 in any case.
func (v Value) Bool() (bool, error) {
	t, k := v.scalar()
	switch {
	case k == KindAbsent || k == KindNull:
		return false, Required(v.Path())
	case k != KindBool && k != KindString && k != KindNumber:
	case t == "1" || strings.EqualFold(t, "true"):
		return true, nil
	case t == "0" || strings.EqualFold(t, "false"):
		return false, nil
	}
	return false, wa.ErrParamType.Fill(clip(v.Path()), "a boolean")
}

// BoolOr is Bool with a default.
func (v Value) BoolOr(def bool) (bool, error) {
	if !v.Present() {
		return def, nil
	}
	return v.Bool()
}

// Int is a JSON integer or its decimal text.
func (v Value) Int() (int64, error) {
	t, k := v.scalar()
	switch k {
	case KindAbsent, KindNull:
		return 0, Required(v.Path())
	case KindNumber, KindString:
		if n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, wa.ErrParamType.Fill(clip(v.Path()), "an integer")
}

// IntOr is Int with a default.
func (v Value) IntOr(def int64) (int64, error) {
	if !v.Present() {
		return def, nil
	}
	return v.Int()
}

// Float is a finite JSON number or its decimal text.
func (v Value) Float() (float64, error) {
	t, k := v.scalar()
	switch k {
	case KindAbsent, KindNull:
		return 0, Required(v.Path())
	case KindNumber, KindString:
		f, err := strconv.ParseFloat(strings.TrimSpace(t), 64)
		if err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) && !strings.ContainsAny(t, "xXpP_") {
			return f, nil
		}
	}
	return 0, wa.ErrParamType.Fill(clip(v.Path()), "a number")
}

// FloatOr is Float with a default.
func (v Value) FloatOr(def float64) (float64, error) {
	if !v.Present() {
		return def, nil
	}
	return v.Float()
}

// Enum is one of the allowed texts in any case; it returns the spelling of allowed. The error lists them in upper case.
func (v Value) Enum(allowed ...string) (string, error) {
	t, k := v.scalar()
	if k == KindAbsent || k == KindNull {
		return "", Required(v.Path())
	}
	if k == KindString {
		for _, a := range allowed {
			if strings.EqualFold(a, t) {
				return a, nil
			}
		}
	}
	list := strings.ToUpper(strings.Join(allowed, ", "))
	return "", wa.ErrParamOneOf.Fill(clip(v.Path()), list, clip(v.String()))
}

// EnumOr is Enum with a default.
func (v Value) EnumOr(def string, allowed ...string) (string, error) {
	if !v.Present() {
		return def, nil
	}
	return v.Enum(allowed...)
}

// Time is a moment: Unix seconds (above 10^11: milliseconds), ISO-8601 with zone, or a date, which is its midnight UTC.
func (v Value) Time() (time.Time, error) {
	t, k := v.scalar()
	switch k {
	case KindAbsent, KindNull:
		return time.Time{}, Required(v.Path())
	case KindNumber, KindString:
		if at, ok := parseTime(strings.TrimSpace(t)); ok {
			return at, nil
		}
	}
	return time.Time{}, wa.ErrParamType.Fill(clip(v.Path()), "a valid timestamp")
}

// TimeOr is Time with a default.
func (v Value) TimeOr(def time.Time) (time.Time, error) {
	if !v.Present() {
		return def, nil
	}
	return v.Time()
}

func parseTime(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		const year10000 = 253402300800
		ms := n > 1e11
		if n < 0 || (ms && n >= year10000*1000) {
			return time.Time{}, false
		}
		if ms {
			return time.UnixMilli(n).UTC(), true
		}
		return time.Unix(n, 0).UTC(), true
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// Object is a JSON object, or a form field holding one as JSON text.
func (v Value) Object() (Value, error) {
	if !v.Present() {
		return Value{}, Required(v.Path())
	}
	if o := v.open(KindObject); o.Kind() == KindObject {
		return o, nil
	}
	if err := v.textError(); err != nil {
		return Value{}, err
	}
	return Value{}, wa.ErrParamType.Fill(clip(v.Path()), "an object")
}

// List is a JSON array, or any of the forms a query or form may give a list: JSON text, [a,b], a,b, repeated or indexed
// fields; a single scalar is a list of one. An empty form field is an empty list.
func (v Value) List() ([]Value, error) {
	if !v.Present() {
		return nil, Required(v.Path())
	}
	if a := v.open(KindArray); a.Kind() == KindArray {
		return a.Elems(), nil
	}
	switch k := v.Kind(); {
	case k == KindString && v.loose():
		if err := v.textError(); err != nil && !bareList(v.d.nodes[v.i].text) {
			return nil, err
		}
		return v.split(), nil
	case k == KindString || k == KindNumber || k == KindBool:
		return []Value{v}, nil
	}
	return nil, wa.ErrParamType.Fill(clip(v.Path()), "an array")
}

// ListOr is List, and nil when the value is absent.
func (v Value) ListOr() ([]Value, error) {
	if !v.Present() {
		return nil, nil
	}
	return v.List()
}

// Strings is a List of strings or numbers as texts.
func (v Value) Strings() ([]string, error) {
	elems, err := v.List()
	if err != nil {
		return nil, err
	}
	out := make([]string, len(elems))
	for i, e := range elems {
		t, k := e.scalar()
		if k != KindString && k != KindNumber {
			return nil, wa.ErrParamType.Fill(clip(e.Path()), "a string")
		}
		out[i] = t
	}
	return out, nil
}

// StringsOr is Strings, and nil when the value is absent.
func (v Value) StringsOr() ([]string, error) {
	if !v.Present() {
		return nil, nil
	}
	return v.Strings()
}

// textError says why a form string that looks like JSON cannot be read as such, nil when it does not look like it.
func (v Value) textError() error {
	if !v.loose() || v.Kind() != KindString {
		return nil
	}
	text := v.d.nodes[v.i].text
	t := strings.TrimLeft(text, " \t\r\n")
	if t == "" || (t[0] != '{' && t[0] != '[') {
		return nil
	}
	_, err := parseJSON(text, v.d.path(v.i))
	if err == nil {
		return nil
	}
	if we, ok := err.(*wa.Error); ok { //nolint:errorlint // parseJSON returns rows unwrapped
		return we
	}
	return wa.ErrParamType.Fill(clip(v.Path()), "valid JSON")
}

// bareList recognises [a,b] without quotes, which is no JSON but a published form.
func bareList(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) >= 2 && s[0] == '[' && s[len(s)-1] == ']' && !strings.ContainsAny(s[1:len(s)-1], "[]{}")
}

// split cuts a list text at commas. Quotes are dropped, and commas inside them cut too: published examples quote two
// values in one pair (spec/graph.md 4.2). Values that hold commas must be sent as JSON.
func (v Value) split() []Value {
	s := strings.TrimSpace(v.d.nodes[v.i].text)
	if bareList(s) {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	if s == "" {
		return []Value{}
	}
	d := &doc{nodes: make([]node, 1, 8), base: v.Path()}
	d.nodes[0].kind = KindArray
	for part := range strings.SplitSeq(s, ",") {
		if len(d.nodes) > maxNodes {
			break
		}
		part = strings.Trim(strings.TrimSpace(part), `"'`)
		d.add(0, node{kind: KindString, text: strings.TrimSpace(part), loose: true})
	}
	return Value{d: d}.Elems()
}

// File is a file part of a multipart body.
func (v Value) File() (*File, error) {
	switch v.Kind() {
	case KindUpload:
		return v.d.files[v.i], nil
	case KindAbsent, KindNull:
		return nil, Required(v.Path())
	default:
		return nil, wa.ErrParamType.Fill(clip(v.Path()), "a file")
	}
}
