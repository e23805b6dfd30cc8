// Package bench is the load generator behind `hikyaku bench`: it sends messages, tests webhook receivers, and measures a
// whole platform from the outside. It owns the client side only and must not know the platform's rooms: what it measures
// is reached over HTTP, and runs in a process of its own so that its processor time and memory can be told apart.
//
//	Pace ─► workers ─► conn ═══ POST …/messages ═══► platform (child process)
//	           │ id of the answer                        │
//	           ▼                                         ▼
//	        Ledger ◄─ status, inbound ─ receiver ◄═══ signed POSTs
//
// The load is an open loop: message i is due at start + i/rate whatever became of those before it, and its latency counts
// from that instant, so that a platform that stalls cannot hide the messages it kept from being sent. The search for the
// maximum is a closed loop: a number of messages is on its way at any time, each until its last status has come in.
//
// The ledger knows every message by a 128-bit hash of its id and one bit per event, so that it can say exactly which
// events are missing and which came twice, at about 60 bytes per message.
//
// HTTP/1.1 is written out by hand (wire.go) because the generator shares the machine with what it measures.
package bench
