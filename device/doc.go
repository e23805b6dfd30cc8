// Package device is a user's device on the network: its keys, its sessions with business numbers, its chats, and the rules
// by which it talks to the platform. The terminal chat, the browser chat and the virtual users all run this package.
//
// A [Device] is a state machine without goroutines, sockets or clocks of its own. Whoever owns one calls it from one
// goroutine at a time and carries out what comes back:
//
//	frame from the platform ─► Handle ─┐
//	what the user does ──► Send, … ────┼─► Store.Commit (one step) ─► Effects: frames to send, events to show
//	time that Due names ───────► Tick ─┘
//
// One call is one step: decrypted messages, session states, the last mailbox position and changes of the device's own
// keys become durable together, before any frame of [Effects] may leave. If the step cannot be stored, nothing leaves and
// the device refuses further work until [Device.Reload].
//
// Inbound. An item whose position is not above the last stored one is dropped before decryption and acknowledged again. An
// item that does not decrypt is acknowledged after a retry frame; the retry is remembered and repeated if the platform
// delivers that item again, which tells that it never heard it. A message id is shown once, however often it arrives.
//
// Outbound. A message goes through these states; the ciphertext and its id stay the same when an unanswered one is sent
// again:
//
//	waiting for a bundle ─► encrypted, stored ─► in flight ─► sent
//	        ▲                                      │ busy, rate: later again, same bytes
//	        └── stale_key, undecryptable (≤ 3) ────┤
//	                                               └─ any other refusal: failed
//
// Content. [Message.Parts] takes a message of any type apart for showing, [Device.Press] answers one of its choices, the
// …Content functions make the other messages. Files are encrypted one by one ([SealFile]) and travel over a [Relay]; the
// message carries the keys. What a user is about to send is checked, with the path of what is wrong in the error.
//
// [Link] runs a device over a WebSocket, [Registrar] registers one; package device/virtual runs thousands in one process.
//
// The package must not know business logic of the platform, its storage, or what a template is. Source of the rules:
// design "The user network", sections 3 to 9.
package device
