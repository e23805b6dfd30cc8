package limits

import "github.com/hikyaku/hikyaku/internal/wa"

// Seen is a marketing template that reached a person, or was read.
type Seen struct {
	User wa.WaID
	Mark uint32 // of the message, see [MarkOf]
	Read bool
}

// MarkOf is a short name of a message among the few that a person is remembered for. It is never 0.
func MarkOf(id wa.MessageID) uint32 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return max(h, 1)
}

// lately is how many marketing templates a read rate is about. Source: spec/limits.md section 4.
const lately = 10

// Attention is what a person made of the last ten marketing templates, whoever sent them. The zero value is that of somebody
// who got none. It takes 44 bytes.
type Attention struct {
	marks [lately]uint32
	read  uint16 // bits
	next  uint8
}

// Note takes over what happened. The same twice is once.
func (a *Attention) Note(s Seen) {
	at := -1
	for i, m := range a.marks {
		if m == s.Mark {
			at = i
		}
	}
	switch {
	case at < 0 && s.Read: // of a message that is forgotten
		return
	case at < 0:
		at = int(a.next)
		a.next = (a.next + 1) % lately
		a.marks[at], a.read = s.Mark, a.read&^(1<<at)
	}
	if s.Read {
		a.read |= 1 << at
	}
}

// Rate is how many were read, of how many.
func (a *Attention) Rate() (read, of int) {
	for i, m := range a.marks {
		if m != 0 {
			of++
			read += int(a.read >> i & 1)
		}
	}
	return read, of
}

// Adaptive is the cap for somebody who read so many of their last marketing templates: 1 + 4 × the read rate, rounded, from 1
// to 5. Of whom nothing is known gets the standard cap.
func Adaptive(read, of int) int {
	if of <= 0 {
		return capPerPortfolio
	}
	return min(max(1+(8*read+of)/(2*of), 1), 5)
}
