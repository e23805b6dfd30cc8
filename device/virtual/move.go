package virtual

import (
	"context"
	"fmt"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Move gives a user another number: a new device with new keys, and the chats of the old one. Errors: [ErrUnknown],
// [ErrAction] for a number that is a user's already, [ErrClosed], those of the platform.
func (f *Fleet) Move(ctx context.Context, from, to string) error {
	f.adding.Lock()
	defer f.adding.Unlock()
	u, err := f.user(from)
	if err != nil {
		return err
	}
	if _, err := f.user(to); err == nil {
		return fmt.Errorf("%w: +%s has a user already", ErrAction, to)
	}
	next := f.makeUser(to)
	u.mu.Lock()
	next.name, next.behaviour, next.reaction = u.name, u.behaviour, u.reaction
	u.mu.Unlock()
	d, err := device.Generate(f.options(next))
	if err != nil {
		return fmt.Errorf("make a device: %w", err)
	}
	f.leave(from, true) // before the platform asks who has the old number now
	form := Registration{to, next.name, d.Describe("virtual", frame.PlatformVirtual)}
	if err := f.o.Network.MoveUser(ctx, from, form); err != nil {
		f.leave(from, false)
		return fmt.Errorf("change the number: %w", err)
	}
	if _, err := d.Adopt(frame.Registered{WaID: to, Device: 1}); err != nil {
		return fmt.Errorf("install virtual user: %w", err)
	}
	u.mu.Lock()
	u.online = false
	u.turn++ // what was to happen later does not
	u.detach()
	if u.d != nil {
		d.Inherit(u.d)
	}
	u.mu.Unlock()
	next.d = d
	f.mu.Lock()
	delete(f.users, from)
	f.users[to] = next
	f.mu.Unlock()
	next.begin()
	return nil
}

func (f *Fleet) leave(waID string, left bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if left {
		f.left[waID] = true
	} else {
		delete(f.left, waID)
	}
}

// Left reports whether a user gave this number up, and nobody was added with it since.
func (f *Fleet) Left(waID string) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.left[waID]
}
