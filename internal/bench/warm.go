package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

const warmTime = 10 * time.Minute

// warm lets the user of every conversation write once. That opens the customer service windows, so that text may be sent,
// and agrees the keys of every conversation before anything is measured.
func (r *run) warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, warmTime, errors.New("preparing the conversations took too long"))
	defer cancel()
	r.begin(nil)
	before, err := r.op.received(ctx)
	if err != nil {
		return err
	}
	if err := r.greet(ctx); err != nil {
		return fmt.Errorf("let users write first: %w", err)
	}
	if err := r.op.idle(ctx, warmTime); err != nil {
		return err
	}
	if err := r.receiver.settle(ctx); err != nil {
		return err
	}
	after, err := r.op.received(ctx)
	if err != nil {
		return err
	}
	want := int64(len(r.load.roster.all))
	got := r.load.ledger.Tally()
	if after-before != want || got.Inbound != want || got.Doubled > 0 {
		return fmt.Errorf("of %d first messages of users the platform took %d and the receiver got %d, %d of them twice",
			want, after-before, got.Inbound, got.Doubled)
	}
	return nil
}

func (r *run) greet(ctx context.Context) error {
	addr, err := host(r.op.t.ControlURL)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all := r.load.roster.all
	var next atomic.Int64
	crew(warmWorkers, addr, func(c *conn) {
		var buf []byte
		for ctx.Err() == nil {
			i := next.Add(1) - 1
			if i >= int64(len(all)) {
				return
			}
			buf = greeting(buf[:0], addr, all[i])
			status, answer, err := c.post(ctx, buf)
			if err == nil && status != 200 {
				err = fmt.Errorf("HTTP %d: %s", status, answer)
			}
			if err != nil {
				cancel(err)
				return
			}
			if i%1000 == 999 || i == int64(len(all))-1 {
				r.o.Progress.Tick("conversations: %s of %s", thousands(i+1), thousands(int64(len(all))))
			}
		}
	})
	return context.Cause(ctx)
}

// greeting appends the request that lets a user write to a number. Source: docs/control.md.
func greeting(b []byte, addr string, c *conversation) []byte {
	body := `{"to":"` + c.line.WaID + `","type":"text","text":{"body":"Hello, is my table ready?"}}`
	b = append(b, "POST /control/v1/users/"+c.user+"/messages HTTP/1.1\r\nHost: "+addr+"\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	return append(append(b, "\r\n\r\n"...), body...)
}
