package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// PlatformOptions say what to measure. Zero values take the defaults named.
type PlatformOptions struct {
	MPS         float64       // messages per second; 0 searches for the maximum
	Reply       float64       // share of messages that users answer, 0 to 1
	Duration    time.Duration // of the load; 0 means 60 s
	Users       int           // virtual users; 0 means 10,000
	Numbers     int           // business numbers; 0 means 1, or 16 for the maximum
	Batch       int           // most updates in a webhook; 0 means 1. Of a platform that runs already it is only reported
	Connections int           // 0 means one per 10 messages/s, from 16 to 256
	VerifyEvery int           // the signature of every so-manieth POST is checked; 0 means 16
	Drain       time.Duration // how long to wait for what is still on its way after the load; 0 means 30 s
	Baseline    bool          // measure the bare machine first
	Media       string        // MediaID or MediaLink: the same picture in every message; empty for texts

	Target  Target // of a platform that runs already; empty starts one
	Program string // the program that starts one: this one
	Dir     string // its data directory; empty takes a temporary one
	Keep    bool   // leave a temporary data directory behind
	Profile string // file for a processor profile of the platform during the load; empty for none

	Clock    clock.Clock
	Progress *Progress
}

const (
	defaultUsers   = 10_000
	defaultNumbers = 16
	highMPS        = 1_000_000 // level of the numbers when the maximum is searched
	maxTalks       = 30_000    // conversations then, unless there are more users: enough for 4,000 messages/s
	warmWorkers    = 32
	leadTime       = 200 * time.Millisecond // from the start of the workers, which connect, to the first message
)

func (o *PlatformOptions) defaults() error {
	if o.MPS < 0 || o.Reply < 0 || o.Reply > 1 || o.Users < 0 || o.Numbers < 0 || o.Duration < 0 {
		return errors.New("mps, users, numbers and duration must not be negative, and reply must be from 0 to 1")
	}
	if o.Media != "" && o.Media != MediaID && o.Media != MediaLink {
		return errors.New("media must be id or link")
	}
	set := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&o.Users, defaultUsers)
	set(&o.Batch, 1)
	set(&o.VerifyEvery, 16)
	if o.MPS == 0 {
		set(&o.Numbers, defaultNumbers)
		set(&o.Connections, mostWorkers)
	}
	set(&o.Numbers, 1)
	set(&o.Connections, min(max(int(o.MPS/10), 16), mostWorkers))
	if o.Duration == 0 {
		o.Duration = time.Minute
	}
	if o.Drain == 0 {
		o.Drain = 30 * time.Second
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	return nil
}

// run is one measurement of a platform.
type run struct {
	o        PlatformOptions
	op       operator
	child    *child // nil for a platform that runs already
	receiver *Receiver
	origin   *origin // of media by link; else nil
	load     *load
	tokens   *tokens // of a closed loop
	report   *PlatformReport
	before   struct{ posts, checked int64 } // of the receiver, when the load began
}

// Platform measures a platform end to end: sends, webhooks of every status, answers of users. Errors say that nothing could
// be measured; a platform that is too slow or loses something is a report with a verdict.
func Platform(ctx context.Context, o PlatformOptions) (rep *PlatformReport, err error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	defer o.Progress.Close()
	r := &run{o: o, report: newReport(&o)}
	if o.Baseline {
		o.Progress.Say("measuring the bare machine: a plain HTTP handler, a signed sender")
		b, err := MeasureBaseline(ctx, o.Clock)
		if err != nil {
			return nil, err
		}
		r.report.Baseline = &b
	}
	if o.Target != (Target{}) {
		r.op.t = o.Target
		return r.measure(ctx)
	}
	return r.withChild(ctx)
}

// withChild starts a platform, measures it and stops it.
func (r *run) withChild(ctx context.Context) (rep *PlatformReport, err error) {
	dir := r.o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "hikyaku-bench-"); err != nil {
			return nil, fmt.Errorf("make a data directory: %w", err)
		}
		if r.o.Keep {
			r.o.Progress.Say("data directory: %s", dir)
		} else {
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		}
	}
	r.o.Progress.Say("starting the platform")
	r.child, err = startChild(ctx, r.o.Program, dir, "--webhook-batch", strconv.Itoa(r.o.Batch))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.child.stop()) }()
	ctx, cancel := r.child.alive(ctx)
	defer cancel()
	env, err := readEnv(ctx, r.o.Program, dir)
	if err != nil {
		return nil, err
	}
	r.op.t = TargetOf(env)
	return r.measure(ctx)
}

