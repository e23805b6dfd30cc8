package webhook

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// plain marks the bytes that stand for themselves inside a JSON string as the platform writes it: printable ASCII without
// quote, backslash and slash (spec/webhooks.md section 4.2).
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\' && c != '/'
	}
	return t
}()

// appendString appends s as a JSON string in ASCII: everything else becomes a lower-case \u escape, with surrogate pairs
// beyond the basic plane, and the slash becomes \/. Bytes that are no UTF-8 become \ufffd.
func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

func appendEscaped[S ~string | ~[]byte](b []byte, s S) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		if c < utf8.RuneSelf {
			b = appendEscapedByte(b, c)
			i++
		} else {
			r, size := decodeRune(s, i)
			b = appendEscapedRune(b, r)
			i += size
		}
		from = i
	}
	return append(b, s[from:]...)
}

func decodeRune[S ~string | ~[]byte](s S, i int) (rune, int) {
	// At most four bytes belong to a rune; a fixed array keeps the conversion off the heap.
	var a [utf8.UTFMax]byte
	n := copy(a[:], s[i:])
	return utf8.DecodeRune(a[:n])
}

func appendEscapedByte(b []byte, c byte) []byte {
	switch c {
	case '"', '\\', '/':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	default:
		return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}

func appendEscapedRune(b []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		b = appendUnit(b, 0xd800|r>>10)
		return appendUnit(b, 0xdc00|r&0x3ff)
	}
	return appendUnit(b, r)
}

func appendUnit(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// appendASCII appends JSON text, which must be valid, in the platform's spelling. Slashes and other than ASCII bytes occur
// in JSON only inside strings, so no parsing is needed; of the escapes that are there only the hex digits change case.
func appendASCII(b, text []byte) []byte {
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\\':
			if i+6 <= len(text) && text[i+1] == 'u' {
				b = append(b, text[from:i+2]...)
				b = appendLower(b, text[i+2:i+6])
				i += 6
				from = i
				continue
			}
			i = min(i+2, len(text)) // whatever is escaped, \/ included, is no candidate
			continue
		case c != '/' && c < utf8.RuneSelf:
			i++
			continue
		}
		b = append(b, text[from:i]...)
		if c == '/' {
			b = append(b, '\\', '/')
			i++
		} else {
			r, size := utf8.DecodeRune(text[i:])
			b = appendEscapedRune(b, r)
			i += size
		}
		from = i
	}
	return append(b, text[from:]...)
}

func appendLower(b, hex []byte) []byte {
	for _, c := range hex {
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}
