package hikyaku_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hikyaku/hikyaku/"

// plan says what each room may import of the others. It is the table of docs/architecture.md, "Rooms": change both. A room
// covers the folders below it; where a folder has a line of its own, that one counts.
var plan = map[string][]string{
	// Floor 0: words and time.
	"internal/wa":    {},
	"internal/clock": {},
	"retry":          {},

	// Floor 1: rules, each alone with the ground floor.
	"internal/access":         {"internal/wa", "internal/clock"},
	"internal/business":       {"internal/wa", "internal/clock"},
	"internal/template":       {"internal/wa", "internal/clock"},
	"internal/message":        {"internal/wa", "internal/clock"},
	"internal/limits":         {"internal/wa", "internal/clock"},
	"internal/quality":        {"internal/wa"},
	"internal/analytics":      {"internal/wa"},
	"internal/pricing":        {"internal/wa"},
	"internal/media":          {"internal/wa", "internal/clock"},
	"internal/signal":         {},
	"internal/vault":          {"internal/clock"},
	"internal/graph":          {"internal/wa", "internal/clock"},
	"internal/journal/record": {"internal/wa"},
	"internal/flow/document":  {},
	"internal/journal":        {"internal/wa", "internal/clock"},
	"internal/preview":        {"internal/clock"},
	"internal/flow":           {"internal/wa", "internal/clock", "internal/flow/document"},

	// Floor 2: motion.
	"internal/pipeline": {
		"internal/wa", "internal/clock", "internal/business", "internal/template", "internal/message", "internal/limits",
		"internal/signal", "internal/journal", "internal/analytics", "internal/quality", "internal/pricing",
	},
	"internal/webhook": {
		"internal/wa", "internal/clock", "internal/business", "internal/template", "internal/message", "internal/journal",
	},
	"internal/policy": {
		"internal/wa", "internal/clock", "internal/business", "internal/template", "internal/limits", "internal/quality", "internal/analytics",
		"internal/pricing",
	},
	"internal/network/frame": {"internal/wa"},
	"internal/network":       {"internal/wa", "internal/clock", "internal/message", "internal/signal"},
	"device":                 {"internal/wa", "internal/signal", "internal/network/frame", "internal/flow/document"},

	// Floor 3: doors and the store.
	"internal/api": {
		"internal/wa", "internal/clock", "internal/access", "internal/business", "internal/template", "internal/message",
		"internal/limits", "internal/media", "internal/pipeline", "internal/webhook", "internal/graph", "internal/analytics",
		"internal/pricing", "internal/flow",
	},
	"internal/api/contract": {"internal/wa", "internal/graph", "internal/access", "internal/business"},
	"internal/manager": {
		"internal/wa", "internal/clock", "internal/access", "internal/business", "internal/template", "internal/message",
		"internal/limits", "internal/media", "internal/pipeline", "internal/webhook", "internal/analytics", "internal/pricing",
		"internal/flow",
	},
	"internal/manager/html":   {},
	"internal/manager/i18n":   {},
	"internal/manager/static": {},
	"internal/manager/kit":    {"internal/wa", "internal/manager/html", "internal/manager/i18n", "internal/manager/static"},
	"internal/store": {
		"internal/wa", "internal/clock", "internal/access", "internal/business", "internal/template", "internal/pipeline",
		"internal/webhook", "internal/network", "internal/vault", "internal/media", "internal/limits", "internal/quality", "internal/pricing", "internal/analytics",
		"internal/flow",
	},

	// Floor 4 and 5 know everything below them.
	"internal/app": {"internal", "device"},

	// The programs beside the platform are its clients: they know no room.
	"internal/bench":    {"internal/clock", "retry"},
	"internal/console":  {"internal/clock", "internal/network/frame", "internal/flow/document", "device"},
	"internal/receiver": {},
	"internal/scenario": {"internal/clock"},
	"cmd/hikyaku":       {"internal/app", "internal/bench", "internal/console", "internal/receiver", "internal/scenario", "internal/clock", "device", "retry"},
}

