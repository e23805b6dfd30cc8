package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
)

// App is a running platform with its listeners.
type App struct {
	o       Options
	dir     *dataDir
	clock   clock.Clock       // platform time
	control *clock.Controlled // the same when it can be set; nil otherwise
	wall    clock.Clock
	metrics *metrics

	mu          sync.Mutex // held while the platform is replaced
	platform    atomic.Pointer[platform]
	ready       atomic.Bool
	defaultData bool // --data was not given
	failed      chan error

	public, operator         *http.Server
	publicAddr, operatorAddr net.Addr
	serving                  sync.WaitGroup
}

// New makes an App that does nothing until Start.
func New(o Options) *App {
	defaultData := o.Data == ""
	o.defaults()
	a := &App{o: o, defaultData: defaultData, wall: clock.System(), failed: make(chan error, 1), metrics: newMetrics()}
	switch {
	case o.Clock != nil:
		a.clock, a.control = o.Clock, o.Clock
	case o.Sandbox && !o.FrozenAt.IsZero():
		a.control = clock.NewControlled(o.FrozenAt, 0)
		a.clock = a.control
	case o.Sandbox:
		a.control = clock.NewControlled(a.wall.Now(), 1)
		a.clock = a.control
	default:
		a.clock = a.wall
	}
	a.watchPlatform()
	return a
}

// Start opens the data directory and the ports. When it returns nil, everything answers. Errors are for people.
func (a *App) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fullDisk(err, a.o.Data), a.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := settle(&a.o); err != nil {
		return err
	}
	if err := check(&a.o); err != nil {
		return err
	}
	publicListener, err := listen(ctx, "--listen", a.o.Listen)
	if err != nil {
		return err
	}
	defer closeUnlessServing(&err, publicListener)
	operatorListener, err := listen(ctx, "--control", a.o.Control)
	if err != nil {
		return err
	}
	defer closeUnlessServing(&err, operatorListener)
	a.publicAddr, a.operatorAddr = publicListener.Addr(), operatorListener.Addr()
	// Before the directory: a start that fails for its options leaves nothing behind.
	secure, err := tlsConfig(&a.o, filepath.Join(a.o.Data, "acme"), a.wall.Now())
	if err != nil {
		return err
	}
	if a.dir, err = openDir(a.o.Data, partitions); err != nil {
		return err
	}
	a.o.Data = a.dir.path
	root, err := openRoot(ctx, &a.o)
	if err != nil {
		return err
	}
	p, err := openPlatform(ctx, a, root)
	if err != nil {
		return err
	}
	a.platform.Store(p)
	if err := a.publish(p); err != nil {
		return err
	}
	if err := a.serve(publicListener, operatorListener, secure); err != nil {
		return err
	}
	a.ready.Store(true)
	return nil
}

// fullDisk says what to do about an error that a full disk caused.
func fullDisk(err error, dir string) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, journal.ErrFull) || strings.Contains(err.Error(), "disk is full") { // SQLite says it in words only
		return fmt.Errorf("there is no room on the disk of %s; make some and start again: %w", dir, err)
	}
	return err
}

func closeUnlessServing(err *error, l net.Listener) {
	if *err != nil {
		_ = l.Close()
	}
}

// publish writes where the platform can be reached next to its starter variables.
func (a *App) publish(p *platform) error {
	p.plan.BaseURL, p.plan.ControlURL, p.plan.Sandbox = a.PublicURL(), a.ControlURL(), a.o.Sandbox
	return savePlan(p.root, filepath.Join(a.o.Data, planFile), p.plan)
}

const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

func (a *App) serve(publicListener, operatorListener net.Listener, secure *tls.Config) error {
	if err := a.publishCertificate(secure); err != nil {
		return err
	}
	logger := slog.NewLogLogger(a.o.Logger.Handler(), slog.LevelDebug)
	a.public = &http.Server{
		Handler: a.front(), TLSConfig: secure, ErrorLog: logger, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
	}
	mux := a.operatorMux()
	if a.o.Sandbox {
		a.controlRoutes(mux)
		liveRoutes(mux)
	}
	a.operator = &http.Server{Handler: sameOrigin(mux, a.o.names()), ErrorLog: logger, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout}
	a.serving.Go(func() {
		if secure != nil {
			a.served(a.public.ServeTLS(publicListener, "", ""))
		} else {
			a.served(a.public.Serve(publicListener))
		}
	})
	a.serving.Go(func() { a.served(a.operator.Serve(operatorListener)) })
	return nil
}

