//go:build race

package limits_test

import "flag"

// crowd is how many people a test with very many of them has: the race detector slows each down twentyfold.
const crowd = 100_000

// The detector looks for races, and one schedule shows them as well as another: a quarter of the usual schedules.
func init() { _ = flag.Set("rapid.checks", "25") }
