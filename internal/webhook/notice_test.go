package webhook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func (r *rig) notice(field, value string) *record.Notice {
	return &record.Notice{WABA: testWABA, Field: field, At: r.clock.Now().UnixMilli(), Value: []byte(value)}
}

// sealed is a record as it is read back from disk.
func sealed(n *record.Notice) *record.Notice {
	c := *n
	c.SealedValue, c.Value = mask(string(n.AD()), n.Value), nil
	return &c
}

func TestNoticePayloads(t *testing.T) {
	t.Parallel()
	const open = `{"object":"whatsapp_business_account","entry":[{"id":`
	for _, c := range []struct {
		name string
		n    record.Notice
		want string
	}{
		{
			"account field: time, no header",
			record.Notice{Field: "account_review_update", Value: []byte(`{"decision":"APPROVED"}`)},
			open + `"512340987654321","time":1783065600,"changes":[{"value":{"decision":"APPROVED"},"field":"account_review_update"}]}]}`,
		},
		{
			"event of a partner: id of the portfolio",
			record.Notice{Field: "account_update", Entry: "660022113344557", Value: []byte(`{"event":"PARTNER_ADDED"}`)},
			open + `"660022113344557","time":1783065600,"changes":[{"value":{"event":"PARTNER_ADDED"},"field":"account_update"}]}]}`,
		},
		{
			"field of a number: header, no time",
			record.Notice{Field: "calls", Number: testNumber, Value: []byte(`{"calls":[]}`)},
			sampleHead + `,"calls":[]},"field":"calls"}]}]}`,
		},
		{
			"nothing behind the header",
			record.Notice{Field: "calls", Number: testNumber, Value: []byte(`{}`)},
			sampleHead + `},"field":"calls"}]}]}`,
		},
		{
			"field with a header of its own",
			record.Notice{Field: "account_settings_update", Number: testNumber, Value: []byte(`{"type":"é/"}`)},
			open + `"512340987654321","changes":[{"value":{"type":"\u00e9\/"},"field":"account_settings_update"}]}]}`,
		},
		{
			"errors of a number belong to messages",
			record.Notice{Field: FieldMessages, Number: testNumber, Value: []byte(`{"errors":[]}`)},
			sampleHead + `,"errors":[]},"field":"messages"}]}]}`,
		},
	} {
		c.n.WABA, c.n.At = testWABA, 1783065600999
		u, _ := updateOf(&c.n)
		e, _ := builderOnly().event(&u, newest, nil)
		if string(e.body) != c.want || !json.Valid(e.body) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, e.body, c.want)
		}
	}
}

// A batch gives every change with a time an entry of its own.
func TestBatchOfNotices(t *testing.T) {
	t.Parallel()
	d := builderOnly()
	events := testEvents(d, 2, testWABA)
	u, _ := updateOf(&record.Notice{WABA: testWABA, Field: "flows", At: 5000, Value: []byte(`{"event":"x"}`)})
	n, _ := d.event(&u, newest, nil)
	got := string(batch(nil, []event{n, events[0], n, events[1]}))
	own := `{"id":"512340987654321","time":5,"changes":[{"value":{"event":"x"},"field":"flows"}]}`
	want := payloadOpen + own + `,{"id":"512340987654321","changes":[` + string(events[0].change()) + `,` + string(events[1].change()) + `]},` + own + `]}`
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNoticesAreRoutedByField(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.BatchMax = 1 })
	app, over, deaf := newHook(t), newHook(t), newHook(t)
	both := []Field{{Name: "account_update"}, {Name: "calls"}}
	for id, url := range map[wa.AppID]string{testApp: app.URL, "880011223344556": deaf.URL} {
		fields := both
		if id != testApp {
			fields = []Field{{Name: FieldMessages}}
		}
		err := r.subs.Subscribe(t.Context(), SubscribeRequest{App: id, Object: Object, CallbackURL: url, VerifyToken: "s3cret", Fields: fields})
		if err == nil {
			err = r.subs.Link(t.Context(), id, testWABA, "", "")
		}
		if err == nil && id == testApp {
			err = r.subs.OverrideNumber(t.Context(), id, testWABA, testNumber, over.URL, "s3cret")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.d.Start()
	call := r.notice("calls", `{"calls":[]}`)
	call.Number = testNumber
	account := r.notice("account_update", `{"event":"ACCOUNT_DELETED"}`)
	account.Number = testNumber
	r.logs[0].append(r.clock.Now(), account, call, r.notice("security", `{}`), r.status("a"))
	r.idle()
	check := func(name string, h *hook, want string) {
		t.Helper()
		if got := h.got(); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s got %q, want one with %s", name, got, want)
		}
		h.clean(t)
	}
	check("the callback", app, `"field":"account_update"`)
	check("the override", over, `"field":"calls"`)
	check("the other app", deaf, `"statuses"`)
}

