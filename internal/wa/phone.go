package wa

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Bounds of an international number in digits, calling code included. Source: ITU-T E.164 for the upper one; the lower
// one is ours.
const (
	MinPhoneDigits = 7
	MaxPhoneDigits = 15
)

// maxPhoneInput bounds the work spent on one input, in bytes: fifteen digits with generous formatting.
const maxPhoneInput = 64

var (
	errPhoneChars  = ErrValue.With("The phone number is malformed: only digits, +, -, (, ) and spaces are allowed.")
	errPhoneLength = ErrValue.With("The phone number is malformed: it must have 7 to 15 digits.")
	errPhoneCode   = ErrValue.With("The phone number is malformed: it does not start with a country calling code.")
)

// digits is a number without its formatting, on the stack of whoever parses it.
type digits struct {
	buf  [maxPhoneInput]byte
	n    int
	plus bool // the first character was a plus sign
}

func (d *digits) String() string { return string(d.buf[:d.n]) }

// strip removes the formatting that spec/messages.md section 3.1 allows and refuses every other character.
func (d *digits) strip(input string) error {
	if len(input) > maxPhoneInput {
		return errPhoneLength
	}
	for i := range len(input) {
		switch c := input[i]; {
		case c >= '0' && c <= '9':
			d.buf[d.n] = c
			d.n++
		case c == '+' && d.n == 0 && !d.plus:
			d.plus = true
		case c == ' ' || c == '-' || c == '(' || c == ')':
		default:
			return errPhoneChars
		}
	}
	if d.n == 0 {
		return errPhoneLength
	}
	return nil
}

// ParsePhone reads an international number, with or without plus sign, formatted or not. It asks for 7 to 15 digits and
// an assigned calling code, not for a number that is in use. The error is a row of the table, [ErrValue].
func ParsePhone(input string) (WaID, error) {
	var d digits
	if err := d.strip(input); err != nil {
		return "", err
	}
	return d.international()
}

// international takes the digits as they are.
func (d *digits) international() (WaID, error) {
	if d.n < MinPhoneDigits || d.n > MaxPhoneDigits {
		return "", errPhoneLength
	}
	if callingCode(d.buf[:d.n]) == 0 {
		return "", errPhoneCode
	}
	return WaID(d.String()), nil
}

// Display is the form for people and for display_phone_number: "+1 650-555-1234". An id that is no phone number comes
// back with a plus sign and nothing else.
func Display(id WaID) string {
	n, err := phonenumbers.Parse("+"+string(id), "")
	if err != nil {
		return "+" + string(id)
	}
	s := phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
	if !sameDigits(s, string(id)) { // the library drops trunk prefixes; an id must stay recognisable
		return "+" + string(id)
	}
	return s
}

func sameDigits(formatted, id string) bool {
	for i := range len(formatted) {
		if c := formatted[i]; c >= '0' && c <= '9' {
			if !strings.HasPrefix(id, formatted[i:i+1]) {
				return false
			}
			id = id[1:]
		}
	}
	return id == ""
}
