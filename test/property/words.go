package property

import (
	"strings"

	"pgregory.net/rapid"
)

// Characters of texts: ordinary ones, those that mean something to somebody on the way (JSON, markup, terminals, templates), and
// those of which several make one on the screen.
var (
	ordinary = []rune("abcdefghijklmnopqrstuvwxyzABCDEFG0123456789      .,!?-äéñøß漢字かな한국العربيةעברית")
	special  = []rune(`"'\/<>&*_~` + "`" + `{}[]()#%$@|=+:;^`)
	joined   = []rune("👍🏽👩\u200d👧\ufe0f🇯🇵e\u0301🎉\u00a0")
	// breaking are line ends, and what a terminal would obey: bells, escapes, other directions.
	breaking = []rune("\n\n\n\t\r\x07\x1b\u0085\u009b\u2028\u202e\u2066\ufeff\x7f")
)

func from(sets ...[]rune) *rapid.Generator[rune] {
	all := rapid.SampledFrom(sets[0])
	var list []*rapid.Generator[rune]
	for range 4 {
		list = append(list, all)
	}
	for _, s := range sets[1:] {
		list = append(list, rapid.SampledFrom(s))
	}
	return rapid.OneOf(list...)
}

var (
	labelRunes   = from(ordinary, special, joined)
	captionRunes = from(ordinary, special, []rune("e\u0301\u00a0"))
	proseRunes   = from(ordinary, special, joined, breaking)
	plainRunes   = from([]rune("abcdefghijklmnopqrstuvwxyz0123456789"), []rune("_.-"))
)

// longest bounds what is drawn below a limit; a text of exactly the limit is drawn now and then.
const longest = 40

func (d *draw) write(label string, most int, runes *rapid.Generator[rune]) string {
	if rapid.IntRange(0, 9).Draw(d.T, label+" at its limit") == 0 {
		return strings.Repeat(string(pick(d, label, 'a', 'ü', '漢')), most)
	}
	return "w" + rapid.StringOfN(runes, 0, min(most-1, longest), -1).Draw(d.T, label)
}

// prose is a text of several lines, of 1 to most characters; it has a letter.
func (d *draw) prose(label string, most int) string { return d.shown(d.write(label, most, proseRunes)) }

// label is a text of one line.
func (d *draw) label(label string, most int) string {
	return d.shown(strings.TrimSpace(d.write(label, most, labelRunes)))
}

// caption is a label without emojis.
func (d *draw) caption(label string, most int) string {
	return d.shown(strings.TrimSpace(d.write(label, most, captionRunes)))
}

// key is an id that nobody reads.
func (d *draw) key(label string, most int) string { return d.write(label, most, plainRunes) }

// name is a key of few characters, which is shown.
func (d *draw) name(label string) string { return d.shown(d.write(label, 12, plainRunes)) }

// reference names an order. Source: spec/messages.md section 10.13.
func (d *draw) reference() string {
	return d.shown(rapid.StringMatching(`[A-Za-z0-9_.-]{1,60}`).Draw(d.T, "reference"))
}

// keys are different ids, and labels different texts.
func (d *draw) keys(label string, n, most int) []string {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string { return (&draw{T: t}).key(label, most) }), n, n, rapid.ID).Draw(d.T, label)
}

func (d *draw) labels(label string, n, most int) []string {
	one := rapid.Custom(func(t *rapid.T) string { return (&draw{T: t}).label(label, most) })
	list := rapid.SliceOfNDistinct(one, n, n, rapid.ID).Draw(d.T, label)
	d.words = append(d.words, list...)
	return list
}

// web is an address.
func (d *draw) web(label string) string {
	return d.shown("https://bistro.example/" + d.key(label, 60) + pick(d, label+" query", "", "?a=1&b=%20x", "#top"))
}

// phone is a number as people write it.
func (d *draw) phone(label string) string {
	return d.shown(pick(d, label, "+1 (555) 010-0123", "+4930123456", "+91 98765 43210", "15550100123"))
}
