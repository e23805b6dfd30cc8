// Package networktest has what tests need around the network room: a store in memory, business numbers, lanes that record
// what they are told, and devices with real keys. It is for tests of every room and for nothing else.
package networktest

import (
	"context"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Store implements network's three stores in memory. Apply stands for the projector. The zero value is not usable: NewStore.
type Store struct {
	// BeforeRead and AfterRead, when set before use, run in MailboxAfter before the read, and between it and the return.
	BeforeRead, AfterRead func()

	mu    sync.Mutex
	users map[string]*network.User // by User.ID
	ids   map[wa.WaID]string       // User.ID by number
	keys  map[wa.DeviceID]*network.KeySet
	codes map[string]*network.Code
	items map[wa.DeviceID][]*network.Item // ascending
	tops  map[wa.DeviceID]uint64
	news  []*network.News
	err   error
}

// NewStore makes an empty store.
func NewStore() *Store {
	return &Store{
		users: make(map[string]*network.User), ids: make(map[wa.WaID]string), keys: make(map[wa.DeviceID]*network.KeySet), codes: make(map[string]*network.Code),
		items: make(map[wa.DeviceID][]*network.Item), tops: make(map[wa.DeviceID]uint64),
	}
}

// Break makes every call return err, until Break(nil).
func (s *Store) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *Store) lock() error {
	s.mu.Lock()
	if s.err != nil {
		defer s.mu.Unlock()
		return s.err
	}
	return nil
}

func (s *Store) byNumber(id wa.WaID) *network.User { return s.users[s.ids[id]] }

// User implements network.DirectoryStore.
func (s *Store) User(_ context.Context, id wa.WaID) (*network.User, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return s.byNumber(id), nil
}

// Users implements network.DirectoryStore.
func (s *Store) Users(_ context.Context, after wa.WaID, limit int) ([]*network.User, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var list []*network.User
	for _, u := range s.users {
		if u.WaID > after {
			list = append(list, u)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].WaID < list[j].WaID })
	return list[:min(limit, len(list))], nil
}

// CountUsers implements network.DirectoryStore.
func (s *Store) CountUsers(context.Context) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	return len(s.users), nil
}

// SaveUser implements network.DirectoryStore.
func (s *Store) SaveUser(_ context.Context, u *network.User) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	row := *u
	row.Devices = s.users[u.ID].Devices
	s.users[u.ID] = &row
	return nil
}

// Register implements network.DirectoryStore.
func (s *Store) Register(_ context.Context, list []network.NewDevice) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, n := range list {
		if old := s.users[n.User.ID]; old != nil {
			for _, d := range old.Devices {
				delete(s.keys, d.ID)
			}
			delete(s.ids, old.WaID)
		}
		d := n.User.Devices[0]
		row := *n.User
		row.Devices = []*network.Device{d}
		s.users[row.ID] = &row
		s.ids[row.WaID] = row.ID
		k := n.Keys
		k.OneTime = slices.Clone(k.OneTime)
		s.keys[d.ID] = &k
		s.items[d.ID] = slices.DeleteFunc(s.items[d.ID], func(t *network.Item) bool { return t.Seq <= d.Base })
		s.tops[d.ID] = max(s.tops[d.ID], d.Base)
		if n.News != nil {
			s.news = append(s.news, n.News)
		}
	}
	return nil
}

// News implements network.DirectoryStore.
func (s *Store) News(_ context.Context, after string, limit int) (list []*network.News, _ error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for _, n := range s.news {
		if n.ID > after {
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b *network.News) int { return strings.Compare(a.ID, b.ID) })
	return list[:min(limit, len(list))], nil
}

// LastNews implements network.DirectoryStore.
func (s *Store) LastNews(context.Context) (id string, _ error) {
	if err := s.lock(); err != nil {
		return "", err
	}
	defer s.mu.Unlock()
	for _, n := range s.news {
		id = max(id, n.ID)
	}
	return id, nil
}

// Told implements network.DirectoryStore.
func (s *Store) Told(_ context.Context, ids []string) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.news = slices.DeleteFunc(s.news, func(n *network.News) bool { return slices.Contains(ids, n.ID) })
	return nil
}

// change replaces the row of a device; f works on a copy and returns false to remove it.
func (s *Store) change(id wa.DeviceID, f func(u *network.User, d *network.Device) bool) {
	u := s.byNumber(id.User())
	if u == nil {
		return
	}
	row := *u
	row.Devices = nil
	for _, d := range u.Devices {
		dev := *d
		if d.ID != id || f(&row, &dev) {
			row.Devices = append(row.Devices, &dev)
		}
	}
	s.users[row.ID] = &row
}

// RemoveDevice implements network.DirectoryStore.
func (s *Store) RemoveDevice(_ context.Context, id wa.DeviceID) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.change(id, func(*network.User, *network.Device) bool { return false })
	delete(s.keys, id)
	delete(s.items, id)
	return nil
}

