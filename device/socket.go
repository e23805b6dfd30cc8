package device

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// Reasons for which the device ends a connection.
var (
	errSilence = errors.New("the server is silent")
	errSlow    = errors.New("the server did not greet in time")
	errDone    = errors.New("asked to stop")
)

// socket is one connection of a link. Its goroutines end with ctx, which any of them may end.
type socket struct {
	l    *Link
	conn *websocket.Conn
	end  context.CancelCauseFunc

	after time.Duration // of Bye; belongs to the reader
}

// connect makes one connection and runs it to its end.
func (l *Link) connect(outer context.Context) ending {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(errDone)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer cancel(errDone)
	s := &socket{l: l, end: cancel}
	l.mu.Lock()
	gone := l.d.Gone()
	l.end = cancel
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.end = nil
		l.mu.Unlock()
	}()
	if gone {
		return ending{err: ErrGone, final: true}
	}
	l.alive()
	helpers.Go(func() { s.greetInTime(ctx) })
	conn, err := s.dial(ctx)
	if err != nil {
		return l.judge(because(ctx, fmt.Errorf("connect: %w", err)))
	}
	s.conn = conn
	conn.SetReadLimit(frame.MaxFrame + 1)
	helpers.Go(func() { s.write(ctx) })
	helpers.Go(func() { s.tick(ctx) })
	helpers.Go(func() { s.watch(ctx) })
	err = because(ctx, s.read(ctx))
	if outer.Err() != nil {
		_ = conn.Close(websocket.StatusNormalClosure, closeReason) // the device leaves; how the server takes it is its own affair
	} else {
		_ = conn.CloseNow() // it has failed already
	}
	e := l.judge(err)
	e.after = s.after
	return e
}

// because prefers the reason for which a connection was ended to the error that its end caused. What the server says when
// it closes counts more than either.
func because(ctx context.Context, err error) error {
	if websocket.CloseStatus(err) != -1 {
		return err
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (l *Link) alive() {
	now := l.o.Clock.Now()
	l.mu.Lock()
	l.seen = now
	l.mu.Unlock()
}

// read hands frames to the device until the connection ends.
func (s *socket) read(ctx context.Context) error {
	for {
		_, data, err := s.conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		s.l.alive()
		f, err := frame.FromServer(data)
		if errors.Is(err, frame.ErrMalformed) {
			return err
		} else if err != nil {
			continue // of a later version
		}
		if bye, ok := f.(*frame.Bye); ok {
			s.after = time.Duration(bye.After) * time.Millisecond
		}
		if err := s.l.Do(func(d *Device) (Effects, error) { return d.Handle(f) }); err != nil {
			return err
		}
		if err := s.l.roomForEvents(ctx); err != nil {
			return err
		}
	}
}

// roomForEvents waits while the caller is far behind with events, so that the server is the one to wait.
func (l *Link) roomForEvents(ctx context.Context) error {
	for {
		l.mu.Lock()
		full := len(l.events) > maxWaiting
		l.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-l.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// write sends what the device has to say, in order.
func (s *socket) write(ctx context.Context) {
	var data []byte
	for {
		select {
		case <-s.l.wrote:
		case <-ctx.Done():
			return
		}
		s.l.mu.Lock()
		list := s.l.out
		s.l.out = nil
		s.l.mu.Unlock()
		for _, f := range list {
			var err error
			if data, err = frame.AppendJSON(data[:0], f); err != nil {
				s.end(err)
				return
			}
			if s.conn.Write(ctx, websocket.MessageText, data) != nil {
				return // the reader ends the connection: it may still find out why the server has closed it
			}
		}
	}
}

// tick does what becomes due while the connection lasts.
func (s *socket) tick(ctx context.Context) {
	for {
		s.l.mu.Lock()
		due := s.l.d.Due()
		s.l.mu.Unlock()
		wait, stop := context.WithCancel(ctx)
		if !due.IsZero() {
			var sleeper sync.WaitGroup
			sleeper.Go(func() {
				if s.l.o.Clock.Sleep(wait, due.Sub(s.l.o.Clock.Now())) == nil {
					signalTo(s.l.ticked)
				}
			})
			s.wait(ctx)
			stop()
			sleeper.Wait()
		} else {
			s.wait(ctx)
			stop()
		}
		if ctx.Err() != nil {
			return
		}
		if due.IsZero() || s.l.o.Clock.Now().Before(due) {
			continue // something changed: look again
		}
		if err := s.l.Do(func(d *Device) (Effects, error) { return d.Tick() }); err != nil {
			s.end(err)
			return
		}
	}
}

func (s *socket) wait(ctx context.Context) {
	select {
	case <-s.l.ticked:
	case <-ctx.Done():
	}
}

// greetInTime ends a connection that does not come about.
func (s *socket) greetInTime(ctx context.Context) {
	if s.l.o.Clock.Sleep(ctx, dialTime) != nil {
		return
	}
	s.l.mu.Lock()
	greeted := s.l.d.Online()
	s.l.mu.Unlock()
	if !greeted {
		s.end(errSlow)
	}
}

// watch ends a connection whose server has given no sign of life, not even a ping.
func (s *socket) watch(ctx context.Context) {
	if !seesPings {
		return
	}
	for {
		s.l.mu.Lock()
		over := s.l.seen.Add(frame.SilenceMax)
		s.l.mu.Unlock()
		left := over.Sub(s.l.o.Clock.Now())
		if left <= 0 {
			s.end(errSilence)
			return
		}
		if s.l.o.Clock.Sleep(ctx, left) != nil {
			return
		}
	}
}
