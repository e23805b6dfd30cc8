// Package load puts the running program under load and measures it: a minute at each level of throughput, the ramp from one
// account to 500, hostile requests, what it needs while nothing happens, and how long it takes to start on a million
// messages. Nothing may be lost, doubled or refused, and memory has to come back; times are logged, as lines of JSON, and not
// judged. It needs Linux, for /proc.
//
//	make load      # or: go test -tags load -v ./test/load [-span 10s] [-rest 0]
package load