// Touch implements network.DirectoryStore.
func (s *Store) Touch(_ context.Context, id wa.DeviceID, at int64) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.change(id, func(u *network.User, d *network.Device) bool {
		u.Seen, d.Seen = at, at
		return true
	})
	return nil
}

// Keys implements network.DirectoryStore.
func (s *Store) Keys(_ context.Context, id wa.DeviceID) (*network.KeySet, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	k := s.keys[id]
	if k == nil {
		return nil, nil
	}
	return &network.KeySet{Signed: k.Signed, KEM: k.KEM, At: k.At}, nil
}

// SaveKeys implements network.DirectoryStore.
func (s *Store) SaveKeys(_ context.Context, id wa.DeviceID, up *network.KeySet) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	k := s.keys[id]
	if k == nil {
		return 0, network.ErrNoDevice
	}
	if up.Signed != nil {
		k.Signed, k.At = up.Signed, up.At
		s.change(id, func(_ *network.User, d *network.Device) bool {
			d.SignedAt = up.At
			return true
		})
	}
	if up.KEM != nil {
		k.KEM = up.KEM
	}
	for _, o := range up.OneTime {
		k.OneTime = slices.DeleteFunc(k.OneTime, func(x frame.OneTimeKey) bool { return x.ID == o.ID })
		k.OneTime = append(k.OneTime, o)
	}
	return len(k.OneTime), nil
}

// TakeOneTime implements network.DirectoryStore.
func (s *Store) TakeOneTime(_ context.Context, id wa.DeviceID) (*frame.OneTimeKey, int, error) {
	if err := s.lock(); err != nil {
		return nil, 0, err
	}
	defer s.mu.Unlock()
	k := s.keys[id]
	if k == nil || len(k.OneTime) == 0 {
		return nil, 0, nil
	}
	o := k.OneTime[0]
	k.OneTime = k.OneTime[1:]
	return &o, len(k.OneTime), nil
}

// OneTimeLeft implements network.DirectoryStore.
func (s *Store) OneTimeLeft(_ context.Context, id wa.DeviceID) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if k := s.keys[id]; k != nil {
		return len(k.OneTime), nil
	}
	return 0, nil
}

// DropOneTime implements network.DirectoryStore.
func (s *Store) DropOneTime(_ context.Context, id wa.DeviceID) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if k := s.keys[id]; k != nil {
		k.OneTime = nil
	}
	return nil
}

// SaveCode implements network.CodeStore.
func (s *Store) SaveCode(_ context.Context, c *network.Code) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	row := *c
	s.codes[c.ID] = &row
	return nil
}

// TryCode implements network.CodeStore.
func (s *Store) TryCode(_ context.Context, id string) (*network.Code, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	c := s.codes[id]
	if c == nil {
		return nil, nil
	}
	c.Tries++
	row := *c
	return &row, nil
}

// DeleteCode implements network.CodeStore.
func (s *Store) DeleteCode(_ context.Context, id string) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	delete(s.codes, id)
	return nil
}

// MailboxTops implements network.MailboxStore.
func (s *Store) MailboxTops(_ context.Context, devices []wa.DeviceID) ([]network.Top, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	tops := make([]network.Top, len(devices))
	for i, id := range devices {
		t := network.Top{Device: id, Seq: s.tops[id]}
		if u := s.byNumber(id.User()); u != nil {
			if d := u.Device(id); d != nil {
				t.Base = d.Base
			}
		}
		for _, it := range s.items[id] {
			if it.Seq > t.Base {
				t.Items++
				t.Bytes += int64(len(it.Cipher) + len(it.Event))
			}
		}
		tops[i] = t
	}
	return tops, nil
}

// MailboxAfter implements network.MailboxStore.
func (s *Store) MailboxAfter(_ context.Context, device wa.DeviceID, after uint64, limit int) ([]*network.Item, error) {
	if s.BeforeRead != nil {
		s.BeforeRead()
	}
	if err := s.lock(); err != nil {
		return nil, err
	}
	list := s.items[device]
	i := sort.Search(len(list), func(i int) bool { return list[i].Seq > after })
	list = slices.Clone(list[i:min(len(list), i+limit)])
	s.mu.Unlock()
	if s.AfterRead != nil {
		s.AfterRead()
	}
	return list, nil
}

// Apply does what a projector does: items are added, acknowledged positions removed. The caller then tells
// Mailbox.Stored.
func (s *Store) Apply(items []*network.Item, gone []network.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		list := s.items[it.Device]
		i := sort.Search(len(list), func(i int) bool { return list[i].Seq >= it.Seq })
		if i == len(list) || list[i].Seq != it.Seq {
			s.items[it.Device] = slices.Insert(list, i, it)
		}
		s.tops[it.Device] = max(s.tops[it.Device], it.Seq)
	}
	for _, r := range gone {
		s.items[r.Device] = slices.DeleteFunc(s.items[r.Device], func(t *network.Item) bool { return t.Seq == r.Seq })
	}
}

// Mailbox is how many items the store has for a device.
func (s *Store) Mailbox(device wa.DeviceID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items[device])
}
