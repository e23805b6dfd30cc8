package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/preview"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

const (
	partitions = 8
	// tailBytes keeps the last seconds of a busy partition decoded in memory, so that webhooks and the store need not read
	// them from disk.
	tailBytes = 16 << 20
	// saveCursors is how much a kill can make webhooks repeat.
	saveCursors = 250 * time.Millisecond
)

// platform is everything between the listeners and the data directory. A reset of the sandbox replaces it as a whole.
type platform struct {
	o     *Options
	log   *slog.Logger
	clock clock.Clock
	wall  clock.Clock

	root  *vault.Root
	store *store.Store
	vault *vault.Vault
	rules rules
	plan  *Plan

	journal   *journal.Journal
	mailbox   *network.Mailbox
	directory *network.Directory
	codes     network.CodeDriver // nil: no codes are sent
	inbox     *network.Inbox     // nil unless codes are caught
	hub       *network.Hub
	pipeline  *pipeline.Pipeline
	board     notices
	webhooks  *webhook.Dispatcher
	fleet     *fleet // nil without sandbox
	media     *media.Service
	links     *media.Links
	base      string // how clients reach the public port
	policy    *policy.Service
	observer  *webhookCounts
	public    http.Handler

	cleanups []cleanup // run in reverse
	stop     context.CancelFunc
	chores   sync.WaitGroup
}

type cleanup struct {
	name string
	run  func(context.Context) error
}

func (p *platform) onClose(name string, run func(context.Context) error) {
	p.cleanups = append(p.cleanups, cleanup{name, run})
}

// openPlatform builds and starts everything in the order of the package comment. On an error what was opened is closed.
func openPlatform(ctx context.Context, a *App, root *vault.Root) (p *platform, err error) {
	o := &a.o
	p = &platform{o: o, log: o.Logger, clock: a.clock, wall: a.wall, root: root, base: strings.TrimSuffix(a.PublicURL(), "/"), observer: a.metrics.webhooks}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(context.WithoutCancel(ctx)))
			p = nil
		}
	}()
	draw := o.draws("ids")
	if err = p.openStore(ctx); err != nil {
		return p, err
	}
	if err = p.openRules(ctx, draw); err != nil {
		return p, err
	}
	if p.journal, err = journal.Open(ctx, journal.Options{
		Dir: filepath.Join(o.Data, "journal"), Partitions: partitions, Clock: p.clock, Logger: p.log, TailBytes: tailBytes,
	}); err != nil {
		return p, err
	}
	p.onClose("journal", p.journal.Close)
	if err = p.resumeTime(ctx, a.control); err != nil {
		return p, err
	}
	if err = p.openPolicy(ctx); err != nil {
		return p, err
	}
	p.openNetwork()
	if err = p.openMedia(ctx, draw); err != nil {
		return p, err
	}
	// Webhooks before lanes, so that a stop lets them carry what the lanes decided last.
	if err = p.openWebhooks(ctx); err != nil {
		return p, err
	}
	if err = p.openPipeline(ctx, o.draws("messages")); err != nil {
		return p, err
	}
	p.startChores(a)
	if o.Sandbox {
		if err = p.openSandbox(ctx); err != nil {
			return p, err
		}
	}
	p.public, err = p.publicHandler(a)
	return p, err
}

// resumeTime keeps the time of a sandbox from falling when it is started again after its clock was advanced: windows, limits
// and waiting retries carry times of the journal.
func (p *platform) resumeTime(ctx context.Context, c *clock.Controlled) error {
	if c == nil {
		return nil
	}
	for i := range p.journal.Partitions() {
		log := p.journal.Log(i)
		if log.Last() < log.First() {
			continue
		}
		f, err := log.Next(ctx, log.Last()-1)
		if err != nil {
			return fmt.Errorf("read the time of the journal: %w", err)
		}
		c.Advance(f.At.Sub(c.Now()))
	}
	return nil
}

func (p *platform) openStore(ctx context.Context) (err error) {
	p.store, err = store.Open(ctx, store.Options{Dir: p.o.Data, DSN: p.o.Store, Logger: p.log})
	if err != nil {
		return err
	}
	p.onClose("store", func(context.Context) error { return p.store.Close() })
	p.vault, err = vault.Open(ctx, vault.Options{
		Root: p.root, Store: p.store, Clock: p.clock, Brief: filepath.Join(p.o.Data, briefFile), Logger: p.log,
	})
	if err != nil {
		return err
	}
	return p.vault.Prepare(ctx, vault.ClassContent, "")
}

