// Package frame is what travels between a user's device and the platform: the frames of the socket, the events in a
// mailbox, the bodies of registration, the codes of errors and closings, and the limits both sides keep.
//
// A [Frame] is one of the struct types of this package, always used as a pointer. In-process links pass the structs as they
// are; sockets carry them as JSON text messages of one object each, at most [MaxFrame] bytes, whose member "t" names the
// type:
//
//	device → server   *Auth *Ack *Receipt *Send *Retry *BundleRequest *PreKeys *Act *Profile *Find
//	server → device   *Hello *Welcome *Bye *Deliver *Sent *Bundle *OK *Low *Error
//
// [Encode] writes a frame of either direction; [FromDevice] and [FromServer] read one, because the type "bundle" means a
// request in one direction and an answer in the other. Byte strings are standard base64, unknown members are ignored. A
// frame that was received is read-only: in-process links share its memory.
//
// "r" is a request number that the device chooses; the answer repeats it. Timestamps ("ts", "exp", "time") are Unix seconds,
// waiting times ("after") milliseconds.
//
// The package imports the standard library only, because the browser's device is built from it. It must not know
// connections, stores or the Signal protocol.
package frame
