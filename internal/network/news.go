package network

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Herald tells businesses of a person who changed.
type Herald interface {
	// Tell returns nil when every business that has to hear of it will, whatever happens. It may be called again for the
	// same news.
	Tell(ctx context.Context, n *News) error
}

// outbox knows whether the store may hold news. The news themselves are nowhere else.
type outbox struct {
	wake    chan struct{} // holds one
	written atomic.Uint64 // registrations with news that were begun
	told    atomic.Uint64 // written, when the store was last found empty

	mu   sync.Mutex
	last uint64 // the stamp that was given last; 0 before the first
}

// stamp is now, but always behind those of all news that are not told: a clock may stand still and be set back, also over a
// restart. newest asks for the id of the last of an earlier process.
func (o *outbox) stamp(now uint64, newest func() (string, error)) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == 0 {
		id, err := newest()
		if err != nil {
			return 0, err
		}
		if at, err := strconv.ParseUint(id[:min(16, len(id))], 16, 64); err == nil {
			o.last = at
		}
	}
	o.last = max(now, o.last+1)
	return o.last, nil
}

func (o *outbox) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// news is what follows from the registration of u, who was old. It counts before it is written.
func (d *Directory) news(ctx context.Context, old, u *User) (*News, error) {
	now := uint64(max(d.clock.Now().UnixMicro(), 0))
	at, err := d.outbox.stamp(now, func() (string, error) { return d.store.LastNews(ctx) })
	if err != nil {
		return nil, fmt.Errorf("read the last news: %w", err)
	}
	seq := d.outbox.written.Add(1)
	id := fmt.Sprintf("%016x%08x/%s/%s", at, uint32(seq), u.WaID, u.IdentityHash)
	n := &News{ID: id, Person: u.ID, WaID: u.WaID, Name: u.Name}
	if old.WaID != u.WaID {
		n.Was = old.WaID
	}
	return n, nil
}

// Idle reports whether businesses have heard all there is to tell of people.
func (d *Directory) Idle() bool { return d.outbox.told.Load() == d.outbox.written.Load() }

const (
	newsPage    = 256
	newsTellers = 16 // people whose news are told at once
	newsRetry   = time.Second
)

// Run hands news to h until ctx ends; those of one person in their order. What could not be told is tried again. It runs
// once at a time.
func (d *Directory) Run(ctx context.Context, h Herald) {
	for ctx.Err() == nil {
		switch more, err := d.spread(ctx, h); {
		case err != nil && ctx.Err() == nil:
			d.log.WarnContext(ctx, "news of people wait", "err", err)
			_ = d.wall.Sleep(ctx, newsRetry) // the loop sees the end of ctx
		case !more:
			select {
			case <-ctx.Done():
			case <-d.outbox.wake:
			}
		}
	}
}

// spread goes through all news once and reports whether there may be more. Those whose news could not be told do not keep
// others waiting, but their own later ones.
func (d *Directory) spread(ctx context.Context, h Herald) (more bool, err error) {
	written := d.outbox.written.Load()
	var errs error
	stuck := map[string]bool{} // people
	after := ""
	for {
		list, err := d.store.News(ctx, after, newsPage)
		if err != nil {
			return false, fmt.Errorf("read news: %w", err)
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].ID
		list = slices.DeleteFunc(list, func(n *News) bool { return stuck[n.Person] })
		if err := d.page(ctx, h, list, stuck); err != nil && errs == nil {
			errs = err
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	if after == "" {
		d.outbox.told.Store(written)
	}
	return after != "", errs
}

// page tells news of a page, and adds those people to stuck of whom not all could be told. It returns the first error.
func (d *Directory) page(ctx context.Context, h Herald, list []*News, stuck map[string]bool) error {
	people := map[string][]*News{}
	for _, n := range list {
		people[n.Person] = append(people[n.Person], n)
	}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(newsTellers)
	for person, own := range people {
		g.Go(func() error {
			err := d.hand(ctx, h, own)
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				stuck[person] = true
			}
			return err
		})
	}
	return g.Wait()
}

// hand tells the news of one person in their order, up to the first that cannot be told.
func (d *Directory) hand(ctx context.Context, h Herald, own []*News) error {
	for _, n := range own {
		if err := h.Tell(ctx, n); err != nil {
			return fmt.Errorf("tell: %w", err)
		}
		// Forgotten one by one: a crash repeats at most what is being told.
		if err := d.store.Told(context.WithoutCancel(ctx), []string{n.ID}); err != nil {
			return fmt.Errorf("forget news: %w", err)
		}
	}
	return nil
}
