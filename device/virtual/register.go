package virtual

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// batch is how many users are registered with one call of the platform.
const batch = 256

// User describes a virtual user.
type User struct {
	WaID      string     `json:"wa_id"`
	Name      string     `json:"name,omitempty"`
	Behaviour *Behaviour `json:"behaviour,omitempty"` // nil: the fleet's default for new users, unchanged for others
}

// Add creates users, registered and connected when it returns; of those that exist it updates name and behaviour. About
// 0.5 ms a user and processor. After an error some may exist. Errors: [ErrClosed], [ErrBehaviour], those of the platform.
func (f *Fleet) Add(ctx context.Context, users ...User) error {
	fresh, err := f.enter(users)
	if err != nil || len(fresh) == 0 {
		return err
	}
	return f.register(ctx, fresh)
}

// Recover is Add for users that the platform knows and the fleet has lost, after an unclean stop: they register again as
// new installations, in the background, and earlier when something is asked of them.
func (f *Fleet) Recover(ctx context.Context, users ...User) error {
	fresh, err := f.enter(users)
	if err != nil || len(fresh) == 0 {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrClosed
	}
	f.pending.Add(int64(len(fresh)))
	f.jobs.Go(func() {
		for part := range slices.Chunk(fresh, batch) {
			if err := f.registerUnlessStopped(ctx, part); err != nil {
				f.o.Logger.Warn("register virtual users again", "err", err)
			}
			f.pending.Add(-int64(len(part)))
		}
	})
	return nil
}

// enter finds or makes the users and returns those without a device.
func (f *Fleet) enter(users []User) (fresh []*user, err error) {
	for i := range users {
		if b := users[i].Behaviour; b != nil {
			if err := b.Check(); err != nil {
				return nil, err
			}
		}
	}
	for i := range users {
		want := &users[i]
		f.mu.Lock()
		if f.closed {
			f.mu.Unlock()
			return nil, ErrClosed
		}
		u := f.users[want.WaID]
		if u == nil {
			u = f.makeUser(want.WaID)
			f.users[want.WaID] = u
			delete(f.left, want.WaID)
		}
		f.mu.Unlock()
		if u.update(want) {
			fresh = append(fresh, u)
		}
	}
	return fresh, nil
}

// register gives users devices, tells the platform, and connects them. Users that have got a device meanwhile are left.
func (f *Fleet) register(ctx context.Context, users []*user) error {
	f.adding.Lock()
	defer f.adding.Unlock()
	for part := range slices.Chunk(users, batch) {
		part = slices.DeleteFunc(slices.Clone(part), func(u *user) bool { return u.installed() })
		if len(part) == 0 {
			continue
		}
		if err := f.install(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fleet) registerUnlessStopped(ctx context.Context, users []*user) error {
	if f.stopped() {
		return nil
	}
	return f.register(ctx, users)
}

// install makes new devices for users, in place of the ones they have. It needs f.adding.
func (f *Fleet) install(ctx context.Context, users []*user) error {
	devices, forms, err := f.generate(users)
	if err != nil {
		return err
	}
	if err := f.o.Network.CreateUsers(ctx, forms); err != nil {
		return fmt.Errorf("create virtual users: %w", err)
	}
	for i, u := range users {
		// The position is 0: what the mailbox holds for the new installation lies behind it.
		eff, err := devices[i].Adopt(frame.Registered{WaID: u.waID, Device: 1})
		if err != nil {
			return fmt.Errorf("install virtual user: %w", err)
		}
		u.mu.Lock()
		u.detach()
		u.d = devices[i]
		u.carry(eff)
		u.mu.Unlock()
		u.begin()
	}
	return nil
}

// generate makes the keys of many devices on as many processors as there are shards.
func (f *Fleet) generate(users []*user) ([]*device.Device, []Registration, error) {
	devices, forms := make([]*device.Device, len(users)), make([]Registration, len(users))
	errs := make([]error, len(f.shards))
	var jobs sync.WaitGroup
	for w := range f.shards {
		jobs.Go(func() {
			for i := w; i < len(users) && errs[w] == nil; i += len(f.shards) {
				u := users[i]
				devices[i], errs[w] = device.Generate(f.options(u))
				if errs[w] == nil {
					forms[i] = Registration{u.waID, u.Name(), devices[i].Describe("virtual", frame.PlatformVirtual)}
				}
			}
		})
	}
	jobs.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, nil, fmt.Errorf("make virtual users: %w", err)
		}
	}
	return devices, forms, nil
}

// ensure gives a recovered user its device now.
func (f *Fleet) ensure(ctx context.Context, u *user) error {
	if u.installed() {
		return nil
	}
	return f.register(ctx, []*user{u})
}
