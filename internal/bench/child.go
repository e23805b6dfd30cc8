package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const (
	readyText  = "is ready"
	readyTime  = 30 * time.Second
	stopTime   = 40 * time.Second // the platform itself takes at most 30 s
	tailBytes  = 16 << 10
	tailLines  = 30
	listenFree = "127.0.0.1:0"
)

// child is a platform in a process of its own.
type child struct {
	cmd  *exec.Cmd
	dir  string
	log  *tail
	dead chan struct{} // closed when the process has ended
	err  error         // why; read after dead is closed
}

// startChild runs `program serve --sandbox` on free ports with its data in dir, and waits until it is ready.
func startChild(ctx context.Context, program, dir string, args ...string) (*child, error) {
	args = append([]string{"serve", "--sandbox", "--data", dir, "--listen", listenFree, "--control", listenFree, "--log-level", "warn"}, args...)
	// Not CommandContext: the platform is asked to stop, so that a kept data directory is whole.
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // the program is this one; see above
	c := &child{cmd: cmd, dir: dir, log: newTail(readyText), dead: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = c.log, c.log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the platform: %w", err)
	}
	go func() {
		c.err = cmd.Wait()
		close(c.dead)
	}()
	wait, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	select {
	case <-c.log.found:
		return c, nil
	case <-c.dead:
		return nil, c.death()
	case <-wait.Done():
		err := context.Cause(wait)
		if ctx.Err() == nil {
			err = fmt.Errorf("the platform is not ready after %s; its log ends with:\n%s", readyTime, c.log)
		}
		return nil, errors.Join(err, c.stop())
	}
}

// death says how a platform ended that nobody asked to.
func (c *child) death() error {
	how := "without an error"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("the platform ended (%s); its log ends with:\n%s", how, c.log)
}

// alive is a context that ends when the platform does, with [child.death] as its cause.
func (c *child) alive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-c.dead:
			cancel(c.death())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// stop asks the platform to stop, and kills it when it does not.
func (c *child) stop() error {
	select {
	case <-c.dead:
		return nil
	default:
	}
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		_ = c.cmd.Process.Kill()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	select {
	case <-c.dead:
	case <-ctx.Done():
		_ = c.cmd.Process.Kill()
		<-c.dead
		return fmt.Errorf("the platform did not stop within %s and was killed", stopTime)
	}
	if c.err != nil {
		return fmt.Errorf("the platform stopped badly: %w; its log ends with:\n%s", c.err, c.log)
	}
	return nil
}

// readEnv runs `program env --json` for the variables of a data directory.
func readEnv(ctx context.Context, program, dir string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, program, "env", "--json", "--data", dir) //nolint:gosec // the program is this one
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("read the platform's variables: %w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return nil, fmt.Errorf("read the platform's variables: %w", err)
	}
	env := map[string]string{}
	if err := json.Unmarshal(out, &env); err != nil {
		return nil, fmt.Errorf("read the platform's variables: %w", err)
	}
	return env, nil
}

// tail keeps the end of a log and watches for a text in it.
type tail struct {
	want  []byte
	found chan struct{}

	mu   sync.Mutex
	b    []byte
	done bool
}

func newTail(want string) *tail { return &tail{want: []byte(want), found: make(chan struct{})} }

var _ io.Writer = (*tail)(nil)

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if !t.done && bytes.Contains(t.b, t.want) {
		t.done = true
		close(t.found)
	}
	if len(t.b) > 2*tailBytes {
		t.b = append(t.b[:0], t.b[len(t.b)-tailBytes:]...)
	}
	return len(b), nil
}

// String is the last lines.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.b)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-tailLines):], "\n  ")
}
