package graph_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// isRow fails unless err is a row that a client may see for bytes it sent.
func isRow(t *testing.T, err error) {
	t.Helper()
	var row *wa.Error
	if !errors.As(err, &row) || row.HTTP < 400 || row.HTTP > 499 || !utf8.ValidString(row.Message()) {
		t.Errorf("error %v is no refusal", err)
	}
}

func FuzzFields(f *testing.F) {
	for _, s := range []string{
		"", "id", " id , name ", "a{b{c}}", "message_templates.limit(5){name,status}", "message_templates{name,status}.limit(5)",
		`analytics.start(1).end(2).granularity(DAY).phone_numbers([])` + "\n" + `.dimensions(["PHONE","COUNTRY"])`, `a.b("x)\"y")`, `a.b({"c":[1,(2)]})`,
		"a.as(b),a", "a{", "a.b", "a.b(", "a}", ",", "a,,b", "é", "a.b(])", "a{}", "a{b}{c}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sel, err := graph.ParseFields(s)
		if err != nil {
			isRow(t, err)
			return
		}
		printed := sel.String()
		again, err := graph.ParseFields(printed)
		if err != nil || !reflect.DeepEqual(sel, again) || again.String() != printed {
			t.Errorf("%q prints as %q, which reads as %v (%v)", s, printed, again, err)
		}
		for _, it := range sel {
			for _, m := range it.Mods {
				_, _ = it.Arg(m.Name).List()
			}
			_ = it.Args().String()
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(graph.Cursor("2026-04-02T09:30:00Z/123"))
	f.Add("QVFIUg")
	f.Add("QVFI\rMbJUMjAyNi0wNC0wMlQwOTozMDowMFovMTIz")
	f.Fuzz(func(t *testing.T, s string) {
		key, err := graph.ParseCursor(s)
		if err != nil {
			isRow(t, err)
			return
		}
		if again, err := graph.ParseCursor(graph.Cursor(key)); err != nil || again != key || strings.TrimRight(s, "=") != graph.Cursor(key) {
			t.Errorf("%q is %q, which is %q", s, key, graph.Cursor(key))
		}
	})
}

// FuzzParams sends the bytes through every carrier to a handler that reads them in every way.
func FuzzParams(f *testing.F) {
	for _, s := range []string{
		`{"a":1}`, `a=1&b[]=2&b[1]=3&a=4`, `x={"y":[1,"z"]}`, `l=[a,b]&m=["a","b"]`, `{"a":"\ud83d\ude00\n","b":[null,true,-1.5e3]}`,
		`{"a":"\ud800"}`, `batch=[{"method":"GET","relative_url":"{result=a:$.b}"}]`, "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n",
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--",
		`b[2]=x&b[0]=y&b[1]=z&b=w`, `fields=id&limit=1&summary=true&method=get`, `{"a":{"a":1,"a":2}}`, "a=%zz", "\x00", "suppress_http_code=1",
	} {
		for carrier := range byte(5) {
			f.Add(carrier, s)
		}
	}
	f.Fuzz(func(t *testing.T, carrier byte, s string) {
		r := newRig(t, nil)
		target, body, ct := "/v23.0/301/messages", s, ""
		switch carrier % 5 {
		case 0:
			ct = "application/json"
		case 1:
			ct = "application/x-www-form-urlencoded"
		case 2:
			target, ct = "/v23.0/301/media", "multipart/form-data; boundary=b"
		case 3:
			u := url.URL{Path: "/v23.0/301/echo", RawQuery: s}
			if _, err := url.ParseRequestURI(u.String()); err != nil {
				return
			}
			target, body = u.String(), ""
		case 4:
			target = "/v23.0/"
		}
		req := httptest.NewRequest("POST", "http://h", strings.NewReader(body))
		u, err := url.Parse(target)
		if err != nil {
			return
		}
		req.URL = u
		req.Header.Set("Authorization", "Bearer good")
		if ct != "" {
			req.Header.Set("Content-Type", ct)
		}
		w := httptest.NewRecorder()
		r.srv.ServeHTTP(w, req)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) || !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("%s answers %d %q\n%s", target, w.Code, w.Body, r.log)
		}
	})
}

