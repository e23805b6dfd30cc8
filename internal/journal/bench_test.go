package journal_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// sample is a record of ordinary size, about 400 bytes.
func sample(i int) record.Record {
	return &record.Accepted{
		ID: wa.MessageID(fmt.Sprintf("wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA%06d", i)), Number: "106540352242922",
		WABA: "102290129340398", To: "16505551234", At: 1700000000000, Expires: 1702592000000, Type: "text", Category: "service",
		SealedBody: make([]byte, 240),
	}
}

func openBench(b *testing.B, o journal.Options) *journal.Journal {
	b.Helper()
	o.Dir = b.TempDir()
	j, err := journal.Open(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close(context.Background()) })
	return j
}

// cpu is the processor time of this process so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkAppend appends one record per operation with so many waiting for their answer at any time. Budget: with 100 and
// 1,000 waiting at least 110,000 and 430,000 records/s on the reference machine, median below 1 and 2 ms.
func BenchmarkAppend(b *testing.B) {
	for _, waiting := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			j := openBench(b, journal.Options{})
			l := j.Log(0)
			recs := []record.Record{sample(1)}
			took := make([]time.Duration, b.N)
			sys := clock.System()
			start, before, first := sys.Now(), cpu(b), l.Last()
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for range waiting {
				wg.Go(func() {
					done := make(chan error, 1)
					tell := func(_ uint64, err error) { done <- err }
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						from := sys.Now()
						if err := l.Append(recs, tell); err != nil {
							b.Error(err)
							return
						}
						if err := <-done; err != nil {
							b.Error(err)
							return
						}
						took[i-1] = sys.Now().Sub(from)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			frames := float64(l.Last() - first)
			slices.Sort(took)
			b.ReportMetric(float64(b.N)/sys.Now().Sub(start).Seconds(), "records/s")
			b.ReportMetric(float64(b.N)/frames, "records/frame")
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/frames, "cpu-µs/frame")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkSpread appends to all eight partitions at once, one record at a time each: many small frames.
func BenchmarkSpread(b *testing.B) {
	j := openBench(b, journal.Options{})
	before := cpu(b)
	var wg sync.WaitGroup
	for p := range j.Partitions() {
		wg.Go(func() {
			done := make(chan error, 1)
			recs := []record.Record{sample(p)}
			for range b.N/j.Partitions() + 1 {
				if err := j.Log(p).Append(recs, func(_ uint64, err error) { done <- err }); err != nil {
					b.Error(err)
					return
				}
				<-done
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/frame")
}

// BenchmarkRead reads frames of 100 records.
func BenchmarkRead(b *testing.B) {
	for name, tail := range map[string]int{"tail": 256 << 20, "disk": 1} {
		b.Run(name, func(b *testing.B) {
			j := openBench(b, journal.Options{TailBytes: tail})
			l := j.Log(0)
			recs := make([]record.Record, 100)
			for i := range recs {
				recs[i] = sample(i)
			}
			const frames = 1000
			for range frames {
				if err := l.Append(recs, nil); err != nil {
					b.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			for pos := uint64(0); pos < l.Last() || l.Last() == 0; {
				f, err := l.Next(ctx, pos)
				if err != nil {
					b.Fatal(err)
				}
				pos = f.Seq
			}
			var pos, read uint64
			b.ResetTimer()
			b.ReportAllocs()
			for range b.N {
				f, err := l.Next(ctx, pos)
				if err != nil {
					b.Fatal(err)
				}
				read += uint64(len(f.Records))
				if pos = f.Seq; pos == l.Last() {
					pos = 0
				}
			}
			b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkOpen creates a journal, or opens an empty one.
func BenchmarkOpen(b *testing.B) {
	for _, name := range []string{"new", "again"} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			for i := range b.N {
				o := journal.Options{Dir: dir}
				if name == "new" {
					o.Dir = filepath.Join(dir, fmt.Sprint(i))
				}
				j, err := journal.Open(context.Background(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				_ = j.Close(context.Background())
				b.StartTimer()
			}
		})
	}
}
