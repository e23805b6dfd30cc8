package virtual

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Registration is a virtual user as the platform gets to know it: without codes and PINs.
type Registration struct {
	WaID   string
	Name   string // profile name; may be empty
	Device frame.Device
}

// Network is what a fleet needs of the platform. Implementations are safe for concurrent use.
type Network interface {
	// CreateUsers registers users with their first device (number 1), all or none. Users that exist get the device in place
	// of their old ones, as if they had installed the app again.
	CreateUsers(ctx context.Context, users []Registration) error
	// MoveUser gives a user another number, with its first device. Errors of the platform: nobody has the old number, or
	// somebody the new one.
	MoveUser(ctx context.Context, from string, to Registration) error
	// Attach connects a device ("15550142233.1") that is authenticated by being in this process. lastSeq is what Auth would
	// report. The platform calls sink with each frame, in order, from any goroutine, even before Attach returns; sink does
	// not block. A Welcome is not needed. A Bye or an Error of code gone says that the connection has ended: a Bye makes the
	// fleet attach again after Bye.After milliseconds.
	Attach(device string, lastSeq uint64, sink func(frame.Frame)) (Conn, error)
}

// Conn is a connection of a device. Calls come one at a time.
type Conn interface {
	// Handle takes a frame of the device. It may call the sink before it returns.
	Handle(f frame.Frame)
	// Close ends the connection; the sink is not called for long afterwards.
	Close()
}
