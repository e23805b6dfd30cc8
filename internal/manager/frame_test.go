package manager_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	parse "golang.org/x/net/html"

	"github.com/hikyaku/hikyaku/internal/manager"
	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
	"github.com/hikyaku/hikyaku/internal/manager/static"
)

// sample is a frame with everything in it.
func sample(l i18n.Lang) manager.Frame {
	return manager.Frame{
		Lang: l, Here: manager.Numbers, Person: "Misaki Kato", Version: "v0.1",
		Places:     []manager.Place{manager.Overview, manager.Numbers, manager.Account, manager.APISetup, manager.Webhooks, manager.SystemUsers, manager.Info, manager.Accounts},
		Counts:     map[manager.Place]manager.Count{manager.Numbers: {N: 2}, manager.Webhooks: {N: 3, Bad: true}},
		Scope:      manager.Scope{Business: "506914307656634", WABA: "102290129340398", App: "670843887433847"},
		Portfolios: []manager.Named{{ID: "506914307656634", Name: "Aozora Holdings"}, {ID: "506914307656635", Name: "蒼空コーヒー"}},
		WABAs:      []manager.Named{{ID: "102290129340398", Name: "Aozora Coffee JP"}, {ID: "102290129340399", Name: "Aozora Roastery"}},
		Crumbs:     []kit.Link{{Text: "Aozora Coffee JP", Href: "/wa/manage/home/"}},
		URL:        &url.URL{Path: "/wa/manage/phone-numbers/", RawQuery: "waba_id=102290129340398&sort=name"},
	}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// gallery shows every part of the kit.
func gallery(l i18n.Lang) html.Node {
	tokyo := time.FixedZone("JST", 9*3600)
	return kit.Page(kit.Head{
		Title: "Gallery", Sub: html.Group{html.Text("Business account"), kit.Copy(l, "WABA ID", "102290129340398")},
		Right: html.Group{
			kit.Seg("Range", kit.Link{Text: "24 h", Href: "?d=1"}, kit.Link{Text: "7 days", Href: "?d=7", Here: true}, kit.Link{Text: "30 days", Href: "?d=30"}),
			kit.Btn(kit.Button{Text: "Send a test message", Icon: "send", Kind: kit.Primary, Href: "/send"}),
		},
	},
		kit.Tabs("Sides", kit.Link{Text: "Profile", Href: "?tab=profile", Here: true}, kit.Link{Text: "Two-step verification", Href: "?tab=pin"}),
		kit.Stack(
			kit.Note(kit.Warn, html.P(html.Strong(html.Text("1.6 % took more than 1 s.")), html.Text(" The standard is a median of 250 ms.")), kit.Btn(kit.Button{Text: "See deliveries", Small: true, Href: "/x"})),
			kit.Note(kit.Bad, html.P(html.Text("Not verified."))), kit.Note(kit.OK, html.P(html.Text("Saved."))), kit.Note(kit.Info, html.P(html.Text("Immediate."))),
			kit.Strip(kit.Fact{Name: "Callback URL", Value: html.Group{kit.Mono("https://hooks.example/wa"), html.Text(" "), kit.State(l, "VERIFIED")}}, kit.Fact{Name: "Median", Value: html.Text("84 ms")}, kit.Fact{Name: "Queue", Value: html.Text("3 retrying")}),
			kit.Figures(kit.Figure("Sent", 96418, html.Text("7 days")), kit.Figure("Delivered", 94163, html.Text("97.7 % of sent")), kit.Figure("Failed", 611, nil)),
			kit.Columns(kit.Stack(
				kit.Card(kit.Head{Title: "Messages", Sub: html.Text("7 days")}, kit.Lines(l, kit.Chart{
					Label: "Messages", Points: "Day", X: []string{"17 Mon", "18 Tue", "19 Wed", "20 Thu", "21 Fri", "22 Sat", "23 Sun"}, Series: []kit.Series{
						{Name: "Delivered", Hue: "delivered", Area: true, Values: []int64{900, 1000, 950, 1020, 2567, 760, 700}},
						{Name: "Read", Hue: "read", Area: true, Values: []int64{600, 800, 650, 720, 2061, 460, 400}},
						{Name: "Sent", Hue: "sent", Values: []int64{1000, 1100, 1050, 1120, 2914, 860, 800}},
						{Name: "Failed", Hue: "failed", Values: []int64{10, 11, 10, 11, 320, 8, 8}},
					},
				})),
				kit.Card(kit.Head{Title: "Webhook latency"}, kit.Hist("Latency", kit.Bucket{Name: "25", N: 1200}, kit.Bucket{Name: "50", N: 4100}, kit.Bucket{Name: "100", N: 5200}, kit.Bucket{Name: "250", N: 1000}, kit.Bucket{Name: "500", N: 600, Tone: kit.Warn}, kit.Bucket{Name: "1 s", N: 200, Tone: kit.Warn}, kit.Bucket{Name: "2 s", N: 100, Tone: kit.Bad}, kit.Bucket{Name: "more"})),
				kit.Flush(kit.Head{Title: "Phone numbers", Sub: kit.Results(l, 2), Right: kit.Btn(kit.Button{Text: "Add", Icon: "plus", Small: true, Href: "/add"})},
					kit.Table("Phone numbers", []kit.Column{{Title: "Name"}, {Title: "Number"}, {Title: "Status"}, {Title: "Quality"}, {Title: "Sent", Num: true, Second: true}, {Title: "Actions", Quiet: true}}, []kit.Cells{
						{html.A(html.Href("/1"), html.Text("Aozora Coffee")), kit.Phone("+12025550143"), kit.State(l, "CONNECTED"), kit.Quality(l, "GREEN"), kit.Num(31204), kit.IconBtn("More", "ellipsis")},
						{html.A(html.Href("/2"), html.Text("Aozora Roastery")), kit.Phone("12025550178"), kit.State(l, "PENDING_REVIEW"), kit.Quality(l, "YELLOW"), kit.Num(9118), kit.IconBtn("More", "ellipsis")},
						{html.A(html.Href("/3"), html.Text("Test")), kit.Phone("815055550142"), kit.State(l, "NEW_VALUE"), kit.Quality(l, ""), kit.Num(0), nil},
					}), kit.Pager(l, "", "?after=x")),
				kit.Card(kit.Head{Title: "Profile", Sub: html.Text("as customers see it")}, form(l)),
				kit.Flush(kit.Head{Title: "Nothing"}, kit.Empty("phone", "No phone numbers", "Add one to send messages.", kit.Btn(kit.Button{Text: "Add", Icon: "plus", Kind: kit.Primary, Href: "/add"}), kit.Curl(l, "curl -X POST http://localhost/v23.0/1/phone_numbers"))),
			), kit.Stack(
				kit.Card(kit.Head{Title: "Messaging limit", Sub: html.Text("portfolio"), Right: kit.Tag(kit.Info, "TIER_2K")}, kit.Bar(kit.Info, html.Text("New customers in 24 h"), 1204, 2000)),
				kit.Card(kit.Head{Title: "Account"}, kit.Facts(
					kit.Fact{Name: "ID", Value: kit.Copy(l, "ID", "102290129340398")}, kit.Fact{Name: "Created", Value: kit.Time(noon, tokyo)},
					kit.Fact{Name: "Last use", Value: kit.Ago(l, noon, noon.Add(3*time.Minute))}, kit.Fact{Name: "Never", Value: kit.Time(time.Time{}, tokyo)}),
					kit.Foot(kit.Dot(kit.OK, "Connected"))),
				kit.Card(kit.Head{Title: "Get started"}, kit.Steps(l, kit.Step{Title: "App", Done: true}, kit.Step{Title: "Portfolio", Now: true, Detail: html.Text("Choose one")}, kit.Step{Title: "Done"})),
				kit.Card(kit.Head{Title: "What happened", Sub: kit.Tag(kit.OK, "200 OK")}, kit.Ladder(
					kit.Rung{Tone: kit.OK, Title: "accepted", Right: html.Text("+0 ms"), Detail: kit.Mono("wamid.HBgLMTIwMjU1NTAxMTcVAgARGBI5")}, kit.Rung{Tone: kit.OK, Title: "sent", Right: html.Text("+4 ms"), Detail: kit.Latency(300)},
					kit.Rung{Tone: kit.Bad, Title: "delivered", Right: html.Text("+2 s"), Detail: kit.Latency(1900)}, kit.Rung{Title: "read", Ahead: true, Detail: html.Text("waits")}),
					kit.Bubble(html.Text("Hello World\nWelcome."), "en", "hello_world · en_US"), kit.Person("佐藤 美咲", kit.Phone("12025550117"))),
				kit.Card(kit.Head{Title: "Send"}, kit.Switch("lang", "Language", kit.Panel{Text: "curl", Body: kit.Curl(l, "curl -X POST …")}, kit.Panel{Text: "Go", Body: kit.Curl(l, "http.Post(…)")})),
				kit.Card(kit.Head{Title: "Payload"}, kit.JSON(l, "Payload", []byte(`{"object":"whatsapp_business_account","n":1,"a":["x\"y",null]}`))),
				kit.Card(kit.Head{Title: "Danger"}, kit.Confirm(l, kit.Ask{
					ID: "delete", Button: kit.Button{Text: "Delete", Icon: "trash-2", Kind: kit.Danger}, Title: "Delete Aozora Coffee JP?",
					Text: html.P(html.Text("Its numbers and templates go with it.")), Verb: "Delete", Action: "/delete", Fields: kit.Hidden("id", "1"), Type: "Aozora",
				})),
			))))
}

func form(l i18n.Lang) html.Node {
	return kit.Form("/save",
		kit.Problems(l, []kit.Problem{{FieldID: "about", Text: "About is too long"}, {FieldID: "email", Text: "No address"}}),
		kit.Row(
			kit.Field(kit.Input{Name: "name", Label: "Name", Value: "Aozora Coffee", Max: 128, Required: true}),
			kit.Select(kit.Input{Name: "vertical", Label: "Category", Value: "RETAIL"}, kit.Choice{Value: "RETAIL", Text: "Retail"}, kit.Choice{Value: "EDU", Text: "Education"}),
		),
		kit.Area(kit.Input{Name: "about", Label: "About", Value: "Coffee & more", Max: 139, Error: "About is too long", Code: "100", Hint: html.Text("Shown under the name")}),
		kit.Field(kit.Input{Name: "email", Label: "E-mail", Type: "email", Mono: true, Hint: html.Text("For customers")}),
		kit.Boxes("Tasks", kit.Check(kit.Box{Name: "task", Value: "MANAGE", Label: "Manage", On: true, Hint: html.Text("Everything")}), kit.Check(kit.Box{Name: "task", Value: "DEVELOP", Label: "Develop"})),
		kit.Actions(kit.Btn(kit.Button{Text: "Save", Kind: kit.Primary}), kit.Btn(kit.Button{Text: "Off", Off: true}), kit.Btn(kit.Button{Text: "Quiet", Kind: kit.Quiet, Href: "/x"})))
}

// TestPagesAreWellFormed holds what every page must: ids once, a name for each control, one heading of the first level, and no level
// left out.
func TestPagesAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, l := range i18n.Langs {
		for name, page := range map[string]html.Node{
			"gallery":  sample(l).Page(gallery(l)),
			"settings": func() html.Node { f := sample(l); f.Here = manager.Info; return f.Page(html.H1(html.Text("Info"))) }(),
			"log-in":   manager.Frame{Lang: l, Title: "Log in"}.Page(html.H1(html.Text("Log in"))),
		} {
			for _, fault := range Faults(html.String(page)) {
				t.Errorf("%s %s: %s", name, l, fault)
			}
		}
	}
}

