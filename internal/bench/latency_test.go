package bench

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is now:\n%s\nwant:\n%s", path, got, want)
	}
}

// bell is a histogram with a tail, the same every time.
func bell() *Latencies {
	l := NewLatencies()
	for i := range 5000 {
		x := math.Sin(float64(i)*1.3) + math.Sin(float64(i)*0.7)
		l.Record(time.Duration(2e6 * math.Exp(x)))
	}
	l.Record(750 * time.Millisecond)
	return l
}

func TestChart(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Chart(&b, bell().Buckets()); err != nil {
		t.Fatal(err)
	}
	golden(t, "chart.golden", b.String())
	if err := Chart(&b, nil); err != nil {
		t.Errorf("no buckets: %v", err)
	}
	if err := Chart(broken{}, bell().Buckets()); err == nil {
		t.Error("the writer's error is lost")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestQuantiles(t *testing.T) {
	t.Parallel()
	l := NewLatencies()
	if q := l.Quantiles(); q != (Quantiles{}) || l.Above(0) != 0 || len(l.Buckets()) != 0 {
		t.Errorf("empty: %+v", q)
	}
	for i := range 1000 {
		l.Record(time.Duration(i+1) * time.Millisecond)
	}
	q := l.Quantiles()
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"p50", q.P50, 500}, {"p90", q.P90, 900}, {"p99", q.P99, 990}, {"p99.9", q.P999, 999}, {"max", q.Max, 1000}, {"mean", q.Mean, 500.5}} {
		if math.Abs(c.got-c.want) > c.want/500 { // three digits
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	if q.Count != 1000 {
		t.Errorf("count %d", q.Count)
	}
	if a := l.Above(900 * time.Millisecond); a < 0.099 || a > 0.101 {
		t.Errorf("above 900 ms: %v", a)
	}
	l.Reset()
	l.Record(-time.Second)
	l.Record(24 * time.Hour)
	if q := l.Quantiles(); q.Count != 2 || q.P50 != 0 || math.Abs(q.Max-600_000) > 1000 {
		t.Errorf("out of range: %+v", q)
	}
}

func TestBucketsHoldEverything(t *testing.T) {
	t.Parallel()
	total, last := int64(0), -1.0
	for _, b := range bell().Buckets() {
		if b.From >= b.To || (last >= 0 && b.From != last) {
			t.Errorf("bucket %+v after %v", b, last)
		}
		last, total = b.To, total+b.Count
	}
	if total != 5001 {
		t.Errorf("%d of 5,001", total)
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 100000: "100,000"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terminal bool
		want     string
	}{
		{false, "start\n1 of 2\n2 of 2\nend\n3\n"},
		{true, "start\n1 of 2|\r\x1b[K2 of 2|\r\x1b[Kend\n3|\r\x1b[K"},
	} {
		var b strings.Builder
		p := &Progress{W: &b, Terminal: c.terminal}
		p.Say("start")
		p.Tick("%d of 2", 1)
		p.Tick("%d of 2", 2)
		p.Say("end")
		p.Tick("3")
		p.Close()
		p.Close()
		if got := b.String(); got != strings.ReplaceAll(c.want, "|", "") {
			t.Errorf("terminal %v: %q", c.terminal, got)
		}
	}
	var none *Progress
	none.Say("nobody reads this")
	none.Tick("nor this")
	none.Close()
}
