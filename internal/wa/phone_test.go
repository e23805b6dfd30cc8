package wa_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestParseRecipient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact string
		to   string
		code int
		want wa.WaID
	}{
		{"leading + is taken as full international", "+16315550142", 91, "16315550142"},
		{"formatting removed", "+1 (631) 555-0142", 91, "16315550142"},
		{"no +: the calling code is prepended", "(631) 555-0142", 91, "916315550142"},
		{"digits that are a number in use are international (choice)", "1 (631) 555-0142", 91, "16315550142"},
		{"the bare wa_id of a webhook works as to", "15550177788", 1, "15550177788"},
		{"the bare wa_id of another country works as to", "16505551234", 81, "16505551234"},
		{"a number that is not in use, complete, from elsewhere", "15550142233", 81, "15550142233"},
		{"national number with trunk zero", "090-1234-5678", 81, "819012345678"},
		{"national number", "6505551234", 1, "16505551234"},
		{"bare international number of the own country", "819012345678", 81, "819012345678"},
		{"shortest with a plus sign", "+2901234", 1, "2901234"},
		{"fifteen digits with a plus sign", "+881234567890123", 1, "881234567890123"},
		{"wrong for its country but complete: as is", "+5511987654321", 55, "5511987654321"},
	} {
		if got, err := wa.ParseRecipient(c.to, c.code); err != nil || got != c.want {
			t.Errorf("%s: %q from +%d is %q, %v; want %q", c.fact, c.to, c.code, got, err, c.want)
		}
	}
}

func TestParseRecipientStrict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		to   string
		code int
		want wa.WaID
	}{
		{"+16315550142", 91, "16315550142"},
		{"+1 (631) 555-0142", 91, "16315550142"},
		{"(631) 555-0142", 91, "916315550142"},
		{"1 (631) 555-0142", 91, "9116315550142"}, // even though the caller meant +1
	} {
		if got, err := wa.ParseRecipientStrict(c.to, c.code); err != nil || got != c.want {
			t.Errorf("%q from +%d is %q, %v; want %q", c.to, c.code, got, err, c.want)
		}
	}
}

func TestParseRecipientRefuses(t *testing.T) {
	t.Parallel()
	for fact, to := range map[string]string{
		"empty":                      "",
		"formatting only":            "+ () -",
		"letters":                    "+1631CALLNOW",
		"dots":                       "+1.631.555.0142",
		"plus sign inside":           "1+6315550142",
		"two plus signs":             "++16315550142",
		"six digits":                 "+163155",
		"sixteen digits":             "+1631555014212345",
		"no calling code with zero":  "+0631555014",
		"calling code not assigned":  "+9995551234567",
		"digits of another alphabet": "+１６３１５５５０１４２",
		"endless":                    "+1" + strings.Repeat(" ", 1000) + "6315550142",
	} {
		got, err := wa.ParseRecipient(to, 1)
		if !errors.Is(err, wa.ErrValue) || got != "" {
			t.Errorf("%s: %q, %v", fact, got, err)
		}
		if _, err := wa.ParseRecipientStrict(to, 1); err == nil && to != "1+6315550142" {
			t.Errorf("%s: strict accepts", fact)
		}
	}
}

func TestKnownNumbersDecide(t *testing.T) {
	t.Parallel()
	network := map[wa.WaID]bool{"6315550142": true, "551187654321": true, "5215512345678": true, "5491112345678": true}
	known := func(id wa.WaID) bool { return network[id] }
	for _, c := range []struct {
		fact, to string
		code     int
		want     wa.WaID
	}{
		{"digits equal to a known wa_id are used as they are", "6315550142", 91, "6315550142"},
		{"nobody known: prepended", "6315550143", 91, "916315550143"},
		{"Brazil: the 9 after the area code is removed", "+5511987654321", 1, "551187654321"},
		{"Brazil: unknown under both spellings, as written", "+5511987654322", 1, "5511987654322"},
		{"Mexico: the 1 after 52 is added", "+52 55 1234 5678", 1, "5215512345678"},
		{"Argentina: the 9 after 54 is added", "541112345678", 54, "5491112345678"},
	} {
		if got, err := wa.ParseRecipientKnown(c.to, c.code, known); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.fact, got, err, c.want)
		}
	}
}

