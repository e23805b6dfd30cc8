package e2e

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	devlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe-core/axe.min.js
var axe string

// patience is how long a page may take to show what is waited for.
const patience = 10 * time.Second

var (
	browser context.Context
	missing string // why there is no browser
)

func TestMain(m *testing.M) {
	code := func() int {
		path := os.Getenv("CHROMIUM")
		// Debian's /usr/bin/chromium is a script that hands no pipe on to what it starts.
		for _, name := range []string{"/usr/lib/chromium/chromium", "chromium", "chromium-browser", "google-chrome"} {
			if found, err := exec.LookPath(name); err == nil && path == "" {
				path = found
			}
		}
		if path == "" {
			missing = "there is no Chromium on this machine"
			return m.Run()
		}
		options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"))
		allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
		defer end()
		ctx, stop := chromedp.NewContext(allocator)
		defer stop()
		if err := chromedp.Do(ctx); err != nil {
			missing = fmt.Sprintf("%s does not start: %v", path, err)
			return m.Run()
		}
		browser = ctx
		return m.Run()
	}()
	os.Exit(code)
}

// page is a tab of somebody with cookies of their own.
type page struct {
	t    *testing.T
	s    *server
	ctx  context.Context
	name string

	mu     sync.Mutex
	faults []string
	may    []string // what the next complaints may be about
}

// visit opens a tab. Without a browser the test is skipped, or fails when E2E=1.
func (s *server) visit() *page {
	s.t.Helper()
	p := &page{t: s.t, s: s}
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	s.t.Cleanup(end)
	p.ctx = ctx
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		s.t.Fatal(err)
	}
	p.size(1280, 800)
	s.t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, f := range p.faults {
			s.t.Errorf("the browser complains: %s", f)
		}
	})
	return p
}

func need(t *testing.T) {
	t.Helper()
	if missing == "" {
		return
	}
	if os.Getenv("E2E") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// hear collects complaints.
func (p *page) hear(ev any) {
	text := ""
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			text = "console " + string(e.Type)
			for _, a := range e.Args {
				text += " " + string(a.Value) + a.Description
			}
		}
	case *devlog.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			text = string(e.Entry.Source) + ": " + e.Entry.Text + " " + e.Entry.URL
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			text = "request failed: " + e.ErrorText
		}
	}
	if text == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.ContainsFunc(p.may, func(m string) bool { return strings.Contains(text, m) }) {
		return
	}
	p.faults = append(p.faults, text)
}

// expect lets the browser complain about what a test provokes: "status of 400".
func (p *page) expect(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.may = append(p.may, text)
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, end := context.WithTimeout(p.ctx, patience)
	defer end()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, p.text())
	}
}

// size is that of the window, in CSS pixels.
func (p *page) size(w, h int64) { p.do(chromedp.EmulateViewport(w, h)) }

// open goes to a path of the server.
func (p *page) open(path string) {
	p.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = p.s.vars["BASE_URL"] + path
	}
	p.name = path
	p.do(chromedp.Navigate(path))
}

// eval runs a script in the page; ok is false while a page gives way to the next.
func eval[T any](p *page, script string) (v T, ok bool) {
	ctx, end := context.WithTimeout(p.ctx, patience)
	defer end()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	return v, err == nil
}

// until waits for a script to be true.
func (p *page) until(what, script string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if yes, ok := eval[bool](p, `document.readyState === "complete" && !document.querySelector("[aria-busy=true]") && !!(`+script+`)`); ok && yes {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s: waited in vain for %s; the page says:\n%s", p.name, what, p.text())
		}
	}
}

