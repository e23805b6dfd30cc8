package app

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/limits"
)

const (
	choreEvery = 10 * time.Minute
	// historyAge is how long the history of accounts can be read. Source: spec/limits.md section 7.
	historyAge = 90 * 24 * time.Hour
	// journalAge is how long frames stay at least. Source: design, "The journal".
	journalAge = 7 * 24 * time.Hour
)

// bury destroys the keys of numbers that were deleted or migrated before the given time. Until then what they sent may still
// be on its way to a device, which may ask for it to be encrypted again; webhooks are sealed with keys of content, which have
// a life of their own.
func (p *platform) bury(ctx context.Context, before time.Time, warn func(what string, err error)) {
	var ids []string
	for _, id := range p.rules.business.Buried(before) {
		p.pipeline.Forget(id)
		ids = append(ids, string(id))
	}
	n, err := p.vault.DestroyNumbers(ctx, ids)
	warn("destroy keys of numbers", err)
	if n > 0 {
		p.log.Info("keys of deleted numbers destroyed", "keys", n)
	}
}

// retain destroys the keys of content beyond its retention and trims what nobody reads any more.
func (p *platform) retain(ctx context.Context) {
	now := p.clock.Now()
	warn := func(what string, err error) {
		if err != nil && ctx.Err() == nil {
			p.log.Warn("retention", "step", what, "err", err)
		}
	}
	n, err := p.vault.DestroyContent(ctx, now.Add(-p.o.Retention))
	warn("destroy content keys", err)
	if n > 0 {
		p.log.Info("content keys destroyed", "keys", n)
	}
	p.bury(ctx, now.Add(-MaxRetention), warn)
	p.expireMedia(ctx)
	_, err = p.store.DeleteMessages(ctx, now.Add(-2*MaxRetention))
	warn("delete message rows", err)
	warn("forget who was reached", p.store.DeleteTally(ctx, now.Add(-limits.VerifyWindow)))
	_, err = p.store.DeletePairs(ctx, now.Add(-2*MaxRetention))
	warn("delete pairs", err)
	_, err = p.store.DeleteOneTime(ctx, now.Add(-MaxRetention))
	warn("delete one-time prekeys", err)
	warn("delete history of accounts", p.store.DeleteActivities(ctx, now.Add(-historyAge)))
	for i := range p.journal.Partitions() {
		log := p.journal.Log(i)
		old, err := log.SeqAt(ctx, now.Add(-journalAge))
		if err == nil {
			err = log.Trim(ctx, min(old, p.pipeline.Stored(i), p.webhooks.Position(i)))
		}
		warn("trim journal", err)
	}
}
