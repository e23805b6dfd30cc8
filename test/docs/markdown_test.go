package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the folder of the repository.
const root = "../.."

// block is a fenced block of a page.
type block struct {
	page       string // path from the root
	line       int    // of the first line inside, from 1
	lang, info string // "sh", "terminal: ready"
	text       string
}

func (b *block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// what a shell block is for.
const (
	run      = "run"
	terminal = "terminal"
	skip     = "skip"
)

// use says what happens with a shell block, and the words or the reason behind the colon.
func (b *block) use() (use, rest string) {
	if b.lang != "sh" && b.lang != "bash" {
		return "", ""
	}
	if b.info == "" {
		return run, ""
	}
	use, rest, _ = strings.Cut(b.info, ":")
	return use, strings.TrimSpace(rest)
}

// lines returns the page without its last newline, split.
func lines(t *testing.T, page string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// blocks returns the fenced blocks of a page.
func blocks(t *testing.T, page string) (list []*block) {
	t.Helper()
	var open *block
	var fence string
	var text []string
	for i, line := range lines(t, page) {
		trimmed := strings.TrimSpace(line)
		switch {
		case open == nil && strings.HasPrefix(trimmed, "```"):
			fence = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
			lang, info, _ := strings.Cut(strings.TrimPrefix(trimmed, fence), " ")
			open, text = &block{page: page, line: i + 2, lang: lang, info: strings.TrimSpace(info)}, nil
		case open != nil && trimmed == fence:
			open.text = strings.Join(text, "\n")
			list, open = append(list, open), nil
		case open != nil:
			text = append(text, line)
		}
	}
	if open != nil {
		t.Fatalf("%s: the block is never closed", open)
	}
	return list
}

// pages are README.md and everything below docs.
func pages(t *testing.T) []string {
	t.Helper()
	list := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			list = append(list, filepath.ToSlash(strings.TrimPrefix(f, root+"/")))
		}
	}
	slices.Sort(list)
	return list
}

// command matches a line that a reader would paste.
var command = regexp.MustCompile(`(?m)^\s*(\$ )?(curl|hikyaku|go run ./cmd/hikyaku)\s`)

func TestEveryCommandRunsOrSaysWhyNot(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			switch use, rest := b.use(); {
			case use == run:
			case (use == skip || use == terminal) && rest != "":
			case use != "":
				t.Errorf("%s: a shell block is plain, \"terminal: WORDS\" or \"skip: REASON\", not %q", b, b.info)
			case command.MatchString(b.text):
				t.Errorf("%s: commands in a block %q are not run; make it sh, or \"sh skip: REASON\"", b, b.lang)
			}
		}
	}
}
