package console

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

const maxHistory = 100

// input is the line a person writes on. It exists because the terminal's own cursor must stand where the text is, in wide
// characters too: that is where input methods show what is being composed.
type input struct {
	text    []rune
	at      int      // of the cursor, in runes
	history []string // sent lines, oldest first
	recall  int      // shown line of the history; len(history) for the one being written
	draft   string   // what was written before the history was looked at
}

func (in *input) value() string { return string(in.text) }

func (in *input) set(s string) {
	in.text = []rune(s)
	in.at = len(in.text)
}

// clear empties the line and remembers it.
func (in *input) clear() {
	if s := in.value(); s != "" && (len(in.history) == 0 || in.history[len(in.history)-1] != s) {
		in.history = append(in.history, s)
		if len(in.history) > maxHistory {
			in.history = slices.Delete(in.history, 0, 1)
		}
	}
	in.recall = len(in.history)
	in.set("")
}

// walk goes through the history: back for negative numbers.
func (in *input) walk(by int) {
	if in.recall > len(in.history) {
		in.recall = len(in.history)
	}
	if in.recall == len(in.history) {
		in.draft = in.value()
	}
	in.recall = max(0, min(len(in.history), in.recall+by))
	if in.recall == len(in.history) {
		in.set(in.draft)
		return
	}
	in.set(in.history[in.recall])
}

func (in *input) insert(s string) {
	r := []rune(clean(strings.ReplaceAll(s, "\r\n", "\n")))
	in.text = slices.Insert(in.text, in.at, r...)
	in.at += len(r)
}

// key edits; keys that mean nothing here do nothing.
func (in *input) key(k tea.KeyPressMsg) {
	switch k.String() {
	case "left", "ctrl+b":
		in.at = in.before(in.at)
	case "right", "ctrl+f":
		in.at = in.after(in.at)
	case "alt+left", "ctrl+left", "alt+b":
		in.at = in.word(-1)
	case "alt+right", "ctrl+right", "alt+f":
		in.at = in.word(1)
	case "home", "ctrl+a":
		in.at = 0
	case "end", "ctrl+e":
		in.at = len(in.text)
	case "backspace", "ctrl+h":
		in.remove(in.before(in.at), in.at)
	case "delete", "ctrl+d":
		in.remove(in.at, in.after(in.at))
	case "ctrl+w", "alt+backspace", "ctrl+backspace":
		in.remove(in.word(-1), in.at)
	case "ctrl+u":
		in.remove(0, in.at)
	case "ctrl+k":
		in.remove(in.at, len(in.text))
	case "alt+enter", "ctrl+j", "shift+enter":
		in.insert("\n")
	case "ctrl+p", "alt+up", "ctrl+up":
		in.walk(-1)
	case "alt+down", "ctrl+down":
		in.walk(1)
	default:
		in.insert(k.Text)
	}
}

func (in *input) remove(from, to int) {
	in.text = slices.Delete(in.text, from, to)
	in.at = from
}

// before and after step over one character as people see it, which may be several runes.
func (in *input) before(i int) int {
	for i--; i > 0 && in.joined(i); i-- {
	}
	return max(i, 0)
}

func (in *input) after(i int) int {
	for i++; i < len(in.text) && in.joined(i); i++ {
	}
	return min(i, len(in.text))
}

// joined reports whether the rune at i belongs to the one before it.
func (in *input) joined(i int) bool {
	const joiner, skinFirst, skinLast = '\u200d', '\U0001f3fb', '\U0001f3ff'
	r := in.text[i]
	return in.text[i-1] == joiner || r == joiner || unicode.In(r, unicode.Mn, unicode.Me) || (r >= skinFirst && r <= skinLast)
}

// word is where the word before (-1) or behind (1) the cursor ends.
func (in *input) word(by int) int {
	i := in.at
	at := func() rune {
		if by < 0 {
			return in.text[i-1]
		}
		return in.text[i]
	}
	more := func() bool { return (by < 0 && i > 0) || (by > 0 && i < len(in.text)) }
	for more() && unicode.IsSpace(at()) {
		i += by
	}
	for more() && !unicode.IsSpace(at()) {
		i += by
	}
	return i
}

// window returns the part of the line that fits into w cells and where the cursor stands in it. Line ends show as ⏎.
func (in *input) window(w int) (shown string, x int) {
	show := func(r []rune) string { return strings.ReplaceAll(steady(string(r)), "\n", "⏎") }
	start := 0
	for start < in.at && lipgloss.Width(show(in.text[start:in.at])) >= w {
		start = in.after(start)
	}
	x = lipgloss.Width(show(in.text[start:in.at]))
	return cut.MaxWidth(w).Render(show(in.text[start:])), x
}
