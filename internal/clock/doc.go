// Package clock owns time: the real clock ([System]), and one that can be advanced and run at any speed ([Controlled])
// for tests and for the sandbox's control API. Every other room takes a [Clock]; only this one may call time.Now,
// time.Sleep and friends. It knows nothing of the platform.
//
// A test holds the clock still with [NewFake], waits with [Controlled.BlockUntil] until the code under test has gone to
// sleep, and lets time pass with [Controlled.Advance]. An advance is one step: who sleeps again in a loop starts from the
// new time. To live through every wait one by one, advance to [Controlled.Next] each time.
package clock
