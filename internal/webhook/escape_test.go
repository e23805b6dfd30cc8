package webhook

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestAppendString(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"plain":               {"Do you have it?", `"Do you have it?"`},
		"empty":               {"", `""`},
		"accent":              {"café /", `"caf\u00e9 \/"`},
		"surrogate pair":      {"👍", `"\ud83d\udc4d"`},
		"first astral":        {"\U00010000", `"\ud800\udc00"`},
		"last astral":         {"\U0010ffff", `"\udbff\udfff"`},
		"last of basic plane": {"\uffff", `"\uffff"`},
		"japanese":            {"飛脚", `"\u98db\u811a"`},
		"quotes":              {`a"b\c`, `"a\"b\\c"`},
		"controls":            {"\x00\x1f\b\f\n\r\t", `"\u0000\u001f\b\f\n\r\t"`},
		"delete":              {"\x7f", "\"\x7f\""},
		"html":                {"<&>@'", `"<&>@'"`},
		"separators":          {"\u2028\u2029", `"\u2028\u2029"`},
		"invalid byte":        {"a\xffb", `"a\ufffdb"`},
		"cut rune":            {"a\xe2\x82", `"a\ufffd\ufffd"`},
		"lone surrogate":      {"\xed\xa0\x80", `"\ufffd\ufffd\ufffd"`},
		"overlong":            {"\xc0\xaf", `"\ufffd\ufffd"`},
	} {
		if got := string(appendString(nil, c.in)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if got := string(appendString(nil, []byte(c.in))); got != c.want {
			t.Errorf("%s as bytes: got %s, want %s", name, got, c.want)
		}
	}
}

func TestAppendStringReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		b := appendString(nil, s)
		for _, c := range b {
			if c >= utf8.RuneSelf {
				t.Fatalf("byte %#x in %s", c, b)
			}
		}
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("unmarshal %s: %v", b, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestAppendASCII(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":"caf` + "é" + ` /"}`:      `{"a":"caf\u00e9 \/"}`,
		`{"a":"x\/y\\/z"}`:              `{"a":"x\/y\\\/z"}`,
		`{"a":"👍\"/"}`:                  `{"a":"\ud83d\udc4d\"\/"}`,
		`{"a":"\u00E9\uD83D\uDC4D\n/"}`: `{"a":"\u00e9\ud83d\udc4d\n\/"}`,
		`[1,true,null]`:                 `[1,true,null]`,
	} {
		if got := string(appendASCII(nil, []byte(in))); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func FuzzAppendASCII(f *testing.F) {
	f.Add([]byte(`{"a":"é/\/👍"}`))
	f.Add([]byte(`"\`))
	f.Fuzz(func(t *testing.T, in []byte) {
		out := appendASCII(nil, in)
		if !json.Valid(in) {
			return
		}
		var a, b any
		if json.Unmarshal(in, &a) != nil {
			return
		}
		if err := json.Unmarshal(out, &b); err != nil {
			t.Fatalf("%q became %q: %v", in, out, err)
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if string(x) != string(y) {
			t.Fatalf("%q became %q", in, out)
		}
	})
}
