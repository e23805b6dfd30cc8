package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Build compiles the program into dir and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "hikyaku")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/hikyaku/hikyaku/cmd/hikyaku")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
}

// Port finds a free TCP port on loopback below the range from which outgoing connections take theirs, so that it is still
// free after a restart.
func Port(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	for range 100 {
		port := 15000 + rand.IntN(15000)
		l, err := lc.Listen(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port between 15000 and 30000")
}

// Place is where and how the program runs; the same for every start.
type Place struct {
	Program     string // path of the binary
	Data        string // data directory
	Public      int    // port of the Graph API and of devices
	Control     int    // operator port
	Args        []string
	Log         io.Writer // standard output and error
	Clock       clock.Clock
	HTTP        *http.Client
	ReadyWithin time.Duration // 0 means 20 s
	Limits      []string      // command and arguments in front of the program, such as prlimit
}

// URL is the address of the public port.
func (p *Place) URL() string { return "http://127.0.0.1:" + strconv.Itoa(p.Public) }

// ControlURL is the address of the operator port.
func (p *Place) ControlURL() string { return "http://127.0.0.1:" + strconv.Itoa(p.Control) }

// Process is a running program.
type Process struct {
	place *Place
	cmd   *exec.Cmd
	done  chan struct{}
	err   error // of Wait; after done
}

// Start starts the program and returns at once.
func (p *Place) Start() (*Process, error) {
	args := append([]string{
		p.Program, "serve", "--data", p.Data, "--listen", "127.0.0.1:" + strconv.Itoa(p.Public),
		"--control", "127.0.0.1:" + strconv.Itoa(p.Control),
	}, p.Args...)
	args = append(append([]string{}, p.Limits...), args...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = p.Log, p.Log
	// It must not outlive the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start program: %w", err)
	}
	c := &Process{place: p, cmd: cmd, done: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// ErrEnded reports a program that ended by itself.
var ErrEnded = errors.New("the program has ended")

// Ready waits until the program says that it is.
func (c *Process) Ready(ctx context.Context) error {
	within := c.place.ReadyWithin
	if within == 0 {
		within = 20 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.place.ControlURL()+"/readyz", nil)
		if err != nil {
			return err
		}
		if res, err := c.place.HTTP.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-c.done:
			return fmt.Errorf("%w before it was ready: %v", ErrEnded, c.err)
		default:
		}
		if err := c.place.Clock.Sleep(ctx, 2*time.Millisecond); err != nil {
			return fmt.Errorf("not ready within %v: %w", within, err)
		}
	}
}

// PID is the id of the process.
func (c *Process) PID() int { return c.cmd.Process.Pid }

// Done is closed when the process has ended.
func (c *Process) Done() <-chan struct{} { return c.done }

// Kill ends the process at once, as a power cut would end it, and waits for its end.
func (c *Process) Kill() {
	_ = c.cmd.Process.Kill() // it may have ended by itself
	<-c.done
}

// Terminate asks the process to stop and returns at once.
func (c *Process) Terminate() error { return c.cmd.Process.Signal(syscall.SIGTERM) }

// Stop asks the process to stop and waits for its end. The error tells of an exit code other than 0.
func (c *Process) Stop(ctx context.Context) error {
	if err := c.Terminate(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}
