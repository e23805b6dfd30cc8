package scenario_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/test/scenario"
)

const untestedFile = "untested.txt"

// TestEveryErrorRaisedIsShown holds invariant 9 of docs/architecture.md from the other side: every row of the error table
// that code raises is seen in a scenario or in a test. Rows that are not stand in untested.txt, each with the reason.
func TestEveryErrorRaisedIsShown(t *testing.T) {
	t.Parallel()
	raised, tests := sources(t)
	shown := recorded(t)
	excused := reasons(t)
	codes, pairs := map[int]int{}, map[[2]int]int{}
	for _, row := range wa.All() {
		codes[row.Code]++
		pairs[[2]int{row.Code, row.Subcode}]++
	}
	for _, row := range wa.All() {
		if row.Name == "" || !raised[row.Name] {
			if excused[row.Name] != "" {
				t.Errorf("%s lists %s, which is not raised", untestedFile, row.Name)
			}
			continue
		}
		seen := shown(row, pairs[[2]int{row.Code, row.Subcode}] == 1) || strings.Contains(tests, "wa."+row.Name+" ") ||
			row.Subcode > 450 && strings.Contains(tests, strconv.Itoa(row.Subcode)) ||
			row.Code > 1000 && codes[row.Code] == 1 && strings.Contains(tests, strconv.Itoa(row.Code))
		if words, _, _ := strings.Cut(row.Title, "%"); len(words) > 30 && codes[row.Code] > 1 {
			seen = seen || strings.Contains(tests, words)
		}
		switch {
		case seen && excused[row.Name] != "":
			t.Errorf("%s lists %s, which is seen by now", untestedFile, row.Name)
		case !seen && excused[row.Name] == "":
			t.Errorf("%s (%d/%d, %s) is raised and in no scenario or test", row.Name, row.Code, row.Subcode, row.Title)
		}
	}
}

// sources returns the rows that the program's code names, and the text of its tests.
func sources(t *testing.T) (raised map[string]bool, tests string) {
	t.Helper()
	raised = map[string]bool{}
	var text strings.Builder
	fset := token.NewFileSet()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return filepath.SkipDir
		case d.IsDir() && d.Name() == "contract":
			return filepath.SkipDir // describes what others raise
		case filepath.Ext(path) != ".go" || strings.HasPrefix(path, filepath.Join(root, "internal", "wa")):
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "_test.go") {
			if filepath.Base(path) != "errors_test.go" {
				text.Write(errorName.ReplaceAll(src, []byte("$0 ")))
			}
			return nil
		}
		tree, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "Err") {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "wa" {
					raised[sel.Sel.Name] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return raised, text.String()
}

var errorName = regexp.MustCompile(`wa\.Err[A-Za-z]+`)

// recorded tells which rows the scenarios show: in answers, in health_status, and in failed statuses.
func recorded(t *testing.T) func(row *wa.Error, alone bool) bool {
	t.Helper()
	type seen struct {
		Code    int    `json:"code"`
		Subcode int    `json:"error_subcode"`
		Message string `json:"message"`
	}
	all := map[[2]int][]string{}
	add := func(e seen) {
		key := [2]int{e.Code, e.Subcode}
		all[key] = append(all[key], strings.TrimPrefix(e.Message, "(#"+strconv.Itoa(e.Code)+") "))
	}
	files, err := filepath.Glob("*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	health := regexp.MustCompile(`"error_code": ?(\d+)`)
	failed := regexp.MustCompile(`"errors":\[(\{.*?\})\]`)
	for _, path := range files {
		f, err := scenario.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range f.Steps {
			var answer struct{ Error seen }
			if step.Answer != nil && json.Unmarshal([]byte(step.Answer.Body), &answer) == nil && answer.Error.Message != "" {
				add(answer.Error)
			}
			if step.Answer != nil {
				for _, m := range health.FindAllStringSubmatch(step.Answer.Body, -1) {
					code, _ := strconv.Atoi(m[1])
					add(seen{Code: code})
				}
			}
			for _, p := range step.Webhooks {
				for _, m := range failed.FindAllStringSubmatch(p.Body, -1) {
					var e seen
					if json.Unmarshal([]byte(m[1]), &e) == nil {
						add(e)
					}
				}
			}
		}
	}
	verb := regexp.MustCompile(`%[a-z]`)
	return func(row *wa.Error, alone bool) bool {
		title := regexp.MustCompile("^" + verb.ReplaceAllString(regexp.QuoteMeta(row.Title), ".*") + "$")
		for _, message := range all[[2]int{row.Code, row.Subcode}] {
			if alone || title.MatchString(message) || len(row.Title) > 20 && strings.HasPrefix(message, row.Title[:20]) {
				return true
			}
		}
		return false
	}
}

// reasons reads why a row is in no test: a name and, behind it, the reason.
func reasons(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(untestedFile)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, why, _ := strings.Cut(line, " ")
		if why == "" {
			t.Errorf("%s gives no reason for %s", untestedFile, name)
		}
		list[name] = why
	}
	return list
}
