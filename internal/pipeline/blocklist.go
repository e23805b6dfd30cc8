package pipeline

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// MaxBlocked is how many users a number may block. Source: spec/messages.md section 17.
const MaxBlocked = 64_000

// Blocklist is the read side of what numbers block.
type Blocklist interface {
	// Blocked returns up to limit users that the number blocks, ascending: those behind after, or, when after is empty, the
	// last ones in front of before. Both may be empty.
	Blocked(ctx context.Context, number wa.PhoneNumberID, after, before wa.WaID, limit int) ([]wa.WaID, error)
	CountBlocked(ctx context.Context, number wa.PhoneNumberID) (int, error)
}

// BlockUsers blocks users for a number, or lifts the blocks, each for itself. It returns after the blocks are durable, with
// one error for each user, nil for what was done: [wa.ErrWindow] for a user who is not on the network or did not write
// within 24 hours, [wa.ErrNotRegistered] and its like, [wa.ErrUnavailable]. err is [wa.ErrBlockLimit] when the list would
// grow too long; then nothing was done. Source: spec/messages.md section 17.
func (p *Pipeline) BlockUsers(ctx context.Context, number wa.PhoneNumberID, users []wa.WaID, on bool) (each []error, err error) {
	if on {
		if err := p.settled(ctx, number); err != nil {
			return nil, err
		}
		n, err := p.o.Blocks.CountBlocked(ctx, number)
		switch {
		case err != nil:
			return nil, wa.ErrBlockInternal.Because(err)
		case n+len(users) > MaxBlocked:
			return nil, wa.ErrBlockLimit
		}
	}
	l, list := p.laneOf(number), make([]*blockUser, len(users))
	for i, u := range users {
		list[i] = &blockUser{number: number, user: u, on: on, done: make(chan error, 1)}
		if !l.offer(list[i]) {
			list[i].refuse(wa.ErrUnavailable.With(textBusy))
		}
	}
	each = make([]error, len(users))
	for i, c := range list {
		select {
		case each[i] = <-c.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return each, nil
}

// Blocked returns a page of the users that a number blocks, see [Blocklist]; it shows every block that is durable.
func (p *Pipeline) Blocked(ctx context.Context, number wa.PhoneNumberID, after, before wa.WaID, limit int) ([]wa.WaID, error) {
	if err := p.settled(ctx, number); err != nil {
		return nil, err
	}
	list, err := p.o.Blocks.Blocked(ctx, number, after, before, limit)
	if err != nil {
		return nil, wa.ErrBlockInternal.Because(err)
	}
	return list, nil
}

// settled waits until the store shows what the number's lane has written.
func (p *Pipeline) settled(ctx context.Context, number wa.PhoneNumberID) error {
	i := p.Partition(number)
	return p.proj[i].wait(ctx, p.lanes[i].log.Last())
}

// blockUser is a block by the business.
type blockUser struct {
	number wa.PhoneNumberID
	user   wa.WaID
	on     bool
	done   chan error
}

func (c *blockUser) refuse(err error) { c.done <- err }
func (c *blockUser) durable()         { c.done <- nil }
func (c *blockUser) lost(err error)   { c.refuse(wa.ErrUnavailable.With(textRecovering).Because(err)) }

func (c *blockUser) run(l *lane) {
	n, ok := l.p.o.Numbers.Number(c.number)
	if err := usable(n, ok, l.p.o.Clock.Now()); err != nil {
		c.refuse(err)
		return
	}
	p := l.peer(PeerKey{c.number, c.user})
	if !p.ready() {
		l.park(p, c)
		return
	}
	switch {
	case c.on && (p.user == nil || !message.WindowOpen(p.lastInbound, l.now())):
		c.refuse(wa.ErrWindow)
		return
	case p.blockedByBusiness == c.on && !p.pinned(l.projected.Load()):
		c.refuse(nil) // so it is already, durably
		return
	}
	p.blockedByBusiness = c.on
	l.out.write(&record.Blocked{Number: c.number, User: c.user, At: l.now(), ByBusiness: true, On: c.on}, 0)
	l.out.touch(&p.pin)
	l.out.outcomes = append(l.out.outcomes, c)
}
