package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// node is a JSON value that keeps the order of its members.
type node struct {
	kind  byte // '{', '[', '"' or 0 for the others
	text  string
	keys  []string
	items []*node
}

// rest is what stands for more in a shown answer.
const rest = "…"

func parse(text string) (*node, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return read(d)
}

func read(d *json.Decoder) (*node, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		n := &node{kind: byte(t)}
		for d.More() {
			if n.kind == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				n.keys = append(n.keys, fmt.Sprint(key))
			}
			item, err := read(d)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		_, err := d.Token()
		return n, err
	case string:
		return &node{kind: '"', text: t}, nil
	case nil:
		return &node{text: "null"}, nil
	default:
		return &node{text: fmt.Sprint(t)}, nil
	}
}

// lastJSON is the last JSON object or array in what a block printed.
func lastJSON(out string) (found *node) {
	for out != "" {
		i := strings.IndexAny(out, "{[")
		if i < 0 {
			return found
		}
		out = out[i:]
		d := json.NewDecoder(strings.NewReader(out))
		d.UseNumber()
		n, err := read(d)
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) && found != nil {
				return found
			}
			_, out, _ = strings.Cut(out, "\n")
			continue
		}
		found, out = n, out[d.InputOffset():]
	}
	return found
}

// member is the value under a key, nil without one.
func (n *node) member(key string) *node {
	if i := slices.Index(n.keys, key); i >= 0 {
		return n.items[i]
	}
	return nil
}

// differ names the first place where an answer is not as it is shown, "" when it is.
func differ(at string, shown, got *node) string {
	if shown.kind == '"' && shown.text == rest {
		return ""
	}
	if shown.kind != got.kind {
		return fmt.Sprintf("%s is %s", at, got.print(0))
	}
	switch shown.kind {
	case '{':
		return differMembers(at, shown, got)
	case '[':
		return differElements(at, shown, got)
	}
	if !pattern(shown.text).MatchString(volatile(got.text)) {
		return fmt.Sprintf("%s is %q, not %q", at, got.text, shown.text)
	}
	return ""
}

func differMembers(at string, shown, got *node) string {
	for i, key := range shown.keys {
		if key == rest {
			continue
		}
		v := got.member(key)
		if v == nil {
			return at + "." + key + " is missing"
		}
		if key == "fbtrace_id" && v.kind == '"' {
			continue
		}
		if d := differ(at+"."+key, shown.items[i], v); d != "" {
			return d
		}
	}
	if slices.Contains(shown.keys, rest) {
		return ""
	}
	for _, key := range got.keys {
		if shown.member(key) == nil {
			return at + "." + key + " is not shown"
		}
	}
	return ""
}

func differElements(at string, shown, got *node) string {
	want := shown.items
	more := len(want) > 0 && want[len(want)-1].kind == '"' && want[len(want)-1].text == rest
	if more {
		want = want[:len(want)-1]
	}
	if len(got.items) < len(want) || (!more && len(got.items) != len(want)) {
		return fmt.Sprintf("%s has %d elements", at, len(got.items))
	}
	for i, s := range want {
		if d := differ(at+"["+strconv.Itoa(i)+"]", s, got.items[i]); d != "" {
			return d
		}
	}
	return ""
}

// What differs from run to run.
var (
	messageID = regexp.MustCompile(`wamid\.[A-Za-z0-9+/=]+`)
	instant   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]*(Z|[+-]\d\d:?\d\d)`)
	userID    = regexp.MustCompile(`\b[A-Z]{2}\.[A-Za-z0-9]{22}\b`)
	phone     = regexp.MustCompile(`\+\d[\d -]{8,}\d`)
	trace     = regexp.MustCompile(`"fbtrace_id":"[^"]*"`)
	longID    = regexp.MustCompile(`\d{9,}`)
)

func volatile(s string) string {
	s = messageID.ReplaceAllString(s, "wamid")
	s = userID.ReplaceAllString(s, "user")
	s = trace.ReplaceAllString(s, "trace")
	s = phone.ReplaceAllString(s, "phone")
	s = instant.ReplaceAllString(s, "instant")
	return longID.ReplaceAllString(s, "#")
}

