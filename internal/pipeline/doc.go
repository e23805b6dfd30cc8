// Package pipeline is the heart of the platform: one lane per partition, a single goroutine that owns every decision about
// the phone numbers of that partition.
//
//	Accept, Receive, Receipt, Mark …  ──bounded queue──►  lane: check in memory, decide  ──records──►  journal (one frame in flight)
//	        ▲                                                │    ▲                                       │ durable
//	        │ answer, only after the frame is durable        │    └── slow work comes back as a command   ▼
//	        └────────────────────────────────────────────────┴───────────────────────────────  effects: answer, push to mailboxes
//
// A lane never waits for the network or for SQL: loading a pair's state, agreeing on keys with a new device and fetching
// link previews run in bounded worker pools and come back as commands. If the process dies, nothing acknowledged is lost:
// on start the projector first brings the store up to the journal's end, then lanes begin with empty memory and load what
// they need; messages that were accepted but neither sealed nor failed are delivered then.
//
// What happened lives in the journal; the lanes' memory may be lost. The package must not know HTTP, SQL, NATS, sockets or
// webhooks: those are plugged in through the small interfaces in ports.go.
package pipeline
