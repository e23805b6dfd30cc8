package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/retry"
)

// instant is a Sleeper whose time is what was slept.
type instant struct {
	now   time.Duration
	waits []time.Duration
}

func (c *instant) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.now += d
	c.waits = append(c.waits, d)
	return nil
}

// Source: spec/limits.md section 2.4. The server is the rule of section 2.2 after a burst of n at 0.
func TestRetryTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact  string
		burst int
		first float64
		want  []float64 // times of the tries in seconds; the last one is accepted
	}{
		{"N=2, 6 s: 6 R, 7 R, 11 R, 27 A", 2, 6, []float64{6, 7, 11, 27}},
		{"N=5, 6 s: 6 R, 7 R, 11 R, 27 R, 91 A", 5, 6, []float64{6, 7, 11, 27, 91}},
		{"N=20, 6 s: 6 R, 7 R, 11 R, 27 R, 91 R, 347 A", 20, 6, []float64{6, 7, 11, 27, 91, 347}},
		{"N=45, 0.5 s: 0.5 R, 1.5 R, 5.5 R, 21.5 R, 85.5 R, 341.5 A", 45, 0.5, []float64{0.5, 1.5, 5.5, 21.5, 85.5, 341.5}},
		{"N=45, 6 s: 6 R, 7 R, 11 R, 27 R, 91 R, 347 A", 45, 6, []float64{6, 7, 11, 27, 91, 347}},
	} {
		clock := &instant{now: time.Duration(c.first * float64(time.Second))}
		var tries []float64
		err := retry.Do(t.Context(), clock, func() error {
			tries = append(tries, clock.now.Seconds())
			if clock.now < time.Duration(c.burst)*6*time.Second {
				return &retry.Error{Code: 131056}
			}
			return nil
		})
		if err != nil || !slices.Equal(tries, c.want) {
			t.Errorf("%s: %v, %v", c.fact, tries, err)
		}
	}
}

// Source: spec/errors.md section 20.
func TestClassify(t *testing.T) {
	t.Parallel()
	for class, codes := range map[retry.Class][]int{
		retry.Backoff:     {1, 2, 4, 17, 341, 613, 80007, 80008, 130429, 131000, 131016, 131056, 131057, 133004, 138002, 138004, 138005, 138007, 139102, 139103},
		retry.Fixed:       {131049, 133008, 133009, 133015, 133016, 132015, 132069, 134101, 138009, 138012},
		retry.StopForUser: {130403, 131021, 131026, 131050, 130472, 131030, 137000},
		retry.Stop:        {0, 3, 10, 100, 190, 200, 299, 33, 368, 130497, 131005, 131031, 131037, 131042, 131045, 131047, 131048, 132000, 132001, 132012, 133005, 133006, 133010, 424242, -1},
	} {
		for _, code := range codes {
			if a := retry.Classify(code); a.Class != class {
				t.Errorf("%d: %v, want %v", code, a.Class, class)
			}
		}
	}
	for code, wait := range map[int]time.Duration{131049: 24 * time.Hour, 133015: 5 * time.Minute, 133016: 72 * time.Hour, 132069: time.Hour, 134101: 10 * time.Minute, 133008: 0} {
		if a := retry.Classify(code); a.Wait != wait {
			t.Errorf("%d: wait %v, want %v", code, a.Wait, wait)
		}
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fact   string
		policy retry.Policy
		err    error
		waits  []time.Duration
	}{
		{"an error without a code is not tried again: the message may have been made", retry.Policy{}, io.ErrUnexpectedEOF, nil},
		{"a code that needs action is not tried again", retry.Policy{}, &retry.Error{Code: 131047}, nil},
		{"a code about the user is not tried again", retry.Policy{}, &retry.Error{Code: 131026}, nil},
		{"five retries", retry.Policy{}, &retry.Error{Code: 131000}, seconds(1, 4, 16, 64, 256)},
		{"a wrapped code counts", retry.Policy{Retries: 1}, fmt.Errorf("send: %w", &retry.Error{Code: 2}), seconds(1)},
		{"a fixed wait stays the same", retry.Policy{Retries: 2}, &retry.Error{Code: 133015}, seconds(300, 300)},
		{"a fixed wait longer than MaxWait is the caller's business", retry.Policy{}, &retry.Error{Code: 131049}, nil},
		{"a fixed wait that only the details tell, too", retry.Policy{}, &retry.Error{Code: 133008}, nil},
		{"back-off ends at MaxWait", retry.Policy{MaxWait: 20 * time.Second}, &retry.Error{Code: 4}, seconds(1, 4, 16)},
	} {
		clock := new(instant)
		calls := 0
		err := c.policy.Do(t.Context(), clock, func() error { calls++; return c.err })
		if !errors.Is(err, c.err) || !slices.Equal(clock.waits, c.waits) || calls != len(c.waits)+1 {
			t.Errorf("%s: %v, waits %v, %d calls", c.fact, err, clock.waits, calls)
		}
	}
}

func seconds(s ...int) (ds []time.Duration) {
	for _, v := range s {
		ds = append(ds, time.Duration(v)*time.Second)
	}
	return ds
}

func TestAContextEndsTheWait(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	refusal := &retry.Error{Code: 130429}
	err := retry.Do(ctx, retry.System, func() error { cancel(); return refusal })
	if !errors.Is(err, context.Canceled) || !errors.Is(err, refusal) {
		t.Error(err)
	}
	if err := retry.System.Sleep(t.Context(), time.Nanosecond); err != nil {
		t.Error(err)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	for x, want := range map[int]time.Duration{-1: time.Second, 0: time.Second, 1: 4 * time.Second, 4: 256 * time.Second, 15: 1 << 30 * time.Second, 1000: 1 << 30 * time.Second} {
		if d := retry.Delay(x); d != want {
			t.Errorf("Delay(%d) is %v", x, d)
		}
	}
}

func TestResponse(t *testing.T) {
	t.Parallel()
	if err := retry.Response(200, []byte("anything")); err != nil {
		t.Error(err)
	}
	const body = `{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,"error_subcode":7,"is_transient":true,"error_data":{"messaging_product":"whatsapp","details":"Cloud API message throughput has been reached."},"fbtrace_id":"Az"}}`
	var e *retry.Error
	if err := retry.Response(400, []byte(body)); !errors.As(err, &e) || *e != (retry.Error{
		Status: 400, Code: 130429, Subcode: 7, Message: "(#130429) Rate limit hit",
		Details: "Cloud API message throughput has been reached.", Transient: true, TraceID: "Az",
	}) {
		t.Errorf("%+v", e)
	}
	if err := retry.Response(400, []byte(`{"error":{"code":100,"error_data":"{}"}}`)); !errors.As(err, &e) || e.Code != 100 || e.Details != "" {
		t.Errorf("error_data as text: %v", err)
	}
	for _, other := range []string{"", "<html>502</html>", "{}", `{"error":{}}`, `{"error":"no"}`} {
		if err := retry.Response(502, []byte(other)); err == nil || errors.As(err, new(retry.Coder)) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

func FuzzResponse(f *testing.F) {
	f.Add(400, []byte(`{"error":{"code":100,"error_data":{"details":"x"}}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if err := retry.Response(status, body); (err == nil) != (status < 300) {
			t.Fatal(err)
		}
	})
}
