package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// journaled writes what the dispatcher tells into the journal, as lanes do.
type journaled struct {
	mu   sync.Mutex
	r    *rig
	fail int           // of the next calls
	gate chan struct{} // calls wait for it
	all  []*record.Notice
}

func (j *journaled) Raise(ctx context.Context, app wa.AppID, waba wa.WABAID, number wa.PhoneNumberID, field string, value []byte) error {
	if j.gate != nil {
		select {
		case <-j.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail > 0 {
		j.fail--
		return errors.New("the lane is busy")
	}
	n := &record.Notice{App: app, WABA: waba, Number: number, Field: field, Value: value, At: j.r.clock.Now().UnixMilli()}
	j.all = append(j.all, n)
	j.r.logs[1].append(j.r.clock.Now(), n)
	return nil
}

func (j *journaled) told() []*record.Notice {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all)
}

// brief is a status of a number without storage.
func (r *rig) brief(id string) *record.Status {
	s := r.status(id)
	s.Brief = true
	return s
}

// briefRig is a rig whose losses are told.
func briefRig(t *testing.T, tune func(*Options)) (*rig, *journaled) {
	j := &journaled{}
	r := newRig(t, func(o *Options) {
		o.Notices = j
		if tune != nil {
			tune(o)
		}
	})
	j.r = r
	return r, j
}

const lostError = `{"object":"whatsapp_business_account","entry":[{"id":"` + string(testWABA) + `","changes":[{"value":` +
	`{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100123","phone_number_id":"` + string(testNumber) + `"},` +
	`"errors":[{"code":131035,"title":"Webhook could not be delivered within data retention limit",` +
	`"message":"Webhook could not be delivered within data retention limit",` +
	`"error_data":{"details":"Webhook could not be delivered within data retention limit"},"href":"https:\/\/developers.facebook.com\/docs\/whatsapp\/cloud-api\/support\/error-codes\/"}]},"field":"messages"}]}]}`

// Source: spec/webhooks.md sections 6 and 15, spec/security.md SC6. As W3 and W4, with an hour in the place of seven days.
func TestUpdatesOfNumbersWithoutStorageAreTriedForAnHour(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		down    time.Duration
		suspend int
		want    bool
	}{
		{"row, down 59 min", 59 * time.Minute, 1 << 30, true},
		{"row, down 61 min", 61 * time.Minute, 1 << 30, false},
		{"suspended, down 50 min", 50 * time.Minute, 1, true},
		{"suspended, down 61 min", 61 * time.Minute, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, j := briefRig(t, func(o *Options) { o.SuspendAfter = c.suspend })
			h, other := newHook(t), newHook(t)
			r.subscribe(testApp, testWABA, h.URL)
			r.subscribe("880011223344556", testWABA, other.URL) // took it: it is told of nothing
			h.status.Store(500)
			r.d.Start()
			r.logs[0].append(r.clock.Now(), r.brief("A"))
			r.walk(c.down)
			before := len(h.got())
			h.status.Store(200)
			r.walk(2 * time.Hour)
			good := h.got()[before:]
			switch {
			case len(other.got()) != 1:
				t.Errorf("the other app got %q", other.got())
			case len(good) != 1:
				t.Errorf("afterwards it got %q", good)
			case c.want && (!strings.Contains(good[0], `"wamid.A"`) || len(j.told()) != 0 || r.tally.lost.Load() != 0):
				t.Errorf("afterwards it got %q, %d were lost", good, r.tally.lost.Load())
			case !c.want && (good[0] != lostError || r.tally.lost.Load() != 1):
				t.Errorf("afterwards it got %q, want %q; %d were lost", good, lostError, r.tally.lost.Load())
			}
			if n := r.store.rowCount(); n != 0 {
				t.Errorf("%d rows are left", n)
			}
			for _, d := range r.d.Deliveries(100, nil) {
				if about := len(d.Messages) > 0; about && d.Payload != nil {
					t.Errorf("the payload is remembered: %q", d.Payload)
				}
				if len(d.Messages) > 0 && d.State != StateDelivered {
					if _, err := r.d.Redeliver(t.Context(), d.ID); !errors.Is(err, ErrNoDelivery) {
						t.Errorf("sent by hand after its hour: %v", err)
					}
				}
			}
		})
	}
}

// What the process slept through is lost, once for all that was; what is told later is told all the same.
func TestUpdatesThatWaitedForAStart(t *testing.T) {
	t.Parallel()
	r, j := briefRig(t, nil)
	h := newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	for i := range 5 {
		r.logs[0].append(r.clock.Now(), r.brief(fmt.Sprint(i)), r.status(fmt.Sprint("kept", i)))
	}
	r.clock.Advance(time.Hour)
	j.fail = 1
	r.d.Start()
	r.wait("the others", func() bool { return len(h.got()) >= 1 && r.tally.lost.Load() == 5 })
	r.idle()
	r.d.settle(t.Context())
	r.idle()
	all := strings.Join(h.got(), "\n")
	if strings.Count(all, `"status":"sent"`) != 5 || strings.Contains(all, `"wamid.0"`) || !strings.Contains(all, lostError) || len(j.told()) != 1 {
		t.Errorf("told %d times, got %s", len(j.told()), all)
	}
	// A row whose key is gone says the same.
	h.status.Store(500)
	r.clock.Advance(2 * time.Minute)
	r.logs[0].append(r.clock.Now(), r.brief("B"))
	r.idle()
	rows := r.store.sorted(EndpointID{App: testApp})
	if len(rows) != 1 || rows[0].Brief != testNumber {
		t.Fatalf("rows %+v", rows)
	}
	r.d.unreadable(r.d.endpoint(rows[0].Endpoint), rows[0], ErrGone)
	if told := j.told(); len(told) != 2 || r.store.rowCount() > 1 {
		t.Errorf("told %d times, %d rows", len(told), r.store.rowCount())
	}
}

