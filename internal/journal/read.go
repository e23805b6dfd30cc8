package journal

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

const (
	// fetchFrames and fetchBytes bound one read from disk. The server holds up appends to the stream while it reads.
	fetchFrames = 128
	fetchBytes  = 256 << 10
	// retryEvery is how often a reader tries again while the journal is unavailable, and how often it looks for frames that
	// another node wrote.
	retryEvery = 250 * time.Millisecond
	// readPatience is how long a frame that must exist may be missing: a replica may lag behind its leader.
	readPatience = 10 * time.Second
	// cursors is how many readers may walk the disk at different places without reading the same batch twice.
	cursors = 4
)

// ahead keeps what a read from disk returned beyond the frame that was asked for: frames after a position, contiguous.
// Guarded by Log.mu.
type ahead []cursor

type cursor struct {
	after  uint64
	frames []*Frame
}

// take returns the frame after seq when a cursor stands there, and moves that cursor.
func (a *ahead) take(seq uint64) *Frame {
	for i, c := range *a {
		if c.after != seq {
			continue
		}
		f := c.frames[0]
		*a = append((*a)[:i], (*a)[i+1:]...)
		a.put(f.Seq, c.frames[1:])
		return f
	}
	return nil
}

// put remembers frames after seq and forgets the cursor that was used longest ago.
func (a *ahead) put(seq uint64, frames []*Frame) {
	if len(frames) == 0 {
		return
	}
	if len(*a) == cursors {
		*a = append((*a)[:0], (*a)[1:]...)
	}
	*a = append(*a, cursor{seq, frames})
}

// Next returns the first frame after the given position, 0 being the start, and blocks until there is one. Frames that
// were trimmed are skipped. A reader that keeps up gets the very records that were appended, with their memory-only fields;
// one that fell behind gets them decoded from disk. While the journal is unavailable Next waits.
//
// Errors: the context's; ErrClosed; ErrCorrupt and ErrVersion, after which reading cannot go on and the process should
// stop.
func (l *Log) Next(ctx context.Context, after uint64) (*Frame, error) {
	var timer clock.Timer
	for {
		f, missing, news, err := l.peek(after)
		if f != nil || err != nil {
			return f, err
		}
		if missing {
			if f, err = l.readDisk(ctx, after); f != nil || err != nil && !errors.Is(err, ErrUnavailable) {
				return f, err
			}
		}
		var tick <-chan time.Time
		if missing || !l.j.o.alone() {
			if timer == nil {
				timer = clock.System().NewTimer(retryEvery)
				defer timer.Stop()
			} else {
				timer.Reset(retryEvery)
			}
			tick = timer.C()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-news:
		case <-tick:
			if !missing {
				l.look(ctx)
			}
		}
	}
}

// peek looks for the frame after the position in memory. missing says that it must be on disk; otherwise it does not exist
// yet, and news is closed when that may have changed.
func (l *Log) peek(after uint64) (f *Frame, missing bool, news <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil, false, nil, ErrClosed
	}
	after = max(after, l.first-1)
	if f = l.tail.next(after); f == nil {
		f = l.ahead.take(after)
	}
	if f != nil {
		return f, false, nil, nil
	}
	if after > l.known && l.j.o.alone() {
		return nil, false, nil, fmt.Errorf("%w: partition %d ends at %d, a reader was at %d", ErrCorrupt, l.n, l.known, after)
	}
	if l.news == nil {
		l.news = make(chan struct{})
	}
	return nil, after < l.known, l.news, nil
}

