package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// write is the log's one writer. It keeps one frame in flight; while the next one travels, it tells the callers of the one
// before. It ends when the log is closing and nothing waits.
func (l *Log) write() {
	defer close(l.stopped)
	timer := clock.System().NewTimer(l.j.o.AppendTimeout)
	timer.Stop()
	var durable *batch // its callers are not told yet
	var seq uint64
	for {
		b := l.nextBatch()
		var err error
		if b != nil {
			err = l.publish(b)
		}
		if durable != nil {
			durable.tell(seq, nil)
			l.j.recycle(durable)
			durable = nil
		}
		if b == nil {
			if l.idle() {
				return
			}
			<-l.wake
			continue
		}
		if err == nil {
			seq, err = l.await(timer)
		}
		if err != nil {
			l.lose(b, err)
			continue
		}
		l.landed(b, seq)
		durable = b
	}
}

// nextBatch takes a batch and makes room for waiting appends.
func (l *Log) nextBatch() *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return nil
	}
	b := l.take()
	if b != nil {
		l.busy = true
		l.changed.Broadcast()
	}
	return b
}

// idle notes that the writer has nothing in hand and reports whether it may end.
func (l *Log) idle() (end bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
	l.changed.Broadcast()
	return l.closing && len(l.queue) == 0 && (l.open == nil || l.open.empty())
}

// publish sends b. An error means that it was not sent.
func (l *Log) publish(b *batch) error {
	sealFrame(b.buf, len(b.records), b.at)
	l.mu.Lock()
	expect, fault := l.expect, l.fault
	l.fault = nil
	l.mu.Unlock()
	l.tries++
	if fault != nil && fault(b) {
		return nil
	}
	k := l.j.link.Load()
	if k == nil {
		return fmt.Errorf("%w: server is not running", ErrUnavailable)
	}
	l.frame.Reply = l.inbox + "." + strconv.FormatUint(l.tries, 10)
	l.frame.Header[headerExpect][0] = strconv.FormatUint(expect, 10)
	l.frame.Data = b.buf
	err := k.pub.PublishMsg(&l.frame)
	l.frame.Data = nil
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// sicken tells the writer that the frame in flight will not be answered.
func (l *Log) sicken(err error) {
	select {
	case l.sick <- err:
	default:
	}
}

// await waits for the answer to the last publish.
func (l *Log) await(timer clock.Timer) (uint64, error) {
	timer.Reset(l.j.o.AppendTimeout)
	defer timer.Stop()
	for {
		select {
		case m := <-l.acks:
			if !l.answers(m) {
				continue // late, for a frame that was given up
			}
			return readAck(m)
		case err := <-l.sick:
			return 0, err
		case <-timer.C():
			return 0, fmt.Errorf("%w: no answer in %s", ErrUncertain, l.j.o.AppendTimeout)
		case <-l.j.abandon:
			return 0, fmt.Errorf("%w: %w", ErrUncertain, ErrClosed)
		}
	}
}

func (l *Log) answers(m *nats.Msg) bool {
	token, ok := strings.CutPrefix(m.Subject, l.inbox+".")
	return ok && token == strconv.FormatUint(l.tries, 10)
}

// readAck is the sequence an acknowledgement names. The usual form, {"stream":"…","seq":7}, is read without reflection.
func readAck(m *nats.Msg) (uint64, error) {
	if len(m.Data) == 0 {
		return 0, fmt.Errorf("%w: nobody serves %s", ErrUnavailable, m.Subject)
	}
	if rest, ok := bytes.CutPrefix(m.Data, []byte(`{"stream":"`)); ok {
		if _, rest, ok = bytes.Cut(rest, []byte(`","seq":`)); ok && bytes.HasSuffix(rest, []byte("}")) {
			if seq, err := strconv.ParseUint(string(rest[:len(rest)-1]), 10, 64); err == nil {
				return seq, nil
			}
		}
	}
	var ack struct {
		Seq   uint64    `json:"seq"`
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &ack); err != nil {
		return 0, fmt.Errorf("%w: unreadable answer: %w", ErrUncertain, err)
	}
	if ack.Error != nil {
		return 0, ack.Error.typed()
	}
	return ack.Seq, nil
}

// landed makes b readable.
func (l *Log) landed(b *batch, seq uint64) {
	f := &Frame{Partition: l.n, Seq: seq, At: fromMilli(b.at), Records: b.records}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expect, l.known = seq, seq
	l.tail.push(f, 2*len(b.buf)+96*len(b.records), l.j.o.TailBytes)
	l.spread()
}

// lose fails the log with everything that waits.
func (l *Log) lose(b *batch, err error) {
	err = fmt.Errorf("append to partition %d: %w", l.n, err)
	l.j.o.Logger.Warn("journal append failed", "partition", l.n, "records", len(b.records), "err", err)
	l.mu.Lock()
	waiting := l.fail(err)
	l.mu.Unlock()
	b.tell(0, err)
	for _, b := range waiting {
		b.tell(0, err)
	}
}
