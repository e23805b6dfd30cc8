package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest latency told apart; what takes longer counts as this.
const longest = 10 * time.Minute

// Latencies is a histogram of durations, to three significant digits from a microsecond on. It is safe for concurrent use.
type Latencies struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// NewLatencies makes an empty histogram of about 200 kB.
func NewLatencies() *Latencies {
	return &Latencies{h: hdrhistogram.New(1, longest.Microseconds(), 3)}
}

// Record counts d. A negative duration counts as 0.
func (l *Latencies) Record(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The value is in range, so there is no error.
	_ = l.h.RecordValue(min(max(d, 0), longest).Microseconds())
}

// Reset forgets everything.
func (l *Latencies) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.h.Reset()
}

// Quantiles describe a histogram in milliseconds. All are 0 when nothing was counted.
type Quantiles struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
}

// Quantiles describes what was counted so far.
func (l *Latencies) Quantiles() Quantiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.h.TotalCount() == 0 {
		return Quantiles{}
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Quantiles{
		Count: l.h.TotalCount(), Mean: l.h.Mean() / 1000, P50: ms(l.h.ValueAtQuantile(50)), P90: ms(l.h.ValueAtQuantile(90)),
		P99: ms(l.h.ValueAtQuantile(99)), P999: ms(l.h.ValueAtQuantile(99.9)), Max: ms(l.h.Max()),
	}
}

// Above is the share of durations longer than d, from 0 to 1.
func (l *Latencies) Above(d time.Duration) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.h.TotalCount() == 0 {
		return 0
	}
	above := int64(0)
	for _, b := range l.h.Distribution() {
		if b.From > d.Microseconds() {
			above += b.Count
		}
	}
	return float64(above) / float64(l.h.TotalCount())
}

// Bucket is a bar of a chart: durations of at least From and less than To, in milliseconds.
type Bucket struct {
	From  float64 `json:"from_ms"`
	To    float64 `json:"to_ms"`
	Count int64   `json:"count"`
}

// Buckets sorts what was counted into bars that grow in steps of 1, 2 and 5, from the first to the last that is not empty.
func (l *Latencies) Buckets() []Bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	bars := l.h.Distribution()
	var out []Bucket
	from, i := int64(0), 0
	for to := int64(100); i < len(bars); from, to = to, step(to) {
		b := Bucket{From: float64(from) / 1000, To: float64(to) / 1000}
		for ; i < len(bars) && bars[i].From < to; i++ {
			b.Count += bars[i].Count
		}
		if b.Count > 0 || len(out) > 0 {
			out = append(out, b)
		}
	}
	for len(out) > 0 && out[len(out)-1].Count == 0 {
		out = out[:len(out)-1]
	}
	return out
}

// step is the number after n in 1, 2, 5, 10, 20, 50, …
func step(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		switch n {
		case unit, 5 * unit:
			return 2 * n
		case 2 * unit:
			return 5 * unit
		}
	}
}
