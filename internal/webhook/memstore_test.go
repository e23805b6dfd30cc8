package webhook

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// memStore keeps everything in maps, and survives the dispatcher as a database would.
type memStore struct {
	mu        sync.Mutex
	subs      map[wa.AppID]Subscription
	links     map[appWABA]Link
	overrides map[appNumber]NumberOverride
	cursors   map[Cursor]uint64 // key has Seq 0
	rows      map[string]Pending
	saved     int   // rows of cursors, ever
	fail      error // of every write
}

func newMemStore() *memStore {
	return &memStore{
		subs: map[wa.AppID]Subscription{}, links: map[appWABA]Link{}, overrides: map[appNumber]NumberOverride{},
		cursors: map[Cursor]uint64{}, rows: map[string]Pending{},
	}
}

func (m *memStore) write(f func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail == nil {
		f()
	}
	return m.fail
}

func (m *memStore) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *memStore) Subscriptions(context.Context) (s []Subscription, l []Link, o []NumberOverride, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.subs {
		s = append(s, v)
	}
	for _, v := range m.links {
		l = append(l, v)
	}
	for _, v := range m.overrides {
		o = append(o, v)
	}
	return s, l, o, nil
}

func (m *memStore) SaveSubscription(_ context.Context, s Subscription) error {
	return m.write(func() { m.subs[s.App] = s })
}

func (m *memStore) DeleteSubscription(_ context.Context, app wa.AppID) error {
	return m.write(func() { delete(m.subs, app) })
}

func (m *memStore) SaveLink(_ context.Context, l Link) error {
	return m.write(func() { m.links[appWABA{l.App, l.WABA}] = l })
}

func (m *memStore) DeleteLink(_ context.Context, app wa.AppID, waba wa.WABAID) error {
	return m.write(func() { delete(m.links, appWABA{app, waba}) })
}

func (m *memStore) SaveNumberOverride(_ context.Context, o NumberOverride) error {
	return m.write(func() { m.overrides[appNumber{o.App, o.Number}] = o })
}

func (m *memStore) DeleteNumberOverride(_ context.Context, app wa.AppID, n wa.PhoneNumberID) error {
	return m.write(func() { delete(m.overrides, appNumber{app, n}) })
}

func (m *memStore) Cursors(context.Context) ([]Cursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Cursor
	for k, seq := range m.cursors {
		k.Seq = seq
		out = append(out, k)
	}
	return out, nil
}

func (m *memStore) SaveCursors(_ context.Context, rows []Cursor) error {
	return m.write(func() {
		m.saved += len(rows)
		for _, r := range rows {
			m.cursors[Cursor{Endpoint: r.Endpoint, Partition: r.Partition}] = r.Seq
		}
	})
}

func (m *memStore) DeleteCursors(_ context.Context, e EndpointID) error {
	return m.write(func() {
		for k := range m.cursors {
			if k.Endpoint == e {
				delete(m.cursors, k)
			}
		}
	})
}

func (m *memStore) cursor(e EndpointID, p int) (uint64, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seq, ok := m.cursors[Cursor{Endpoint: e, Partition: p}]
	if seq == atHead {
		seq = m.cursors[Cursor{Partition: p}]
	}
	return seq, ok
}

func (m *memStore) AddPending(_ context.Context, p *Pending) error {
	return m.write(func() { m.rows[p.ID] = *p })
}

func (m *memStore) UpdatePending(_ context.Context, id string, attempts, status int, next time.Time) error {
	return m.write(func() {
		if r, ok := m.rows[id]; ok {
			r.Attempts, r.Status, r.Next = attempts, status, next
			m.rows[id] = r
		}
	})
}

func (m *memStore) DeletePending(_ context.Context, id string) (found bool, err error) {
	err = m.write(func() {
		_, found = m.rows[id]
		delete(m.rows, id)
	})
	return found, err
}

func (m *memStore) DeleteAllPending(_ context.Context, e EndpointID) (n int, err error) {
	err = m.write(func() {
		for id, r := range m.rows {
			if r.Endpoint == e {
				n += r.Updates
				delete(m.rows, id)
			}
		}
	})
	return n, err
}

func (m *memStore) sorted(e EndpointID) []*Pending {
	var out []*Pending
	for _, r := range m.rows {
		if r.Endpoint == e {
			out = append(out, &r)
		}
	}
	slices.SortFunc(out, func(a, b *Pending) int { return cmp.Or(a.Next.Compare(b.Next), cmp.Compare(a.ID, b.ID)) })
	return out
}

func (m *memStore) DuePending(_ context.Context, e EndpointID, now time.Time, limit int) ([]*Pending, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []*Pending
	for _, r := range m.sorted(e) {
		if !r.Next.After(now) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (m *memStore) NextPending(_ context.Context, e EndpointID, after time.Time) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.sorted(e) {
		if r.Next.After(after) {
			return r.Next, nil
		}
	}
	return time.Time{}, nil
}

func (m *memStore) PendingByID(_ context.Context, id string) (*Pending, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.rows[id]; ok {
		return &r, nil
	}
	return nil, nil
}

func (m *memStore) PendingCounts(context.Context) ([]PendingCount, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	by := map[EndpointID]*PendingCount{}
	for _, r := range m.rows {
		c := by[r.Endpoint]
		if c == nil {
			c = &PendingCount{Endpoint: r.Endpoint, Oldest: r.Born, Next: r.Next}
			by[r.Endpoint] = c
		}
		c.Rows++
		c.Updates += r.Updates
		if r.Next.Before(c.Next) {
			c.Next = r.Next
		}
		if r.Born.Before(c.Oldest) {
			c.Oldest = r.Born
		}
	}
	var out []PendingCount
	for _, c := range by {
		out = append(out, *c)
	}
	return out, nil
}

func (m *memStore) rowCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows)
}
