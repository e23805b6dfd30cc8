package network_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// slowStore lets others run after a registration is stored, before the directory hears of it.
type slowStore struct {
	network.DirectoryStore
	stored func()
}

func (s *slowStore) Register(ctx context.Context, list []network.NewDevice) error {
	err := s.DirectoryStore.Register(ctx, list)
	if s.stored != nil {
		s.stored()
	}
	return err
}

func TestBundleOfOneInstallation(t *testing.T) {
	t.Parallel()
	s := &slowStore{DirectoryStore: networktest.NewStore()}
	c := clock.NewFake(start)
	box := network.NewMailbox(network.MailboxConfig{Store: networktest.NewStore(), Clock: c})
	t.Cleanup(box.Close)
	dir := network.NewDirectory(network.DirectoryConfig{Store: s, Clock: c, Mailbox: box})
	const ann = wa.WaID("15550142233")
	first, second := networktest.NewKeys(1), networktest.NewKeys(1)
	if _, err := dir.Register(t.Context(), ann, "Ann", &first.Device); err != nil {
		t.Fatal(err)
	}
	verified := make(chan error, 1)
	s.stored = func() {
		go func() {
			b, err := dir.Bundle(t.Context(), wa.NewDeviceID(ann, 1))
			if err == nil {
				err = b.Verify()
			}
			verified <- err
		}()
		for range 1000 { // long enough for a bundle that does not wait
			runtime.Gosched()
		}
	}
	if _, err := dir.Register(t.Context(), ann, "Ann", &second.Device); err != nil {
		t.Fatal(err)
	}
	if err := <-verified; err != nil {
		t.Errorf("bundle while the user registers again: %v", err)
	}
}
