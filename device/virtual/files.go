package virtual

import (
	"context"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/device"
)

// ErrNoFiles reports a platform that keeps no files of users.
var ErrNoFiles = errors.New("this platform keeps no files of users")

// relay is where the files of a user go. It does not need the user's lock.
func (u *user) relay() (device.Relay, error) {
	if u.f.o.Files == nil {
		return nil, ErrNoFiles
	}
	return u.f.o.Files(u.waID + ".1"), nil
}

// Upload encrypts a file of a user, hands it to the relay, and returns the content for [Fleet.Send]. Errors: [ErrUnknown],
// [ErrClosed], [ErrNoFiles], device.ErrContent, device.ErrFile, those of the relay.
func (f *Fleet) Upload(ctx context.Context, waID string, a device.Attachment) ([]byte, error) {
	u, err := f.user(waID)
	if err != nil {
		return nil, err
	}
	relay, err := u.relay()
	if err != nil {
		return nil, err
	}
	content, err := a.Upload(ctx, f.o.Rand, relay)
	if err != nil {
		return nil, fmt.Errorf("upload a file: %w", err)
	}
	return content, nil
}

// Fetch downloads and opens file n, counted from 0, of a message of a user. Errors: [ErrUnknown], [ErrNoFiles], device.ErrFile,
// those of the relay.
func (f *Fleet) Fetch(ctx context.Context, waID, id string, n int) (device.Media, []byte, error) {
	u, err := f.user(waID)
	if err != nil {
		return device.Media{}, nil, err
	}
	var list []device.Media
	if err := f.Look(waID, func(d *device.Device) {
		if m, ok := d.Message(id); ok {
			list = m.Media()
		}
	}); err != nil {
		return device.Media{}, nil, err
	}
	if n < 0 || n >= len(list) {
		return device.Media{}, nil, fmt.Errorf("file %d of %q: %w", n+1, id, ErrUnknown)
	}
	relay, err := u.relay()
	if err != nil {
		return device.Media{}, nil, err
	}
	data, err := list[n].Fetch(ctx, relay)
	if err != nil {
		return device.Media{}, nil, fmt.Errorf("fetch a file: %w", err)
	}
	return list[n], data, nil
}