// An endpoint that was behind reads for itself.
func TestUpdatesOfNumbersWithoutStorageThatAnEndpointMissed(t *testing.T) {
	t.Parallel()
	r, j := briefRig(t, func(o *Options) { o.SuspendAfter = 2 })
	h := newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	h.status.Store(500)
	r.d.Start()
	r.logs[0].append(r.clock.Now(), r.status("first"))
	r.wait("suspension", func() bool { return r.tally.suspended.Load() == 1 })
	for i := range 20 {
		r.logs[0].append(r.clock.Now(), r.brief(fmt.Sprint(i)))
	}
	r.walk(61 * time.Minute)
	h.status.Store(200)
	r.walk(3 * time.Hour)
	if r.tally.lost.Load() != 20 || len(j.told()) != 1 {
		t.Errorf("%d lost, told %d times", r.tally.lost.Load(), len(j.told()))
	}
	if got := h.got(); got[len(got)-1] != lostError {
		t.Errorf("the last POST is %q", got[len(got)-1])
	}
}

func TestNumbersWithoutStorageShareNoPOST(t *testing.T) {
	t.Parallel()
	d := builderOnly()
	var q queue
	events := testEvents(d, 7, "1")
	for i, e := range []struct {
		brief wa.PhoneNumberID
		born  time.Duration
	}{{"", 0}, {"", time.Hour}, {"7", 0}, {"7", 59 * time.Second}, {"7", time.Minute}, {"8", time.Minute}, {"", 0}} {
		events[i].id, events[i].brief, events[i].born = wa.MessageID(fmt.Sprint(i)), e.brief, testStart.Add(e.born).UnixMilli()
	}
	q.push(events)
	var jobs []string
	for q.len() > 0 {
		var ids string
		got := q.pop(nil, 100, maxBody)
		for _, e := range got {
			ids += string(e.id)
		}
		q.free(got)
		jobs = append(jobs, ids)
	}
	if got := strings.Join(jobs, " "); got != "01 23 4 5 6" {
		t.Errorf("POSTs of %s", got)
	}
}

func TestANoticeForOneApp(t *testing.T) {
	t.Parallel()
	r, one, other := newRig(t, nil), newHook(t), newHook(t)
	r.subscribe(testApp, testWABA, one.URL)
	r.subscribe("880011223344556", testWABA, other.URL)
	r.d.Start()
	n := &record.Notice{App: testApp, WABA: testWABA, Number: testNumber, Field: FieldMessages, Value: []byte(`{"errors":[]}`), At: r.clock.Now().UnixMilli()}
	all := *n
	all.App = ""
	r.logs[0].append(r.clock.Now(), n, &all, n)
	r.idle()
	if len(one.got()) != 3 || len(other.got()) != 1 {
		t.Errorf("%d and %d POSTs, want 3 and 1", len(one.got()), len(other.got()))
	}
}

// Callback data is forgotten an hour after its message was accepted: the status that carries it is not tried for longer, and what is
// read from the journal later is told without it.
func TestCallbackDataIsForgottenInTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		down    time.Duration // after the status, which came half an hour after the message was accepted
		suspend int
		want    string
		kept    bool
	}{
		{"row, in the hour", 29 * time.Minute, 1 << 30, `"wamid.A"`, true},
		{"row, after it", 31 * time.Minute, 1 << 30, `"code":131035`, false},
		{"journal, in the hour", 20 * time.Minute, 1, `"wamid.A"`, true},
		{"journal, after it", 40 * time.Minute, 1, `"wamid.A"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := briefRig(t, func(o *Options) { o.SuspendAfter = c.suspend })
			h := newHook(t)
			r.subscribe(testApp, testWABA, h.URL)
			h.status.Store(500)
			r.d.Start()
			accepted := r.clock.Now()
			r.clock.Advance(30 * time.Minute)
			s := r.brief("A")
			s.OpaqueAt, s.SealedOpaque = accepted.UnixMilli(), mask("message/wamid.A/opaque", []byte("reservation:8841"))
			r.logs[0].append(r.clock.Now(), s)
			r.walk(c.down)
			if c.down > 30*time.Minute {
				for _, d := range r.d.Deliveries(100, nil) {
					if strings.Contains(string(d.Payload), "8841") {
						t.Errorf("remembered: %q", d.Payload)
					}
				}
			}
			before := len(h.got())
			h.status.Store(200)
			r.walk(2 * time.Hour)
			good := h.got()[before:]
			if len(good) != 1 || !strings.Contains(good[0], c.want) || strings.Contains(good[0], "8841") != c.kept {
				t.Errorf("afterwards it got %q", good)
			}
		})
	}
}
