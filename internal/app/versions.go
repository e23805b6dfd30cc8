package app

import (
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
)

// Versions is what the operator says about versions of the API. Source: spec/graph.md section 2.1.
type Versions struct {
	Strict   bool      `yaml:"strict"`   // retired versions are refused, as with --strict
	Releases []Release `yaml:"releases"` // each adds a version, or replaces what is known of it
}

// Release is a version with its dates, such as "2027-10-08".
type Release struct {
	Version  string `yaml:"version"`  // "v17.0"
	Released string `yaml:"released"` // may be left out of versions that are known
	Expires  string `yaml:"expires"`  // empty: to be announced
}

// registry is the published registry with the operator's rows.
func (v *Versions) registry(strict bool) (*graph.Registry, error) {
	rows := graph.DefaultReleases()
	known := make(map[graph.Version]time.Time, len(rows))
	for _, r := range rows {
		known[r.Version] = r.Released
	}
	for _, r := range v.Releases {
		if r.Released == "" {
			if version, err := graph.ParseVersion(r.Version); err == nil && !known[version].IsZero() {
				r.Released = known[version].Format(time.DateOnly)
			}
		}
		row, err := graph.ParseRelease(r.Version, r.Released, r.Expires)
		if err != nil {
			return nil, fmt.Errorf("versions.releases: %w", err)
		}
		rows = append(rows, row)
	}
	return graph.NewRegistry(strict || v.Strict, rows...)
}

// names are all versions that were released, oldest first.
func (v *Versions) names() ([]string, error) {
	registry, err := v.registry(false)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range registry.Releases() {
		names = append(names, r.Version.String())
	}
	return names, nil
}
