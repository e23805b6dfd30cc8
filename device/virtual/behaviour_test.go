package virtual_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/device/virtual"
)

func TestBehaviours(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	for name, tc := range map[string]struct {
		behaviour string
		first     string // history before time passes
		later     string // after an hour
		inbox     string
	}{
		"default: delivered, then read":     {``, "delivered read", "delivered read", ""},
		"read after a delay":                {`{"read_delay":"90s"}`, "delivered", "delivered read", ""},
		"never reads":                       {`{"read_rate":0}`, "delivered", "delivered", ""},
		"chat open: read only":              {`{"read_at_once":true}`, "read", "read", ""},
		"replies at once":                   {`{"reply_rate":1,"reply_text":"Hi \"you\""}`, "delivered read", "delivered read", `Hi "you"`},
		"replies later":                     {`{"reply_rate":1,"reply_delay":"1.5s"}`, "delivered read", "delivered read", "OK"},
		"offline: nothing until it is back": {`{"offline":true}`, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.add(ann, tc.behaviour)
			id := r.n.text(ann, "hello")
			r.idle()
			equal(t, "at first", r.n.history(ann, id), tc.first)
			r.advance(time.Hour)
			equal(t, "later", r.n.history(ann, id), tc.later)
			equal(t, "inbox", r.n.inbox(ann), tc.inbox)
		})
	}
}

func TestRatesRepeatForASeed(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	run := func(seed uint64) string {
		r := newRig(t, func(o *virtual.Options) { o.Seed = seed })
		r.add(ann, `{"read_rate":0.5}`)
		var out strings.Builder
		for range 40 {
			id := r.n.text(ann, "x")
			r.idle()
			out.WriteString(r.n.history(ann, id) + ",")
		}
		return out.String()
	}
	first, second, third := run(1), run(1), run(2)
	equal(t, "same seed", second, first)
	if third == first {
		t.Error("another seed decided the same 40 times")
	}
	if n := strings.Count(first, "read"); n < 8 || n > 32 {
		t.Errorf("%d of 40 read", n)
	}
}

func TestBlockAndReport(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, nil)
	r.add(ann, `{"block_rate":1,"report_rate":1}`)
	r.n.text(ann, "spam")
	r.idle()
	r.must(r.f.Do(t.Context(), ann, virtual.UserAction{Do: "unblock", To: business}))
	r.idle()
	r.n.Look(ann+".1", func(p *platformtest.Peer) {
		equal(t, "acts", fmt.Sprintln(p.Acts[0].Do, p.Acts[1].Do, p.Acts[2].Do), "block report unblock\n")
	})
}

func TestOfflinePeriods(t *testing.T) {
	t.Parallel()
	const ann = "15550200001"
	r := newRig(t, nil)
	r.add(ann, `{"offline":{"every":"10m","for":"1m"}}`)
	seen := map[bool]int{}
	for range 200 {
		r.advance(30 * time.Second)
		u, _ := r.f.User(ann)
		seen[u.Online]++
	}
	if seen[false] < 4 || seen[true] < 150 {
		t.Errorf("online and offline: %v", seen)
	}
	id := r.n.text(ann, "sooner or later")
	r.advance(11 * time.Minute)
	r.advance(2 * time.Minute)
	equal(t, "history", r.n.history(ann, id), "delivered read")
}

func TestBehaviourJSON(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		`{"read_rate":2}`, `{"reply_rate":-1}`, `{"read_delay":5}`, `{"read_delay":"5"}`, `{"read_delay":"-5s"}`,
		`{"reed_rate":1}`, `{"offline":{"every":"1m"}}`, `{"offline":"yes"}`, `[]`,
		`{"reply_text":"` + strings.Repeat("x", 5000) + `"}`,
	} {
		var b virtual.Behaviour
		if err := json.Unmarshal([]byte(bad), &b); !errors.Is(err, virtual.ErrBehaviour) {
			t.Errorf("%.40s: %v", bad, err)
		}
	}
	for _, good := range []string{
		`{}`, `{"read_rate":0.25,"read_delay":"1.5s","reply_rate":1,"reply_text":"x","reply_delay":"1h"}`,
		`{"offline":true}`, `{"offline":{"every":"10m","for":"1m"}}`, `{"read_at_once":true,"block_rate":0.1,"report_rate":0.1}`,
		`{"press_rate":1,"fields":{"a":"b"},"react_rate":1,"react_emoji":"x","file_rate":1,"file_kind":"sticker","opt_out_rate":1}`,
	} {
		var a, b virtual.Behaviour
		if err := json.Unmarshal([]byte(good), &a); err != nil {
			t.Fatalf("%s: %v", good, err)
		}
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &b); err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s became %s: %v", good, data, err)
		}
	}
}
