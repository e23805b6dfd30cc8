package console

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// mark is a set of ways to write a run of text.
type mark uint8

const (
	bold mark = 1 << iota
	italic
	strike
	code
	link
)

// run is text of one look.
type run struct {
	text string
	mark mark
}

var delimiters = map[byte]mark{'*': bold, '_': italic, '~': strike, '`': code}

// runs reads the markup of one line: *bold*, _italic_, ~struck~, `code`, and addresses. A delimiter counts if it hugs the
// text inside and no letter or digit is outside of it, so snake_case and 2*3*4 stay what they are.
func runs(line string, outer mark) (list []run) {
	start := 0
	flush := func(end int) {
		if end > start {
			list = append(list, run{line[start:end], outer})
		}
	}
	for i := 0; i < len(line); {
		if n := address(line, i); n > 0 {
			flush(i)
			list = append(list, run{line[i : i+n], outer | link})
			i += n
			start = i
			continue
		}
		m, ok := delimiters[line[i]]
		end := 0
		if ok && outer&m == 0 && !wordBefore(line, i) {
			end = closing(line, i)
		}
		if end == 0 {
			i++
			continue
		}
		flush(i)
		if inner := line[i+1 : end]; m == code {
			list = append(list, run{inner, outer | code})
		} else {
			list = append(list, runs(inner, outer|m)...)
		}
		i = end + 1
		start = i
	}
	flush(len(line))
	return list
}

// address returns the length of a web address that begins at i, 0 if none does.
func address(s string, i int) int {
	if s[i] != 'h' || wordBefore(s, i) {
		return 0
	}
	rest := s[i:]
	if !strings.HasPrefix(rest, "https://") && !strings.HasPrefix(rest, "http://") {
		return 0
	}
	if end := strings.IndexFunc(rest, unicode.IsSpace); end >= 0 {
		rest = rest[:end]
	}
	rest = strings.TrimRight(rest, ".,;:!?*_~`\"')]}>")
	if !strings.Contains(rest, "://") || strings.HasSuffix(rest, "://") {
		return 0
	}
	return len(rest)
}

// closing finds the delimiter that ends what the one at i begins; 0 if there is none.
func closing(s string, i int) int {
	if r, _ := utf8.DecodeRuneInString(s[i+1:]); r == utf8.RuneError || unicode.IsSpace(r) {
		return 0
	}
	for j := i + 2; j < len(s); j++ {
		if s[j] != s[i] {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:j])
		after, _ := utf8.DecodeRuneInString(s[j+1:])
		if !unicode.IsSpace(before) && !isWord(after) {
			return j
		}
	}
	return 0
}

func wordBefore(s string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return isWord(r)
}

func isWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// paint styles foreign text with its markup and wraps it to w cells.
func paint(s string, w int, base, linked lipgloss.Style) (lines []string) {
	for line := range strings.SplitSeq(steady(s), "\n") {
		var b strings.Builder
		for _, r := range runs(indented(line), 0) {
			style := base
			if r.mark&link != 0 {
				style = linked
			}
			if r.mark&bold != 0 {
				style = style.Bold(true)
			}
			if r.mark&italic != 0 {
				style = style.Italic(true)
			}
			if r.mark&strike != 0 {
				style = style.Strikethrough(true)
			}
			if r.mark&code != 0 {
				style = style.Faint(true)
			}
			b.WriteString(style.Render(r.text))
		}
		lines = append(lines, wrap(b.String(), w)...)
	}
	return lines
}