func pattern(shown string) *regexp.Regexp {
	parts := strings.Split(volatile(shown), rest)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`)
}

// width is how long a line of a shown answer may be.
const width = 120

// print writes the value as pages show it: on one line where it fits.
func (n *node) print(indent int) string {
	flat := n.flat()
	if indent+utf8.RuneCountInString(flat) <= width || len(n.items) == 0 {
		return flat
	}
	var b strings.Builder
	b.WriteByte(n.kind)
	for i, item := range n.items {
		b.WriteString("\n" + strings.Repeat(" ", indent+2))
		if n.kind == '{' {
			b.WriteString(quote(n.keys[i]) + ": ")
		}
		b.WriteString(item.print(indent + 2))
		if i < len(n.items)-1 {
			b.WriteByte(',')
		}
	}
	b.WriteString("\n" + strings.Repeat(" ", indent) + string(n.kind+2))
	return b.String()
}

func (n *node) flat() string {
	switch n.kind {
	case '{', '[':
		parts := make([]string, len(n.items))
		for i, item := range n.items {
			parts[i] = item.flat()
			if n.kind == '{' {
				parts[i] = quote(n.keys[i]) + ": " + parts[i]
			}
		}
		return string(n.kind) + strings.Join(parts, ", ") + string(n.kind+2)
	case '"':
		return quote(shorten(n.text))
	default:
		return n.text
	}
}

// shorten cuts what nobody reads and what differs from run to run: tokens, cursors, long addresses.
func shorten(s string) string {
	switch {
	case strings.ContainsAny(s, " \n…") || strings.HasPrefix(s, "wamid."):
		return s
	case strings.HasPrefix(s, "QVFI"): // a cursor
		return s[:3] + rest
	case strings.HasPrefix(s, "http") && len(s) > 64:
		return s[:48] + rest
	case strings.HasPrefix(s, "{") && len(s) > 80:
		return s[:64] + rest
	case len(s) > 40 && !strings.HasPrefix(s, "http") && s[0] != '{':
		return s[:3] + rest
	}
	return s
}

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSpace(b.String())
}

func TestAnswersAreCompared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ shown, got, want string }{
		{`{"a": 1, "b": [true, null]}`, `{"b":[true,null],"a":1}`, ""},
		{`{"a": 1}`, `{"a":2}`, `answer.a is "2", not "1"`},
		{`{"a": 1}`, `{"a":1,"b":2}`, "answer.b is not shown"},
		{`{"a": 1, "…": "…"}`, `{"a":1,"b":2}`, ""},
		{`{"a": 1, "b": 2}`, `{"a":1}`, "answer.b is missing"},
		{`{"id": "106540352242922"}`, `{"id":"98765432109876"}`, ""},
		{`{"id": "106540352242922"}`, `{"id":"x"}`, `answer.id is "x", not "106540352242922"`},
		{`{"id": "wamid.HBg="}`, `{"id":"wamid.HBgLMTY1M/U1+5A=="}`, ""},
		{`{"t": "2026-01-01T00:00:00+0000"}`, `{"t":"2027-02-03T04:05:06+0000"}`, ""},
		{`{"data": [1, "…"]}`, `{"data":[1,2,3]}`, ""},
		{`{"data": [1]}`, `{"data":[1,2,3]}`, "answer.data has 3 elements"},
		{`{"url": "http://h/…&ext=1"}`, `{"url":"http://h/media/?mid=5&ext=1"}`, ""},
		{`{"a": {}}`, `{"a":"x"}`, `answer.a is "x"`},
	} {
		shown, err := parse(c.shown)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parse(c.got)
		if err != nil {
			t.Fatal(err)
		}
		if d := differ("answer", shown, got); d != c.want {
			t.Errorf("%s against %s: %q, want %q", c.got, c.shown, d, c.want)
		}
	}
	if n := lastJSON(`x=1 {"a":1}{"b":2}` + "\nbye {\n"); n == nil || n.flat() != `{"b": 2}` {
		t.Errorf("last JSON is %v", n)
	}
}
