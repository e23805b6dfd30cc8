package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// serverLog takes what the embedded server logs. Warnings and errors go to slog. It also listens: when a stream cannot be
// written the server does not answer the append, it only logs the error, and this is how the writer learns of it before its
// timeout.
type serverLog struct {
	log  *slog.Logger
	sick func(err error) // called for errors of the file system, from any goroutine

	mu    sync.Mutex
	fatal error // why the server could not start
}

// Noticef implements server.Logger.
func (*serverLog) Noticef(string, ...any) {}

// Debugf implements server.Logger.
func (*serverLog) Debugf(string, ...any) {}

// Tracef implements server.Logger.
func (*serverLog) Tracef(string, ...any) {}

// Warnf implements server.Logger.
func (s *serverLog) Warnf(format string, v ...any) {
	if afterCrash(format) {
		s.log.Info("the journal was not closed in order; its index is made again", "text", fmt.Sprintf(format, v...))
		return
	}
	s.log.Warn("nats", "text", fmt.Sprintf(format, v...))
}

// afterCrash recognises what the server warns of at every start after a kill: the index of a stream is older than its
// blocks. It reads the blocks then, so nothing is wrong, and an operator should not be made to think so.
func afterCrash(format string) bool {
	return strings.Contains(format, "Stream state outdated") || strings.Contains(format, "Recovering stream state from index errored")
}

// Errorf implements server.Logger.
func (s *serverLog) Errorf(format string, v ...any) {
	s.log.Error("nats", "text", fmt.Sprintf(format, v...))
	if err := causeIn(v); writeFailure(err) != nil {
		s.sick(orFull(err))
	}
}

// Fatalf implements server.Logger. The process goes on; starting the server fails.
func (s *serverLog) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	err := errors.New(text)
	if typed := writeFailure(causeIn(v)); typed != nil {
		err = fmt.Errorf("%w: %s", typed, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fatal == nil {
		s.fatal = err
	}
}

// failure is what Fatalf was told.
func (s *serverLog) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fatal
}

func causeIn(args []any) error {
	for _, a := range args {
		if err, ok := a.(error); ok {
			return err
		}
	}
	return nil
}
