package html_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	parse "golang.org/x/net/html"

	"github.com/hikyaku/hikyaku/internal/manager/html"
)

func TestPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		node html.Node
		want string
	}{
		"an element":                       {html.P(html.Text("a < b")), "<p>a &lt; b</p>"},
		"attributes in any order":          {html.A(html.Text("x"), html.Href("/x"), html.Class("a", "", "b")), `<a href="/x" class="a b">x</a>`},
		"a void element":                   {html.Br(), "<br>"},
		"nothing":                          {html.P(nil, html.If(false, html.Br()), html.Checked(false), html.Class("")), "<p></p>"},
		"a flag":                           {html.Input(html.Checked(true)), "<input checked>"},
		"attributes in a group":            {html.P(html.Group{html.ID("a"), html.Text("b")}), `<p id="a">b</p>`},
		"one node for each":                {html.Ul(html.Map([]int{1, 2}, func(n int) html.Node { return html.Li(html.Int(n)) })), "<ul><li>1</li><li>2</li></ul>"},
		"the first line feed of an area":   {html.Textarea(html.Text("\na")), "<textarea>\n\na</textarea>"},
		"a whole page":                     {html.Doc(html.Lang("ja"), html.Body()), `<!doctype html><html lang="ja"><body></body></html>`},
		"a style variable":                 {html.Span(html.Var("part", "40.5%")), `<span style="--part:40.5%"></span>`},
		"a style variable that is no more": {html.Span(html.Var("part", "1;color:red")), "<span></span>"},
	} {
		if got := html.String(c.node); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestIffDoesNotBuildWhatIsNotWanted(t *testing.T) {
	t.Parallel()
	var missing *struct{ name string }
	if got := html.String(html.P(html.Iff(missing != nil, func() html.Node { return html.Text(missing.name) }))); got != "<p></p>" {
		t.Error(got)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/apps/1?a=b:c":            "/apps/1?a=b:c",
		"?page=2":                  "?page=2",
		"#main":                    "#main",
		"":                         "",
		"https://example.test/":    "https://example.test/",
		"MAILTO:a@example.test":    "MAILTO:a@example.test",
		"tel:+12025550117":         "tel:+12025550117",
		"javascript:alert(1)":      "about:invalid",
		" javascript:alert(1)":     "about:invalid",
		"java\nscript:alert(1)":    "about:invalid",
		"\x01javascript:alert(1)":  "about:invalid",
		"data:text/html,<script>":  "about:invalid",
		"vbscript:x":               "about:invalid",
		"blob:https://a.test/1234": "about:invalid",
	} {
		if got := html.Address(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestPartOfAPage(t *testing.T) {
	t.Parallel()
	page := html.Doc(html.Body(html.Div(html.Group{html.ID("list")}, html.P(html.ID("row"), html.Text("a")))))
	if got := html.String(html.Part(page, "row")); got != `<p id="row">a</p>` {
		t.Error(got)
	}
	if got := html.String(html.Part(page, "list")); got != `<div id="list"><p id="row">a</p></div>` {
		t.Error(got)
	}
	if html.Part(page, "other") != nil {
		t.Error("found what is not there")
	}
}

// FuzzEscape holds that whatever is put in as text, attribute or address comes out of a browser's parser as that and nothing else.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "a", `"><script>alert(1)</script>`, "&amp;&lt", "\r\n\t\x00", "\xff\xc0", "</textarea>", "\nx", "javascript:x", "日本語"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		page := html.Doc(html.Head(html.Title(html.Text(s))), html.Body(
			html.P(html.Class(s), html.Data("x", s), html.Text(s)), html.A(html.Href(s), html.Text(s)), html.Textarea(html.Text(s))))
		root, err := parse.Parse(strings.NewReader(html.String(page)))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(s, "\x00", "\ufffd")
		if !utf8.ValidString(want) {
			want = string([]rune(want)) // a byte that is no text becomes U+FFFD, each for itself
		}
		elements := map[string]int{}
		for n := range root.Descendants() {
			if n.Type != parse.ElementNode {
				continue
			}
			elements[n.Data]++
			switch n.Data {
			case "title", "p", "a", "textarea":
				if got := inner(n); got != want {
					t.Errorf("%s says %q, want %q", n.Data, got, want)
				}
			}
			for _, a := range n.Attr {
				if a.Key == "data-x" && a.Val != want {
					t.Errorf("attribute is %q, want %q", a.Val, want)
				}
				if a.Key == "href" && strings.HasPrefix(strings.ToLower(strings.TrimLeft(a.Val, "\x00 \n\t\r")), "javascript:") {
					t.Errorf("leads to %q", a.Val)
				}
			}
		}
		for _, name := range []string{"html", "head", "title", "body", "p", "a", "textarea"} {
			if elements[name] != 1 {
				t.Errorf("%d elements %s", elements[name], name)
			}
			delete(elements, name)
		}
		if len(elements) != 0 {
			t.Errorf("more elements than written: %v", elements)
		}
	})
}

func inner(n *parse.Node) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(c.Data)
	}
	return b.String()
}

func BenchmarkTable(b *testing.B) {
	rows := make([]string, 100)
	for i := range rows {
		rows[i] = "wamid.HBgLMTIwMjU1NTAxMTc=" + strings.Repeat("x", i%7)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = html.String(html.Table(html.Tbody(html.Map(rows, func(s string) html.Node {
			return html.Tr(html.Td(html.A(html.Href("/wa/manage/messages/"+s), html.Text(s))), html.Td(html.Class("num"), html.Int(len(s))), html.Td(html.Text("read")))
		}))))
	}
}