func (r *run) measure(ctx context.Context) (*PlatformReport, error) {
	if err := r.op.t.check(); err != nil {
		return nil, err
	}
	r.op.c = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	defer r.op.c.CloseIdleConnections()
	t := &r.op.t
	var err error
	if r.receiver, err = NewReceiver(ctx, r.o.Clock, t.AppSecret, t.VerifyToken, r.o.VerifyEvery); err != nil {
		return nil, err
	}
	defer r.receiver.Close()
	defer func() {
		if r.origin != nil {
			_ = r.origin.srv.Close() // nothing is lost
		}
	}()
	if err := r.op.subscribe(ctx, r.receiver.URL()); err != nil {
		return nil, err
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	if err := r.loaded(ctx); err != nil {
		return nil, err
	}
	return r.report, nil
}

// prepare makes numbers, users and conversations, and lets every user write first.
func (r *run) prepare(ctx context.Context) error {
	addr, err := host(r.op.t.BaseURL)
	if err != nil {
		return err
	}
	// A number may send what is asked, receive the answers, and has half as much to spare for messages that leave a little
	// late and therefore close to the next.
	level, conversations := highMPS, needed(r.o.MPS)
	if r.o.MPS > 0 {
		level = max(1000, int(r.o.MPS/float64(r.o.Numbers)*(1+r.o.Reply)*1.5))
	} else {
		conversations = max(r.o.Users, min(r.o.Users*r.o.Numbers, maxTalks))
	}
	lines, err := r.op.lines(ctx, r.o.Numbers, level)
	if err != nil {
		return err
	}
	r.report.Level = level
	users, err := r.op.createUsers(ctx, r.o.Users, r.o.Reply, func(n int) {
		r.o.Progress.Tick("users: %s of %s", thousands(int64(n)), thousands(int64(r.o.Users)))
	})
	if err != nil {
		return err
	}
	senders := make([]*sender, len(lines))
	text, err := r.content(ctx)
	if err != nil {
		return err
	}
	for i, l := range lines {
		senders[i] = newSender(&r.op.t, l, text)
	}
	now := r.o.Clock.Now()
	roster, err := newRoster(now, senders, users, conversations)
	if err != nil {
		return err
	}
	r.report.Conversations = len(roster.all)
	r.load = &load{clock: r.o.Clock, roster: roster, addr: addr, accept: NewLatencies(), late: NewLatencies()}
	return r.warm(ctx)
}

// begin makes a new ledger for what comes now.
func (r *run) begin(complete func()) {
	r.load.ledger = NewLedger(r.o.Clock.Now(), complete)
	r.receiver.Count(r.load.ledger)
}

// loaded generates the load and fills in the report.
func (r *run) loaded(ctx context.Context) error {
	before, err := r.op.received(ctx)
	if err != nil {
		return err
	}
	if r.o.MPS == 0 {
		r.tokens = newTokens(mostWindow)
		r.begin(r.tokens.complete)
	} else {
		r.begin(nil)
	}
	r.before.posts, r.before.checked = r.receiver.posts.Load(), r.receiver.checked.Load()
	if r.o.MPS == 0 {
		err = r.maximum(ctx)
	} else {
		err = r.fixed(ctx)
	}
	if err != nil {
		return err
	}
	end, err := r.drain(ctx, before)
	if err == nil {
		err = r.receiver.settle(ctx)
	}
	if err != nil {
		return err
	}
	r.finish(end - before)
	return r.memory(ctx)
}

// fixed sends at the rate that was asked for.
func (r *run) fixed(ctx context.Context) error {
	total := int64(r.o.MPS*r.o.Duration.Seconds() + 0.5)
	begin := r.o.Clock.Now().Add(leadTime)
	pace := NewPace(r.o.Clock, begin, r.o.MPS, total)
	// A platform that stands still must not hold the run up for ever.
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Duration+r.o.Drain, errStuck)
	defer cancel()
	watch := r.watch(ctx, begin)
	stop := r.profile(ctx)
	r.load.openLoop(ctx, pace, r.o.Connections)
	wall := r.o.Clock.Now().Sub(begin)
	watch(wall)
	if err := stop(); err != nil {
		return err
	}
	r.report.Seconds, r.report.Asked = wall.Seconds(), total
	r.report.Rate = float64(r.load.ledger.accepted.Load()) / max(wall, r.o.Duration).Seconds()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, errStuck) {
		return err
	}
	return nil
}

