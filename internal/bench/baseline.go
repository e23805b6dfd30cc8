package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Baseline is what the machine does without a platform, for proportions. Server and client share its processors, as the
// platform and the generator do.
type Baseline struct {
	Handler float64 `json:"net_http_handler_rps"`   // requests/s of a handler that reads a send and answers like one
	Sender  float64 `json:"signed_sender_posts_ps"` // POSTs/s of a signed status by net/http's transport to the lean receiver
}

const (
	baselineTime    = 3 * time.Second
	baselineWorkers = 64
)

// MeasureBaseline takes about six seconds.
func MeasureBaseline(ctx context.Context, c clock.Clock) (b Baseline, err error) {
	if b.Handler, err = handlerRate(ctx, c); err != nil {
		return b, fmt.Errorf("measure a plain handler: %w", err)
	}
	if b.Sender, err = senderRate(ctx, c); err != nil {
		return b, fmt.Errorf("measure a bare sender: %w", err)
	}
	return b, nil
}

// repeated counts what n workers do in baselineTime.
func repeated(ctx context.Context, c clock.Clock, run func(ctx context.Context, done *atomic.Int64)) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var done atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() { run(ctx, &done) })
	begin := c.Now()
	err := c.Sleep(ctx, baselineTime)
	rate := float64(done.Load()) / c.Now().Sub(begin).Seconds()
	cancel()
	wg.Wait()
	return rate, err
}

func handlerRate(ctx context.Context, c clock.Clock) (float64, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	answer := []byte(`{"messaging_product":"whatsapp","contacts":[{"input":"16505551234","wa_id":"16505551234"}],"messages":[{"id":"` +
		messageID("16505551234", 1) + `"}]}`)
	server := &http.Server{ReadHeaderTimeout: attemptTime, TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	defer wg.Wait()
	defer func() { _ = server.Close() }()
	t := &Target{BaseURL: "http://" + l.Addr().String(), Version: "v23.0", Token: "baseline"}
	to := &conversation{line: newSender(t, line{ID: "106540352242922"}, bodyText), user: "16505551234"}
	return repeated(ctx, c, func(ctx context.Context, done *atomic.Int64) {
		crew(baselineWorkers, l.Addr().String(), func(c *conn) {
			var buf []byte
			for ctx.Err() == nil {
				buf = to.request(buf[:0], 1)
				if _, _, err := c.post(ctx, buf); err == nil {
					done.Add(1)
				}
			}
		})
	})
}

func senderRate(ctx context.Context, c clock.Clock) (float64, error) {
	const secret = "baseline"
	r, err := NewReceiver(ctx, c, secret, "", 1<<30)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	u, err := url.Parse(r.URL())
	if err != nil {
		return 0, err
	}
	t := transport(baselineWorkers)
	defer t.CloseIdleConnections()
	s := sample{WABAID: "102290129340398", NumberID: "106540352242922", Number: "15550783881"}
	payload := s.status(messageID("16505551234", 1), "16505551234", "sent", c.Now())
	return repeated(ctx, c, func(ctx context.Context, done *atomic.Int64) {
		var wg sync.WaitGroup
		for range baselineWorkers {
			wg.Go(func() {
				sign := newSigner(secret)
				for ctx.Err() == nil {
					if status, err := post(ctx, t, u, sign.header(payload), payload); err == nil && status == http.StatusOK {
						done.Add(1)
					}
				}
			})
		}
		wg.Wait()
	})
}

// percent writes a share of 1 as a percentage.
func percent(f float64) string { return strconv.FormatFloat(100*f, 'f', 1, 64) + " %" }