func (a *App) served(err error) {
	if !errors.Is(err, http.ErrServerClosed) {
		a.fail(err)
	}
}

// fail reports the first reason why the platform cannot go on.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// Failed tells why the platform cannot go on. Stop it then; starting again is the recovery.
func (a *App) Failed() <-chan error { return a.failed }

// front is what the public port answers with.
func (a *App) front() http.Handler {
	if a.o.BehindProxy {
		return forwarded(http.HandlerFunc(a.servePublic))
	}
	return http.HandlerFunc(a.servePublic)
}

func (a *App) servePublic(w http.ResponseWriter, r *http.Request) {
	p := a.platform.Load()
	if p == nil || !a.ready.Load() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
		return
	}
	if long(r) {
		patient(w, r, a.wall, bodyTimeout)
	}
	if large(r) {
		answer, end := watched(w, a.wall, readTimeout)
		defer end()
		w = answer
	}
	p.public.ServeHTTP(w, r)
}

// stopTime bounds an orderly stop; what is not finished then is found again on the next start.
const stopTime = 30 * time.Second

// Stop finishes what was accepted, writes everything and closes the ports.
func (a *App) Stop(ctx context.Context) (err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	a.ready.Store(false)
	if a.public != nil {
		// Requests under way get their answers; sockets are told to come back by the hub.
		err = errors.Join(err, a.shutdown(ctx, a.public))
	}
	if p := a.platform.Swap(nil); p != nil {
		err = errors.Join(err, p.close(ctx))
	}
	if a.operator != nil {
		err = errors.Join(err, a.operator.Close())
	}
	a.serving.Wait()
	if a.dir != nil {
		err = errors.Join(err, a.dir.close())
		a.dir = nil
	}
	return err
}

// requestTime is how long a stop waits for requests; hijacked connections do not count.
const requestTime = 5 * time.Second

func (a *App) shutdown(ctx context.Context, s *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		return s.Close()
	}
	return nil
}

// Run is Start, wait, Stop: until ctx ends or the platform fails.
func Run(ctx context.Context, o Options) error {
	a := New(o)
	if err := a.Start(ctx); err != nil {
		return err
	}
	a.banner(a.o.Out)
	var err error
	select {
	case <-ctx.Done():
	case err = <-a.failed:
		a.o.Logger.Error("the platform stops", "err", err)
	}
	a.o.Logger.Info("stopping")
	if stopped := a.Stop(context.WithoutCancel(ctx)); stopped != nil {
		return errors.Join(err, stopped)
	}
	a.o.Logger.Info("stopped")
	return err
}

// PublicURL is how clients reach the public port.
func (a *App) PublicURL() string {
	if a.o.PublicURL != "" {
		return a.o.PublicURL
	}
	scheme := "http"
	if a.o.secure() {
		scheme = "https"
	}
	return scheme + "://" + reachable(a.publicAddr)
}

// Addr is where the public port listens, whatever clients call it.
func (a *App) Addr() net.Addr { return a.publicAddr }

// ControlURL is the operator port.
func (a *App) ControlURL() string { return "http://" + reachable(a.operatorAddr) }

// Plan is what `hikyaku env` prints.
func (a *App) Plan() *Plan { return a.platform.Load().plan }

// reachable turns a wildcard address into one that can be connected to.
func reachable(addr net.Addr) string {
	t, ok := addr.(*net.TCPAddr)
	if !ok {
		return addr.String()
	}
	if t.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", t.Port)
	}
	return t.String()
}

// draws returns the source of ids: seeded when the options say so, so that runs repeat. Keys and tokens never come from it.
func (o *Options) draws(purpose string) io.Reader {
	if o.Seed == 0 || o.Rand != nil {
		return o.random(purpose)
	}
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("%016x/%s", o.Seed, purpose))
	return &lockedReader{r: mrand.NewChaCha8(seed)}
}

// random returns the source of everything else that clients see and nobody must guess.
func (o *Options) random(purpose string) io.Reader {
	if o.Rand == nil {
		return rand.Reader
	}
	return &lockedReader{r: o.Rand(purpose)}
}

// traces is the source of trace ids; nil is the fast one, which needs no lock.
func (o *Options) traces() io.Reader {
	if o.Rand == nil {
		return nil
	}
	return o.random("traces")
}

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}
