// Package signal is the cryptography between a business number and a user's device: XEdDSA signatures, PQXDH key
// agreement, the Double Ratchet, the bytes of their messages and the stored form of a session.
//
// It owns the rules of design "The user network", sections 4 and 5: which keys exist in a session, how far a chain may
// jump, which old keys are kept, and that nothing of a session changes before a message's MAC is verified. It must not
// know where sessions, prekeys or messages live, who a key belongs to, what a plaintext means, or what time it is: it
// does no I/O, reads no clock, starts no goroutine and has no lock. Whether an identity key may be trusted is the
// caller's decision; the package only refuses a change nobody announced ([ErrUntrustedIdentity]).
//
// A [Session] is everything one side remembers about one (number, device) pair: a current ratchet state and up to four
// archived ones. One ratchet state moves like this:
//
//	Initiate ──► unconfirmed: each message is Pre (repeats the key agreement)
//	                 │ Confirm, or any message received in this state
//	                 ▼
//	             sending ◄────────────── Encrypt: new ratchet key, DH, KDF ─────┐
//	                 │ peer's new ratchet key arrives: DH, KDF                   │
//	                 ▼                                                           │
//	Receive ───► answering (no ratchet key of our own until something is sent) ──┘
//
// The second DH of a ratchet turn happens when an answer is sent, not when the message arrives, so a side that only
// listens never pays for it. While "answering", a further unknown ratchet key cannot be honest (the peer has not seen a
// new key of ours) and is refused without any DH.
//
// The promise callers build on: a message key that has produced a ciphertext is never used again, as long as the state
// after [Session.Encrypt] is made durable before the ciphertext leaves the process.
package signal
