package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/virtual"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	fleetFile = "fleet.sealed"
	fleetAD   = "virtual/fleet"
	userPage  = 1000
	// helloTime bounds the wait for the starter user's first message at a start.
	helloTime = 3 * time.Second
	helloText = `{"type":"text","text":{"body":"Hi! This is the sandbox user."}}`
)

// fleet is the virtual users of a sandbox.
type fleet struct{ *virtual.Fleet }

func (f *fleet) idle() bool { return f.Idle() }

// openSandbox lets virtual users live: those saved at the last orderly stop go on, those of a platform that was killed are
// installed anew, and the starter user has just written to the test number.
func (p *platform) openSandbox(ctx context.Context) error {
	p.fleet = &fleet{virtual.New(virtual.Options{
		Network: users{p}, Clock: p.clock, Seed: p.o.Seed, Rand: p.o.random("devices"), Logger: p.log,
		Files: func(id string) device.Relay { return shelf{p.media, wa.DeviceID(id)} },
		Flows: func(id string) device.FlowHost { return flowHost{p.hub, wa.DeviceID(id)} },
	})}
	if err := p.loadFleet(); err != nil {
		// A file that cannot be read any more costs the virtual users their keys, which is what a new phone costs a person.
		p.log.Warn("virtual users start anew", "err", err)
	}
	p.onClose("virtual users", func(context.Context) error { return p.saveFleet() })
	p.fleet.Start()
	if err := p.recoverUsers(ctx); err != nil {
		return fmt.Errorf("recover virtual users: %w", err)
	}
	return p.starterUser(ctx)
}

func (p *platform) loadFleet() error {
	path := filepath.Join(p.o.Data, fleetFile)
	sealed, err := os.ReadFile(path) //nolint:gosec // a fixed name in the data directory
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// Gone before anybody acts on it: a second start from the same state would use message keys twice.
	if err := os.Remove(path); err != nil {
		return err
	}
	saved, err := p.vault.Open([]byte(fleetAD), sealed)
	if err != nil {
		return err
	}
	return p.fleet.Load(saved)
}

func (p *platform) saveFleet() error {
	p.fleet.Close()
	saved, err := p.fleet.Save()
	if err != nil {
		return err
	}
	sealed, err := p.vault.Seal(vault.ClassContent, "", []byte(fleetAD), saved)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(p.o.Data, fleetFile), sealed)
}

// recoverUsers hands the fleet the virtual users that the platform knows.
func (p *platform) recoverUsers(ctx context.Context) error {
	var after wa.WaID
	for {
		page, err := p.directory.Users(ctx, after, userPage)
		if err != nil {
			return err
		}
		var lost []virtual.User
		for _, u := range page {
			after = u.WaID
			if _, known := p.fleet.User(string(u.WaID)); !known && isVirtual(u) {
				lost = append(lost, virtual.User{WaID: string(u.WaID), Name: u.Name})
			}
		}
		if err := p.fleet.Recover(context.WithoutCancel(ctx), lost...); err != nil {
			return err
		}
		if len(page) < userPage {
			return nil
		}
	}
}

func isVirtual(u *network.User) bool {
	return len(u.Devices) > 0 && u.Devices[0].Platform == frame.PlatformVirtual
}

// hasPhone reports whether somebody's own device has the number: a virtual user is not it any more. u may be nil.
func hasPhone(u *network.User) bool { return u != nil && len(u.Devices) > 0 && !isVirtual(u) }

// starterUser makes sure that the person of the banner exists and may be answered freely.
func (p *platform) starterUser(ctx context.Context) error {
	id := p.plan.UserPhone
	u, err := p.store.Directory().User(ctx, id)
	if err != nil {
		return err
	}
	if u != nil && !isVirtual(u) {
		return nil // a real phone has this number now
	}
	if u == nil {
		if err := p.fleet.Add(ctx, virtual.User{WaID: string(id), Name: p.plan.UserName}); err != nil {
			return err
		}
	}
	n, ok := p.rules.business.Number(p.plan.NumberID)
	if !ok || !n.Registered {
		return nil
	}
	peers, err := p.store.Peers(ctx, []pipeline.PeerKey{{Number: n.ID, User: id}})
	if err != nil || (len(peers) == 1 && message.WindowOpen(peers[0].LastInbound, p.clock.Now().UnixMilli())) {
		return err
	}
	if _, err := p.fleet.Send(ctx, string(id), string(n.WaID), []byte(helloText)); err != nil {
		return err
	}
	return p.awaitAnswered(ctx, string(id))
}

