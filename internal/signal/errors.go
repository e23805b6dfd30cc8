package signal

import "errors"

// Errors of this package. They are returned wrapped with detail; test with [errors.Is]. After any of them the session
// handed in is unchanged.
var (
	// ErrFormat reports bytes that are not a message, key or stored session of a known version.
	ErrFormat = errors.New("signal: malformed bytes")
	// ErrBadMAC reports a message that no kept state of the session can authenticate: forged, damaged, or meant for a
	// state or receiving chain that is no longer kept.
	ErrBadMAC = errors.New("signal: message authentication failed")
	// ErrDuplicate reports a message whose key was already used or dropped from the kept ones. Its MAC can no longer be
	// checked, so the bytes besides ratchet key and number are unverified.
	ErrDuplicate = errors.New("signal: message key already used")
	// ErrNoSession reports a message, or a wish to send one, without a session to do it in.
	ErrNoSession = errors.New("signal: no session")
	// ErrUnknownPreKey reports a first message that names a prekey the store does not have (any more).
	ErrUnknownPreKey = errors.New("signal: unknown prekey")
	// ErrTooFarAhead reports a message number that jumps further than [Suite.MaxJump]; no key was derived.
	ErrTooFarAhead = errors.New("signal: message number too far ahead")
	// ErrUntrustedIdentity reports a first message by another identity key than the current state's, without a call of
	// [Session.Archive] before it.
	ErrUntrustedIdentity = errors.New("signal: identity key changed")
	// ErrBadSignature reports a prekey that its identity key did not sign.
	ErrBadSignature = errors.New("signal: prekey signature does not verify")
	// ErrKEMRequired reports a key agreement without KEM where [Suite.AllowX3DH] is false.
	ErrKEMRequired = errors.New("signal: key agreement without KEM is not allowed")
	// ErrBadKey reports a public key that gives an all-zero shared secret or is otherwise unusable.
	ErrBadKey = errors.New("signal: unusable public key")
	// ErrExhausted reports a sending chain that has used all 2^32-1 numbers.
	ErrExhausted = errors.New("signal: sending chain exhausted")
)
