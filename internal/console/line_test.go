package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// safeBuffer is written by the phone while the test reads.
type safeBuffer struct {
	mu    sync.Mutex
	b     bytes.Buffer
	until []string      // seen is closed once all of these were written; empty: at once
	seen  chan struct{} // nil: nobody waits
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Write(p)
	b.check()
	return len(p), nil
}

// check needs mu.
func (b *safeBuffer) check() {
	missing := func(s string) bool { return !strings.Contains(b.b.String(), s) }
	if b.seen != nil && !slices.ContainsFunc(b.until, missing) {
		close(b.seen)
		b.seen = nil
	}
}

// held is an input that ends after its text, but not before something was written.
type held struct {
	io.Reader
	ctx  context.Context
	seen <-chan struct{}
}

func (h held) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if err == io.EOF {
		select {
		case <-h.seen:
		case <-h.ctx.Done():
		}
	}
	return n, err
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// pipe runs a phone in lines until it ends. The input ends after everything in until was printed.
func pipe(t *testing.T, s *server, o Options, input string, until ...string) (out, notes string, err error) {
	t.Helper()
	seen := make(chan struct{})
	var both safeBuffer
	both.until, both.seen = until, seen
	both.check()
	var a, b safeBuffer
	o.Server, o.Phone, o.Zone, o.HTTP = s.URL, "+1 (650) 555-5555", time.UTC, &http.Client{Timeout: 10 * time.Second}
	o.In = held{strings.NewReader(input), t.Context(), seen}
	o.Out, o.Err = io.MultiWriter(&a, &both), io.MultiWriter(&b, &both)
	if o.Control == "" {
		o.Control = s.URL
	}
	if o.State == "" {
		o.State = filepath.Join(t.TempDir(), "chat", "phone.state")
	}
	err = Run(t.Context(), o)
	return a.String(), b.String(), err
}

func TestLines(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	state := filepath.Join(t.TempDir(), "phone.state")
	out, notes, err := pipe(t, s, Options{State: state, To: market, Name: "Aiko"}, "hello\n\n  two words \n",
		"12:00 > hello\n", "12:00 < echo hello\n", "12:00 = hello\n", "12:00 > two words\n", "12:00 < echo two words\n")
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, notes)
	}
	if !strings.Contains(notes, "482913") || !strings.Contains(notes, "Connected as +1 650 555 5555.") {
		t.Errorf("notes: %s", notes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name != "Aiko" || !slices.Equal(s.texts, []string{"hello", "two words"}) {
		t.Errorf("the platform knows %q, has %q", s.name, s.texts)
	}
}

// What a business says of itself is shown to people.
func TestLinesInfo(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	_, notes, err := pipe(t, s, Options{To: market}, "/info\n", "websites: ")
	if err != nil {
		t.Fatal(err, notes)
	}
	const want = "Jasper's Market (verified)  +1 555 078 3881\nabout: Fruit and more\ne-mail: desk@market.example\nwebsites: https://a.example https://b.example\n"
	if !strings.Contains(notes, want) {
		t.Errorf("got %q, want %q", notes, want)
	}
}

// The same device returns, and finds the only chat by itself.
func TestLinesReturn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	state := filepath.Join(t.TempDir(), "phone.state")
	if _, _, err := pipe(t, s, Options{State: state, To: market}, "first\n", "12:00 < echo first\n"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file: %v %v", info.Mode(), err)
	}
	out, notes, err := pipe(t, s, Options{State: state}, "third\n", "12:00 > third\n")
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.made != 1 {
		t.Errorf("again: %v, %d registrations\n%s%s", err, s.made, out, notes)
	}
	// What was printed is read; a report that was lost with a connection is repeated on the next one.
	if !slices.Contains(s.read, "wamid.in1") {
		t.Errorf("read: %q", s.read)
	}
}

// Without a grace to receive, everything sent is answered all the same before the end.
func TestLinesEndWhenAcknowledged(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	out, notes, err := pipe(t, s, Options{To: market}, strings.Repeat("x\n", 30))
	if err != nil || strings.Count(out, "> x\n") != 30 {
		t.Errorf("%v\n%s%s", err, out, notes)
	}
}

func TestLinesRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.refuse = frame.ErrBlocked
	out, _, err := pipe(t, s, Options{To: market}, "hello\n")
	if err == nil || err.Error() != "1 of 1 messages were refused" || !strings.Contains(out, "! the business blocked you: hello\n") {
		t.Errorf("%v\n%s", err, out)
	}
	out, _, err = pipe(t, s, Options{To: rail}, "hello\n")
	if err == nil || !strings.Contains(out, "! no such number: hello\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A business that the person blocked is not written to; the input goes on. Source: spec/quality.md section 9, QC5.
func TestLinesToABlockedBusiness(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	out, notes, err := pipe(t, s, Options{To: market}, "/block\nhello\n/unblock\nagain\n", "> again")
	if err == nil || err.Error() != "1 of 2 messages were refused" || strings.Contains(out, "hello") {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(notes, "Not sent: you blocked this business, /unblock it first.\n") {
		t.Errorf("notes\n%s", notes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.texts, []string{"again"}) {
		t.Errorf("the business got %q", s.texts)
	}
}

func TestLinesWithoutAChat(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	if _, _, err := pipe(t, s, Options{}, "hello\n"); err == nil || !strings.Contains(err.Error(), "--to") {
		t.Errorf("err %v", err)
	}
	out, _, err := pipe(t, s, Options{Suggest: "+1 555-078-3881"}, "hello\n")
	if err != nil || !strings.Contains(out, "> hello\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A device that the platform removed registers again and says so.
func TestRemovedDeviceRegistersAgain(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(s *server){
		"no device":      func(s *server) { s.known = false },
		"another device": func(s *server) { s.other = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			state := filepath.Join(t.TempDir(), "phone.state")
			if _, _, err := pipe(t, s, Options{State: state, To: market}, ""); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			remove(s)
			s.mu.Unlock()
			out, notes, err := pipe(t, s, Options{State: state, To: market}, "kept\n", "again", "Connected", "> kept")
			if err != nil || s.made != 2 || !strings.Contains(notes, "registering +1 650 555 5555 again") {
				t.Errorf("%v, %d registrations\n%s%s", err, s.made, out, notes)
			}
		})
	}
}

func TestStateIsLocked(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	state := filepath.Join(t.TempDir(), "phone.state")
	in, feed := io.Pipe()
	var notes safeBuffer
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	connected := make(chan struct{})
	go func() {
		done <- Run(ctx, Options{
			Server: s.URL, Control: s.URL, Phone: me, State: state, HTTP: http.DefaultClient, In: in, Out: io.Discard,
			Err: io.MultiWriter(&notes, waiter{"Connected", connected}),
		})
	}()
	<-connected
	if _, _, err := pipe(t, s, Options{State: state}, ""); err == nil || !strings.Contains(err.Error(), "another window") {
		t.Errorf("err %v", err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v\n%s", err, notes.String())
	}
	feed.Close()
}

// waiter closes a channel when a word is written.
type waiter struct {
	word string
	seen chan struct{}
}

func (w waiter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.word) {
		close(w.seen)
	}
	return len(p), nil
}
