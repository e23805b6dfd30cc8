package network

import (
	"context"
	"fmt"
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
}

func (o *outbox) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// news is what follows from the registration of u, who was old. It counts before it is written.
func (d *Directory) news(old, u *User) *News {
	seq := d.outbox.written.Add(1)
	// The identity tells apart what was drawn before and after a restart by a clock that stands still.
	id := fmt.Sprintf("%016x%08x/%s/%s", uint64(d.clock.Now().UnixMicro()), uint32(seq), u.WaID, u.IdentityHash)
	n := &News{ID: id, Person: u.ID, WaID: u.WaID, Name: u.Name}
	if old.WaID != u.WaID {
		n.Was = old.WaID
	}
	return n
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

// spread tells a page of news and reports whether there may be more.
func (d *Directory) spread(ctx context.Context, h Herald) (more bool, err error) {
	written := d.outbox.written.Load()
	list, err := d.store.News(ctx, newsPage)
	if err != nil {
		return false, fmt.Errorf("read news: %w", err)
	}
	if len(list) == 0 {
		d.outbox.told.Store(written)
		return false, nil
	}
	people := map[string][]*News{}
	for _, n := range list {
		people[n.Person] = append(people[n.Person], n)
	}
	var g errgroup.Group
	g.SetLimit(newsTellers)
	for _, own := range people {
		g.Go(func() error {
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
		})
	}
	return true, g.Wait()
}
