package app

import (
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
)

// Source: spec/graph.md sections 2.1 and 2.2; an operator keeps a version alive that clients under test still ask for.
func TestVersionsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	kept := Versions{Releases: []Release{{Version: "v17.0", Expires: "2030-01-01"}, {Version: "v27.0", Released: "2026-11-04"}}}
	for _, c := range []struct {
		name    string
		v       Versions
		strict  bool
		asked   int
		want    int
		outcome graph.Outcome
	}{
		{"retired", Versions{}, false, 17, 21, graph.Upgraded},
		{"retired, refused", Versions{Strict: true}, false, 17, 21, graph.Deprecated},
		{"retired, refused by the flag", Versions{}, true, 17, 21, graph.Deprecated},
		{"kept alive", kept, true, 17, 17, graph.Served},
		{"what is older is the oldest that lives", kept, false, 16, 17, graph.Upgraded},
		{"added", kept, false, 27, 27, graph.Served},
		{"unknown", Versions{}, false, 27, 21, graph.Unreleased},
	} {
		reg, err := c.v.registry(c.strict)
		if err != nil {
			t.Fatal(err)
		}
		if got, how := reg.Resolve(graph.V(c.asked), now); got != graph.V(c.want) || how != c.outcome {
			t.Errorf("%s: %s %d, want v%d.0 %d", c.name, got, how, c.want, c.outcome)
		}
	}
}