func (p *platform) awaitAnswered(ctx context.Context, user string) error {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	for {
		if info, ok := p.fleet.User(user); ok && info.Unanswered == 0 {
			return nil
		}
		if p.wall.Sleep(ctx, idleStep) != nil {
			p.log.Warn("the sandbox user's first message is still on its way")
			return nil
		}
	}
}

// ensureUser makes unknown recipients of a sandbox virtual users.
func (p *platform) ensureUser(ctx context.Context, id wa.WaID) error {
	if p.fleet == nil || p.fleet.Left(string(id)) {
		return nil
	}
	if _, business := p.rules.business.NumberByWaID(id); business {
		return nil
	}
	return p.fleet.Add(ctx, virtual.User{WaID: string(id), Name: "User " + tail(string(id))})
}

func tail(s string) string { return s[max(0, len(s)-4):] }

// users is the platform as a fleet sees it.
type users struct{ p *platform }

// CreateUsers implements virtual.Network.
func (n users) CreateUsers(ctx context.Context, list []virtual.Registration) error {
	var fresh []network.NewUser
	for i := range list {
		r := &list[i]
		u, err := n.p.store.Directory().User(ctx, wa.WaID(r.WaID))
		if err != nil {
			return err
		}
		if u == nil {
			fresh = append(fresh, network.NewUser{WaID: wa.WaID(r.WaID), Name: r.Name, Device: r.Device})
			continue
		}
		if hasPhone(u) {
			continue // a real phone has the number; Attach says so
		}
		if _, err := n.p.directory.Register(ctx, u.WaID, r.Name, &r.Device); err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	_, err := n.p.directory.Create(ctx, fresh)
	return err
}

// MoveUser implements virtual.Network.
func (n users) MoveUser(ctx context.Context, from string, to virtual.Registration) error {
	_, err := n.p.directory.Move(ctx, wa.WaID(from), wa.WaID(to.WaID), &to.Device)
	return err
}

// Attach implements virtual.Network.
func (n users) Attach(id string, lastSeq uint64, sink func(frame.Frame)) (virtual.Conn, error) {
	// A saved fleet does not know that a real phone has taken a number over since.
	u, err := n.p.store.Directory().User(context.Background(), wa.DeviceID(id).User())
	if err != nil {
		return nil, err
	}
	if u == nil || !isVirtual(u) {
		sink(frame.Refuse(frame.ErrGone, "another phone has this number"))
		return nowhere{}, nil
	}
	link, err := n.p.hub.Attach(context.Background(), wa.DeviceID(id), lastSeq, frameSink(sink))
	if err != nil {
		return nil, err
	}
	return conn{link}, nil
}

// frameSink is the receiving end of an in-process link. It always has room: the fleet's queue is bounded by the window of
// unacknowledged items that every mailbox keeps.
type frameSink func(frame.Frame)

// Push implements network.Sink.
func (s frameSink) Push(f frame.Frame) bool {
	s(f)
	return true
}

// Close implements network.Sink.
func (s frameSink) Close(code frame.CloseCode, reason string) {
	if code == frame.CloseRemoved {
		s(frame.Refuse(frame.ErrGone, reason))
		return
	}
	s(&frame.Bye{Reason: reason, After: 1000})
}

// nowhere is the connection of a device that is no more.
type nowhere struct{}

// Handle implements virtual.Conn.
func (nowhere) Handle(frame.Frame) {}

// Close implements virtual.Conn.
func (nowhere) Close() {}

type conn struct{ link *network.Link }

// Handle implements virtual.Conn.
func (c conn) Handle(f frame.Frame) { c.link.Send(context.Background(), f) }

// Close implements virtual.Conn.
func (c conn) Close() { c.link.Close() }
