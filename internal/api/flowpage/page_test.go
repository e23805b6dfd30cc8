package flowpage_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/hikyaku/hikyaku/internal/api/flowpage"
	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// source has one flow, with an endpoint that knows two slots.
type source struct{ json string }

func (s *source) Preview(_ context.Context, id, token string) (*flowpage.Flow, error) {
	if id != "880330110220440" || token != "secret" {
		return nil, flowpage.ErrLink
	}
	return &flowpage.Flow{Name: "pick <slot>", JSON: []byte(s.json)}, nil
}

func (*source) Exchange(_ context.Context, _, phone string, q document.Question) (document.Answer, error) {
	slots := []any{map[string]any{"id": "a", "title": "10:30"}, map[string]any{"id": "b", "title": "11:00"}}
	switch {
	case phone == "down":
		return document.Answer{}, fmt.Errorf("%w: try again", flowpage.ErrEndpoint)
	case phone == "bug":
		return document.Answer{}, errors.New("a secret of the server")
	case q.Action == "INIT":
		return document.Answer{Screen: "PICK", Data: map[string]any{"slots": slots}}, nil
	case q.Data["slot"] == "b":
		return document.Answer{Screen: "PICK", Data: map[string]any{"error_message": "11:00 is taken."}}, nil
	}
	return document.Answer{Screen: "DETAILS"}, nil
}

type browser struct {
	t     *testing.T
	url   string
	state string
}

func open(t *testing.T, change func(string) string) *browser {
	t.Helper()
	b, err := os.ReadFile("../../flow/document/testdata/slot.json")
	if err != nil {
		t.Fatal(err)
	}
	src := string(b)
	if change != nil {
		src = change(src)
	}
	server := httptest.NewServer(flowpage.Handler(&source{src}, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	return &browser{t: t, url: server.URL + "/flows/880330110220440/preview/?token=secret"}
}

var stateInput = regexp.MustCompile(`name="state" value="([^"]*)"`)

func (b *browser) read(res *http.Response, err error) (int, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if m := stateInput.FindSubmatch(body); m != nil {
		b.state = html.UnescapeString(string(m[1]))
	}
	return res.StatusCode, string(body)
}

func (b *browser) get(query string) (int, string) {
	b.t.Helper()
	return b.read(http.Get(b.url + query))
}

// press sends the form.
func (b *browser) press(query, do string, values ...string) (int, string) {
	b.t.Helper()
	form := url.Values{"state": {b.state}, "do": {do}}
	for i := 0; i < len(values); i += 2 {
		form.Add("f."+values[i], values[i+1])
	}
	return b.read(http.PostForm(b.url+query, form))
}

func see(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			t.Errorf("no %s in\n%s", p, page)
		}
	}
}

func TestAllScreens(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	status, page := b.get("")
	see(t, page, "<h1>pick &lt;slot&gt;</h1>", "When do you want to come?", "10:30", "<figcaption>CONFIRM · terminal</figcaption>", "Dear Aiko", `<fieldset class="body" disabled>`)
	if status != 200 || strings.Contains(page, "<script") {
		t.Errorf("%d, or the overview has a script", status)
	}
	for query, want := range map[string]int{"x": 404, "&token=other": 200} { // the first token counts
		if got, _ := b.get(query); got != want {
			t.Errorf("%s: %d", query, got)
		}
	}
	res, err := http.Get(b.url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if p := res.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
		t.Errorf("policy %q", p)
	}
}

func TestAWalkInThePreview(t *testing.T) {
	t.Parallel()
	const live = "&interactive=true&flow_action=data_exchange&flow_token=order-2210&debug=true"
	b := open(t, nil)
	_, page := b.get(live)
	see(t, page, `value="b"`, "Continue", "Sent to the endpoint", "&#34;INIT&#34;", "<script>")
	_, page = b.press(live, "tap c4")
	see(t, page, "This is required.")
	_, page = b.press(live, "tap c4", "slot", "b")
	see(t, page, "11:00 is taken.", `value="b" checked`)
	_, page = b.press(live, "tap c4", "slot", "a")
	see(t, page, "About you", `name="f.name"`, "You can change your mind later.")
	_, page = b.press(live, "set", "name", "Aiko", "news", "yes")
	see(t, page, `name="f.topics"`, `value="Aiko"`)
	_, page = b.press(live, "back")
	see(t, page, "Pick a slot")
	_, page = b.press(live, "tap c4", "slot", "a")
	footer := regexp.MustCompile(`class="go" name="do" value="(tap c\d+)"`)
	_, page = b.press(live, footer.FindStringSubmatch(page)[1], "name", "Aiko", "news", "yes")
	see(t, page, "Dear Aiko", "Terms")
	_, page = b.press(live, "tap c2")
	see(t, page, `<a href="https://example.test/terms"`)
	_, page = b.press(live, footer.FindStringSubmatch(page)[1])
	see(t, page, "The flow has ended.", "&#34;flow_token&#34;: &#34;order-2210&#34;", "&#34;slot&#34;: &#34;a&#34;", "Start again")
}

