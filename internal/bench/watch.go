package bench

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"
)

// watch looks at the processes and tells the progress every second until the function returned is called with the time the
// load took; that fills in what the load cost.
func (r *run) watch(ctx context.Context, begin time.Time) func(wall time.Duration) {
	server, generator := r.usage(ctx), selfUsage()
	machine, err := machineBusy()
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		last := r.load.ledger.accepted.Load()
		for r.o.Clock.Sleep(ctx, time.Second) == nil {
			now := r.load.ledger.accepted.Load()
			r.tell(r.o.Clock.Now().Sub(begin), now-last)
			last = now
			if r.child == nil { // nobody else remembers the peak
				r.report.PeakRSS = max(r.report.PeakRSS, r.usage(ctx).RSS)
			}
		}
	})
	return func(wall time.Duration) {
		cancel()
		wg.Wait()
		cores := float64(runtime.NumCPU()) * wall.Seconds()
		r.report.CPU = (r.usage(context.WithoutCancel(ctx)).CPU - server.CPU).Seconds() / cores
		r.report.GeneratorCPU = (selfUsage().CPU - generator.CPU).Seconds() / cores
		if now, e := machineBusy(); err == nil && e == nil {
			r.report.OtherCPU = max(0, (now-machine).Seconds()/cores-r.report.CPU-r.report.GeneratorCPU)
		}
	}
}

func (r *run) tell(since time.Duration, mps int64) {
	l, q := r.load.ledger, r.load.accept.Quantiles()
	codes, broken, _ := r.load.failures()
	refused := broken
	for _, n := range codes {
		refused += n
	}
	r.o.Progress.Tick("%3.0f s  %6s/s accepted  %s refused  %s sent %s delivered %s read %s inbound  on their way %s  accept p50 %.1f p99 %.1f ms",
		since.Seconds(), thousands(mps), thousands(refused), thousands(l.sent.Load()), thousands(l.delivered.Load()),
		thousands(l.read.Load()), thousands(l.inbound.Load()), thousands(max(l.Open(), 0)), q.P50, q.P99)
}

// usage of the platform's process; zero where it cannot be had.
func (r *run) usage(ctx context.Context) usage {
	if r.child != nil {
		if u, err := processUsage(r.child.cmd.Process.Pid); err == nil {
			return u
		}
	}
	m, err := r.op.metrics(ctx)
	if err != nil {
		return usage{}
	}
	return usage{CPU: time.Duration(m[metricCPU] * float64(time.Second)), RSS: int64(m[metricRSS])}
}

func selfUsage() usage {
	u, err := processUsage(os.Getpid())
	if err != nil {
		return usage{}
	}
	return u
}

// memory fills in what the platform holds at the end.
func (r *run) memory(ctx context.Context) error {
	u := r.usage(ctx)
	r.report.EndRSS = u.RSS
	r.report.PeakRSS = max(r.report.PeakRSS, u.Peak, u.RSS)
	return context.Cause(ctx)
}
