package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Lang is a language of the web app, as in the lang attribute of a page.
type Lang string

// The languages.
const (
	English  Lang = "en"
	Japanese Lang = "ja"
)

// Langs are all languages, the one of doubt first.
var Langs = []Lang{English, Japanese}

// Cookie keeps the choice of a person.
const Cookie = "hikyaku_lang"

//go:embed en/*.json ja/*.json
var files embed.FS

var catalogues = map[Lang]map[string]entry{English: load(English), Japanese: load(Japanese)}

// entry is a text; one is its form for a count of one, where that differs.
type entry struct{ one, other string }

// UnmarshalJSON reads a text, or {"one": …, "other": …}.
func (e *entry) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &e.other)
	}
	var forms struct{ One, Other string }
	err := json.Unmarshal(b, &forms)
	e.one, e.other = forms.One, forms.Other
	return err
}

// T is the text with a key. The arguments are pairs of a placeholder's name and its value: T("home.used", "n", 3) fills "{n} used". A
// text that differs for one thing looks at the placeholder n. A key that is in no catalogue is printed as it is; tests look for these.
func (l Lang) T(key string, args ...any) string {
	e, ok := catalogues[l][key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return e.other
	}
	s, pairs := e.other, make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		name, value := fmt.Sprint(args[i]), fmt.Sprint(args[i+1])
		if n, ok := args[i+1].(int); ok {
			value = Thousands(int64(n))
		}
		if name == "n" && value == "1" && e.one != "" {
			s = e.one
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// Thousands writes n with separated thousands, the same in both languages.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Choose is the language for a request: the choice of the person, else what the browser asks for, else English.
func Choose(r *http.Request) Lang {
	if c, err := r.Cookie(Cookie); err == nil {
		if l, ok := Parse(c.Value); ok {
			return l
		}
	}
	best, weight := English, 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, params, _ := strings.Cut(part, ";")
		l, ok := Parse(strings.TrimSpace(tag))
		q := quality(params)
		if ok && q > weight {
			best, weight = l, q
		}
	}
	return best
}

// Parse is the language of a tag such as "ja-JP".
func Parse(tag string) (Lang, bool) {
	main, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch l := Lang(main); l {
	case English, Japanese:
		return l, true
	}
	return "", false
}

func quality(params string) float64 {
	v, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return 0
	}
	return q
}

func load(l Lang) map[string]entry {
	all := map[string]entry{}
	names, err := fs.Glob(files, string(l)+"/*.json")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for _, name := range names {
		raw, err := files.ReadFile(name)
		if err != nil {
			panic(err) // embedded
		}
		var page map[string]entry
		if err := json.Unmarshal(raw, &page); err != nil {
			panic(name + ": " + err.Error()) // embedded: found by the first test
		}
		for thing, e := range page {
			all[strings.TrimSuffix(path.Base(name), ".json")+"."+thing] = e
		}
	}
	return all
}
