// Package load puts the running program under load and measures it: a minute of hostile requests, what it needs while
// nothing happens, and how long it takes to start on a million messages. It needs Linux, for /proc.
//
//	make load      # or: go test -tags load -v ./test/load
package load
