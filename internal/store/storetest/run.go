package storetest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// What the rooms ask for.
var (
	_ pipeline.Store            = (*store.Store)(nil)
	_ pipeline.KeyStore         = (*store.Store)(nil)
	_ analytics.Source          = (*store.Store)(nil)
	_ pipeline.Blocklist        = (*store.Store)(nil)
	_ vault.Store               = (*store.Store)(nil)
	_ business.Store            = (*store.Store)(nil)
	_ access.Store              = (*store.Store)(nil)
	_ template.Store            = (*store.Store)(nil)
	_ flow.Store                = (*store.Store)(nil)
	_ flow.Shelf                = (*store.Store)(nil)
	_ flow.Counts               = (*store.Store)(nil)
	_ webhook.Store             = (*store.Store)(nil)
	_ webhook.SubscriptionStore = (*store.Store)(nil)
	_ network.CodeStore         = (*store.Store)(nil)
	_ media.Store               = (*store.Store)(nil)
	_ network.MailboxStore      = (*store.Store)(nil)
	_ network.DirectoryStore    = (*store.Directory)(nil)
)

// Run holds the store that open returns to every promise. Each call of open returns an empty one.
func Run(t *testing.T, open func(testing.TB) *store.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *store.Store){
		"merge":        merge,
		"clientID":     clientID,
		"pending":      pending,
		"pairs":        pairs,
		"standings":    standings,
		"items":        items,
		"again":        again,
		"foreignText":  foreignText,
		"concurrent":   concurrent,
		"keys":         keys,
		"vault":        vaultTable,
		"vaultEnd":     vaultEnd,
		"documents":    documents,
		"accounts":     accounts,
		"subscription": subscriptions,
		"cursors":      cursors,
		"retries":      retries,
		"directory":    directory,
		"numberChange": numberChange,
		"news":         news,
		"prekeys":      prekeys,
		"prekeyRace":   prekeyRace,
		"codes":        codes,
		"tops":         tops,
		"retention":    retention,
		"history":      history,
		"tally":        tally,
		"media":        mediaRows,
		"uploads":      uploadRows,
		"blocked":      blocked,
		"flows":        flows,
		"flowCounts":   flowCounts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
	t.Run("splits", func(t *testing.T) {
		t.Parallel()
		Splits(t, func(tb testing.TB) pipeline.Store { return open(tb) })
	})
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// same compares by what is printed: nil and empty slices are the same thing to a store.
func same(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		tb.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func sameBytes(tb testing.TB, what string, got, want []byte) {
	tb.Helper()
	if !bytes.Equal(got, want) {
		tb.Errorf("%s: got %x, want %x", what, got, want)
	}
}
