package scenario_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/scenario"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const head = "name: A\nsteps:\n"
	for _, c := range []struct{ file, says string }{
		{"", "name"},
		{"name: A\nsteps: []", "steps"},
		{head + "  - {}", "one thing to do"},
		{head + "  - {say: a, advance: 1h}", "one thing to do"},
		{head + "  - {advance: soon}", "duration"},
		{head + "  - {advance: -1h}", "duration"},
		{head + "  - {until: noon}", "12:00"},
		{head + "  - {sned: {}}", "sned"},
		{head + "  - {send: {to: {prefix: \"1\"}}}", "template or text"},
		{head + "  - {send: {text: a, template: b, to: {prefix: \"1\"}}}", "template or text"},
		{head + "  - {send: {text: a, to: {count: 1}}}", "prefix"},
		{head + "  - {send: {text: a, to: {prefix: \"1\", count: 100001}}}", "100000"},
		{head + "  - {send: {text: a, to: {prefix: \"1\"}, messages: 100001}}", "100000"},
		{head + "  - {users: {prefix: \"1\"}}", "count"},
		{head + "  - {people: {prefix: \"1\"}}", "do or text"},
		{head + "  - {template: {name: a}}", "category"},
		{head + "  - {expect: {get: a}}", "is"},
		{head + "  - {expect: {get: a, webhook: b, is: {c: 1}}}", "one of"},
		{"x: " + strings.Repeat("y", 1<<20), "larger"},
	} {
		if _, err := scenario.Parse(strings.NewReader(c.file)); !errors.Is(err, scenario.ErrFile) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60q: %v, want something about %q", c.file, err, c.says)
		}
	}
	s, err := scenario.Parse(strings.NewReader(head + "  - {send: {text: a, to: {prefix: \"1555\", count: 2}, refused: {130429: 1}, then: {failed: 1}}}"))
	if err != nil || s.Steps[0].Send.Refused["130429"] != 1 || s.Steps[0].Send.To.Count != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../examples/scenarios/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("name: A\nsteps: [{say: b}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := scenario.Parse(strings.NewReader(string(b)))
		if err == nil && (s.Name == "" || len(s.Steps) == 0) {
			t.Errorf("a scenario without name or steps: %+v", s)
		}
	})
}
