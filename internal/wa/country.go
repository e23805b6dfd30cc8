package wa

import (
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// numbering is what the library knows about one calling code, looked up once.
type numbering struct {
	region string // ISO 3166-1 alpha-2 of the main country; "001" for codes of no country
	shared bool   // several countries share the code
}

// plan lists the assigned calling codes, which have one to three digits and no code begins another.
var plan = sync.OnceValue(func() *[1000]numbering {
	var p [1000]numbering
	for code := range phonenumbers.GetSupportedCallingCodes() {
		regions := phonenumbers.GetRegionCodesForCountryCode(code)
		if code < len(p) && len(regions) > 0 {
			p[code] = numbering{regions[0], len(regions) > 1}
		}
	}
	return &p
})

// callingCode is the calling code that international digits start with, 0 when none does.
func callingCode[T ~string | ~[]byte](d T) int {
	p, code := plan(), 0
	for i := 0; i < len(d) && i < 3; i++ {
		if d[i] < '0' || d[i] > '9' {
			return 0
		}
		if code = code*10 + int(d[i]-'0'); code == 0 {
			return 0
		}
		if p[code].region != "" {
			return code
		}
	}
	return 0
}

// CountryOf is the ISO 3166-1 alpha-2 code of the number's country and its calling code. For a number that does not
// exist (+1 555 …) under a shared code the main country answers: "US" for 1. "" and 0 mean no such calling code.
func CountryOf(id WaID) (iso string, code int) {
	if code = callingCode(id); code == 0 {
		return "", 0
	}
	n := plan()[code]
	if !n.shared {
		return n.region, code
	}
	if v, ok := countries.get(string(id), code); ok {
		return v, code
	}
	iso = n.region
	if r := phonenumbers.GetRegionCodeForNumber(number(id, code)); r != "" {
		iso = r
	}
	countries.put(string(id), code, iso)
	return iso, code
}

// number is what the library's parser would make of the digits: there is nothing left to parse, and its parser is mostly
// a search for extensions and letters.
func number(id WaID, code int) *phonenumbers.PhoneNumber {
	national := string(id)[len(strconv.Itoa(code)):]
	value, _ := strconv.ParseUint(national, 10, 64) // 0 for what is no number, which belongs to no country
	n := &phonenumbers.PhoneNumber{CountryCode: new(int32(code)), NationalNumber: &value}
	if zeros := len(national) - len(strings.TrimLeft(national, "0")); zeros > 0 && zeros < len(national) {
		n.ItalianLeadingZero, n.NumberOfLeadingZeros = new(true), new(int32(zeros))
	}
	return n
}

// countries remembers the answers that cost regular expressions.
var countries cache

// CallingCodeOf is the calling code of a country, ISO 3166-1 alpha-2; 0 when there is no such country.
func CallingCodeOf(iso string) int { return phonenumbers.GetCountryCodeForRegion(iso) }
