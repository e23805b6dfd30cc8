package journaltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// fact is a small record with a name.
func fact(format string, args ...any) record.Record {
	return &record.Marked{ID: wa.MessageID(fmt.Sprintf(format, args...)), Number: "106540352242922", User: "16505551234", At: 1700000000000}
}

// facts makes n records called prefix.0 and so on.
func facts(prefix string, n int) []record.Record {
	recs := make([]record.Record, n)
	for i := range recs {
		recs[i] = fact("%s.%d", prefix, i)
	}
	return recs
}

// bulky is a record of about size bytes.
func bulky(name string, size int) record.Record {
	return &record.Accepted{ID: wa.MessageID(name), Body: []byte("clear " + name), SealedBody: make([]byte, size)}
}

func idOf(r record.Record) string {
	switch r := r.(type) {
	case *record.Marked:
		return string(r.ID)
	case *record.Accepted:
		return string(r.ID)
	default:
		return fmt.Sprintf("%T", r)
	}
}

// ids lists the records of frames.
func ids(frames []*journal.Frame) []string {
	var out []string
	for _, f := range frames {
		for _, r := range f.Records {
			out = append(out, idOf(r))
		}
	}
	return out
}

// outcome is what a callback was told.
type outcome struct {
	seq uint64
	err error
}

// try appends and waits for the outcome.
func try(ctx context.Context, l *journal.Log, recs ...record.Record) (uint64, error) {
	ch := make(chan outcome, 1)
	if err := l.Append(recs, func(seq uint64, err error) { ch <- outcome{seq, err} }); err != nil {
		return 0, err
	}
	select {
	case o := <-ch:
		return o.seq, o.err
	case <-ctx.Done():
		return 0, fmt.Errorf("no callback: %w", ctx.Err())
	}
}

// add appends and expects success.
func add(t testing.TB, l *journal.Log, recs ...record.Record) uint64 {
	t.Helper()
	seq, err := try(within(t), l, recs...)
	if err != nil {
		t.Fatalf("append: %v", err)
	}
	return seq
}

// read returns frames after a position until they hold n records.
func read(t testing.TB, l *journal.Log, after uint64, n int) []*journal.Frame {
	t.Helper()
	ctx := within(t)
	var out []*journal.Frame
	for got := 0; got < n; {
		f, err := l.Next(ctx, after)
		if err != nil {
			t.Fatalf("next after %d, %d of %d records read: %v", after, got, n, err)
		}
		out = append(out, f)
		got += len(f.Records)
		after = f.Seq
	}
	return out
}

// expectIDs compares records with names.
func expectIDs(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %d records %.300q, want %d %.300q", len(got), got, len(want), want)
	}
}

// expectErr checks which error it is.
func expectErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}
