package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hikyaku/hikyaku/internal/journal/record"
)

// MaxMessage is the size of the largest frame.
const MaxMessage = maxMessage

// Beside returns options for a second journal on the streams of j.
func Beside(o Options, j *Journal) Options {
	o.shared, o.Cluster = j.link.Load().server, j.o.Cluster
	return o
}

// InMemory is how many frames of a log the memory holds.
func InMemory(l *Log) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tail.frames)
}

// KillServer stops the server under a journal that knows nothing of it.
func KillServer(j *Journal) {
	if k := j.link.Load(); k != nil {
		k.server.Shutdown()
		k.server.WaitForShutdown()
	}
}

// RefuseNext lets the next frame fail without being sent.
func RefuseNext(l *Log) {
	l.meddle(func(*batch) bool {
		l.sicken(fmt.Errorf("%w: injected", ErrUnavailable))
		return true
	})
}

// LoseNext lets the next frame land and loses its answer.
func LoseNext(l *Log) {
	l.meddle(func(b *batch) bool {
		ctx, cancel := context.WithTimeout(context.Background(), l.j.o.AppendTimeout)
		defer cancel()
		_, err := l.j.link.Load().pub.RequestMsgWithContext(ctx, &nats.Msg{Subject: l.subject, Data: b.buf})
		l.sicken(fmt.Errorf("%w: injected, %w", ErrUncertain, err))
		return true
	})
}

// HoldNext keeps the next frame from being sent until release is called.
func HoldNext(l *Log) (release func()) {
	gate := make(chan struct{})
	l.meddle(func(*batch) bool { <-gate; return false })
	return func() { close(gate) }
}

// ComplainNext lets the server log err instead of storing the next frame, and not answer.
func ComplainNext(l *Log, err error) {
	l.meddle(func(*batch) bool {
		(&serverLog{log: l.j.o.Logger, sick: l.j.sickened}).Errorf("stream '%s' critical write error: %v", l.stream, err)
		return true
	})
}

func (l *Log) meddle(fault func(*batch) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = fault
}

// Spoil puts a message that is no frame at the end of the log.
func Spoil(ctx context.Context, l *Log, data []byte) error {
	m := &nats.Msg{Subject: l.subject, Data: data}
	_, err := l.j.link.Load().pub.RequestMsgWithContext(ctx, m)
	return err
}

// Blocked is how many calls of Append wait for room.
func Blocked(l *Log) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.blocked
}

// IsLeader reports whether the server of j leads the stream of l.
func IsLeader(j *Journal, l *Log) bool {
	return j.link.Load().server.JetStreamIsStreamLeader("$G", l.stream)
}

// SyncsAlways reports whether the server under j syncs before it acknowledges.
func SyncsAlways(j *Journal) bool { return checkSync(j.link.Load().server.Server) == nil }

// EncodeFrame and DecodeFrame are the stored form.
func EncodeFrame(at time.Time, recs []record.Record) []byte {
	b := make([]byte, frameHeader)
	for _, r := range recs {
		b = record.Append(b, r)
	}
	sealFrame(b, len(recs), at.UnixMilli())
	return b
}

// DecodeFrame parses a stored frame.
func DecodeFrame(b []byte) (time.Time, []record.Record, error) {
	at, recs, err := decodeFrame(b)
	return fromMilli(at), recs, err
}

// Reseal fixes the checksum of a frame that a test changed.
func Reseal(b []byte) {
	sum := frameSum(b)
	b[16], b[17], b[18], b[19] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
}

// ReadAck parses an acknowledgement.
func ReadAck(data string) (uint64, error) { return readAck(&nats.Msg{Data: []byte(data)}) }
