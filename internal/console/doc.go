// Package console is a user's phone in a terminal: it registers a device, keeps it connected, and shows its chats, either
// as a screen ([Run] on a terminal) or as plain lines for scripts.
//
//	device.Link ─events─► pump ─► Model.Update ─► View        on a terminal
//	                           └► one line per event          in a pipe
//
// What a business writes is foreign text: it passes clean before it reaches the terminal, so that no message can move the
// cursor, change colours or name links of its own.
//
// The package must not know the platform behind the protocol: it reaches it as any device does, and, in a sandbox only,
// asks the control API for the verification code that was caught there.
package console
