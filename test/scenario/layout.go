package scenario

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// width is how long lines of JSON get before they are broken.
const width = 120

// Layout lays compact JSON out for people. It changes white space between tokens only, so [Wire] gets the very bytes back.
// Text that is no compact JSON is returned as it is.
func Layout(body string) string {
	if Wire(body) != body || !json.Valid([]byte(body)) {
		return body
	}
	var b strings.Builder
	lay(&b, body, 0, 0)
	return b.String()
}

// Wire is the bytes that laid out JSON stands for. Other text stands for itself.
func Wire(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}

// lay writes one value on a line that is indented and of which a part is used.
func lay(b *strings.Builder, value string, indent, used int) {
	line := spaced(value)
	if open := value[0]; (open != '{' && open != '[') || indent+used+utf8.RuneCountInString(line)+1 <= width {
		b.WriteString(line)
		return
	}
	b.WriteByte(value[0])
	inner := strings.Repeat(" ", indent+2)
	for i, part := range parts(value) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.WriteString(inner)
		key := 0
		if value[0] == '{' {
			key = token(part) + 1
			b.WriteString(part[:key])
			b.WriteByte(' ')
		}
		lay(b, part[key:], indent+2, key+1)
	}
	b.WriteByte('\n')
	b.WriteString(inner[2:])
	b.WriteByte(value[len(value)-1])
}

// spaced is a value on one line, with a space after each comma and colon.
func spaced(value string) string {
	var b strings.Builder
	for i := 0; i < len(value); {
		n := token(value[i:])
		b.WriteString(value[i : i+n])
		if c := value[i]; n == 1 && (c == ',' || c == ':') {
			b.WriteByte(' ')
		}
		i += n
	}
	return b.String()
}

// token is the length of the string at the start of s, else 1.
func token(s string) int {
	if s[0] != '"' {
		return 1
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// parts are the members of an object or the elements of an array.
func parts(value string) (list []string) {
	depth, start := 0, 1
	for i := 0; i < len(value); {
		n := token(value[i:])
		switch c := value[i]; {
		case n > 1:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
			if depth == 0 && i > start {
				list = append(list, value[start:i])
			}
		case c == ',' && depth == 1:
			list = append(list, value[start:i])
			start = i + 1
		}
		i += n
	}
	return list
}