// Faults is what is wrong with a page that can be seen without a browser.
func Faults(page string) (faults []string) {
	root, err := parse.Parse(strings.NewReader(page))
	if err != nil {
		return []string{err.Error()}
	}
	ids, labelled, refs, tops, level := map[string]int{}, map[string]bool{}, []string{}, 0, 0
	var unnamed []*parse.Node
	for n := range root.Descendants() {
		if n.Type != parse.ElementNode {
			continue
		}
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		for _, ref := range []string{"for", "aria-labelledby", "aria-describedby", "popovertarget"} {
			refs = append(refs, strings.Fields(attr(n, ref))...)
		}
		switch n.Data {
		case "label":
			labelled[attr(n, "for")] = true
		case "h1", "h2", "h3":
			now := int(n.Data[1] - '0')
			if now > level+1 {
				faults = append(faults, "heading "+words(n)+" leaves out a level")
			}
			level = now
			if now == 1 {
				tops++
			}
		case "button", "a", "summary":
			if words(n) == "" && attr(n, "aria-label") == "" {
				faults = append(faults, n.Data+" without a name")
			}
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" {
				unnamed = append(unnamed, n)
			}
		case "img":
			if !has(n, "alt") {
				faults = append(faults, "picture without alt")
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") || a.Val == "about:invalid" {
				faults = append(faults, n.Data+" with "+a.Key+"="+a.Val)
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			faults = append(faults, "id "+id+" more than once")
		}
	}
	for _, ref := range refs {
		if ids[ref] == 0 {
			faults = append(faults, "nothing has the id "+ref)
		}
	}
	for _, n := range unnamed {
		if !labelled[attr(n, "id")] && attr(n, "aria-label") == "" {
			faults = append(faults, "field "+attr(n, "name")+" without a label")
		}
	}
	if tops != 1 {
		faults = append(faults, "headings of the first level are not one")
	}
	return faults
}

