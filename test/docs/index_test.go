package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// subjects are the pages that the documentation must have.
var subjects = []string{
	"get-started.md", "graph.md", "graph-differences.md", "portfolio.md", "waba.md", "phone-numbers.md", "templates.md", "webhooks.md",
	"webhook-fields.md", "endpoint.md", "access.md", "permissions.md", "versioning.md", "throughput.md", "webhook-capacity.md", "media.md",
	"migration.md", "rate-limits.md", "limits.md", "analytics.md", "privacy.md", "encryption.md", "errors.md", "postman.md", "flows.md", "ja/quickstart.md",
}

// row of the index: | [Title](file.md) | 題名 | …
var row = regexp.MustCompile(`(?m)^\| \[([^\]]+)\]\(([^)]+\.md)\) \| ([^|]+) \|`)

func TestEveryPageIsInTheIndexUnderItsTitles(t *testing.T) {
	t.Parallel()
	type titles struct{ english, japanese string }
	index := map[string]titles{}
	for _, m := range row.FindAllStringSubmatch(strings.Join(lines(t, "docs/README.md"), "\n"), -1) {
		index[m[2]] = titles{m[1], m[3]}
	}
	for _, name := range subjects {
		if _, ok := index[name]; !ok {
			t.Errorf("the index lacks %s", name)
		}
	}
	for _, page := range pages(t) {
		name, ok := strings.CutPrefix(page, "docs/")
		if !ok || name == "README.md" || strings.HasPrefix(name, "adr/") {
			continue
		}
		want, ok := index[name]
		if !ok {
			t.Errorf("docs/README.md does not list %s", name)
			continue
		}
		text := lines(t, page)
		if text[0] != "# "+want.english {
			t.Errorf("%s begins with %q, the index calls it %q", page, text[0], want.english)
		}
		if strings.HasPrefix(name, "ja/") {
			continue // its title is Japanese
		}
		if len(text) < 3 || text[2] != "*"+want.japanese+"*" {
			t.Errorf("%s: the third line is not its Japanese title, *%s*", page, want.japanese)
		}
	}
}

// link is a Markdown link or picture.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	list := append(pages(t), "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
	for _, page := range list {
		text := strings.Join(lines(t, page), "\n")
		for _, b := range blocks(t, page) { // what stands in a block is no link
			if b.text != "" {
				text = strings.ReplaceAll(text, b.text, "")
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(page), path))
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: nothing at %s", page, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(t, target), anchor) {
				t.Errorf("%s: %s has no heading #%s", page, target, anchor)
			}
		}
	}
}

// anchors are the names that headings get.
func anchors(t *testing.T, page string) (list []string) {
	t.Helper()
	for _, line := range lines(t, page) {
		if heading := strings.TrimLeft(line, "#"); heading != line && strings.HasPrefix(heading, " ") {
			list = append(list, strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
					return unicode.ToLower(r)
				}
				return -1
			}, strings.TrimSpace(heading)))
		}
	}
	return list
}
