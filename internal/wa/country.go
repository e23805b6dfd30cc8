package wa

import (
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
	if parsed, err := phonenumbers.Parse("+"+string(id), ""); err == nil {
		if r := phonenumbers.GetRegionCodeForNumber(parsed); r != "" {
			iso = r
		}
	}
	countries.put(string(id), code, iso)
	return iso, code
}

// countries remembers the answers that cost regular expressions.
var countries cache

// CallingCodeOf is the calling code of a country, ISO 3166-1 alpha-2; 0 when there is no such country.
func CallingCodeOf(iso string) int { return phonenumbers.GetCountryCodeForRegion(iso) }