func attr(n *parse.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *parse.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a parse.Attribute) bool { return a.Key == name })
}

func words(n *parse.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == parse.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestMenuHasOnlyWhatIsThereAndAllowed(t *testing.T) {
	t.Parallel()
	f := sample(i18n.English)
	page := html.String(f.Page())
	if !strings.Contains(page, ">Phone numbers<") || strings.Contains(page, ">Inbox<") {
		t.Error("the menu is not that of the places")
	}
	for _, want := range []string{
		`href="/settings/info?business_id=506914307656635"`,   // choosing a portfolio leaves for its settings
		`href="/wa/manage/home/?business_id=506914307656635"`, // its bookmark
		`href="/wa/manage/phone-numbers/?business_id=506914307656634&amp;sort=name&amp;waba_id=102290129340399"`,
		`href="/apps/670843887433847/whatsapp-business/wa-settings/?business_id=506914307656634&amp;waba_id=102290129340398"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	f := sample(i18n.English)
	handler := manager.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/forbidden":
			f.Forbidden(w, r, "whatsapp_business_management")
		case "/missing":
			f.NotFound(w, r)
		case "/failed":
			f.Failed(w, r, "A1b2")
		default:
			manager.Write(w, r, http.StatusOK, f.Page(html.H1(html.Text("x")), html.P(html.ID("part"), html.Text("y")), html.P(html.ID("two"))))
		}
	}))
	ask := func(path, part string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("X-Part", part)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for path, want := range map[string]struct {
		status int
		says   string
	}{"/": {200, "<h1>x</h1>"}, "/forbidden": {403, "whatsapp_business_management"}, "/missing": {404, "Aozora Holdings"}, "/failed": {500, "A1b2"}} {
		w := ask(path, "")
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.says) {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
		for _, fault := range Faults(w.Body.String()) {
			t.Errorf("%s: %s", path, fault)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	if got := ask("/", "two part other").Body.String(); got != `<p id="two"></p><p id="part">y</p>` {
		t.Errorf("parts: %s", got)
	}
	if got := ask("/missing", "part").Body.String(); !strings.HasPrefix(got, "<!doctype") {
		t.Errorf("an error in place of a part is no page: %s", got)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("a post of another site is answered with %d", w.Code)
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ form, back, cookies string }{
		"language":        {"lang=ja&back=/wa/manage/home/?waba_id=1", "/wa/manage/home/?waba_id=1", "hikyaku_lang=ja"},
		"theme":           {"theme=dark&back=/", "/", "hikyaku_theme=dark"},
		"unknown":         {"theme=pink&lang=xx&back=/x", "/x", ""},
		"another site":    {"lang=en&back=//evil.test", "/", "hikyaku_lang=en"},
		"another site \\": {"lang=en&back=/\\evil.test", "/", "hikyaku_lang=en"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/preferences", strings.NewReader(c.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		manager.SavePreferences(w, r)
		var cookies []string
		for _, k := range w.Result().Cookies() {
			cookies = append(cookies, k.Name+"="+k.Value)
		}
		if got := strings.Join(cookies, " "); got != c.cookies || w.Header().Get("Location") != c.back || w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d to %s with %s", name, w.Code, w.Header().Get("Location"), got)
		}
	}
}

// TestSizeOfAPage holds the budget of what a browser loads first.
func TestSizeOfAPage(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(static.Handler())
	defer server.Close()
	size := func(name string) int {
		r, _ := http.NewRequest(http.MethodGet, server.URL+static.URL(name), nil)
		r.Header.Set("Accept-Encoding", "gzip")
		res, err := server.Client().Do(r)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(name, res, err)
		}
		return int(res.ContentLength)
	}
	if n := size("app.css"); n > 18<<10 {
		t.Errorf("%d bytes of styles", n)
	}
}
