package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Content of numbers without storage lives for an hour: see the vault's brief records.

// briefFile holds the keys of that hour. Whoever copies the data directory leaves it out.
const briefFile = "brief.keys"

// forgetBriefs destroys the keys whose hour is over, with the files that lived so long, and makes those of the next minutes.
func (p *platform) forgetBriefs(ctx context.Context) {
	for p.clock.Sleep(ctx, time.Minute) == nil {
		n, err := p.vault.DestroyBrief()
		if err == nil {
			err = p.vault.PrepareBrief()
		}
		if err != nil {
			p.log.Warn("retention", "step", "keys of numbers without storage", "err", err)
		}
		if n > 0 {
			p.expireMedia(ctx)
		}
	}
}

// briefBoxes opens the mailbox items that are sealed once more in the store, those of numbers without storage.
type briefBoxes struct {
	network.MailboxStore
	v   *vault.Vault
	log *slog.Logger
}

// MailboxAfter implements network.MailboxStore. An item whose key is gone has expired.
func (b briefBoxes) MailboxAfter(ctx context.Context, device wa.DeviceID, after uint64, limit int) ([]*network.Item, error) {
	items, err := b.MailboxStore.MailboxAfter(ctx, device, after, limit)
	for _, it := range items {
		if !vault.IsBrief(it.Cipher) { // a Signal message begins with another version
			continue
		}
		plain, err := b.v.Open(pipeline.ItemAD(it.Device, it.Seq), it.Cipher)
		if err != nil {
			if !errors.Is(err, vault.ErrDestroyed) {
				b.log.Error("open mailbox item", "wamid", string(it.ID), "err", err)
			}
			plain, it.Expires = nil, 1
		}
		it.Cipher = plain
	}
	return items, err
}