func (p *page) text() string {
	s, _ := eval[string](p, `location.href + "\n" + document.body.innerText`)
	return s
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// see waits for a text that a person can read.
func (p *page) see(text string) {
	p.t.Helper()
	p.until(text, `document.body.innerText.includes(`+quote(text)+`)`)
}

// gone waits until a text can be read no more.
func (p *page) gone(text string) {
	p.t.Helper()
	p.until("no "+text, `!document.body.innerText.includes(`+quote(text)+`)`)
}

// finder finds what can be pressed by what a person reads on it, or a reader of the screen hears. An open dialog hides the rest.
const finder = `(name) => {
  const root = [...document.querySelectorAll("dialog")].find((d) => d.open) ?? document;
  const words = (e) => (e.getAttribute("aria-label") ?? e.innerText ?? "").replace(/\s+/g, " ").trim();
  return [...root.querySelectorAll("a[href], button, summary, [role=button]")].find((e) => words(e) === name && e.checkVisibility({ visibilityProperty: true }));
}`

// click presses the link or button with this name, with the mouse, where it is on the screen.
func (p *page) click(name string) {
	p.t.Helper()
	p.until("something to press called "+name, `(`+finder+`)(`+quote(name)+`)`)
	type at struct {
		X, Y float64
		Off  bool
		Over string
	}
	spot, ok := eval[at](p, `(() => { const e = (`+finder+`)(`+quote(name)+`); e.scrollIntoView({ block: "center", behavior: "instant" });
	  const r = e.getClientRects()[0], x = r.x + r.width / 2, y = r.y + r.height / 2, top = document.elementFromPoint(x, y);
	  return { X: x, Y: y, Off: !!e.disabled, Over: e.contains(top) || top?.contains(e) ? "" : (top?.outerHTML ?? "nothing") }; })()`)
	if !ok || spot.Off || spot.Over != "" {
		p.t.Fatalf("%s: %q cannot be pressed: %+v", p.name, name, spot)
	}
	p.do(chromedp.MouseClickXY(spot.X, spot.Y))
}

// off reports that a button is there and cannot be pressed.
func (p *page) off(name string) {
	p.t.Helper()
	p.until(name+" to be disabled", `(`+finder+`)(`+quote(name)+`)?.disabled`)
}

// fill writes into the field with this id, key by key, in place of what is there.
func (p *page) fill(id, text string) {
	p.t.Helper()
	p.until("a field "+id, `document.getElementById(`+quote(id)+`)`)
	if _, ok := eval[bool](p, `(() => { const e = document.getElementById(`+quote(id)+`); e.scrollIntoView({ block: "center", behavior: "instant" }); e.focus(); e.select?.(); return true; })()`); !ok {
		p.t.Fatalf("%s: no field %s", p.name, id)
	}
	p.do(chromedp.KeyEvent(text))
}

// widths are those that no page may be too wide for.
var widths = []int64{360, 390, 768, 1280}

// look holds the page to the rules that count everywhere.
func (p *page) look(name string) {
	p.t.Helper()
	p.lookIn(name, "light", "dark")
}

// lookIn is look with accessibility in these schemes only; it takes most of the time.
func (p *page) lookIn(name string, schemes ...string) {
	p.t.Helper()
	for _, w := range widths {
		p.size(w, 800)
		over, ok := eval[string](p, `(() => { const d = document.documentElement; if (d.scrollWidth <= d.clientWidth) return "";
		  return [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > d.clientWidth + 1).slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join("\n") || "something"; })()`)
		if !ok || over != "" {
			p.t.Errorf("%s scrolls sideways at %d pixels: %s", name, w, over)
		}
		if w == 390 {
			p.scheme("dark")
			if slices.Contains(schemes, "dark") {
				p.accessible(name + ", dark, 390")
			}
			p.shot(name + "-390-dark")
			p.scheme("light")
		}
	}
	if slices.Contains(schemes, "light") {
		p.accessible(name)
	}
	p.shot(name + "-1280-light")
}

// scheme is how the system is set.
func (p *page) scheme(value string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	}))
}

// accessible lets axe-core look for faults of WCAG 2.2 AA.
func (p *page) accessible(name string) {
	p.t.Helper()
	if loaded, _ := eval[bool](p, `!!window.axe`); !loaded {
		p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: axe})
			return err
		}))
	}
	found, ok := eval[[]string](p, `axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
	  .then((r) => r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")))`)
	if !ok {
		p.t.Errorf("%s: axe did not run", name)
	}
	for _, f := range found {
		p.t.Errorf("%s: %s", name, f)
	}
}

var slug = regexp.MustCompile(`[^a-z0-9]+`)

// shot keeps a picture, where SHOTS says so.
func (p *page) shot(name string) {
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	ctx, end := context.WithTimeout(p.ctx, patience)
	defer end()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, slug.ReplaceAllString(strings.ToLower(name), "-")+".png"), png, 0o600)
	}
	if err != nil {
		p.t.Logf("no picture of %s: %v", name, err)
	}
}

// press sends keys to whatever has the focus.
func (p *page) press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}
