package console

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// clean takes everything out of foreign text that a terminal would obey instead of show: control characters, escape
// sequences (by their ESC), and overrides of the writing direction. Line ends stay, tabs become spaces.
func clean(s string) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\u2028', r == '\u2029':
			return '\n'
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// plain reports whether s is printable ASCII and line ends only.
func plain(s string) bool {
	for i := range len(s) {
		if (s[i] < ' ' && s[i] != '\n') || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// steady is clean text as the screen shows it. Terminals disagree about the width of characters that are joined from
// several, or that a selector makes wide: without joiners, selectors and skin tones all of them count alike, and nothing on
// the line shifts. What is sent, and what goes to a pipe, stays whole.
func steady(s string) string {
	s = clean(s)
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u200b', r == '\u200d', r == '\u2060', r >= '\ufe00' && r <= '\ufe0f', r >= '\U0001f3fb' && r <= '\U0001f3ff',
			r >= '\U000e0000' && r <= '\U000e007f':
			return -1
		}
		return r
	}, s)
}

// oneLine is text for the screen with its line ends as spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(steady(s)), " ") }

var cut = lipgloss.NewStyle()

// fit shortens clean, unstyled text of one line to w cells, with an ellipsis if something is missing.
func fit(s string, w int) string {
	switch {
	case w <= 0:
		return ""
	case lipgloss.Width(s) <= w:
		return s
	case w == 1:
		return "…"
	}
	return strings.TrimRight(cut.MaxWidth(w-1).Render(s), " ") + "…"
}

// fill appends spaces of a style until styled text of one line is w cells wide.
func fill(s string, w int, style lipgloss.Style) string {
	if n := w - lipgloss.Width(s); n > 0 {
		return s + style.Render(strings.Repeat(" ", n))
	}
	return s
}

// pad fills with plain spaces.
func pad(s string, w int) string {
	if n := w - lipgloss.Width(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// ends puts left and right at the ends of w cells; left gives way.
func ends(left, right string, w int) string {
	gap := w - lipgloss.Width(left) - lipgloss.Width(right)
	if gap < 0 {
		return cut.MaxWidth(w).Render(left + right)
	}
	return left + strings.Repeat(" ", gap) + right
}

// centre puts styled text of one line into the middle of w cells.
func centre(s string, w int) string {
	return strings.Repeat(" ", max(0, (w-lipgloss.Width(s))/2)) + s
}

// wrap breaks text, styled or not, into lines of at most w cells.
func wrap(s string, w int) []string {
	if w < 1 {
		return nil
	}
	lines := strings.Split(lipgloss.Wrap(s, w, ""), "\n")
	for i, l := range lines {
		if l = strings.TrimRight(l, " "); lipgloss.Width(l) > w {
			l = cut.MaxWidth(w).Render(l)
		}
		lines[i] = l
	}
	return lines
}

// indented makes the spaces at the beginning of a line part of its first word: wrapping would let them push it out.
func indented(line string) string {
	rest := strings.TrimLeft(line, " ")
	return strings.Repeat("\u00a0", len(line)-len(rest)) + rest
}

// number shows a wa_id as people write it.
func number(waID string) string {
	if len(waID) == 11 && waID[0] == '1' {
		return "+1 " + waID[1:4] + " " + waID[4:7] + " " + waID[7:]
	}
	return "+" + waID
}

// digits is what is left of a phone number without its punctuation.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