var errStuck = errors.New("no answer by the end of the run")

// maximum searches for the rate at which the platform carries every message to its last status.
func (r *run) maximum(ctx context.Context) error {
	enough, cancel := context.WithCancel(ctx)
	defer cancel()
	// A platform that stands still must not hold the run up for ever.
	sending, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.load.closedLoop(sending, enough, r.tokens, r.o.Connections)
	}()
	err := r.sustained(ctx)
	cancel()
	patience, done := context.WithTimeout(ctx, r.o.Drain)
	defer done()
	defer context.AfterFunc(patience, func() { abort(errStuck) })()
	<-ended
	return err
}

func (r *run) sustained(ctx context.Context) error {
	steps, best, err := r.load.climb(ctx, r.tokens, func(s string) { r.o.Progress.Say("%s", s) })
	if err != nil {
		return err
	}
	r.report.Steps, r.report.Window = steps, best
	if best == 0 {
		return errors.New("no message got all its statuses")
	}
	r.tokens.resize(ctx, best)
	if err := r.o.Clock.Sleep(ctx, settleTime); err != nil {
		return context.Cause(ctx)
	}
	r.load.accept.Reset()
	r.load.late.Reset()
	r.load.ledger.forgetLatencies()
	begin, accepted := r.o.Clock.Now(), r.load.ledger.accepted.Load()
	watch := r.watch(ctx, begin)
	stop := r.profile(ctx)
	r.report.Rate, err = r.load.rate(ctx, r.tokens, 0, r.o.Duration)
	wall := r.o.Clock.Now().Sub(begin)
	watch(wall)
	if err != nil {
		return context.Cause(ctx)
	}
	r.report.Seconds, r.report.Asked = wall.Seconds(), r.load.ledger.accepted.Load()-accepted
	return stop()
}

// drain waits until every message has all its statuses and the answers of users are in, as far as they come. It returns
// the platform's count of messages of users.
func (r *run) drain(ctx context.Context, before int64) (received int64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Drain, errStuck)
	defer cancel()
	r.o.Progress.Tick("waiting for what is on its way: %s", thousands(r.load.ledger.Open()))
	begin := r.o.Clock.Now()
	idle := r.op.idle(ctx, r.o.Drain)
	for idle == nil {
		n, err := r.op.received(ctx)
		if errors.Is(context.Cause(ctx), errStuck) {
			break // time is over, perhaps in the middle of that call
		}
		if err != nil {
			return 0, err
		}
		received = n
		if r.load.ledger.Open() <= 0 && r.load.ledger.inbound.Load() >= received-before {
			break
		}
		if r.o.Clock.Sleep(ctx, 50*time.Millisecond) != nil {
			break
		}
	}
	r.report.DrainSeconds = r.o.Clock.Now().Sub(begin).Seconds()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errStuck) {
		return 0, cause
	}
	if idle != nil || received == 0 {
		// Still busy: what is missing will be in the tally.
		return r.op.received(context.WithoutCancel(ctx))
	}
	return received, nil
}

// profile starts a processor profile of the platform, if one is wanted. The function returned waits for it.
func (r *run) profile(ctx context.Context) (wait func() error) {
	if r.o.Profile == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() { done <- r.fetchProfile(ctx) }()
	return func() error { return <-done }
}

func (r *run) fetchProfile(ctx context.Context) (err error) {
	seconds := max(1, int(r.o.Duration.Seconds()))
	address := r.op.t.ControlURL + "/debug/pprof/profile?seconds=" + strconv.Itoa(seconds)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	res, err := r.op.c.Do(req)
	if err != nil {
		return fmt.Errorf("profile the platform: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	f, err := os.Create(r.o.Profile)
	if err != nil {
		return fmt.Errorf("profile the platform: %w", err)
	}
	_, err = io.Copy(f, res.Body)
	return errors.Join(err, f.Close())
}
