package graph_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
)

func sortStrings(s []string) { slices.Sort(s) }

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestVersionRegistry(t *testing.T) {
	t.Parallel()
	reg, err := graph.NewRegistry(false, graph.DefaultReleases()...)
	if err != nil {
		t.Fatal(err)
	}
	strict, _ := graph.NewRegistry(true, graph.DefaultReleases()...)
	for _, tc := range []struct {
		now, ask, want string
		out, strictOut graph.Outcome
	}{
		{"2026-09-23", "v20.0", "v20.0", graph.Served, graph.Served},
		{"2026-09-24", "v20.0", "v21.0", graph.Upgraded, graph.Deprecated},
		{"2026-09-24", "v13.0", "v21.0", graph.Upgraded, graph.Deprecated},
		{"2035-01-01", "v26.0", "v26.0", graph.Served, graph.Served},
		{"2035-01-01", "v25.0", "v26.0", graph.Upgraded, graph.Deprecated},
		{"2026-09-24", "v99.0", "v21.0", graph.Unreleased, graph.Unreleased},
		{"2026-09-24", "v23.1", "v21.0", graph.Unreleased, graph.Unreleased},
		{"2010-01-01", "v23.0", "v23.0", graph.Served, graph.Served}, // a test clock may stand anywhere
	} {
		v, err := graph.ParseVersion(tc.ask)
		if err != nil {
			t.Fatal(err)
		}
		got, out := reg.Resolve(v, day(tc.now))
		_, strictOut := strict.Resolve(v, day(tc.now))
		if got.String() != tc.want || out != tc.out || strictOut != tc.strictOut {
			t.Errorf("%s on %s: %v %v %v", tc.ask, tc.now, got, out, strictOut)
		}
	}
	if v := reg.Oldest(day("2010-01-01")); v != graph.V(13) {
		t.Errorf("oldest before all: %v", v)
	}
	if v := reg.Latest(day("2026-03-01")); v != graph.V(25) {
		t.Errorf("latest: %v", v)
	}
}

