// Package storetest holds the promises of the store as tests, run against every dialect. A part per room takes any
// implementation of that room's interface, so that fakes can be held to the same promises.
package storetest