// outside are folders whose programs and tests may look at everything, or at nothing.
var outside = []string{"test", "examples", "e2e"}

// only lists who may use a driver or an engine. Rooms that are not named must not import the path.
var only = map[string][]string{
	"github.com/nats-io/":           {"internal/journal"},
	"database/sql":                  {"internal/store"},
	"modernc.org/sqlite":            {"internal/store"},
	"github.com/jackc/pgx":          {"internal/store"},
	"github.com/pressly/goose":      {"internal/store"},
	"github.com/prometheus/":        {"internal/app"},
	"github.com/nyaruka/":           {"internal/wa"},
	"github.com/piglig/":            {"internal/api"},
	"github.com/go-jose/":           {"internal/api"},
	"github.com/yuin/goldmark":      {"internal/api/flowpage"},
	"filippo.io/edwards25519":       {"internal/signal"},
	"charm.land/":                   {"internal/console"},
	"github.com/alecthomas/kong":    {"cmd/hikyaku"},
	"github.com/HdrHistogram/":      {"internal/bench"},
	"github.com/coder/websocket":    {"internal/network", "device"},
	"github.com/gofrs/flock":        {"internal/app", "internal/journal"},
	"github.com/goccy/go-yaml":      {"internal/app", "internal/scenario"},
	"golang.org/x/crypto/acme":      {"internal/app"},
	"google.golang.org/protobuf/en": {"internal/journal/record", "internal/pipeline"},
	"github.com/minio/":             {"internal/media"},
	"github.com/gabriel-vasile/":    {"internal/media"},
	"github.com/abema/":             {"internal/media"},
}

type file struct {
	room, path string
	test       bool
	ast        *ast.File
}

func TestImportsFollowThePlan(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range files(t) {
		if slices.ContainsFunc(outside, func(o string) bool { return under(f.path, o) }) {
			continue
		}
		if filepath.Dir(f.path) == "." {
			continue
		}
		if f.room == "" {
			t.Errorf("%s is in no room of the plan", f.path)
			continue
		}
		seen[f.room] = true
		if f.test {
			continue // tests may look at their neighbours
		}
		for _, imp := range f.ast.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			check(t, f, path)
		}
	}
	for room := range plan {
		if !seen[room] {
			t.Errorf("the plan names %s, which does not exist", room)
		}
	}
}

func check(t *testing.T, f file, path string) {
	t.Helper()
	for prefix, rooms := range only {
		if strings.HasPrefix(path, prefix) && !slices.ContainsFunc(rooms, func(r string) bool { return under(f.path, r) }) {
			t.Errorf("%s imports %s, which is for %v only", f.path, path, rooms)
		}
	}
	local, ok := strings.CutPrefix(path, module)
	if path == strings.TrimSuffix(module, "/") {
		return // the root package holds nothing but embedded examples
	}
	if !ok || under(local, f.room) {
		return
	}
	if !slices.ContainsFunc(plan[f.room], func(r string) bool { return under(local, r) }) {
		t.Errorf("%s imports %s, which the plan does not allow for %s", f.path, local, f.room)
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	t.Parallel()
	documented, all := map[string]bool{}, map[string]bool{}
	for _, f := range files(t) {
		if f.test {
			continue
		}
		dir := filepath.Dir(f.path)
		all[dir] = true
		if f.ast.Doc != nil && len(strings.TrimSpace(f.ast.Doc.Text())) > 0 {
			documented[dir] = true
		}
	}
	for dir := range all {
		if !documented[dir] {
			t.Errorf("package in %s has no comment", dir)
		}
	}
}

func files(t *testing.T) (list []file) {
	t.Helper()
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "depkeep") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(fset, path, src, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		list = append(list, file{room(path), path, strings.HasSuffix(path, "_test.go"), tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// room is the longest entry of the plan that covers path.
func room(path string) (best string) {
	for r := range plan {
		if under(path, r) && len(r) > len(best) {
			best = r
		}
	}
	return best
}

func under(path, dir string) bool {
	return path == dir || strings.HasPrefix(filepath.ToSlash(path), dir+"/")
}