func TestVersionRegistryFromConfiguration(t *testing.T) {
	t.Parallel()
	row, err := graph.ParseRelease("v27.0", "2026-11-01", "")
	if err != nil {
		t.Fatal(err)
	}
	early, err := graph.ParseRelease("v23.0", "2025-05-29", "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	reg, err := graph.NewRegistry(false, append(graph.DefaultReleases(), row, early)...)
	if err != nil {
		t.Fatal(err)
	}
	if _, out := reg.Resolve(graph.V(27), day("2026-12-01")); out != graph.Served {
		t.Error("an added version is not served")
	}
	if _, out := reg.Resolve(graph.V(23), day("2026-12-01")); out != graph.Upgraded {
		t.Error("a later row does not replace the earlier one")
	}
	for _, bad := range [][3]string{{"23", "2025-01-01", ""}, {"v23.0", "x", ""}, {"v23.0", "2025-01-01", "x"}, {"v23.0", "2025-01-01", "2024-01-01"}, {"v023.0", "2025-01-01", ""}} {
		if _, err := graph.ParseRelease(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if _, err := graph.NewRegistry(false); err == nil {
		t.Error("an empty registry is taken")
	}
}

func TestStrictVersions(t *testing.T) {
	t.Parallel()
	reg, _ := graph.NewRegistry(true, graph.DefaultReleases()...)
	r := newRig(t, func(o *graph.Options) { o.Versions = reg })
	w := r.do("GET /v13.0/101", "")
	want := bad("2635", "(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: v25.0.")
	if w.Code != 400 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestValueAccessors(t *testing.T) {
	t.Parallel()
	str := func(v any, err error) string {
		if err != nil {
			return err.Error()
		}
		switch x := v.(type) {
		case time.Time:
			return x.Format(time.RFC3339Nano)
		case []string:
			return strings.Join(x, "|")
		case bool:
			if x {
				return "yes"
			}
			return "no"
		case float64:
			return strings.TrimRight(time.Duration(x*1e9).String(), "")
		}
		return "?"
	}
	v := func(s string) graph.Value { return graph.Text("p", s) }
	for _, tc := range []struct{ got, want string }{
		{str(v("TRUE").Bool()), "yes"},
		{str(v("0").Bool()), "no"},
		{str(v("yes").Bool()), "(#100) Param p must be a boolean."},
		{str(v("1.5").Float()), "1.5s"},
		{str(v("0x1p3").Float()), "(#100) Param p must be a number."},
		{str(v("NaN").Float()), "(#100) Param p must be a number."},
		{str(v("a,b,c").Strings()), "a|b|c"},
		{str(v(`["a","b"]`).Strings()), "a|b"},
		{str(v("[a, b]").Strings()), "a|b"},
		{str(v("a").Strings()), "a"},
		{str(v("[]").Strings()), ""},
		{str(v("").Strings()), ""},
		{str(v(`"A","B"`).Strings()), "A|B"},
		{str(v(`"A,B"`).Strings()), "A|B"},
		{str(v(`["a,b"]`).Strings()), "a,b"},
		{str(v(`[{"a":1}]`).Strings()), "(#100) Param p[0] must be a string."},
		{str(v(`[{"a"]`).Strings()), "(#100) Param p must be valid JSON."},
		{str(v("1760000000").Time()), "2025-10-09T08:53:20Z"},
		{str(v("1760000000123").Time()), "2025-10-09T08:53:20.123Z"},
		{str(v("2026-04-02T09:30:00+0900").Time()), "2026-04-02T00:30:00Z"},
		{str(v("2026-04-02").Time()), "2026-04-02T00:00:00Z"},
		{str(v("2026-04-02T09:30:00Z").Time()), "2026-04-02T09:30:00Z"},
		{str(v("tomorrow").Time()), "(#100) Param p must be a valid timestamp."},
		{str(v("-5").Time()), "(#100) Param p must be a valid timestamp."},
		{v(`{"a":{"b":[{"c":1}]}}`).Get("a").Get("b").Elems()[0].Get("c").Path(), "p['a']['b'][0]['c']"},
		{v(`{"a":1}`).Get("x").Get("y").Path(), "p['x']['y']"},
		{v("x").Get("y").Path(), "p['y']"},
		{graph.Value{}.Get("y").Get("z").Path(), "y['z']"},
		{strings.Join(v(`x`).Keys(), ","), ""},
		{v(`{"b":"x\"y"}`).String(), `{"b":"x\"y"}`},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	toy := newToy()
	load := func(_ context.Context, _ *graph.Call, id string) (string, error) { return id, nil }
	get := func(s string) any { return s }
	_, err := graph.New(graph.Options{
		Auth: toy, Resolver: toy, Clock: fixedClock{},
		Nodes: []graph.NodeType{
			graph.Node[string]{Kind: "a", Name: "A", Load: load, Fields: []graph.Field[string]{{Name: "x"}, {Name: "y", Get: get}, {Name: "y", Get: get}, {Name: "z", Get: get, Sub: graph.Ref[int]("nowhere")}}},
			graph.Node[string]{Kind: "a", Name: "A", Load: load},
			graph.Node[string]{Kind: "b", Name: "B", Fields: []graph.Field[string]{{Name: "e", Get: get}}, Edges: []graph.Edge[string]{{Name: "e"}}},
		},
		Roots: []graph.Root{{Path: "a/b/c"}},
	})
	for _, want := range []string{`"a" is registered twice`, "A.x has neither", `field "y" twice`, `"nowhere"`, `"b" has no Load`, `b has "e" twice`, `"a/b/c"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
	if _, err := graph.New(graph.Options{}); err == nil {
		t.Error("empty options are taken")
	}
}

// appDefault is a caller whose app has a default version.
type appDefault struct{ caller }

func (appDefault) DefaultVersion() graph.Version { return graph.V(24) }

type appDefaultAuth struct{}

func (appDefaultAuth) Authenticate(context.Context, graph.Credentials) (graph.Caller, error) {
	return appDefault{caller{"770", "", []string{management}}}, nil
}

func TestDefaultVersionOfTheApp(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *graph.Options) { o.Auth = appDefaultAuth{} })
	if w := r.do("GET /100?fields=tier", ""); w.Code != 200 || w.Header().Get("Facebook-Api-Version") != "v24.0" {
		t.Errorf("unversioned: %d %s %v", w.Code, w.Body, w.Header())
	}
	if w := r.do("GET /v23.0/100", ""); w.Header().Get("Facebook-Api-Version") != "v23.0" {
		t.Errorf("versioned: %v", w.Header())
	}
}

// anyone knows one caller and remembers nothing, for benchmarks.
type anyone struct{}

var benchCaller graph.Caller = caller{"770", "", []string{management, messaging}}

func (anyone) Authenticate(context.Context, graph.Credentials) (graph.Caller, error) {
	return benchCaller, nil
}