func TestParsePhone(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]wa.WaID{"+1 650-555-1234": "16505551234", "16505551234": "16505551234", "+81 90-1234-5678": "819012345678"} {
		if got, err := wa.ParsePhone(in); err != nil || got != want {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
	if _, err := wa.ParsePhone("09012345678"); !errors.Is(err, wa.ErrValue) {
		t.Errorf("national number: %v", err)
	}
}

func TestDisplayAndCountry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id      wa.WaID
		display string
		iso     string
		code    int
	}{
		{"16505551234", "+1 650-555-1234", "US", 1},
		{"15550142233", "+1 555-014-2233", "US", 1}, // not in use: the main country answers
		{"819012345678", "+81 90-1234-5678", "JP", 81},
		{"14165551234", "+1 416-555-1234", "CA", 1},
		{"77011234567", "+7 701 123 4567", "KZ", 7},
		{"5511987654321", "+55 11 98765-4321", "BR", 55},
		{"8109012345678", "+8109012345678", "JP", 81}, // with trunk zero: not prettified into another number
		{"9995551234567", "+9995551234567", "", 0},
		{"", "+", "", 0},
	} {
		if got := wa.Display(c.id); got != c.display {
			t.Errorf("Display(%q) is %q, want %q", c.id, got, c.display)
		}
		for range 2 { // the second answer comes from memory
			if iso, code := wa.CountryOf(c.id); iso != c.iso || code != c.code {
				t.Errorf("CountryOf(%q) is %s, %d", c.id, iso, code)
			}
		}
	}
}

func TestWhatRecipientsAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`\+?[0-9 ()-]{0,24}`).Draw(t, "to")
		code := rapid.SampledFrom([]int{1, 7, 44, 52, 55, 81, 91, 971}).Draw(t, "code")
		checkRecipient(t, in, code)
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
}

// checkRecipient: an answer is 7 to 15 digits, stable, and itself a good recipient when written with a plus sign.
func checkRecipient(t fataler, in string, code int) {
	id, err := wa.ParseRecipient(in, code)
	if err != nil {
		if !errors.Is(err, wa.ErrValue) || id != "" {
			t.Fatalf("%q: %q with %v", in, id, err)
		}
		return
	}
	if len(id) < wa.MinPhoneDigits || len(id) > wa.MaxPhoneDigits || strings.Trim(string(id), "0123456789") != "" {
		t.Fatalf("%q is %q", in, id)
	}
	if again, err := wa.ParseRecipient(in, code); err != nil || again != id {
		t.Fatalf("%q is %q, then %q, %v", in, id, again, err)
	}
	if plus, err := wa.ParseRecipient("+"+string(id), code); err != nil || plus != id {
		t.Fatalf("%q is %q; with plus sign %q, %v", in, id, plus, err)
	}
}

func FuzzParseRecipient(f *testing.F) {
	for _, s := range []string{"+16315550142", "(631) 555-0142", "1 (631) 555-0142", "090-1234-5678", "+1x", "", "00441234567890"} {
		f.Add(s, uint16(81))
	}
	f.Fuzz(func(t *testing.T, in string, code uint16) {
		checkRecipient(t, in, []int{1, 7, 44, 52, 55, 81, 91, 971}[code%8])
		if id, err := wa.ParsePhone(in); err == nil {
			_ = wa.Display(id)
			if iso, n := wa.CountryOf(id); iso == "" || n == 0 {
				t.Fatalf("%q has no country", id)
			}
		}
	})
}

// Budget: below 200 ns each, one allocation for the id.
func BenchmarkParseRecipient(b *testing.B) {
	for name, to := range map[string]string{"plus": "+16315550142", "bare": "16315550142", "remembered": "819012345678"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wa.ParseRecipient(to, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What CountryOf builds is what the library's parser would have made of the number.
func TestCountryOfAgreesWithTheParser(t *testing.T) {
	t.Parallel()
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE} {
			example := phonenumbers.GetExampleNumberForType(region, kind)
			if example == nil {
				continue
			}
			e164 := phonenumbers.Format(example, phonenumbers.E164)
			parsed, err := phonenumbers.Parse(e164, "")
			if err != nil {
				t.Fatal(err)
			}
			if got, code := wa.CountryOf(wa.WaID(e164[1:])); got != phonenumbers.GetRegionCodeForNumber(parsed) ||
				code != int(parsed.GetCountryCode()) {
				t.Errorf("%s: %s, %d, the parser says %s", e164, got, code, phonenumbers.GetRegionCodeForNumber(parsed))
			}
		}
	}
}
