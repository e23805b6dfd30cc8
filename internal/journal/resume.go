package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/hikyaku/hikyaku/internal/clock"
)

var errResuming = fmt.Errorf("%w: log is being resumed", ErrUnavailable)

// Resume makes the log usable again after an append failed, or for a new owner of the partition: it finds out what the last
// frame in the stream is and returns its sequence. A frame whose answer was lost is found if it landed; readers get it from
// Next. Appends are refused while Resume runs; those queued before are waited for. When it fails, the log stays failed and
// Resume can be tried again. Call it only while owning the partition.
//
// Errors: ErrFull while the disk still has no room, ErrUnavailable, ErrClosed, the context's.
func (l *Log) Resume(ctx context.Context) (last uint64, err error) {
	l.resuming.Lock()
	defer l.resuming.Unlock()
	if err := l.settle(); err != nil {
		return 0, err
	}
	if last, err = l.rejoin(ctx); err != nil {
		err = fmt.Errorf("resume partition %d: %w", l.n, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = err
	l.changed.Broadcast()
	l.spread()
	return last, err
}

// rejoin takes over where the stream stands.
func (l *Log) rejoin(ctx context.Context) (uint64, error) {
	if err := l.j.heal(ctx); err != nil {
		return 0, err
	}
	l.mu.Lock()
	expect := l.expect
	l.mu.Unlock()
	s, err := l.truth(ctx, expect)
	if err != nil {
		return 0, err
	}
	select {
	case old := <-l.sick:
		l.j.o.Logger.Debug("journal recovered", "partition", l.n, "err", old)
	default:
	}
	if s.Last == expect {
		return s.Last, nil
	}
	l.stand(s)
	return s.Last, l.remember(ctx)
}

// settle stops appends and waits until the writer has nothing in hand.
func (l *Log) settle() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.failed == nil && (l.busy || len(l.queue) > 0 || l.open != nil && !l.open.empty()) && !l.closing {
		l.changed.Wait()
	}
	for l.busy && !l.closing {
		l.changed.Wait()
	}
	if l.closing {
		return ErrClosed
	}
	l.failed = errResuming
	return nil
}

// stand takes over where the stream stands.
func (l *Log) stand(s state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.expect, l.known = s.First, s.Last, s.Last
	l.tail.trim(s.First - 1)
}

// truth asks the stream for its last sequence, after everything this process sent before. It is never below expect: those
// frames were acknowledged.
func (l *Log) truth(ctx context.Context, expect uint64) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, l.j.o.AppendTimeout)
	defer cancel()
	k := l.j.link.Load()
	if k == nil {
		return state{}, fmt.Errorf("%w: server is not running", ErrUnavailable)
	}
	at, err := l.barrier(ctx, k)
	if err != nil {
		return state{}, err
	}
	at = max(at, expect)
	for {
		s, found, err := k.info(ctx, l.stream)
		switch {
		case err != nil:
			return state{}, err
		case !found:
			return state{}, fmt.Errorf("%w: stream %s is missing", ErrCorrupt, l.stream)
		case s.Last >= at:
			return s, l.checkState(s)
		case l.j.o.alone():
			return state{}, fmt.Errorf("%w: partition %d ends at %d, %d was acknowledged", ErrCorrupt, l.n, s.Last, at)
		}
		// A new leader may not have stored everything it agreed to.
		if err := clock.System().Sleep(ctx, retryEvery/10); err != nil {
			return state{}, fmt.Errorf("%w: stream is at %d, should be at %d: %w", ErrUnavailable, s.Last, at, err)
		}
	}
}

// barrier sends a message that the stream must refuse, down the same way as the frames: once the refusal is here, no frame
// sent earlier can still arrive. The refusal names the last sequence.
func (l *Log) barrier(ctx context.Context, k *link) (uint64, error) {
	m := &nats.Msg{Subject: l.subject, Header: nats.Header{headerExpect: []string{strconv.FormatUint(unlimited, 10)}}}
	answer, err := k.pub.RequestMsgWithContext(ctx, m)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var ack struct {
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil || ack.Error == nil {
		return 0, fmt.Errorf("%w: unexpected answer %q", ErrUnavailable, answer.Data)
	}
	var last uint64
	switch ack.Error.ErrCode {
	case codeWrongLast:
		_, err = fmt.Sscanf(ack.Error.Description, "wrong last sequence: %d", &last)
	case codeWrongLastConstant:
	default:
		return 0, ack.Error.typed()
	}
	if err != nil {
		return 0, fmt.Errorf("%w: unexpected answer %q", ErrUnavailable, answer.Data)
	}
	return last, nil
}

// checkState looks for signs of lost frames. Only a single server can have them: in a cluster a damaged node is repaired by
// the others.
func (l *Log) checkState(s state) error {
	if !l.j.o.alone() {
		return nil
	}
	if s.Gaps > 0 {
		return fmt.Errorf("%w: partition %d lacks %d frames between %d and %d", ErrCorrupt, l.n, s.Gaps, s.First, s.Last)
	}
	if s.Lost.Bytes > 0 {
		l.j.o.Logger.Warn("journal dropped an unfinished frame", "partition", l.n, "size_bytes", s.Lost.Bytes)
	}
	return nil
}