// FuzzJSON compares the reader of bodies with encoding/json: what both take must mean the same, and what only one takes must
// be one of the refusals that are on purpose.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,2.5e-3,true,null,"x\u00e9\/"]}`, ` { "a" : { } } `, `{"a":01}`, `{"a":"\ud83d\ude00"}`, `{"a":-0.0}`, `[]`, `{"a":1,}`, "{\"a\":\"\t\"}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := newRig(t, nil)
		w := r.do("POST /v23.0/301/echo?q=1", s) // the query makes the handler print the tree
		if s == "" || strings.TrimLeft(s, " \t\r\n") == "" {
			return
		}
		var want map[string]any
		dec := json.NewDecoder(strings.NewReader(s))
		dec.UseNumber()
		err := dec.Decode(&want)
		if err == nil {
			_, err = dec.Token()
			if errors.Is(err, io.EOF) {
				err = nil
			} else {
				err = errors.New("trailing data")
			}
		}
		if w.Code != 200 {
			stricter := strings.Contains(s, `\u`) || !utf8.ValidString(s) || strings.Contains(w.Body.String(), "Duplicate") || strings.Contains(w.Body.String(), "deeper") ||
				strings.Contains(w.Body.String(), "more than") || strings.Contains(w.Body.String(), "NUL") || want == nil
			if err == nil && !stricter {
				t.Errorf("%q refused: %s", s, w.Body)
			}
			return
		}
		if strings.Contains(s, "method") || strings.Contains(s, "suppress") || strings.Contains(s, "access_token") {
			return
		}
		if err != nil {
			t.Fatalf("%q taken, encoding/json says %v", s, err)
		}
		var got map[string]any
		dec = json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
		dec.UseNumber()
		if err := dec.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if _, own := want["q"]; !own {
			delete(got, "q")
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q means %v, encoding/json says %v", s, got, want)
		}
	})
}

func TestFieldsPrintAndParse(t *testing.T) {
	t.Parallel()
	name := rapid.StringMatching(`[a-z_][a-z0-9_]{0,6}`)
	arg := rapid.StringMatching(`([a-z0-9,]{0,5}|"[a-z ,)\]]{0,4}"|\[("a",?)?\]|\{"k":\(1\)\})`)
	var items func(depth int) *rapid.Generator[graph.Selection]
	items = func(depth int) *rapid.Generator[graph.Selection] {
		return rapid.Custom(func(t *rapid.T) graph.Selection {
			var sel graph.Selection
			for range rapid.IntRange(1, 4).Draw(t, "n") {
				it := graph.Item{Name: name.Draw(t, "name")}
				for range rapid.IntRange(0, 2).Draw(t, "mods") {
					it.Mods = append(it.Mods, graph.Mod{Name: name.Draw(t, "mod"), Args: arg.Draw(t, "arg")})
				}
				if depth < 5 && rapid.IntRange(0, 3).Draw(t, "nest") == 0 {
					it.Sub = items(depth+1).Draw(t, "sub")
				}
				sel = append(sel, it)
			}
			return sel
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		sel := items(0).Draw(t, "selection")
		got, err := graph.ParseFields(sel.String())
		if err != nil || !reflect.DeepEqual(got, sel) {
			t.Fatalf("%s read back as %s (%v)", sel, got, err)
		}
	})
}

// Walking a collection forwards and backwards from any cursor, also of items that are gone, sees every item once.
func TestPagingSeesEveryItemOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}`), 0, 30, rapid.ID[string]).Draw(t, "all")
		limit := rapid.IntRange(1, 7).Draw(t, "limit")
		id := func(s string) string { return s }
		less := func(a, b string) bool { return a < b }
		sorted := append([]string(nil), all...)
		sortStrings(sorted)
		var seen []string
		for p := (graph.Page{Limit: limit}); ; {
			got := graph.Slice(sorted, p, id, less)
			seen = append(seen, got.Data...)
			if !got.More {
				break
			}
			p.After = got.Data[len(got.Data)-1]
		}
		if strings.Join(seen, ",") != strings.Join(sorted, ",") {
			t.Fatalf("forwards: %v of %v", seen, sorted)
		}
		from := rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "from")
		seen = nil
		for p := (graph.Page{Limit: limit, Before: from}); ; {
			got := graph.Slice(sorted, p, id, less)
			seen = append(append([]string(nil), got.Data...), seen...)
			if !got.More {
				break
			}
			p.Before = got.Data[0]
		}
		var want []string
		for _, s := range sorted {
			if s < from {
				want = append(want, s)
			}
		}
		if strings.Join(seen, ",") != strings.Join(want, ",") {
			t.Fatalf("backwards from %s: %v of %v", from, seen, sorted)
		}
	})
}
