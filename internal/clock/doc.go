// Package clock owns time: the real clock, and a clock that can be set, advanced and scaled, for tests and for the
// sandbox's control API. Every other room takes a [Clock]; only this one may call time.Now, time.Sleep and friends.
package clock
