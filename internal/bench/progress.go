package bench

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Progress tells a person how far a run is. The zero value says nothing.
type Progress struct {
	W        io.Writer
	Terminal bool // the line of now is written over the one before

	mu   sync.Mutex
	open bool // a line that can be written over stands there
}

// Say writes a line that stays.
func (p *Progress) Say(format string, args ...any) {
	if p != nil {
		p.write(fmt.Sprintf(format, args...), true)
	}
}

// Tick writes a line that the next one replaces on a terminal.
func (p *Progress) Tick(format string, args ...any) {
	if p != nil {
		p.write(fmt.Sprintf(format, args...), !p.Terminal)
	}
}

func (p *Progress) write(text string, stays bool) {
	if p.W == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	begin, end := "", "\n"
	if p.open {
		begin = "\r\x1b[K"
	}
	if !stays {
		end = ""
	}
	// Who reads along may go away; the run goes on.
	_, _ = io.WriteString(p.W, begin+text+end)
	p.open = !stays
}

// Close ends a line that was to be replaced.
func (p *Progress) Close() {
	if p == nil || p.W == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		_, _ = io.WriteString(p.W, "\r\x1b[K")
		p.open = false
	}
}

// every calls tell each second until stop is called, unless nobody reads.
func (p *Progress) every(ctx context.Context, c clock.Clock, tell func()) (stop func()) {
	if p == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for c.Sleep(ctx, time.Second) == nil {
			tell()
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}
