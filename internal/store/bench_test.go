//go:build unix

package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// traffic makes batches as the projector does.
type traffic struct {
	rnd   *rand.Rand
	users int
	seq   uint64
	at    int64
}

func newTraffic(users int) *traffic {
	return &traffic{users: users, rnd: rand.New(rand.NewPCG(1, 2)), at: 1_770_000_000_000}
}

func (tr *traffic) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(tr.rnd.Uint32())
	}
	return b
}

// coalesced is a batch of n messages to n of many users that passed all their steps meanwhile: the row, the pair and the session.
func (tr *traffic) coalesced(n int) *pipeline.Batch {
	tr.seq++
	b := &pipeline.Batch{Position: tr.seq}
	for range n {
		user := wa.WaID(fmt.Sprintf("1555%07d", tr.rnd.IntN(tr.users)))
		number := wa.PhoneNumberID(fmt.Sprintf("10654035224292%d", len(b.Insert)%8))
		tr.at++
		b.Insert = append(b.Insert, &pipeline.Message{
			ID: wa.NewMessageID(user, true, tr.bytes(9)), Number: number, WABA: "102290129340398", User: user,
			State: pipeline.StateRead, Type: "template", Category: "utility", PricingType: "regular", Billable: true, PricedOnce: true,
			AcceptedAt: tr.at, SentAt: tr.at + 5, DeliveredAt: tr.at + 90, ReadAt: tr.at + 2000, Expires: tr.at + 2_592_000_000,
		})
		b.Peers = append(b.Peers, pipeline.PeerChange{Key: pipeline.PeerKey{Number: number, User: user}, PairStart: tr.at, PairCount: 1})
		b.Sessions = append(b.Sessions, pipeline.Session{Number: number, Device: wa.NewDeviceID(user, 1), State: tr.bytes(560), LastSeq: tr.seq})
	}
	return b
}

// ladder is the same in two batches: accepted and sent with its item, then delivered, read and gone.
func (tr *traffic) ladder(n int) (first, second *pipeline.Batch) {
	first = tr.coalesced(n)
	tr.seq++
	second = &pipeline.Batch{Position: tr.seq}
	for i, m := range first.Insert {
		m.State, m.DeliveredAt, m.ReadAt, m.PricedOnce, m.Content = pipeline.StateSent, 0, 0, false, tr.bytes(200)
		device := wa.NewDeviceID(m.User, 1)
		seq := tr.seq*1_000_000 + uint64(i)
		first.Items = append(first.Items, &pipeline.MailboxItem{
			Device: device, Seq: seq, ID: m.ID, Number: m.Number, At: m.AcceptedAt, Expires: m.Expires, Cipher: tr.bytes(300),
		})
		second.Update = append(second.Update, &pipeline.Message{ID: m.ID, State: pipeline.StateRead, DeliveredAt: 1, ReadAt: 2, PricedOnce: true})
		second.Gone = append(second.Gone, pipeline.MailboxRef{Device: device, Seq: seq})
	}
	return first, second
}

const batchSize = 2000

// Budget: 15 to 20 µs per row of SQLite, three rows per message. Time alone says little on a busy machine: cpu-µs is what
// the process used.
func BenchmarkApply(b *testing.B) {
	open := map[string]func(testing.TB) *store.Store{
		"sqlite": func(tb testing.TB) *store.Store { return openSQLite(tb, tb.TempDir()) },
	}
	if os.Getenv("HIKYAKU_TEST_POSTGRES") != "" {
		open["postgres"] = openPostgres(b)
	}
	for _, dialect := range slices.Sorted(maps.Keys(open)) {
		// Few users: their rows stay in the cache. Many: every row touches a page of its own.
		for _, users := range []int{1_000, 20_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/coalesced/users=%d", dialect, users), func(b *testing.B) {
				tr := newTraffic(users)
				measure(b, open[dialect](b), func() []*pipeline.Batch { return []*pipeline.Batch{tr.coalesced(batchSize)} })
			})
			b.Run(fmt.Sprintf("%s/ladder/users=%d", dialect, users), func(b *testing.B) {
				tr := newTraffic(users)
				measure(b, open[dialect](b), func() []*pipeline.Batch {
					first, second := tr.ladder(batchSize)
					return []*pipeline.Batch{first, second}
				})
			})
		}
	}
}

func measure(b *testing.B, s *store.Store, next func() []*pipeline.Batch) {
	b.Helper()
	var wall, cpu time.Duration
	n := 0
	for b.Loop() {
		batches := next()
		start, used := time.Now(), cpuTime(b)
		for _, batch := range batches {
			if err := s.Apply(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		wall += time.Since(start)
		cpu += cpuTime(b) - used
		n += batchSize
	}
	b.ReportMetric(float64(wall.Microseconds())/float64(n), "µs/message")
	b.ReportMetric(float64(cpu.Microseconds())/float64(n), "cpu-µs/message")
}

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Budget: 0.5 s to open a directory with a million messages. Set HIKYAKU_TEST_ROWS to another number to try it.
func BenchmarkOpen(b *testing.B) {
	rows := 100_000
	if v, err := strconv.Atoi(os.Getenv("HIKYAKU_TEST_ROWS")); err == nil {
		rows = v
	}
	dir := b.TempDir()
	s, err := store.Open(b.Context(), store.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	tr := newTraffic(rows / 10)
	for range rows / batchSize {
		if err := s.Apply(b.Context(), tr.coalesced(batchSize)); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	tr = nil
	debug.FreeOSMemory()
	before := resident(b)
	for b.Loop() {
		s, err := store.Open(b.Context(), store.Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Position(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
		if ms, err := s.Pending(b.Context(), 0, "", 100); err != nil || len(ms) != 0 {
			b.Fatal(ms, err)
		}
		b.StopTimer()
		debug.FreeOSMemory()
		b.ReportMetric(float64(resident(b)-before)/1024, "KiB-more")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// resident is the memory of the process in bytes; 0 where the system does not tell.
func resident(tb testing.TB) int64 {
	tb.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