func (p *platform) openRules(ctx context.Context, draw io.Reader) (err error) {
	if p.codes, p.inbox, err = codeDriver(p.o, p.log); err != nil {
		return err
	}
	path := filepath.Join(p.o.Data, planFile)
	if p.plan, err = openPlan(p.o, p.root, path, draw); err != nil {
		return err
	}
	if p.rules.business, err = business.New(ctx, p.store, business.Options{
		Clock: p.clock, Rand: draw, IDKey: []byte(p.plan.Pepper), Courier: courierFor(p.codes, p.clock), Teller: teller{p}, People: p.isPerson,
		Log: p.log, Review: p.o.ReviewDelay, Manual: p.o.ManualReviews,
		Sealer: secretSealer{p.vault}, Region: p.o.Region, Paid: p.sentPaid,
	}); err != nil {
		return err
	}
	if p.rules.access, err = access.New(ctx, p.store, access.Options{
		Clock: p.clock, Sealer: secretSealer{p.vault}, Pepper: []byte(p.plan.Pepper), Rand: p.o.random("access"),
	}); err != nil {
		return err
	}
	if p.rules.template, err = template.New(ctx, p.store, template.Options{
		Clock: p.clock, Rand: draw, Log: p.log, ReviewAfter: p.o.settings.review(), Samples: samples{p}, Flows: templateFlows{p}, Sends: templateSends{p}, Limit: p.rules.business.TemplateLimit,
	}); err != nil {
		return err
	}
	if p.rules.groups, err = template.NewGroups(ctx, p.store, p.rules.template); err != nil {
		return err
	}
	if err = p.openFlows(ctx, draw); err != nil {
		return err
	}
	if err = p.openSubscriptions(ctx); err != nil {
		return err
	}
	if err := startResources(ctx, &p.rules, p.o, p.root, path, p.plan); err != nil {
		return err
	}
	return p.rules.access.Settle(ctx, api.Standing{Business: p.rules.business}) // a crash may have come before it
}

func (p *platform) openNetwork() {
	numbers := businesses{p.rules.business, p.base}
	p.mailbox = network.NewMailbox(network.MailboxConfig{Store: briefBoxes{p.store, p.vault, p.log}, Clock: p.clock, Businesses: numbers, Log: p.log})
	p.onClose("mailboxes", func(context.Context) error { p.mailbox.Close(); return nil })
	p.directory = network.NewDirectory(network.DirectoryConfig{
		Store: p.store.Directory(), Clock: p.clock, Wall: p.wall, Mailbox: p.mailbox, Log: p.log, Ensure: p.ensureUser,
	})
}

func (p *platform) openPipeline(ctx context.Context, draw io.Reader) error {
	logs := make([]pipeline.Log, p.journal.Partitions())
	for i := range logs {
		logs[i] = p.journal.Log(i)
	}
	var previews pipeline.Previewer
	if !p.o.NoPreviews {
		previews = preview.New(p.o.PreviewLoopback, p.clock)
	}
	p.pipeline = pipeline.New(pipeline.Options{
		Logs: logs, Store: p.store, Archive: p.store, Blocks: p.store, Keys: p.store, Numbers: p.rules.business, UserIDs: p.rules.business, Directory: directory{p.directory},
		Mailbox: mailbox{p.mailbox, p}, Vault: contentSealer{p.vault}, Previews: previews, Links: linker{p.links}, Arrivals: arrivals{p.media, p.base}, Applied: p.stored,
		Gate: gate{p.policy}, NoLedger: p.o.Billing == string(policy.BillingOff), Borders: p.policy, Templates: p.rules.template, Rates: p.policy, Ready: p.policy.Load, Throughput: p.o.settings.throughput(), Sync: p.o.sync(),
		Clock: p.clock, Pace: p.wall, Rand: rand.Reader, IDs: draw, Logger: p.log,
	})
	lanes := lanes{p.pipeline}
	p.hub = network.NewHub(network.Config{
		Directory: p.directory, Mailbox: p.mailbox, Lanes: lanes, Businesses: businesses{p.rules.business, p.base},
		Actions: feedback{p.pipeline}, Blobs: blobs{p.media}, Flows: flowDesk{p}, Grants: p.grants(),
		Clock: p.clock, Wire: p.wall, Log: p.log,
	})
	p.directory.OnChange(func(c network.Change) {
		again := c.Kind == network.DeviceReplaced || c.Kind == network.NumberChanged
		p.pipeline.UserChanged(c.User.WaID, again)
		if c.OldWaID != "" {
			p.pipeline.UserChanged(c.OldWaID, false)
		}
	})
	p.onClose("lanes", p.pipeline.Close)
	p.onClose("links", func(context.Context) error { p.links.Close(); return nil }) // lanes wait for them
	p.onClose("connections", p.hub.Shutdown)                                        // while the lanes still take what devices say last
	if err := p.pipeline.Start(ctx); err != nil {
		return fmt.Errorf("start lanes: %w", err)
	}
	p.board.lanes.Store(p.pipeline)
	p.policy.OnRelease(func(h policy.Held) { p.pipeline.Release(h.Template, h.Numbers) })
	return nil
}

