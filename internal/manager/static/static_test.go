package static_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/manager/static"
)

// get asks for an asset as a browser does and gives the answer with its size on the wire.
func get(t *testing.T, path string) (*httptest.ResponseRecorder, int) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip, br")
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, r)
	return w, w.Body.Len()
}

// TestVendored compares what others wrote with the list of it, in both directions.
func TestVendored(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("vendor.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Package, Version, Licence string
		Files                     map[string]string
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, p := range list {
		if p.Package == "" || p.Version == "" || p.Licence == "" {
			t.Errorf("%+v is not complete", p)
		}
		for name, want := range p.Files {
			listed[name] = true
			b, err := os.ReadFile(name)
			if err != nil {
				t.Error(err)
				continue
			}
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
				t.Errorf("%s is not what vendor.json says", name)
			}
		}
	}
	for _, dir := range []string{"fonts", "icons", "licences"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !listed[filepath.ToSlash(path)] {
				t.Errorf("%s is not in vendor.json", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	for name, contentType := range map[string]string{"app.css": "text/css", "js/app.js": "text/javascript", "icons.svg": "image/svg+xml", "fonts/geist-latin-wght-normal.woff2": "font/woff2"} {
		w, n := get(t, static.URL(name))
		if h := w.Header(); w.Code != http.StatusOK || n == 0 || !strings.HasPrefix(h.Get("Content-Type"), contentType) || !strings.Contains(h.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, w.Code, h)
		}
	}
	for _, path := range []string{"/static/0123456789abcdef/app.css", static.URL("nothing.css"), static.URL("../static.go"), "/static/"} {
		if w, _ := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestEverythingThatIsAskedForIsThere follows the addresses in styles and modules, and the icons in the source of the web app.
func TestEverythingThatIsAskedForIsThere(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"css/*.css", "js/*.js"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`url\("([^"]+)"\)|(?:from|import) "\./([^"]+)"`).FindAllStringSubmatch(string(b), -1) {
				target := m[1]
				if target == "" {
					target = "js/" + m[2]
				}
				if w, _ := get(t, static.URL(target)); w.Code != http.StatusOK {
					t.Errorf("%s asks for %s: %d", name, target, w.Code)
				}
			}
		}
	}
}

// TestBudget holds what a first visit may load, compressed.
func TestBudget(t *testing.T) {
	t.Parallel()
	_, css := get(t, static.URL("app.css"))
	if css > 18_000 {
		t.Errorf("%d bytes of styles, more than 18 kB", css)
	}
	names, _ := filepath.Glob("js/*.js")
	all, requests := 0, 4 // page, styles, icons, mark
	for _, name := range names {
		_, n := get(t, static.URL(filepath.ToSlash(name)))
		all += n
		requests++
	}
	if all > 16_000 {
		t.Errorf("%d bytes of modules, more than 16 kB", all)
	}
	t.Logf("styles %d bytes, %d modules %d bytes", css, len(names), all)
}

var token = regexp.MustCompile(`--([a-z0-9-]+): (light-dark\(([^;]*)\)|#[0-9a-f]{6}|var\(--[a-z0-9-]+\));`)

// TestContrast holds 4.5 to 1 for text and 3 to 1 for the bounds of controls and for data, in both themes.
func TestContrast(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string][2]string{}
	for _, m := range token.FindAllStringSubmatch(string(raw), -1) {
		switch light, dark, two := strings.Cut(m[3], ", "); {
		case two:
			colours[m[1]] = [2]string{light, dark}
		case strings.HasPrefix(m[2], "var"):
			colours[m[1]] = colours[strings.TrimSuffix(strings.TrimPrefix(m[2], "var(--"), ")")]
		default:
			colours[m[1]] = [2]string{m[2], m[2]}
		}
	}
	pairs := 0
	check := func(bound float64, ink string, grounds ...string) {
		for _, ground := range grounds {
			for theme, name := range []string{"light", "dark"} {
				pairs++
				a, b := colours[ink][theme], colours[ground][theme]
				if got := contrast(t, a, b); got < bound {
					t.Errorf("%s: %s (%s) on %s (%s) is %.2f, less than %.1f", name, ink, a, ground, b, got, bound)
				}
			}
		}
	}
	all := []string{"bg", "surface", "sunken", "raised", "hover", "selected"}
	check(4.5, "text", append(all, "mute-tint", "ok-tint", "warn-tint", "bad-tint", "info-tint")...)
	check(4.5, "text-2", append(all, "mute-tint")...)
	check(4.5, "text-3", "bg", "surface", "sunken", "raised", "hover")
	check(4.5, "accent", "bg", "surface", "raised", "hover", "selected", "accent-tint", "sunken")
	check(4.5, "on-accent", "accent-solid", "accent-solid-hover", "bad-solid")
	for _, state := range []string{"ok", "warn", "bad", "info", "mute"} {
		check(4.5, state, "bg", "surface", "raised", state+"-tint")
	}
	check(4.5, "ok", "sunken")
	check(4.5, "bg", "text")
	check(3, "line-input", "surface", "raised", "bg")
	check(3, "focus", all...)
	for _, data := range []string{"d-line", "d-read", "d-failed", "d-1", "d-2", "d-3", "d-4", "d-5", "d-6", "ok-solid", "warn-solid", "bad-solid"} {
		check(3, data, "surface")
	}
	check(4.5, "bubble-meta", "bubble-in")
	check(4.5, "bubble-meta-out", "bubble-out")
	check(4.5, "bubble-link", "bubble-in", "bubble-out")
	if pairs < 132 {
		t.Errorf("only %d pairs", pairs)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("%q is no colour", colour)
	}
	sum := 0.0
	for i, weight := range []float64{.0722, .7152, .2126} {
		c := float64(n>>(8*i)&255) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
