package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/signal"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// The types here let two rooms talk that must not know each other. They translate and decide nothing.

// ---- vault ----

type secretSealer struct{ v *vault.Vault }

func (s secretSealer) Seal(ad, plain []byte) ([]byte, error) {
	return s.v.Seal(vault.ClassSecret, "", ad, plain)
}
func (s secretSealer) Open(ad, sealed []byte) ([]byte, error) { return s.v.Open(ad, sealed) }

type contentSealer struct{ v *vault.Vault }

func (s contentSealer) SealContent(born int64, ad, plain []byte) ([]byte, error) {
	return sealContent(s.v, born, ad, plain)
}

// sealContent seals under the key of the hour, or what lives for an hour under the key of the minute it was born in.
func sealContent(v *vault.Vault, born int64, ad, plain []byte) ([]byte, error) {
	if born == 0 {
		return v.Seal(vault.ClassContent, "", ad, plain)
	}
	return v.SealBrief(time.UnixMilli(born), ad, plain)
}

func (s contentSealer) IsBrief(sealed []byte) bool { return vault.IsBrief(sealed) }

func (s contentSealer) SealNumber(number wa.PhoneNumberID, ad, plain []byte) ([]byte, error) {
	return s.v.Seal(vault.ClassNumber, string(number), ad, plain)
}

func (s contentSealer) Open(ad, sealed []byte) ([]byte, error) { return s.v.Open(ad, sealed) }

type webhookSafe struct{ v *vault.Vault }

func (s webhookSafe) SealSecret(ad string, plain []byte) ([]byte, error) {
	return s.v.Seal(vault.ClassSecret, "", []byte(ad), plain)
}

func (s webhookSafe) SealContent(born int64, ad string, plain []byte) ([]byte, error) {
	return sealContent(s.v, born, []byte(ad), plain)
}

func (s webhookSafe) Open(ad string, sealed []byte) ([]byte, error) {
	plain, err := s.v.Open([]byte(ad), sealed)
	if errors.Is(err, vault.ErrDestroyed) {
		err = fmt.Errorf("%w: %w", webhook.ErrGone, err)
	}
	return plain, err
}

// ---- business ----

type businesses struct {
	s    *business.Service
	base string // of the addresses of photos
}

func (b businesses) WaID(number wa.PhoneNumberID) (wa.WaID, bool) {
	n, ok := b.s.Number(number)
	if !ok {
		return "", false
	}
	return n.WaID, true
}

func (b businesses) Known(id wa.WaID) bool {
	n, ok := b.s.NumberByWaID(id)
	return ok && n.Registered
}

func (b businesses) Find(_ context.Context, q string, limit int) (list []frame.Business, _ error) {
	q = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(q), "+"))
	for _, n := range b.s.AllNumbers() {
		if len(list) == limit {
			break
		}
		if n.Registered && q != "" && (strings.HasPrefix(string(n.WaID), q) || strings.Contains(strings.ToLower(n.VerifiedName), q)) {
			list = append(list, b.shown(n))
		}
	}
	return list, nil
}

// shown is what everybody may see of a number.
func (b businesses) shown(n *business.Number) frame.Business {
	out := frame.Business{WaID: string(n.WaID), Name: n.VerifiedName, Verified: n.Official}
	if p := n.Profile; p != nil {
		out.About, out.Description, out.Address, out.Email = p.About, p.Description, p.Address, p.Email
		out.Websites, out.Vertical = p.Websites, p.Vertical
		if p.Picture.ID != "" {
			out.Photo = b.base + api.PicturePath + p.Picture.ID
		}
	}
	return out
}

type digits struct{ s *business.Service }

func (d digits) Digits(id wa.PhoneNumberID) (string, bool) {
	n, ok := d.s.Number(id)
	if !ok {
		return "", false
	}
	return string(n.WaID), true
}

// secrets keeps the app secrets open: webhooks are signed with them all the time. A changed secret is noticed by the time
// the app says it was changed.
type secrets struct {
	s *access.Service

	mu   sync.RWMutex
	open map[wa.AppID]openSecret
}

type openSecret struct {
	changed int64
	value   string
}

func newSecrets(s *access.Service) *secrets {
	return &secrets{s: s, open: map[wa.AppID]openSecret{}}
}

func (k *secrets) AppSecret(id wa.AppID) (string, bool) {
	a, ok := k.s.Signer(id)
	if !ok {
		return "", false
	}
	changed := a.SecretChanged.UnixNano()
	k.mu.RLock()
	have, ok := k.open[id]
	k.mu.RUnlock()
	if ok && have.changed == changed {
		return have.value, true
	}
	s, err := k.s.AppSecret(id)
	if err != nil {
		return "", false
	}
	k.mu.Lock()
	k.open[id] = openSecret{changed, string(s)}
	k.mu.Unlock()
	return string(s), true
}

// ---- network to lanes ----

type lanes struct{ p *pipeline.Pipeline }

func (l lanes) Acked(items []network.Ack) {
	list := make([]pipeline.Receipt, len(items))
	for i, a := range items {
		step := pipeline.Stored
		switch {
		case a.Retried:
			step = pipeline.Skipped
		case a.Read:
			step = pipeline.Shown
		}
		list[i] = pipeline.Receipt{Device: a.Device, Seq: a.Seq, ID: a.ID, Number: a.Number, Silent: a.Silent, Step: step}
	}
	l.p.Receipts(list)
}

func (l lanes) Receipts(list []network.Receipt) {
	var out []pipeline.Receipt
	for _, r := range list {
		step := pipeline.Opened
		if r.State == frame.StatePlayed {
			step = pipeline.Heard
		}
		for _, id := range r.IDs {
			out = append(out, pipeline.Receipt{Device: r.Device, ID: id, Step: step})
		}
	}
	l.p.Receipts(out)
}