// What was told but not noted in a cursor is told again after a crash, with the same bytes, read back from its sealed form.
func TestNoticeAfterACrash(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, func(o *Options) { o.BatchMax = 1 }), newHook(t)
	err := r.subs.Subscribe(t.Context(), SubscribeRequest{
		App: testApp, Object: Object, CallbackURL: h.URL, VerifyToken: "s3cret", Fields: []Field{{Name: "flows"}},
	})
	if err == nil {
		err = r.subs.Link(t.Context(), testApp, testWABA, "", "")
	}
	if err != nil {
		t.Fatal(err)
	}
	r.d.Start()
	r.idle()
	if err := r.d.save(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := r.notice("flows", `{"event":"FLOW_STATUS_CHANGE"}`)
	r.logs[0].append(r.clock.Now(), n)
	r.idle()
	r.crash(r.d)
	r.logs[0].frames[0].Records[0] = sealed(n)
	r.clock.Advance(time.Hour)
	r.open()
	r.d.Start()
	r.idle()
	if got := h.got(); len(got) != 2 || got[0] != got[1] || !strings.Contains(got[0], "FLOW_STATUS_CHANGE") {
		t.Errorf("got %q, want the same twice", got)
	}
}

func TestEverySampleIsAPayload(t *testing.T) {
	t.Parallel()
	undocumented := map[string]bool{"business_status_update": true, "consumer_profile": true}
	for _, field := range Fields() {
		names := SampleNames(field)
		if (len(names) == 0) != undocumented[field] {
			t.Errorf("%s has the samples %v", field, names)
		}
		for i, name := range names {
			b, err := AppendSample(nil, name, sampleWABA, 1783065600000)
			if err != nil || !json.Valid(b) || !isPlatformText(b) {
				t.Errorf("%s: %v: %s", name, err, b)
			}
			if i == 0 && name != field {
				t.Errorf("%s: the first sample is %s", field, name)
			}
		}
	}
	if _, err := AppendSample(nil, "../fields", "0", 0); err == nil {
		t.Error("a name that is no field has a sample")
	}
}

// isPlatformText says that JSON is spelled as the platform does: ASCII, one line, slashes escaped.
func isPlatformText(b []byte) bool {
	for i, c := range b {
		if c < ' ' || c > '~' || c == '/' && b[i-1] != '\\' {
			return false
		}
	}
	return true
}

func TestTestButton(t *testing.T) {
	t.Parallel()
	r, h := newRig(t, nil), newHook(t)
	r.subscribe(testApp, testWABA, h.URL)
	for i, field := range []string{"security", "user_preferences"} {
		a, err := r.d.Test(testApp, field)
		want := fmt.Sprintf(`"field":%q`, field)
		if got := h.got(); err != nil || a.Answer != AnswerOK || len(got) != i+1 || !strings.Contains(got[i], want) {
			t.Errorf("%s: %+v, %v, %q", field, a, err, got)
		}
	}
	h.clean(t)
}