func TestWhatGoesWrongInThePreview(t *testing.T) {
	t.Parallel()
	const live = "&interactive=true&flow_action=data_exchange"
	b := open(t, func(s string) string { return strings.Replace(s, `"terminal": true`, `"terminal": false`, 1) })
	_, page := b.get("")
	see(t, page, "<b>MISSING_TERMINAL_SCREEN</b>")
	b = open(t, nil)
	_, page = b.get(live + "&phone_number=down")
	see(t, page, "the data endpoint did not answer: try again")
	_, page = b.get(live + "&phone_number=bug")
	if see(t, page, "Something went wrong."); strings.Contains(page, "secret of") {
		t.Error("the page tells what is for the log")
	}
	_, page = b.get("&interactive=true&flow_action_payload=" + url.QueryEscape(`{"screen":"CONFIRM","data":{"greeting":"<b>Hi</b>"}}`))
	see(t, page, "&lt;b&gt;Hi&lt;/b&gt;")
	_, page = b.get("&interactive=true&flow_action_payload=x")
	see(t, page, "flow_action_payload is not")
	_, page = b.get("&interactive=true&flow_action_payload=" + url.QueryEscape(`{"screen":"NOWHERE"}`))
	see(t, page, "no such screen")
	for state, want := range map[string]int{"": 400, "[]": 400, `[{"screen":"NOWHERE"}]`: 400, `[{"screen":"PICK","data":null}]`: 200, strings.Repeat("x", 5<<20): 413} {
		b.state = state
		if got, _ := b.press("&interactive=true", "tap c4"); got != want {
			t.Errorf("state %.30q: %d", state, got)
		}
	}
}

// What a flow says is text, pictures of its own, and Markdown; never markup or a request to elsewhere.
func TestAFlowCannotMakeMarkup(t *testing.T) {
	t.Parallel()
	const evil = `{"version":"7.3","screens":[{"id":"A","title":"<i>t</i>","terminal":true,"layout":{"type":"SingleColumnLayout","children":[
		{"type":"RichText","text":["# <script>alert(1)</script>","[x](javascript:alert(1)) **bold** ![p](https://evil.test/p.png)"]},
		{"type":"Image","src":"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==","alt-text":"<u>alt</u>"},
		{"type":"Image","src":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="},
		{"type":"TextInput","name":"a","label":"\"><script>","init-value":"\"onfocus=x"},
		{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{}}}]}}]}`
	b := open(t, func(string) string { return evil })
	_, page := b.get("")
	for _, bad := range []string{"<script>alert", "javascript:", "<i>t", "<u>alt", `"onfocus`, "data:text"} {
		if strings.Contains(page, bad) {
			t.Errorf("%s is in\n%s", bad, page)
		}
	}
	see(t, page, "<strong>bold</strong>", `src="data:image/png;base64,iVBOR`)
}

// A document of 100 KB can ask for gigabytes: references multiply their examples.
func TestAFlowCannotMakeAnEndlessPage(t *testing.T) {
	t.Parallel()
	x := strings.Repeat("[*", 4<<10)
	text := `{"type":"RichText","text":"` + "`" + strings.Repeat("${data.x} ", 400) + "`" + `"},{"type":"RichText","text":"${data.x}"},`
	screen := func(id string) string {
		return `{"id":"` + id + `","title":"A","terminal":true,"data":{"x":{"type":"string","__example__":"` + x + `"}},"layout":{"type":"SingleColumnLayout",
			"children":[` + strings.Repeat(text, 24) + `{"type":"Footer","label":"Go","on-click-action":{"name":"complete","payload":{}}}]}}`
	}
	list := make([]string, 0, 20)
	for i := range 20 {
		list = append(list, screen("A_"+string(rune('A'+i))))
	}
	b := open(t, func(string) string { return `{"version":"7.3","screens":[` + strings.Join(list, ",") + `]}` })
	if status, page := b.get(""); status != 200 && status != 409 || len(page) > 16<<20 {
		t.Errorf("%d, %d bytes", status, len(page))
	}
	if status, page := b.get("&interactive=true"); status != 200 || len(page) > 5<<20 {
		t.Errorf("%d, %d bytes", status, len(page))
	}
}

// waiting is a source that is asked at once by all who may.
type waiting struct {
	source
	in, out chan struct{}
}

func (w *waiting) Preview(context.Context, string, string) (*flowpage.Flow, error) {
	w.in <- struct{}{}
	<-w.out
	return nil, flowpage.ErrLink
}

func TestTooManyPreviews(t *testing.T) {
	t.Parallel()
	src := &waiting{in: make(chan struct{}), out: make(chan struct{})}
	h := flowpage.Handler(src, slog.New(slog.DiscardHandler))
	get := func() int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/flows/1/preview/?token=x", nil))
		return w.Code
	}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { get() })
		<-src.in
	}
	if got := get(); got != 503 {
		t.Errorf("the 17th: %d", got)
	}
	close(src.out)
	all.Wait()
	go func() { <-src.in }()
	if got := get(); got != 404 {
		t.Errorf("afterwards: %d", got)
	}
}
