package i18n_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/manager/i18n"
)

func TestLanguageOfARequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cookie, accept string
		want           i18n.Lang
	}{
		"nothing said":               {"", "", i18n.English},
		"the browser asks":           {"", "ja,en-US;q=0.7,en;q=0.3", i18n.Japanese},
		"the browser prefers":        {"", "fr, ja;q=0.4, en-GB;q=0.8", i18n.English},
		"never":                      {"", "ja;q=0", i18n.English},
		"the person has chosen":      {"ja", "en", i18n.Japanese},
		"a choice that is no more":   {"xx", "ja-JP", i18n.Japanese},
		"a weight that is no number": {"", "ja;q=x", i18n.English},
	} {
		r, _ := http.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: i18n.Cookie, Value: c.cookie})
		}
		if got := i18n.Choose(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -999: "-999", 1234567: "1,234,567"} {
		if got := i18n.Thousands(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	if got := i18n.English.T("kit.results", "n", 1); got != "1 result" {
		t.Error(got)
	}
	if got := i18n.English.T("kit.results", "n", 1200); got != "1,200 results" {
		t.Error(got)
	}
	if got := i18n.Japanese.T("kit.results", "n", 1); got != "1 件" {
		t.Error(got)
	}
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// TestCatalogues holds that both languages say the same things, and that the source uses what they hold and nothing else.
func TestCatalogues(t *testing.T) {
	t.Parallel()
	en, ja := catalogue(t, "en"), catalogue(t, "ja")
	for key, text := range en {
		other, ok := ja[key]
		if !ok {
			t.Errorf("%s is not in Japanese", key)
			continue
		}
		for _, form := range text {
			a, b := placeholder.FindAllString(form, -1), placeholder.FindAllString(other[len(other)-1], -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
				t.Errorf("%s: %v in English, %v in Japanese", key, a, b)
			}
		}
	}
	for key := range ja {
		if _, ok := en[key]; !ok {
			t.Errorf("%s is not in English", key)
		}
	}
	literals, asked := source(t)
	for key := range en {
		if !literals[key] {
			t.Errorf("nothing says %s", key)
		}
	}
	for key, at := range asked {
		if _, ok := en[key]; !ok {
			t.Errorf("%s: %s is in no catalogue", at, key)
		}
	}
}

// catalogue is what one language says: each key with its forms, the general one last.
func catalogue(t *testing.T, lang string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	names, err := filepath.Glob(lang + "/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var page map[string]any
		if err := json.Unmarshal(raw, &page); err != nil {
			t.Fatal(name, err)
		}
		for thing, v := range page {
			key := strings.TrimSuffix(filepath.Base(name), ".json") + "." + thing
			switch v := v.(type) {
			case string:
				all[key] = []string{v}
			case map[string]any:
				all[key] = []string{v["one"].(string), v["other"].(string)}
			}
			if slices.Contains(all[key], "") || all[key] == nil {
				t.Errorf("%s: %s is empty", name, thing)
			}
		}
	}
	return all
}

// source is every string literal of the web app, and those that are asked for as a text, with their places.
func source(t *testing.T) (literals map[string]bool, asked map[string]string) {
	t.Helper()
	literals, asked = map[string]bool{}, map[string]string{}
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		tree, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					literals[s] = true
				}
			case *ast.CallExpr:
				if key := askedFor(n); key != "" {
					asked[key] = fset.Position(n.Pos()).String()
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return literals, asked
}

func askedFor(call *ast.CallExpr) string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "T" || len(call.Args) == 0 {
		return ""
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return ""
	}
	key, _ := strconv.Unquote(lit.Value)
	return key
}
