package wa

import (
	"strconv"

	"github.com/nyaruka/phonenumbers"
)

// ParseRecipient reads the "to" of a send from a business number whose calling code is numberCountryCode. It is
// [ParseRecipientKnown] for a caller that knows nobody.
func ParseRecipient(input string, numberCountryCode int) (WaID, error) {
	return ParseRecipientKnown(input, numberCountryCode, nil)
}

// ParseRecipientKnown reads the "to" of a send. Formatting is removed first. Digits after a plus sign are taken as they
// are. Other digits are taken as international when they equal a known user or are a number in use; else the calling
// code of the business number is prepended if that gives a number in use; else they are taken as they are when their
// length fits their own country, and get the calling code otherwise. known may be nil; it must be quick, because it is
// asked for every message. When it does not know the number but knows its other spelling (the extra mobile digit of
// Brazil, Mexico and Argentina), the known one is the answer.
//
// The error is a row of the table, [ErrValue]. Source: spec/messages.md section 3.1, "Choice".
func ParseRecipientKnown(input string, numberCountryCode int, known func(WaID) bool) (WaID, error) {
	var d digits
	if err := d.strip(input); err != nil {
		return "", err
	}
	if d.plus {
		id, err := d.international()
		if err != nil {
			return "", err
		}
		return spelling(id, known), nil
	}
	bare := d.String()
	if known != nil && len(bare) <= MaxPhoneDigits && known(WaID(bare)) {
		return WaID(bare), nil
	}
	id, err := guess(bare, numberCountryCode)
	if err != nil {
		return "", err
	}
	return spelling(id, known), nil
}

// ParseRecipientStrict is the documented rule by the letter: without a plus sign the calling code is prepended, always.
// Source: spec/messages.md section 3.1, table.
func ParseRecipientStrict(input string, numberCountryCode int) (WaID, error) {
	var d digits
	if err := d.strip(input); err != nil {
		return "", err
	}
	if d.plus {
		return d.international()
	}
	return bounded(strconv.Itoa(numberCountryCode) + d.String())
}

// guess decides for digits without a plus sign. It must not depend on who is known: the answer is remembered.
func guess(bare string, code int) (WaID, error) {
	// Eleven digits that start with 1, from a number of the same plan, are complete: no national number has eleven.
	if code == 1 && len(bare) == 11 && bare[0] == '1' {
		return WaID(bare), nil
	}
	if len(bare) > MaxPhoneDigits {
		return "", errPhoneLength
	}
	if v, ok := guesses.get(bare, code); ok {
		return WaID(v), nil
	}
	id, err := bounded(guessSlowly(bare, code))
	if err == nil {
		guesses.put(bare, code, string(id))
	}
	return id, err
}

func guessSlowly(bare string, code int) string {
	own, _ := phonenumbers.Parse("+"+bare, "")
	if own != nil && phonenumbers.IsValidNumber(own) {
		return e164(own)
	}
	long := strconv.Itoa(code) + bare
	if n, _ := phonenumbers.Parse("+"+long, ""); n != nil && phonenumbers.IsValidNumber(n) {
		return e164(n) // without the trunk zero that people put before national numbers
	}
	if own != nil && phonenumbers.IsPossibleNumber(own) && len(bare) >= MinPhoneDigits {
		return bare
	}
	return long
}

func e164(n *phonenumbers.PhoneNumber) string {
	return phonenumbers.Format(n, phonenumbers.E164)[1:]
}

func bounded(id string) (WaID, error) {
	if len(id) < MinPhoneDigits || len(id) > MaxPhoneDigits {
		return "", errPhoneLength
	}
	return WaID(id), nil
}

// guesses remembers answers of guessSlowly, which take about 20 µs.
var guesses cache

// spelling answers the known one of a number's two spellings, id when neither is known.
// Source: spec/messages.md section 3.1, "Brazil and Mexico", "Argentina (observed)".
func spelling(id WaID, known func(WaID) bool) WaID {
	if known == nil {
		return id
	}
	if other := otherSpelling(id); other != "" && !known(id) && known(other) {
		return other
	}
	return id
}

// otherSpelling adds or removes the mobile digit; "" for numbers that have one spelling.
func otherSpelling(id WaID) WaID {
	with := func(at int, digit byte, long int) WaID {
		switch {
		case len(id) == long && id[at] == digit:
			return id[:at] + id[at+1:]
		case len(id) == long-1:
			return id[:at] + WaID(digit) + id[at:]
		}
		return ""
	}
	if len(id) < 12 {
		return ""
	}
	switch id[:2] {
	case "55": // 55 AA 9 NNNN NNNN
		return with(4, '9', 13)
	case "52": // 52 1 and ten digits
		return with(2, '1', 13)
	case "54": // 54 9 and ten digits
		return with(2, '9', 13)
	}
	return ""
}
