//go:build race

package pipeline_test

import "flag"

// The detector looks for races, and one schedule shows them as well as another: a quarter of the usual schedules. The
// stories of the projector, which runs alone, would take a minute and a half otherwise.
func init() { _ = flag.Set("rapid.checks", "25") }
