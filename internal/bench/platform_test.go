package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// small is a run of 100 messages in half a second.
func small(t *testing.T, f *fake) PlatformOptions {
	t.Helper()
	o := PlatformOptions{
		MPS: 200, Reply: 0.3, Duration: 500 * time.Millisecond, Users: 1500, Drain: 3 * time.Second, VerifyEvery: 1,
		Clock: clock.System(), Progress: &Progress{W: io.Discard},
	}
	if f != nil {
		o.Target = TargetOf(f.env())
	}
	return o
}

func TestPlatformCountsExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults fakeFaults
		want   Tally
		reason string // "" for none about counts
		lost   int64
	}{
		{"nothing wrong", fakeFaults{}, Tally{Accepted: 100, Sent: 100, Delivered: 100, Read: 100, Inbound: 33, Opened: 133, Complete: 100}, "", 0},
		{
			"a status and an answer lost, one doubled",
			fakeFaults{LoseRead: 7, DoubleSent: 9, LoseReply: 12},
			Tally{Accepted: 100, Sent: 100, Delivered: 100, Read: 99, Inbound: 32, MissingRead: 1, Doubled: 1, Opened: 132, Complete: 99},
			"1 statuses are missing; 1 messages of users are missing; 1 events came twice", 1,
		},
		{
			"a message failed, one refused",
			fakeFaults{Fail: 50, Refuse: 60},
			Tally{Accepted: 99, Sent: 98, Delivered: 98, Read: 98, Failed: 1, Inbound: 32, Opened: 131, Complete: 98},
			"1 messages failed; 1 sends were refused with 131056", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(c.faults)
			defer f.close()
			o := small(t, f)
			o.Profile = filepath.Join(t.TempDir(), "cpu")
			r, err := Platform(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Tally != c.want || r.MissingInbound != c.lost || r.Asked != 100 || r.Attempted != 100 {
				t.Errorf("tally %+v\nwant  %+v, %d inbound lost", r.Tally, c.want, r.MissingInbound)
			}
			counts := slices.DeleteFunc(slices.Clone(r.Reasons), func(s string) bool { return strings.Contains(s, "target") })
			if got := strings.Join(counts, "; "); got != c.reason {
				t.Errorf("reasons %q, want %q", got, c.reason)
			}
			if r.Posts < 300 || r.Checked != r.Posts || r.Accept.Count != c.want.Accepted || r.ToRead.Count != c.want.Read {
				t.Errorf("%d POSTs, %d checked, accept %+v", r.Posts, r.Checked, r.Accept)
			}
			if r.Conversations != 1500 || f.levels["n0"] != 1000 || f.users != 1500 {
				t.Errorf("%d conversations, level %v, %d users", r.Conversations, f.levels, f.users)
			}
			if b, err := os.ReadFile(o.Profile); err != nil || string(b) != "profile of 1" {
				t.Errorf("profile %q, %v", b, err)
			}
			if err := r.Write(io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPlatformSeesForgedSignatures(t *testing.T) {
	t.Parallel()
	f := newFake(fakeFaults{Forge: true})
	defer f.close()
	r, err := Platform(t.Context(), small(t, f))
	if err != nil || r.Passed() || r.Forged == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// Every message carries the picture, and a link is fetched once.
func TestPlatformSendsPictures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		media   string
		faults  fakeFaults
		fetches int64
	}{
		"by id":                 {MediaID, fakeFaults{}, 0},
		"by link":               {MediaLink, fakeFaults{}, 1},
		"by link, fetched anew": {MediaLink, fakeFaults{Refetch: true}, 100},
		"neither":               {"", fakeFaults{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(c.faults)
			defer f.close()
			o := small(t, f)
			o.Media = c.media
			r, err := Platform(t.Context(), o)
			if err != nil || r.Fetches != c.fetches || r.Media != c.media {
				t.Fatalf("%+v, %v", r, err)
			}
			if got := slices.Contains(r.Reasons, "100 fetches of one link"); got != (c.fetches == 100) {
				t.Errorf("reasons %q", r.Reasons)
			}
			for of, n := range f.pictures {
				if n != 100 || (of == "") != (c.media == "") || (of == "184672") != (c.media == MediaID) {
					t.Errorf("%d messages with picture %q", n, of)
				}
			}
			var page strings.Builder
			if err := r.Write(&page); err != nil || strings.Contains(page.String(), "the same picture") != (c.media != "") {
				t.Errorf("%v\n%s", err, page.String())
			}
		})
	}
}

func TestPlatformAsksForEnoughUsers(t *testing.T) {
	t.Parallel()
	f := newFake(fakeFaults{})
	defer f.close()
	o := small(t, f)
	o.Users = 100
	if _, err := Platform(t.Context(), o); err == nil || !strings.Contains(err.Error(), "give more --users") {
		t.Errorf("%v", err)
	}
	for _, bad := range []PlatformOptions{{MPS: -1}, {Reply: 1.1}, {Users: -1}, {Media: "song"}} {
		if _, err := Platform(t.Context(), bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if _, err := FindTarget(t.Context(), "", "", f.graph.URL, "", func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "CONTROL_URL") {
		t.Errorf("no variables: %v", err)
	}
	env := f.env()
	got, err := FindTarget(t.Context(), "", "", "http://127.0.0.1:1", "", func(k string) string { return env[k] })
	if err != nil || got.BaseURL != "http://127.0.0.1:1" || got.ControlURL != f.control.URL || got.Number != "15550783881" {
		t.Errorf("%+v, %v", got, err)
	}
}

// The closed loop keeps no more messages on their way than it has tokens, and loses none when it ends.
func TestClosedLoop(t *testing.T) {
	t.Parallel()
	f := newFake(fakeFaults{Refuse: 5})
	defer f.close()
	r := &run{o: small(t, f), op: operator{t: TargetOf(f.env()), c: http.DefaultClient}}
	r.o.MPS, r.o.Numbers = 0, 3
	r.report = newReport(&r.o)
	var err error
	if r.receiver, err = NewReceiver(t.Context(), r.o.Clock, secret, "verify", 1); err != nil {
		t.Fatal(err)
	}
	defer r.receiver.Close()
	if err := r.op.subscribe(t.Context(), r.receiver.URL()); err != nil {
		t.Fatal(err)
	}
	if err := r.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.report.Conversations != 4500 || len(f.levels) != 3 || f.levels["n14155550001"] != highMPS {
		t.Errorf("%d conversations, levels %v", r.report.Conversations, f.levels)
	}
	r.tokens = newTokens(mostWindow)
	enough, stop := context.WithCancel(t.Context())
	r.begin(func() {
		if r.tokens.complete(); r.tokens.done.Load() == 300 {
			stop()
		}
	})
	r.tokens.resize(enough, 8)
	r.load.closedLoop(t.Context(), enough, r.tokens, 16)
	f.work.Wait()
	r.receiver.Close()
	tally := r.load.ledger.Tally()
	if tally.Missing() != 0 || tally.Doubled != 0 || tally.Strangers != 0 || tally.Complete < 300 {
		t.Errorf("%+v", tally)
	}
	codes, broken, first := r.load.failures()
	if codes[131056] != 1 || broken != 0 || first == nil {
		t.Errorf("%v, %d, %v", codes, broken, first)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	// A status is counted before its POST has returned to the platform, so one more per token may show.
	if f.top > 16 {
		t.Errorf("%d on their way with 8 tokens", f.top)
	}
}

// Steps go on while the rate grows, and past one flat step.
func TestClimb(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rates []int // of the steps that are to be taken
		best  int
	}{
		{[]int{100, 200, 210, 150}, 128}, // 210 is no more than 5 % above
		{[]int{100, 90, 300, 301, 302}, 256},
		{[]int{100, 200, 207, 213}, 256}, // 200 is too far below
		{[]int{0, 0}, 0},
	} {
		fc := clock.NewFake(start)
		l, tk := &load{clock: fc}, newTokens(mostWindow)
		var steps []Step
		best := 0
		done := make(chan error)
		go func() {
			var err error
			steps, best, err = l.climb(t.Context(), tk, func(string) {})
			done <- err
		}()
		for _, rate := range c.rates {
			for _, d := range []time.Duration{settleTime, stepTime} {
				if err := fc.BlockUntil(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				if d == stepTime {
					tk.done.Add(int64(rate) * 4)
				}
				fc.Advance(d)
			}
		}
		if err := <-done; err != nil || best != c.best || len(steps) != len(c.rates) {
			t.Errorf("%v: best %d, steps %v, %v", c.rates, best, steps, err)
		}
		for i, s := range steps {
			if s.Rate != float64(c.rates[i]) || s.Window != firstWindow<<i || len(tk.c) != firstWindow<<(len(steps)-1) {
				t.Errorf("%v: step %d is %+v, %d tokens", c.rates, i, s, len(tk.c))
			}
		}
		tk.resize(t.Context(), 10)
		if len(tk.c) != 10 {
			t.Errorf("%d tokens of 10", len(tk.c))
		}
	}
}

func TestRosterLetsConversationsRest(t *testing.T) {
	t.Parallel()
	tg := TargetOf(map[string]string{"BASE_URL": "http://h", "TOKEN": "t"})
	senders := []*sender{newSender(&tg, line{ID: "1"}, bodyText), newSender(&tg, line{ID: "2"}, bodyText)}
	r, err := newRoster(start, senders, []string{"a", "b", "c"}, 5)
	if err != nil || len(r.all) != 6 {
		t.Fatalf("%v", err)
	}
	seen := map[string]bool{}
	for i := range 6 {
		c, rest := r.take(after(i))
		if rest != 0 {
			t.Errorf("rest %v at first", rest)
		}
		seen[c.line.ID+c.user] = true
	}
	if len(seen) != 6 {
		t.Errorf("conversations %v", seen)
	}
	if _, rest := r.take(after(1000)); rest != pairRest-time.Second {
		t.Errorf("rest %v after a second", rest)
	}
	if _, rest := r.take(after(7001)); rest != 0 {
		t.Errorf("rest %v after %v", rest, pairRest)
	}
	if _, err := newRoster(start, senders, []string{"a"}, 3); err == nil {
		t.Error("one user and two numbers make three conversations")
	}
	req, err := http.ReadRequest(bufioOf(r.all[0].request(nil, 12345)))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		To   string
		Text struct{ Body string }
	}
	if err := json.NewDecoder(req.Body).Decode(&m); err != nil || m.To != "a" || !strings.HasSuffix(m.Text.Body, strconv.Itoa(12345)) {
		t.Errorf("%+v, %v", m, err)
	}
	if n, _ := io.Copy(io.Discard, req.Body); n != 0 || req.URL.Path != "/v23.0/1/messages" || req.Host != "h" || req.Header.Get("Authorization") != "Bearer t" {
		t.Errorf("%+v, %d bytes left", req, n)
	}
}
