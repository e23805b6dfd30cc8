package console

import (
	"testing"

	"charm.land/lipgloss/v2"
	"pgregory.net/rapid"
)

func TestEditing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		keys []string
		want string
		x    int // of the cursor
	}{
		{"words", []string{"one two", "ctrl+w", "three"}, "one three", 9},
		{"in the middle", []string{"ac", "left", "b"}, "abc", 2},
		{"kill", []string{"one two", "home", "ctrl+k", "x"}, "x", 1},
		{"wide", []string{"日本", "left", "x"}, "日x本", 3},
		{"joined characters go together", []string{"a👩\u200d👩\u200d👧", "backspace"}, "a", 1},
		{"accents go together", []string{"e\u0301", "backspace"}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := screenOf(t, &fakePhone{}, 80, 24)
			press(m, c.keys...)
			if got := m.in.value(); got != c.want {
				t.Errorf("%q", got)
			}
			if _, x := m.in.window(40); x != c.x {
				t.Errorf("cursor at %d", x)
			}
		})
	}
}

// The line never leaves its window, the cursor is always in it, and no key breaks the line.
func TestWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var in input
		in.insert(rapid.String().Draw(r, "text"))
		in.at = rapid.IntRange(0, len(in.text)).Draw(r, "at")
		w := rapid.IntRange(4, 60).Draw(r, "width")
		shown, x := in.window(w)
		if lipgloss.Width(shown) > w || x > w {
			r.Errorf("%q is %d wide, cursor %d, window %d", shown, lipgloss.Width(shown), x, w)
		}
		if b := in.before(in.at); b > in.at || b < 0 {
			r.Errorf("before %d is %d", in.at, b)
		}
		if a := in.after(in.at); a < in.at || a > len(in.text) {
			r.Errorf("after %d is %d of %d", in.at, a, len(in.text))
		}
		in.word(-1)
		in.word(1)
	})
}

func TestMarkup(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]run{
		"a *b* c":                  {{"a ", 0}, {"b", bold}, {" c", 0}},
		"*b _i_*":                  {{"b ", bold}, {"i", bold | italic}},
		"~s~ `c*d*`":               {{"s", strike}, {" ", 0}, {"c*d*", code}},
		"snake_case_name 2*3*4":    {{"snake_case_name 2*3*4", 0}},
		"* not * bold":             {{"* not * bold", 0}},
		"see https://e.org/a_b_c.": {{"see ", 0}, {"https://e.org/a_b_c", link}, {".", 0}},
		"https:// alone":           {{"https:// alone", 0}},
		"*unclosed":                {{"*unclosed", 0}},
		"日*本*":                     {{"日*本*", 0}},
		"**":                       {{"**", 0}},
	} {
		got := runs(in, 0)
		if len(got) != len(want) {
			t.Errorf("%q: %v", in, got)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: %v", in, got)
			}
		}
	}
}

// No text loses or gains anything but delimiters, and none breaks the reader.
func FuzzRuns(f *testing.F) {
	f.Add("a *b _c_* ~d~ `e` https://example.org/*")
	f.Fuzz(func(t *testing.T, s string) {
		n := 0
		for _, r := range runs(s, 0) {
			n += len(r.text)
		}
		if n > len(s) {
			t.Errorf("%q became longer", s)
		}
		for _, l := range paint(s, 10, cut, cut) {
			if w := lipgloss.Width(l); w > 10 {
				t.Errorf("%q is %d wide", l, w)
			}
		}
	})
}
