package scenario_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/test/scenario"
)

// What is laid out for people stands for the same bytes.
func FuzzLayout(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `{"a":[{"b":1.50,"c":"x\/\u00e9, \"y\": {"},[],{}]}`, `["` + strings.Repeat("long ", 40) + `",{"k":{"l":[1,2,3]}}]`, `no JSON`, `"s"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		laid := scenario.Layout(body)
		if !json.Valid([]byte(body)) || scenario.Wire(body) != body {
			if laid != body {
				t.Errorf("%q was changed to %q", body, laid)
			}
			return
		}
		if got := scenario.Wire(laid); got != body {
			t.Errorf("%q came back as %q", body, got)
		}
	})
}

// A file that is written is read as what it was, and a difference of one byte on the wire is one in the file.
func FuzzFile(f *testing.F) {
	f.Add("About.\n\n-- platform --\nstrict\n\n-- a: POST /v23.0/1/messages --\nAccept: x\n\n{\"a\": 1}\n-- 400 --\nRetry-After: 5\n\n{\"error\": {}}\n" +
		"-- webhooks --\nto /x\nmessages of 12 at 5\n{\"a\": [1, 2]}\n\nanswered 500\n{\"b\": 2}\n\n-- 25h later --\n")
	f.Add("-- 200 --\n")
	f.Add("-- -- ")
	f.Fuzz(func(t *testing.T, text string) {
		one, err := scenario.Parse([]byte(text))
		if err != nil {
			return
		}
		written := one.Format()
		two, err := scenario.Parse(written)
		if err != nil {
			t.Fatalf("%v: %q", err, written)
		}
		if again := two.Format(); string(again) != string(written) {
			t.Errorf("written twice:\n%q\n%q", written, again)
		}
	})
}

func TestReferences(t *testing.T) {
	t.Parallel()
	f, err := scenario.Parse([]byte("-- a: GET /v23.0/1 --\n-- 200 --\n{\"id\": \"7\", \"list\": [{\"n\": 5}]}\n" +
		"-- webhooks --\nmessages of 1\n{\"statuses\": [{\"id\": \"wamid.A\"}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"/v23.0/${a.id}/x": "/v23.0/7/x", "${a.list.0.n}": "5", "${a.wamid}": "wamid.A", "${a": "${a", "plain": "plain", "1${n}": "10007",
	} {
		if got, err := f.Resolve(text, 7); err != nil || got != want {
			t.Errorf("%s is %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"${b.id}", "${a.none}", "${a.list}", "${a.list.3}", "${a.id.x}"} {
		if got, err := f.Resolve(text, 7); err == nil {
			t.Errorf("%s is %q", text, got)
		}
	}
}

// What pages hide in their forms, and where answers send the browser.
func TestReferencesToPages(t *testing.T) {
	t.Parallel()
	f := &scenario.File{Steps: []*scenario.Step{
		{Label: "page", Answer: &scenario.Answer{Body: `<form><input type="hidden" name="state" value="a&amp;b"><input id="ticket" name="ticket" value="t1"></form>`}},
		{Label: "code", Answer: &scenario.Answer{Header: [][2]string{{"Location", "https://a.example/back?code=A%2FB&state=1"}}}},
		{Label: "token", Answer: &scenario.Answer{Header: [][2]string{{"Location", "https://a.example/back#access_token=EAA1&state=1"}}}},
	}}
	got, err := f.Resolve("${page.input.state} ${page.input.ticket} ${code.location.code} ${token.location.access_token}", 1)
	if want := "a&b t1 A/B EAA1"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, text := range []string{"${page.input.other}", "${page.location.code}", "${code.location.other}"} {
		if got, err := f.Resolve(text, 1); err == nil {
			t.Errorf("%s is %q", text, got)
		}
	}
}
