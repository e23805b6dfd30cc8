//go:build load && linux

package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/test/child"
)

// program is the binary, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hikyaku-load-*")
	if err == nil {
		defer os.RemoveAll(dir)
		program, err = child.Build(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// newPlace prepares a sandbox with declared resources in a directory of its own. log collects what it says.
func newPlace(t *testing.T, data string) (p *child.Place, start child.Starter, log string) {
	t.Helper()
	start = child.Declared()
	config := filepath.Join(t.TempDir(), "config.yaml")
	err := os.WriteFile(config, []byte(start.YAML()), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	log = filepath.Join(t.TempDir(), "platform.log")
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	p = &child.Place{
		Program: program, Data: data, Args: []string{"--sandbox", "--config", config}, Log: f, Clock: clock.System(),
		HTTP: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 128}},
	}
	for _, port := range []*int{&p.Public, &p.Control} {
		if *port, err = child.Port(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return p, start, log
}

// launch starts and waits until the program is ready.
func launch(t *testing.T, p *child.Place, log string) *child.Process {
	t.Helper()
	c, err := p.Start()
	if err == nil {
		err = c.Ready(t.Context())
	}
	if err != nil {
		b, _ := os.ReadFile(log)
		t.Fatalf("%v\n%s", err, b[max(0, len(b)-4000):])
	}
	t.Cleanup(c.Kill)
	return c
}

// rss is the resident memory of a process in MB.
func rss(t *testing.T, pid int) float64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return float64(kb) / 1024
}

// ticksPerSecond is the unit of /proc/…/stat on every Linux.
const ticksPerSecond = 100

// cpu is the processor time that a process has used.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b, []byte(") "))
	f := strings.Fields(string(rest))
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// TestIdle measures what the program needs while nothing happens.
func TestIdle(t *testing.T) {
	p, _, log := newPlace(t, t.TempDir())
	c := launch(t, p, log)
	time.Sleep(5 * time.Second)
	const span = 20 * time.Second
	before := cpu(t, c.PID())
	time.Sleep(span)
	share, memory := 100*float64(cpu(t, c.PID())-before)/float64(span), rss(t, c.PID())
	t.Logf("idle: %.0f MB, %.2f %% of a processor", memory, share)
	if memory > 90 || share > 1 {
		t.Error("goals: 90 MB and 1 %")
	}
}
