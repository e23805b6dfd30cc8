package network

import (
	"context"
	"fmt"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// NewUser describes a user to be created without code: a virtual one.
type NewUser struct {
	WaID   wa.WaID
	Name   string
	Device frame.Device // its signatures are trusted
}

// Create adds users that do not exist, in one transaction, and returns all of them in the order given; those that exist
// stay as they are. The caller vouches for the keys.
func (d *Directory) Create(ctx context.Context, list []NewUser) ([]*User, error) {
	d.creating.Lock()
	defer d.creating.Unlock()
	now := d.now()
	users := make([]*User, len(list))
	var fresh []NewDevice
	var at []int
	for i := range list {
		known, err := d.user(ctx, list[i].WaID)
		if err != nil {
			return nil, err
		}
		if known != nil {
			users[i] = known
			continue
		}
		if e := list[i].Device.Check(); e != nil {
			return nil, e
		}
		u, err := d.fresh(list[i].WaID, list[i].Name, now)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, enrol(u, &list[i].Device, 0, now))
		at = append(at, i)
	}
	if len(fresh) == 0 {
		return users, nil
	}
	if err := d.store.Register(ctx, fresh); err != nil {
		return nil, fmt.Errorf("create %d users: %w", len(fresh), err)
	}
	for k, n := range fresh {
		users[at[k]] = n.User
		d.cache.set(n.User)
		d.tell(Change{Kind: DeviceAdded, User: n.User, Device: n.User.Devices[0].ID, Identity: true})
	}
	return users, nil
}

// Register makes dev the only device of the number and creates the user if need be. name may be empty. Items for the keys
// before are void; the listeners are told, so that undelivered messages are encrypted again. An *frame.Error says what is
// wrong with the keys.
func (d *Directory) Register(ctx context.Context, id wa.WaID, name string, dev *frame.Device) (*User, error) {
	if err := verify(dev); err != nil {
		return nil, err
	}
	defer d.writer(id)()
	old, err := d.user(ctx, id)
	if err != nil {
		return nil, err
	}
	u := new(User)
	if old != nil {
		*u = *old
		if name != "" {
			u.Name = name
		}
	} else if u, err = d.fresh(id, name, d.now()); err != nil {
		return nil, err
	}
	return d.enrol(ctx, old, u, dev)
}

// Move gives a user another number and a device for it. ErrTaken when the number has a user, ErrNoDevice when nobody has
// the old one.
func (d *Directory) Move(ctx context.Context, from, to wa.WaID, dev *frame.Device) (*User, error) {
	if err := verify(dev); err != nil {
		return nil, err
	}
	defer d.writer(from)()
	old, err := d.user(ctx, from)
	if err != nil {
		return nil, err
	}
	taken, err := d.user(ctx, to)
	switch {
	case err != nil:
		return nil, err
	case old == nil:
		return nil, ErrNoDevice
	case taken != nil:
		return nil, ErrTaken
	}
	u := new(User)
	*u = *old
	u.WaID = to
	u.Generation++
	return d.enrol(ctx, old, u, dev)
}

// enrol makes the registration of u durable. old is the user before, nil for a new one.
func (d *Directory) enrol(ctx context.Context, old, u *User, dev *frame.Device) (*User, error) {
	primary := wa.NewDeviceID(u.WaID, 1)
	base, err := d.boxes.Highest(ctx, primary)
	if err != nil {
		return nil, fmt.Errorf("read the mailbox: %w", err)
	}
	n := enrol(u, dev, base, d.now())
	if old != nil && (old.WaID != u.WaID || old.IdentityHash != u.IdentityHash) {
		if n.News, err = d.news(ctx, old, u); err != nil {
			return nil, err
		}
		defer d.outbox.poke() // also when it is not known whether they were written
	}
	if err := d.store.Register(ctx, []NewDevice{n}); err != nil {
		return nil, fmt.Errorf("register device: %w", err)
	}
	c := Change{Kind: DeviceAdded, User: u, Device: primary, Identity: old == nil || old.IdentityHash != u.IdentityHash}
	if old != nil {
		c.OldHash = old.IdentityHash
		if len(old.Devices) > 0 {
			c.Kind = DeviceReplaced
		}
		if old.WaID != u.WaID {
			c.Kind, c.OldWaID = NumberChanged, old.WaID
			d.cache.drop(old.WaID)
		}
	}
	// A connection that proved the old key either sees the new one in the cache, or is there for Reset to end it.
	d.cache.set(u)
	d.boxes.Reset(primary, base)
	d.tell(c)
	return u, nil
}

// Remove removes a device; ErrNoDevice when there is none.
func (d *Directory) Remove(ctx context.Context, id wa.DeviceID) error {
	defer d.writer(id.User())()
	old, _, err := d.device(ctx, id)
	if err != nil {
		return err
	}
	if err := d.store.RemoveDevice(ctx, id); err != nil {
		return fmt.Errorf("remove device: %w", err)
	}
	u := new(User)
	*u = *old
	u.Devices = nil
	for _, other := range old.Devices {
		if other.ID != id {
			u.Devices = append(u.Devices, other)
		}
	}
	d.cache.set(u)
	d.tell(Change{Kind: DeviceRemoved, User: u, Device: id})
	return nil
}

// update changes the row of a user; f works on a copy.
func (d *Directory) update(ctx context.Context, id wa.WaID, f func(u *User)) (*User, error) {
	defer d.writer(id)()
	old, err := d.user(ctx, id)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, ErrNoDevice
	}
	u := new(User)
	*u = *old
	f(u)
	return u, d.saveUser(ctx, u)
}

// saveUser makes a changed row durable. The caller is the writer.
func (d *Directory) saveUser(ctx context.Context, u *User) error {
	if err := d.store.SaveUser(ctx, u); err != nil {
		return fmt.Errorf("save user: %w", err)
	}
	d.cache.set(u)
	return nil
}

// SetProfile changes what p names. A PIN is hashed before it is stored.
func (d *Directory) SetProfile(ctx context.Context, id wa.WaID, p *frame.Profile) (*User, error) {
	var pin []byte
	if p.PIN != nil && *p.PIN != "" {
		var err error
		if pin, err = hashPIN(*p.PIN, d.rand); err != nil {
			return nil, err
		}
	}
	u, err := d.update(ctx, id, func(u *User) {
		if p.Name != nil {
			u.Name = *p.Name
		}
		if p.Username != nil {
			u.Username = *p.Username
		}
		if p.ReadReceipts != nil {
			u.HideReads = !*p.ReadReceipts
		}
		if p.PIN != nil {
			u.PIN, u.PINTries, u.PINPause = pin, 0, 0
		}
	})
	if err != nil {
		return nil, err
	}
	d.tell(Change{Kind: ProfileChanged, User: u})
	return u, nil
}

// seen notes that a device is alive, at most once an hour.
func (d *Directory) seen(ctx context.Context, u *User, dev *Device) error {
	now := d.now()
	if now-dev.Seen < time.Hour.Milliseconds() && now-u.Seen < time.Hour.Milliseconds() {
		return nil
	}
	if err := d.store.Touch(ctx, dev.ID, now); err != nil {
		return fmt.Errorf("note the device as seen: %w", err)
	}
	d.cache.drop(u.WaID) // read again when needed
	return nil
}
