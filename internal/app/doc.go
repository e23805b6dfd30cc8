// Package app puts the rooms together: options, the order of starting and stopping, the starter resources, the listeners,
// and the operator port with health, metrics and, in a sandbox, the control API.
//
//	data directory (locked) ─► vault ─► store ─► rule rooms ─► journal ─► network ─► pipeline ─► webhooks ─► listeners
//
// It is the only room that knows all others; adapters between two rooms that must not know each other live here. Stopping
// runs the same way back: first no new requests, then what was accepted is finished, then everything is written and closed.
package app
