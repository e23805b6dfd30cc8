package graph

import (
	"encoding/base64"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Cursors are base64 of: the prefix below, two bytes of checksum, the sort key of the item they stand for. They encode a
// key and not an item, so paging survives deletions (spec/graph.md 6, choice). The prefix makes them look like those of
// the real service ("QVFI…"); the checksum tells a mangled cursor from a foreign one being read as a key.
const (
	cursorPrefix = "AQH1"
	maxCursorKey = 512 // bytes
)

// Cursor is the opaque form of a sort key.
func Cursor(key string) string {
	b := make([]byte, 0, len(cursorPrefix)+2+len(key))
	b = append(b, cursorPrefix...)
	sum := crc32.ChecksumIEEE([]byte(key))
	b = append(b, byte(sum>>8), byte(sum))
	b = append(b, key...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor returns the sort key of a cursor. Error: wa.ErrInvalidCursor.
func ParseCursor(s string) (string, error) {
	if len(s) > 2*maxCursorKey {
		return "", wa.ErrInvalidCursor
	}
	for len(s) > 0 && s[len(s)-1] == '=' {
		s = s[:len(s)-1] // some clients pad what they take for base64
	}
	if strings.ContainsAny(s, "\r\n") {
		return "", wa.ErrInvalidCursor // which the decoder would skip
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	const head = len(cursorPrefix) + 2
	if err != nil || len(b) < head || string(b[:len(cursorPrefix)]) != cursorPrefix {
		return "", wa.ErrInvalidCursor
	}
	sum := crc32.ChecksumIEEE(b[head:])
	if b[head-2] != byte(sum>>8) || b[head-1] != byte(sum) {
		return "", wa.ErrInvalidCursor
	}
	return string(b[head:]), nil
}

// Page is what a lister is asked for.
type Page struct {
	Limit  int    // items wanted, 0 to the edge's maximum; 0 asks for the summary alone
	After  string // sort key: items behind it, in the edge's order
	Before string // sort key: the Limit items right before it, still in the edge's order. Empty when After is set
	Last   bool   // the Limit items at the end of the collection, before Before when that is set
	Total  bool   // the total count was asked for
}

// backward tells that the items wanted are the last before some place, not the first behind one.
func (p Page) backward() bool { return p.After == "" && (p.Last || p.Before != "") }

// Items is what a lister answers.
type Items[S any] struct {
	Data []S
	More bool // there are further items in the direction asked: behind Data, or before it when Page.Before was set
	// Rest is the sort key that the search stopped at, when it gave up before it had looked at everything; it takes the place
	// of that of the last item in the direction asked. With it, Data may be short or empty, and More is set.
	Rest  string
	Total int // of the whole collection under the same filters; only read when Page.Total
	// Extra members of the summary, written after total_count when a summary was asked for.
	Summary Obj
}

// Slice pages a collection that is in memory. all is in the edge's order; key must be unique, and less tells whether key a
// comes before key b in that order, so that a cursor of a removed item still has its place.
func Slice[S any](all []S, p Page, key func(S) string, less func(a, b string) bool) Items[S] {
	out := Items[S]{Total: len(all)}
	if p.backward() {
		end := len(all)
		if p.Before != "" {
			if i := slices.IndexFunc(all, func(s S) bool { return !less(key(s), p.Before) }); i >= 0 {
				end = i
			}
		}
		from := max(0, end-p.Limit)
		out.Data, out.More = all[from:end], from > 0
		return out
	}
	from := 0
	if p.After != "" {
		if from = slices.IndexFunc(all, func(s S) bool { return less(p.After, key(s)) }); from < 0 {
			from = len(all)
		}
	}
	end := min(len(all), from+p.Limit)
	out.Data, out.More = all[from:end], end < len(all)
	return out
}
