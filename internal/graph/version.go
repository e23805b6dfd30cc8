package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version is a version of the API, "v23.0". The zero value is no version.
type Version struct {
	Major, Minor int
}

// V is the version vmajor.0.
func V(major int) Version { return Version{Major: major} }

// String returns the path form, "v23.0".
func (v Version) String() string {
	if v.Minor == 0 && v.Major > 0 && v.Major < len(majors) {
		return majors[v.Major] // the hot path writes one per response
	}
	return "v" + strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor)
}

var majors = func() (m [64]string) {
	for i := range m {
		m[i] = "v" + strconv.Itoa(i) + ".0"
	}
	return m
}()

// Compare orders versions: negative when v is older than w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor))
}

// AtLeast reports whether v is w or newer.
func (v Version) AtLeast(w Version) bool { return v.Compare(w) >= 0 }

// IsZero reports whether v is no version.
func (v Version) IsZero() bool { return v == Version{} }

// ParseVersion reads "v23.0"; "v23" is read as "v23.0" (spec/graph.md 2.2, choice). Leading zeros are refused, so that
// every version has one spelling in paging URLs.
func ParseVersion(s string) (Version, error) {
	rest, ok := strings.CutPrefix(s, "v")
	if !ok {
		return Version{}, fmt.Errorf("version %q does not start with v", s)
	}
	major, minor, dotted := strings.Cut(rest, ".")
	if !dotted {
		minor = "0"
	}
	ma, ok1 := smallNumber(major)
	mi, ok2 := smallNumber(minor)
	if !ok1 || !ok2 || ma == 0 {
		return Version{}, fmt.Errorf("version %q is not of the form vN.N", s)
	}
	return Version{ma, mi}, nil
}

func smallNumber(s string) (int, bool) {
	if s == "" || len(s) > 4 || (len(s) > 1 && s[0] == '0') || !digits(s) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// digits reports whether s is one or more ASCII digits.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// versionLike reports whether a path component was probably meant as a version: "v99.0", "v23", "23.0", "v2.80.1".
func versionLike(s string) bool {
	t := strings.TrimPrefix(s, "v")
	if t == s && !strings.Contains(s, ".") {
		return false
	}
	for p := range strings.SplitSeq(t, ".") {
		if !digits(p) {
			return false
		}
	}
	return true
}

// Release is a row of the version registry.
type Release struct {
	Version  Version
	Released time.Time // start of that day, UTC
	Expires  time.Time // from this moment on it is served as the oldest usable version; zero means to be announced
}

// ParseRelease reads a registry row as configuration files write it: "v26.0", "2026-07-29", "" or a date.
func ParseRelease(version, released, expires string) (Release, error) {
	v, err := ParseVersion(version)
	if err != nil {
		return Release{}, err
	}
	r := Release{Version: v}
	if r.Released, err = time.Parse(time.DateOnly, released); err != nil {
		return Release{}, fmt.Errorf("release date of %s: %w", version, err)
	}
	if expires == "" {
		return r, nil
	}
	if r.Expires, err = time.Parse(time.DateOnly, expires); err != nil {
		return Release{}, fmt.Errorf("expiry date of %s: %w", version, err)
	}
	if !r.Expires.After(r.Released) {
		return Release{}, fmt.Errorf("version %s expires before it is released", version)
	}
	return r, nil
}

// DefaultReleases returns the published registry. Source: spec/graph.md 2.1.
func DefaultReleases() []Release {
	table := [...][3]string{
		{"v26.0", "2026-07-29", ""},
		{"v25.0", "2026-02-18", "2028-07-29"},
		{"v24.0", "2025-10-08", "2028-02-18"},
		{"v23.0", "2025-05-29", "2027-10-08"},
		{"v22.0", "2025-01-21", "2027-05-20"},
		{"v21.0", "2024-10-02", "2027-01-21"},
		{"v20.0", "2024-05-21", "2026-09-24"},
		{"v19.0", "2024-01-23", "2026-05-21"},
		{"v18.0", "2023-09-12", "2026-01-26"},
		{"v17.0", "2023-05-23", "2025-09-12"},
		{"v16.0", "2023-02-02", "2025-05-14"},
		{"v15.0", "2022-09-15", "2024-11-20"},
		{"v14.0", "2022-05-25", "2024-09-17"},
		{"v13.0", "2022-02-08", "2024-05-28"},
	}
	out := make([]Release, len(table))
	for i, row := range table {
		r, err := ParseRelease(row[0], row[1], row[2])
		if err != nil {
			panic(err) // the table above is ours
		}
		out[i] = r
	}
	return out
}

// Registry answers which version a call is served with. It is immutable and safe for concurrent use.
type Registry struct {
	rows   []Release // oldest first
	strict bool
}

// NewRegistry builds a registry; a later row of the same version replaces an earlier one, so configuration can be appended
// to [DefaultReleases]. With strict, an expired version is refused with 2635 instead of being upgraded.
func NewRegistry(strict bool, rows ...Release) (*Registry, error) {
	byVersion := make(map[Version]Release, len(rows))
	for _, r := range rows {
		if r.Version.IsZero() {
			return nil, fmt.Errorf("version registry: a row has no version")
		}
		byVersion[r.Version] = r
	}
	if len(byVersion) == 0 {
		return nil, fmt.Errorf("version registry: no rows")
	}
	g := &Registry{strict: strict}
	for _, r := range byVersion {
		g.rows = append(g.rows, r)
	}
	slices.SortFunc(g.rows, func(a, b Release) int { return a.Version.Compare(b.Version) })
	return g, nil
}

// Releases returns the rows, oldest first.
func (g *Registry) Releases() []Release { return slices.Clone(g.rows) }

// Latest is the newest released version at now; the newest of all when none is released yet.
func (g *Registry) Latest(now time.Time) Version {
	for _, r := range slices.Backward(g.rows) {
		if !now.Before(r.Released) {
			return r.Version
		}
	}
	return g.rows[len(g.rows)-1].Version
}

// Oldest is the oldest usable version at now: what unversioned calls and calls of expired versions are served with. With a
// clock outside the registry it is the nearest row, so a test clock may stand anywhere.
func (g *Registry) Oldest(now time.Time) Version {
	for _, r := range g.rows {
		if !now.Before(r.Released) && !expired(r, now) {
			return r.Version
		}
	}
	if now.Before(g.rows[0].Released) {
		return g.rows[0].Version
	}
	return g.rows[len(g.rows)-1].Version
}

// Outcome says how a version was resolved.
type Outcome uint8

// The outcomes of [Registry.Resolve].
const (
	Served     Outcome = iota // as asked
	Upgraded                  // expired, served as the oldest usable version
	Deprecated                // expired and the registry is strict: 2635
	Unreleased                // not in the registry: 2500
)

// Resolve says which version a call that asks for v gets at now. A known version is served before its release date too:
// only expiry depends on the clock. For Deprecated and Unreleased the version is the one to name in the response header.
func (g *Registry) Resolve(v Version, now time.Time) (Version, Outcome) {
	i, ok := slices.BinarySearchFunc(g.rows, v, func(r Release, v Version) int { return r.Version.Compare(v) })
	switch {
	case !ok:
		return g.Oldest(now), Unreleased
	case !expired(g.rows[i], now):
		return v, Served
	case g.strict:
		return g.Oldest(now), Deprecated
	default:
		return g.Oldest(now), Upgraded
	}
}

func expired(r Release, now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }
