package network_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	number   = wa.PhoneNumberID("106540352242922")
	business = "15550783881"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// sharedKeys spares tests the drawing of KEM keys.
var sharedKeys = sync.OnceValue(func() *networktest.Keys { return networktest.NewKeys(12) })

// world is a network without sockets.
type world struct {
	clock  *clock.Controlled
	wire   *clock.Controlled
	store  *networktest.Store
	lanes  *networktest.Lanes
	biz    networktest.Businesses
	box    *network.Mailbox
	dir    *network.Directory
	hub    *network.Hub
	config func(*network.MailboxConfig)
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newWorld(change func(*network.MailboxConfig)) *world {
	w := &world{
		clock: clock.NewFake(start), wire: clock.NewFake(start), store: networktest.NewStore(), lanes: new(networktest.Lanes),
		biz: networktest.Businesses{number: {WaID: business, Name: "Lucky Shrub"}}, config: change,
	}
	w.boot()
	return w
}

// boot starts the network over the store as it is.
func (w *world) boot() {
	c := network.MailboxConfig{Store: w.store, Clock: w.clock, Businesses: w.biz}
	if w.config != nil {
		w.config(&c)
	}
	w.box = network.NewMailbox(c)
	w.dir = network.NewDirectory(network.DirectoryConfig{Store: w.store, Clock: w.clock, Mailbox: w.box})
	w.hub = network.NewHub(network.Config{
		Directory: w.dir, Mailbox: w.box, Lanes: w.lanes, Actions: w.lanes, Businesses: w.biz, Clock: w.clock, Wire: w.wire, PerAddress: 4,
	})
}

func (w *world) stop(t fataler) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.hub.Shutdown(ctx); err != nil {
		t.Fatalf("shutdown: %v", err)
	}
	w.box.Close()
}

func (w *world) user(t fataler, phone wa.WaID) wa.DeviceID {
	t.Helper()
	_, err := w.dir.Create(context.Background(), []network.NewUser{{WaID: phone, Name: "Ann", Device: sharedKeys().Device}})
	if err != nil {
		t.Fatalf("create user: %v", err)
	}
	return wa.NewDeviceID(phone, 1)
}

func (w *world) reserve(t fataler, device wa.DeviceID) uint64 {
	t.Helper()
	for {
		seq, err := w.box.Reserve(device)
		if errors.Is(err, network.ErrUnprepared) {
			if err := w.box.Prepare(context.Background(), []wa.DeviceID{device}); err != nil {
				t.Fatalf("prepare: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("reserve: %v", err)
		}
		return seq
	}
}

func (w *world) attach(t fataler, device wa.DeviceID, last uint64, s network.Sink) *network.Link {
	t.Helper()
	l, err := w.hub.Attach(context.Background(), device, last, s)
	if err != nil {
		t.Fatalf("attach: %v", err)
	}
	return l
}

func item(device wa.DeviceID, seq uint64) *network.Item {
	return &network.Item{
		Device: device, Seq: seq, ID: wa.MessageID(fmt.Sprintf("wamid.%d", seq)), Number: number, At: start.UnixMilli(),
		Cipher: []byte("ciphertext"),
	}
}

// deadline ends waiting in tests that are about to fail.
func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// items returns what a sink got so far as items, and fails on any other frame but Welcome.
func items(t fataler, s *networktest.Sink) []frame.Item {
	t.Helper()
	var list []frame.Item
	frames, _ := s.Take()
	for _, f := range frames {
		switch f := f.(type) {
		case *frame.Deliver:
			list = append(list, f.Items...)
		case *frame.Welcome:
		default:
			t.Fatalf("unexpected frame %#v", f)
		}
	}
	return list
}

func seqs(list []frame.Item) []uint64 {
	var n []uint64
	for _, it := range list {
		n = append(n, it.Seq)
	}
	return n
}
