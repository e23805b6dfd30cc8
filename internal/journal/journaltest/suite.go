package journaltest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
)

// Features says which cases apply.
type Features struct {
	Nodes int // 1, or 3 for a cluster
}

// System is where journals live, and what can be done to them from below.
type System struct {
	// Open opens node 0 … Nodes-1 with o, whose location is filled in. After Close, opening again finds the same data.
	Open func(node int, o journal.Options) (*journal.Journal, error)
	// Rival opens a second journal on the streams of j.
	Rival func(j *journal.Journal, o journal.Options) (*journal.Journal, error)
	// Kill stops the server under j as a crash of its machine would look to the others.
	Kill func(j *journal.Journal)
	// Leads reports whether the server under j leads the stream of l.
	Leads func(j *journal.Journal, l *journal.Log) bool

	Refuse  func(l *journal.Log)                  // the next frame is not sent
	Lose    func(l *journal.Log)                  // the next frame lands, its answer is lost
	Hold    func(l *journal.Log) (release func()) // the next frame waits
	Spoil   func(l *journal.Log, b []byte) error  // b, which is no frame, lands at the end
	Blocked func(l *journal.Log) int              // calls of Append that wait for room

	node0 *journal.Journal // of the shared logs
	rival *journal.Journal // on the same
}

// patience is the deadline of every wait. It is never waited for unless something is wrong.
const patience = 20 * time.Second

// small makes frames, queues and tails small enough to be filled by a test.
func small() journal.Options {
	return journal.Options{MaxFrameRecords: 50, MaxFrameBytes: 16 << 10, TailBytes: 64 << 10}
}

// onLog is a case that needs one log of its own.
type onLog struct {
	name string
	run  func(t *testing.T, s *System, l *journal.Log)
}

var logCases = []onLog{
	{"appends keep their order and frames their sequence", testOrder},
	{"records of concurrent appends share frames", testBatching},
	{"all records of an append land in one frame", testWhole},
	{"an append without records writes an empty frame", testEmpty},
	{"callbacks come once, in order, one at a time", testCallbacks},
	{"readers start anywhere and are woken", testReaders},
	{"a reader that keeps up gets the very records", testTail},
	{"a slow reader continues from disk", testSlowReader},
	{"trim removes and positions stay", testTrim},
	{"a time finds its position", testSeqAt},
	{"a failed append fails the log until resume", testFailed},
	{"an append whose answer was lost is found", testLost},
	{"another writer fences this one off", testFenced},
	{"records that fit no frame are refused", testTooLarge},
	{"append blocks while much is waiting", testBackPressure},
	{"damage stops the reader", testCorrupt},
}

// Run runs the suite. open makes a new, empty system; its cleanup belongs to the test it is given.
func Run(t *testing.T, open func(t *testing.T) *System, f Features) {
	t.Run("logs", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		o := small()
		o.Partitions = len(logCases)
		s.node0 = openAll(t, s, f.Nodes, o)[0]
		var err error
		if s.rival, err = s.Rival(s.node0, o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { shut(s.rival) })
		for i, c := range logCases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t, s, s.node0.Log(i))
			})
		}
	})
	if f.Nodes == 1 {
		for name, run := range map[string]func(*testing.T, *System){
			"acknowledged records survive": testReopen,
			"close ends everything":        testClose,
			"close does not wait for ever": testCloseDeadline,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				run(t, open(t))
			})
		}
		return
	}
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		testCluster(t, open(t), f.Nodes)
	})
}

// openAll opens all nodes at once, since a cluster's nodes wait for each other, and closes them after the test.
func openAll(t *testing.T, s *System, nodes int, o journal.Options) []*journal.Journal {
	t.Helper()
	js := make([]*journal.Journal, nodes)
	errs := make([]error, nodes)
	var wg sync.WaitGroup
	for n := range nodes {
		wg.Go(func() { js[n], errs[n] = s.Open(n, o) })
	}
	wg.Wait()
	for n, err := range errs {
		if err != nil {
			t.Fatalf("open node %d: %v", n, err)
		}
		t.Cleanup(func() { shut(js[n]) })
	}
	return js
}

// shut closes j without waiting for what cannot complete.
func shut(j *journal.Journal) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = j.Close(ctx) // closing twice, or after its server was killed, is fine here
}

// within is a context with the suite's patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	ctx := within(t)
	for !cond() {
		if clock.System().Sleep(ctx, 2*time.Millisecond) != nil {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
