// Package journaltest is the conformance suite of the journal: the same cases run against one embedded server and against
// a cluster. What only the journal's own tests can do (inject faults, start nodes) comes in through [System].
package journaltest