// webhookTransport is where webhooks may go.
func (p *platform) webhookTransport() webhook.TransportOptions {
	if p.o.Sandbox || p.o.PrivateWebhooks {
		return webhook.TransportOptions{Allow: webhook.PrivatePrefixes()}
	}
	return webhook.TransportOptions{}
}

// openSubscriptions comes before the starter resources, one of which is a subscription.
func (p *platform) openSubscriptions(ctx context.Context) error {
	versions, err := p.o.settings.Versions.names()
	if err != nil {
		return err
	}
	p.rules.subs, err = webhook.NewService(ctx, webhook.ServiceOptions{
		Store: p.store, Safe: webhookSafe{p.vault}, Clock: p.clock, Transport: webhook.NewTransport(p.webhookTransport()),
		URLs: webhook.URLRules{AllowInsecure: p.o.PrivateWebhooks}, Version: GraphVersion, Versions: versions,
		Owner: func(id wa.AppID) wa.BusinessID {
			a, ok := p.rules.access.App(id)
			if !ok {
				return ""
			}
			return a.Business
		},
	})
	return err
}

func (p *platform) openWebhooks(ctx context.Context) (err error) {
	if err := api.Dismiss(ctx, p.rules.subs, p.rules.access); err != nil { // a crash may have come before it
		return err
	}
	logs := make([]webhook.Log, p.journal.Partitions())
	for i := range logs {
		logs[i] = p.journal.Log(i)
	}
	o := webhook.Options{
		Service: p.rules.subs, Logs: logs, Store: p.store, Safe: webhookSafe{p.vault}, Apps: newSecrets(p.rules.access),
		Numbers: digits{p.rules.business}, Users: p.rules.business, Notices: &p.board, Poster: webhook.NewSender(p.webhookTransport()), Clock: p.clock, Wall: p.wall, Log: p.log,
		Observer: p.observer, BatchMax: p.o.WebhookBatch, SaveEvery: saveCursors,
	}
	p.o.settings.webhooks(&o, p.o.errors.Href)
	p.webhooks, err = webhook.New(ctx, o)
	if err != nil {
		return err
	}
	p.onClose("webhooks", p.webhooks.Close)
	p.webhooks.Start()
	return nil
}

// startChores runs what happens by the clock: retention, and trimming of the journal behind its slowest reader.
func (p *platform) startChores(a *App) {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.chores.Go(func() {
		for p.clock.Sleep(ctx, choreEvery) == nil {
			p.retain(ctx)
		}
	})
	p.chores.Go(func() { p.forgetBriefs(ctx) })
	p.chores.Go(func() { p.housekeep(ctx) })
	p.chores.Go(func() { p.rules.template.Run(ctx, &p.board) })
	p.chores.Go(func() { p.rules.flow.Run(ctx, &p.board) })
	p.chores.Go(func() { p.tell(ctx) })
	p.chores.Go(func() { p.directory.Run(ctx, herald{p.pipeline}) })
	p.chores.Go(func() { p.policy.Run(ctx, numberNotices{&p.board}) })
	p.chores.Go(func() {
		select {
		case err := <-p.pipeline.Failed():
			a.fail(err)
		case <-ctx.Done():
		}
	})
	p.onClose("chores", func(context.Context) error {
		stop()
		p.chores.Wait()
		return nil
	})
}

// restTime is how many quiet minutes it takes until everything that a busy time needed has been given up: the lanes look
// twice at what they remember.
const restTime = 4

// housekeep runs every minute: the content key of the next hour is made before a lane needs it, the journal forgets what it
// kept for the projector and for webhooks once both have passed, and in quiet minutes after a busy time the memory goes back to the system, which the
// runtime by itself would keep for three times what lives.
func (p *platform) housekeep(ctx context.Context) {
	var before uint64
	quiet := 0
	for p.wall.Sleep(ctx, time.Minute) == nil {
		if err := p.vault.Prepare(ctx, vault.ClassContent, ""); err != nil && ctx.Err() == nil {
			p.log.Warn("make the next content key", "err", err)
		}
		for i := range p.journal.Partitions() {
			p.journal.Log(i).Forget(p.clock.Now().Add(-time.Minute), min(p.pipeline.Stored(i), p.webhooks.Head(i)))
		}
		c := p.pipeline.Counts()
		now := c.Accepted.Load() + c.Received.Load() + c.Delivered.Load() + c.Read.Load()
		if quiet++; now != before {
			quiet = 0
		}
		before = now
		if quiet < 1 || quiet > restTime {
			continue
		}
		if err := p.store.Shrink(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("give the page cache back", "err", err)
		}
		debug.FreeOSMemory()
	}
}

// close runs the cleanups in reverse; each gets its chance whatever happened before.
func (p *platform) close(ctx context.Context) (err error) {
	for _, c := range slices.Backward(p.cleanups) {
		if e := c.run(ctx); e != nil {
			err = errors.Join(err, fmt.Errorf("close %s: %w", c.name, e))
		}
	}
	p.cleanups = nil
	return err
}
