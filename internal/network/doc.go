// Package network is the server's half of the user network: who the users and their devices are, how a device registers and
// connects, and the mailbox that brings it every item once and in order.
//
//	Registrar ── code, PIN ──► Directory ── users, devices, public keys ──► lanes (Lookup, Bundle)
//	                               │ Change
//	lanes ── Reserve, Put, Skip ──►│ Mailbox ── Deliver ──► Link ── socket or in-process ──► device
//	  ▲                            ▼                          │
//	  └── Acked, Receipts, Retry, Receive ◄──── Hub ◄─────────┘ Ack, Receipt, Retry, Send …
//
// The relay never sees clear text: what passes through is ciphertext made and opened by the lanes. What it promises:
//
//   - Items reach a device in the order of their positions. Nothing is pushed that is not durable, and nothing behind a
//     position that is reserved but not yet filled.
//   - An item leaves the memory only when it is in the store or acknowledged; whatever the memory does not hold is read
//     from the store when the device needs it. An item is handed to the lanes as acknowledged at least once.
//   - A position is never used twice for items that left the process.
//   - Businesses hear of a new identity or number of a person at least once: the news is stored with the registration, and
//     forgotten when the [Herald] has made it durable.
//
// Locks: a mailbox shard's lock is taken before a collector's and before those inside sinks; nothing else is held together.
// The package must not know the pipeline, the journal or SQL: what it needs of them are the interfaces in ports.go.
package network
