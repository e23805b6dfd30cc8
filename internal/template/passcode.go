package template

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// passcodeText is the fixed text of authentication templates in one language. The wording is ours.
type passcodeText struct {
	Body     string `json:"body"`     // with {{1}}
	Security string `json:"security"` // follows the body when it was asked for
	Expires  string `json:"expires"`  // footer, with {n} for the minutes
	Copy     string `json:"copy"`
	Autofill string `json:"autofill"`
}

//go:embed passcode.json
var passcodeJSON []byte

// passcodeTexts by language; a language that is missing has the text of the language without region, or English.
var passcodeTexts = func() map[string]passcodeText {
	m := map[string]passcodeText{}
	if err := json.Unmarshal(passcodeJSON, &m); err != nil {
		panic(err) // the file is part of the program
	}
	return m
}()

func passcodeIn(language string) passcodeText {
	if t, ok := passcodeTexts[language]; ok {
		return t
	}
	lang, _, _ := strings.Cut(language, "_")
	if t, ok := passcodeTexts[lang]; ok {
		return t
	}
	return passcodeTexts["en"]
}

// Passcode is a message of the platform itself that carries a code, in the wording of authentication templates. There is no
// template behind it.
func Passcode(code, language string, minutes int) *Rendered {
	t := passcodeIn(language)
	body := strings.ReplaceAll(t.body(true), "{{1}}", code)
	return &Rendered{
		Category: Authentication, Life: time.Duration(minutes) * time.Minute,
		Bubble: Bubble{Body: body, Footer: t.footer(minutes)},
	}
}

// localise gives an authentication template the texts of its language.
func localise(list []Component, language string) []Component {
	text := passcodeIn(language)
	out := slices.Clone(list)
	for i := range out {
		c := &out[i]
		switch c.Type {
		case Body:
			c.Text, c.Example = text.body(c.Security != nil && *c.Security), []byte(`{"body_text":[["123456"]]}`)
		case Footer:
			c.Text = text.footer(c.Expiry)
		case Buttons:
			c.Buttons = slices.Clone(c.Buttons)
			for j := range c.Buttons {
				c.Buttons[j].localise(text)
			}
		case Header, LimitedOffer, Carousel, CallPermission:
		}
	}
	return out
}

func (b *Button) localise(text passcodeText) {
	if b.OTP == nil {
		return
	}
	if b.Text == "" {
		b.Text = text.Copy
	}
	if b.OTP.Kind != OTPCopyCode && b.OTP.Autofill == "" {
		o := *b.OTP
		o.Autofill = text.Autofill
		b.OTP = &o
	}
}

func (t passcodeText) body(security bool) string {
	if security {
		return t.Body + " " + t.Security
	}
	return t.Body
}

func (t passcodeText) footer(minutes int) string {
	return strings.ReplaceAll(t.Expires, "{n}", itoa(minutes))
}

// Preview is how an authentication template would look in a language. Source: spec/templates.md section 9.6.
type Preview struct {
	Language, Body, Footer, Button, Autofill string
}

// Previews shows authentication templates in the languages given, all for none. A footer needs minutes above 0.
func Previews(list []string, security bool, minutes int) []Preview {
	if len(list) == 0 {
		list = slices.Sorted(maps.Keys(languages))
	}
	out := make([]Preview, len(list))
	for i, l := range list {
		t := passcodeIn(l)
		out[i] = Preview{Language: l, Body: t.body(security), Button: t.Copy, Autofill: t.Autofill}
		if minutes > 0 {
			out[i].Footer = t.footer(minutes)
		}
	}
	return out
}
