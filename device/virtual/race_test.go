//go:build race

package virtual_test

// crowd is how many users a test with many of them has.
const crowd = 300
