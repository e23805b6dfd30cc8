package webhook

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal/record"
)

// leanReceiver answers every POST with 200 and does as little as HTTP allows, so that the sender is what is measured.
func leanReceiver(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveLean(c)
		}
	}()
	return "http://" + l.Addr().String() + "/hook"
}

func serveLean(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		size := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				size, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := r.Discard(size); err != nil {
			return
		}
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// BenchmarkDispatch is the whole way of a status: journal frame, payload, signature, POST, cursor. The target with one
// POST per status is at least 20,000 POSTs/s on the two-core reference machine, receiver included.
func BenchmarkDispatch(b *testing.B) {
	for _, batch := range []int{1, 1000} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			r := newRig(b, func(o *Options) { o.BatchMax, o.Wall = batch, clock.System() })
			err := r.subs.Subscribe(b.Context(), SubscribeRequest{
				App: testApp, Object: Object, CallbackURL: leanReceiver(b), Fields: []Field{{Name: FieldMessages}}, Trusted: true,
			})
			if err == nil {
				err = r.subs.Link(b.Context(), testApp, testWABA, "", "")
			}
			if err != nil {
				b.Fatal(err)
			}
			const frame, messages = 60, 60 * 60 // more messages than can be on their way at once
			recs := make([]record.Record, messages)
			for i := range recs {
				recs[i] = r.status(fmt.Sprintf("HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0Ey%08d", i))
			}
			for i := 0; i < b.N; i += frame {
				at := i % messages
				r.logs[0].append(testStart, recs[at:at+min(frame, b.N-i)]...)
			}
			b.ReportAllocs()
			b.ResetTimer()
			r.d.Start()
			r.wait("idle", r.d.Idle)
			b.StopTimer()
			b.ReportMetric(float64(r.tally.attempts.Load())/b.Elapsed().Seconds(), "POSTs/s")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
		})
	}
}
