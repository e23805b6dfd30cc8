package journaltest

import (
	"context"
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal"
)

func testReopen(t *testing.T, s *System) {
	ctx := within(t)
	o := small()
	o.Partitions = 2
	var want []string
	for round := range 3 {
		j, err := s.Open(0, o)
		if err != nil {
			t.Fatalf("open, round %d: %v", round, err)
		}
		l := j.Log(1)
		if l.Last() != uint64(2*round) || j.Partitions() != 2 || j.Log(0).Last() != 0 {
			t.Fatalf("round %d: %d partitions, log 1 at %d, log 0 at %d", round, j.Partitions(), l.Last(), j.Log(0).Last())
		}
		expectIDs(t, ids(read(t, l, 0, len(want))), want...)
		for i := range 2 {
			name := fmt.Sprintf("d%d.%d", round, i)
			want = append(want, name)
			add(t, l, fact("%s", name))
		}
		if round == 1 { // die instead of closing
			s.Kill(j)
		}
		if _, err := s.Open(0, o); round == 0 {
			expectErr(t, err, journal.ErrLocked)
		}
		if err := j.Close(ctx); err != nil {
			t.Fatalf("close, round %d: %v", round, err)
		}
		o.Partitions = 0 // as it was created
	}
	o.Partitions = 3
	_, err := s.Open(0, o)
	expectErr(t, err, journal.ErrForeign)
}

func testClose(t *testing.T, s *System) {
	ctx := within(t)
	j, err := s.Open(0, small())
	if err != nil {
		t.Fatal(err)
	}
	l := j.Log(0)
	position := add(t, l, fact("one"))
	reader := make(chan error, 1)
	go func() {
		_, err := l.Next(ctx, position)
		reader <- err
	}()
	const n = 200
	var told int
	for i := range n {
		err := j.Log(1).Append(facts(fmt.Sprint("x", i), 1), func(_ uint64, err error) {
			if err == nil {
				told++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if told != n {
		t.Errorf("%d of %d records were durable when close returned", told, n)
	}
	expectErr(t, <-reader, journal.ErrClosed)
	expectErr(t, l.Append(nil, nil), journal.ErrClosed)
	expectErr(t, l.Trim(ctx, 1), journal.ErrClosed)
	_, err = l.Resume(ctx)
	expectErr(t, err, journal.ErrClosed)
	_, err = l.Next(ctx, 0)
	expectErr(t, err, journal.ErrClosed)
	if err := j.Close(ctx); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func testCloseDeadline(t *testing.T, s *System) {
	j, err := s.Open(0, small())
	if err != nil {
		t.Fatal(err)
	}
	l := j.Log(0)
	release := s.Hold(l)
	told := make(chan error, 2)
	for range 2 {
		if err := l.Append(facts("y", 30), func(_ uint64, err error) { told <- err }); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	closed := make(chan error, 1)
	go func() { closed <- j.Close(ctx) }()
	eventually(t, "close began", func() bool { return l.Append(nil, nil) != nil })
	s.Kill(j) // so that nothing can be answered
	release()
	expectErr(t, <-closed, context.Canceled)
	for range 2 {
		if err := <-told; err == nil {
			t.Error("an append that cannot be durable succeeded")
		}
	}
}
