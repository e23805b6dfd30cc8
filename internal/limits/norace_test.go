//go:build !race

package limits_test

// crowd is how many people a test with very many of them has.
const crowd = 1_000_000