func (l lanes) Retry(r network.Retry) {
	l.p.Retry(pipeline.Receipt{Device: r.Device, Seq: r.Seq, ID: r.ID})
}

func (l lanes) Receive(in *network.Inbound) {
	l.p.Receive(&pipeline.Incoming{
		Device: in.Device, To: in.To, ClientID: in.ID, PreKey: in.PreKey, Cipher: in.Cipher,
		Done: func(id wa.MessageID, at int64, err error) {
			if err != nil {
				in.Refuse(frameError(err))
				return
			}
			in.Sent(id, at)
		},
	})
}

// frameError translates the lanes' refusals. Source: design "The user network", section 12.
func frameError(err error) *frame.Error {
	switch {
	case errors.Is(err, pipeline.ErrNoBusiness):
		return frame.Refuse(frame.ErrNotFound, err.Error())
	case errors.Is(err, pipeline.ErrBlocked):
		return frame.Refuse(frame.ErrBlocked, err.Error())
	case errors.Is(err, pipeline.ErrBlocking):
		return frame.Refuse(frame.ErrBlocking, err.Error())
	case errors.Is(err, pipeline.ErrStaleKey):
		return frame.Refuse(frame.ErrStaleKey, err.Error())
	case errors.Is(err, pipeline.ErrUndecryptable):
		return frame.Refuse(frame.ErrUndecryptable, err.Error())
	default:
		return frame.Refuse(frame.ErrBusy, pipeline.ErrBusy.Error())
	}
}

func (l lanes) Bundle(ctx context.Context, of wa.WaID, _ wa.DeviceID) (*frame.Bundle, error) {
	b, err := l.p.Bundle(ctx, of)
	if errors.Is(err, pipeline.ErrNoBusiness) {
		return nil, frameError(err)
	}
	if err != nil {
		return nil, err
	}
	return &frame.Bundle{
		Of: string(of), IdentityKey: b.IdentityKey.Bytes(), RegistrationID: b.RegistrationID,
		SignedPreKey:  frame.SignedKey{ID: b.SignedPreKey.ID, Key: b.SignedPreKey.Key.Bytes(), Sig: b.SignedPreKey.Sig},
		KEMPreKey:     &frame.SignedKey{ID: b.KEMPreKey.ID, Key: b.KEMPreKey.Key, Sig: b.KEMPreKey.Sig},
		OneTimePreKey: &frame.OneTimeKey{ID: b.OneTimePreKey.ID, Key: b.OneTimePreKey.Key.Bytes()},
	}, nil
}

func (l lanes) Act(ctx context.Context, a network.Action) error {
	done := make(chan error, 1)
	l.p.Block(a.Device.User(), a.Of, a.Do == frame.DoBlock, a.Reason, func(err error) { done <- err })
	select {
	case err := <-done:
		if err != nil {
			return frameError(err)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// herald lets the lanes tell businesses of people who changed.
type herald struct{ p *pipeline.Pipeline }

func (h herald) Tell(ctx context.Context, n *network.News) error {
	if n.Was != "" {
		if err := h.p.Acquaint(ctx, n.Was, &pipeline.Moved{To: n.WaID, Name: n.Name}); err != nil {
			return err
		}
	}
	return h.p.Acquaint(ctx, n.WaID, nil)
}

// ---- lanes to network ----

type directory struct{ d *network.Directory }

func (d directory) User(ctx context.Context, id wa.WaID) (*pipeline.User, error) {
	u, err := d.d.Lookup(ctx, id)
	if err != nil || u == nil {
		return nil, err
	}
	out := &pipeline.User{WaID: u.WaID, Name: u.Name, IdentityHash: u.IdentityHash}
	for _, dev := range u.Devices {
		out.Devices = append(out.Devices, pipeline.Device{ID: dev.ID, Identity: dev.IdentityKey, RegistrationID: dev.RegistrationID})
	}
	return out, nil
}

func (d directory) Bundle(ctx context.Context, id wa.DeviceID) (*signal.Bundle, error) {
	return d.d.Bundle(ctx, id)
}

type mailbox struct {
	m *network.Mailbox
	p *platform
}

func (b mailbox) Prepare(ctx context.Context, devices []wa.DeviceID) error {
	return b.m.Prepare(ctx, devices)
}

// Reserve returns 0 for a mailbox that is full or was forgotten since it was prepared; the lane prepares it anew.
func (b mailbox) Reserve(device wa.DeviceID) uint64 {
	seq, err := b.m.Reserve(device)
	if err != nil {
		return 0
	}
	return seq
}

func (b mailbox) Put(items []*pipeline.MailboxItem) {
	list := make([]*network.Item, len(items))
	for i, it := range items {
		list[i] = (*network.Item)(it)
	}
	b.m.Put(list)
}

func (b mailbox) Skip(device wa.DeviceID, seq uint64) { b.m.Skip(device, seq) }

func (b mailbox) Flash(user, from wa.WaID, event []byte) {
	ev := &frame.Event{}
	if json.Unmarshal(event, ev) == nil {
		b.p.hub.Event(user, from, ev)
	}
}

// stored tells the mailboxes which positions the store has seen: their items need not stay in memory.
func (p *platform) stored(b *pipeline.Batch) {
	refs := make([]network.Ref, len(b.Placed))
	for i, r := range b.Placed {
		refs[i] = network.Ref(r)
	}
	p.mailbox.Stored(refs)
	p.policy.Heard(b.Feedback, b.Counts)
	p.policy.Seen(b.Seen)
	p.policy.Charged(b.Charges)
}
