// Package virtual runs virtual users: thousands of devices in one process that receive, read, press, answer, react, send
// files, block, report, opt out and go offline by behaviours that are data. Each is a real [device.Device] with keys of its own; nothing of the encryption is left out.
//
//	platform ─► sink ─► queue of a shard ─► worker: Device.Handle ─► Conn.Handle ─► platform
//	                                          │ behaviour
//	                                          ▼
//	                      heap of timers ─► worker: read, reply, block, online, offline, Device.Tick
//
// A [Fleet] has a fixed number of shards with two goroutines each, one for work and one that waits for the first timer; no
// goroutine, timer or channel belongs to a user. Queues are bounded: a user whose frames find a full one is connected again
// once there is room, and the platform's mailbox delivers what was dropped.
//
// What a user does repeats for a seed and an order of messages; keys are always random.
//
// Lock order: Fleet.adding, user.mu, shard.mu, Fleet.mu. The platform is called under user.mu, so a sink takes shard.mu only.
//
// The package must not know the platform's rooms: whoever owns them implements [Network].
package virtual
