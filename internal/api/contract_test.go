package api_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/api/contract"
)

// A call or a field that is added without words fails here, and so do words for what is not served.
func TestEverythingServedHasWords(t *testing.T) {
	t.Parallel()
	c, err := api.Describe()
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range c.Calls {
		if call.Does == "" {
			t.Errorf("%s says nothing", call.Route)
		}
		if call.Kind != "" && call.String() == "" {
			t.Errorf("%s does not say who may call it", call.Route)
		}
	}
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil || !bytes.Equal(page, c.Page()) {
		t.Errorf("docs/api.md differs from the tables (%v): run go generate ./internal/api", err)
	}
}

func TestDocumentIsValidOpenAPI(t *testing.T) {
	t.Parallel()
	doc, err := api.Document()
	if err != nil {
		t.Fatal(err)
	}
	again, err := api.Document()
	if err != nil || !bytes.Equal(doc, again) {
		t.Error("the document differs from call to call", err)
	}
	parsed, err := openapi3.NewLoader().LoadFromData(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	op := parsed.Paths.Value("/{phone_number_id}/messages").Post
	if op == nil || op.RequestBody == nil || op.Responses.Value("200") == nil {
		t.Error("sending is not described")
	}
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	h := api.OpenAPI(slog.New(slog.DiscardHandler))
	ask := func(etag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, api.OpenAPIPath, nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	first := ask("")
	doc, _ := api.Document()
	if first.Code != 200 || !bytes.Equal(first.Body.Bytes(), doc) || first.Header().Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Errorf("%d, %d bytes, %v", first.Code, first.Body.Len(), first.Header())
	}
	if w := ask(first.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("a second look answers %d", w.Code)
	}
}

// What the code reads is described, and what is described is read: a parameter that is added, renamed or dropped without its
// words fails here.
func TestDescribedParametersAreThoseThatAreRead(t *testing.T) {
	t.Parallel()
	c, err := api.Describe()
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	var note func(s *contract.Schema)
	note = func(s *contract.Schema) {
		for name, inner := range s.Properties {
			described[name] = true
			note(inner)
		}
		for _, inner := range append(s.AnyOf, s.Items) {
			if inner != nil {
				note(inner)
			}
		}
	}
	top := map[string]string{}
	for _, call := range c.Calls {
		for _, p := range call.Params {
			described[p.Name], top[p.Name] = true, call.Route
			note(p.Type)
		}
	}
	described["product_types"] = true // a modifier of the field analytics
	read, written := map[string]bool{}, map[string]bool{}
	for _, dir := range []string{".", "../template", "../message", "../graph", "../media"} {
		scan(t, dir, func(name string, get bool) {
			written[name] = true
			if get && dir == "." {
				read[name] = true
			}
		})
	}
	for name := range read {
		if !described[name] {
			t.Errorf("a parameter %q is read and described nowhere: add it to internal/api/contract", name)
		}
	}
	for name, route := range top {
		if !written[name] {
			t.Errorf("parameter %q of %s is described and read nowhere", name, route)
		}
	}
}

// scan tells the string literals of a folder's code; get says that one is the argument of a Get or Has of parameters.
func scan(t *testing.T, dir string, each func(name string, get bool)) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
					each(text, false)
				}
			case *ast.CallExpr:
				call, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || len(n.Args) != 1 || call.Sel.Name != "Get" && call.Sel.Name != "Has" || foreign(call.X) {
					return true
				}
				if lit, ok := n.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, _ := strconv.Unquote(lit.Value)
					each(text, true)
				}
			}
			return true
		})
	}
}

// foreign says that an expression is no parameter set: headers, and the forms of the log-in dialog.
func foreign(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name == "Header" || x.Sel.Name == "PostForm" || x.Sel.Name == "Form"
	case *ast.Ident:
		return x.Name == "f" || x.Name == "h" || x.Name == "q" || x.Name == "answer"
	}
	return false
}