// look asks the stream for frames that another node wrote. Errors are left to the next look.
func (l *Log) look(ctx context.Context) {
	k := l.j.link.Load()
	if k == nil {
		return
	}
	s, found, err := k.info(ctx, l.stream)
	if err != nil || !found {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first = max(l.first, s.First)
	if s.Last > l.known {
		l.known = s.Last
		l.spread()
	}
}

// readDisk reads the frame after the position from the stream, and some more into ahead. Errors: ErrUnavailable, ErrCorrupt,
// ErrVersion.
func (l *Log) readDisk(ctx context.Context, after uint64) (*Frame, error) {
	after = max(after, l.First()-1)
	msgs, err := l.fetch(ctx, after+1, fetchFrames)
	if err != nil {
		return nil, err
	}
	frames := make([]*Frame, 0, len(msgs))
	for i, m := range msgs {
		if m.seq != msgs[0].seq+uint64(i) {
			break // the next read will tell what is wrong there
		}
		f, err := l.decode(m)
		if err != nil && i == 0 {
			return nil, err
		}
		if err != nil {
			break // readers may have what is before the damage
		}
		frames = append(frames, f)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.j.o.alone() {
		// The server may show the frame in flight before it has answered for it. Readers get it once it is durable.
		n := 1
		for n < len(frames) && frames[n].Seq <= l.known {
			n++
		}
		frames = frames[:n]
	}
	l.ahead.put(frames[0].Seq, frames[1:])
	return frames[0], nil
}

func (l *Log) decode(m stored) (*Frame, error) {
	at, recs, err := decodeFrame(m.data)
	if err != nil {
		return nil, fmt.Errorf("partition %d, frame %d: %w", l.n, m.seq, err)
	}
	return &Frame{Partition: l.n, Seq: m.seq, At: fromMilli(at), Records: recs}, nil
}

// fetch reads up to n messages from seq on, which must exist unless it is trimmed meanwhile. It returns at least one.
func (l *Log) fetch(ctx context.Context, seq uint64, n int) ([]stored, error) {
	give := clock.System().NewTimer(readPatience)
	defer give.Stop()
	for {
		k := l.j.link.Load()
		if k == nil {
			return nil, fmt.Errorf("%w: server is not running", ErrUnavailable)
		}
		msgs, err := k.fetch(ctx, l.stream, seq, n, fetchBytes)
		if err != nil {
			return nil, err
		}
		if len(msgs) > 0 && (msgs[0].seq == seq || msgs[0].seq <= l.First()) {
			return msgs, nil
		}
		l.look(ctx)
		if first := l.First(); seq < first { // trimmed meanwhile, or aged
			seq = first
			continue
		}
		if l.j.o.alone() {
			return nil, fmt.Errorf("%w: partition %d: frame %d is missing", ErrCorrupt, l.n, seq)
		}
		select { // the replica that answered may be behind, or the frames were trimmed by another node
		case <-give.C():
			return nil, fmt.Errorf("%w: partition %d: frame %d is not readable", ErrUnavailable, l.n, seq)
		default:
		}
		if err := clock.System().Sleep(ctx, retryEvery/10); err != nil {
			return nil, err
		}
	}
}

// SeqAt is the position of the last frame that is older than t, First()-1 when there is none: readers that start after it
// see everything since t. It costs a few reads unless t is recent.
func (l *Log) SeqAt(ctx context.Context, t time.Time) (uint64, error) {
	l.mu.Lock()
	seq, ok := l.tail.before(t)
	first, last, closing := l.first, l.known, l.closing
	l.mu.Unlock()
	if closing {
		return 0, ErrClosed
	}
	if ok {
		return seq, nil
	}
	var failure error
	n := sort.Search(int(last+1-first), func(i int) bool {
		if failure != nil {
			return true
		}
		msgs, err := l.fetch(ctx, first+uint64(i), 1)
		if err != nil {
			failure = err
			return true
		}
		f, err := l.decode(msgs[0])
		if err != nil {
			failure = err
			return true
		}
		return !f.At.Before(t)
	})
	if failure != nil {
		return 0, fmt.Errorf("find position of a time: %w", failure)
	}
	return first + uint64(n) - 1, nil
}

// Trim removes frames up to and including upTo, for good. Positions stay as they are; the newest frame's position is
// remembered even when nothing is left. Errors: ErrClosed, ErrUnavailable.
func (l *Log) Trim(ctx context.Context, upTo uint64) error {
	l.mu.Lock()
	first, last, closing := l.first, l.known, l.closing
	l.mu.Unlock()
	if closing {
		return ErrClosed
	}
	if upTo = min(upTo, last); upTo < first {
		return nil
	}
	k := l.j.link.Load()
	if k == nil {
		return fmt.Errorf("trim partition %d: %w: server is not running", l.n, ErrUnavailable)
	}
	// From here on readers skip what goes away, whether or not the answer arrives.
	l.mu.Lock()
	l.first = max(l.first, upTo+1)
	l.tail.trim(upTo)
	l.ahead = nil
	l.mu.Unlock()
	if err := k.purge(ctx, l.stream, upTo+1); err != nil {
		return fmt.Errorf("trim partition %d: %w", l.n, err)
	}
	return nil
}

// Forget gives back the memory of frames up to and including seq that are older than t. They stay on disk, where readers that
// fell behind find them.
func (l *Log) Forget(t time.Time, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail.forget(t, seq)
	l.ahead = nil
}

// fromMilli is a time in UTC.
func fromMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
