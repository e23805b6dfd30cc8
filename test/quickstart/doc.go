// Package quickstart holds what the first page promises: run.sh goes from a clone to the first delivered message and tells
// the time it took; the test here runs a sandbox where every address outside the machine is a trap.
package quickstart
