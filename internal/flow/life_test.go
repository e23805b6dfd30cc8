package flow_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/flow/flowtest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Everything that can stand in the way of publishing. Source: spec/flows.md section 12.
func TestPublishIsRefused(t *testing.T) {
	t.Parallel()
	oldest := strings.Replace(strings.Replace(talks, "7.3", "2.1", 1), `"data_api_version":"3.0"`, `"data_channel_uri":"`+uri+`"`, 1)
	for _, c := range []struct {
		name   string
		doc    string
		before func(r *room, f *flow.Flow)
		words  string // empty: it is published
		asked  int
	}{
		{name: "no document", words: "has no Flow JSON"},
		{name: "faults", doc: strings.Replace(plain, "Footer", "Foot", 1), words: "validation errors. Fix them"},
		{name: "a frozen version", doc: inVersion(plain, "5.0"), words: "Flow JSON version 5.0 is not available for publishing."},
		{name: "a frozen version with its own endpoint", doc: oldest, words: "Flow JSON version 2.1 is not available for publishing."},
		{name: "the oldest version that is not frozen", doc: inVersion(plain, "5.1")},
		{name: "no endpoint", doc: talks, before: func(r *room, f *flow.Flow) {
			var none string
			_, _ = r.Update(r.t.Context(), f.ID, flow.Change{Endpoint: &none})
		}, words: "Set endpoint_uri before publishing"},
		{name: "no number", doc: plain, before: func(r *room, _ *flow.Flow) { r.acc.numbers = 0 }, words: "Add a phone number"},
		{name: "no key", doc: talks, before: func(r *room, _ *flow.Flow) { r.acc.keys = nil }, words: "Upload a public key"},
		{name: "no key, and none needed", doc: plain, before: func(r *room, _ *flow.Flow) { r.acc.keys = nil }},
		{name: "no app", doc: talks, before: func(r *room, f *flow.Flow) {
			var none wa.AppID
			_, _ = r.Update(r.t.Context(), f.ID, flow.Change{App: &none})
		}, words: "Connect an app"},
		{name: "no app, and none needed", doc: plain, before: func(r *room, f *flow.Flow) {
			var none wa.AppID
			_, _ = r.Update(r.t.Context(), f.ID, flow.Change{App: &none})
		}},
		{name: "no subscription", doc: talks, before: func(r *room, _ *flow.Flow) { r.acc.subscribed = false }, words: "Subscribe the app"},
		{name: "silence", doc: talks, before: func(r *room, _ *flow.Flow) { r.net.instead(hang) }, words: "not available: it did not answer in time", asked: 1},
		{name: "an endpoint that errs", doc: talks, before: answers(flowtest.Answer{Status: 404}), words: "not available: HTTP status 404", asked: 1},
		{name: "another key", doc: talks, before: func(r *room, _ *flow.Flow) { r.end.Rotate() }, words: "could not be decrypted", asked: 2},
		{name: "another secret", doc: talks, before: func(r *room, _ *flow.Flow) { r.acc.secret = "x" }, words: "it refused the signature", asked: 1},
		{name: "published already", doc: plain, before: func(r *room, f *flow.Flow) { _, _ = r.Publish(r.t.Context(), f.ID) }, words: "already published"},
		{name: "deprecated", doc: plain, before: func(r *room, f *flow.Flow) {
			_, _ = r.Publish(r.t.Context(), f.ID)
			_, _ = r.Deprecate(r.t.Context(), f.ID)
		}, words: "A deprecated Flow"},
		{name: "an endpoint that lives", doc: talks, asked: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			f := r.draft("f", c.doc)
			if c.before != nil {
				c.before(r, f)
			}
			before, _ := r.Flow(f.ID)
			_, err := r.Publish(t.Context(), f.ID)
			same(t, "asked", r.net.take(), c.asked)
			after, _ := r.Flow(f.ID)
			if c.words != "" {
				saying(t, err, wa.ErrFlowPublish, c.words)
				same(t, "the flow is as it was", after, before)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, "status", after.Status, flow.Published)
			same(t, "what is live", after.Live.N, after.Draft.N)
		})
	}
	r := open(t)
	if _, err := r.Publish(t.Context(), "1"); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// answers makes the endpoint answer pings, too, with this.
func answers(a flowtest.Answer) func(*room, *flow.Flow) {
	return func(r *room, _ *flow.Flow) { r.end.Set(func(flowtest.Question) flowtest.Answer { return a }) }
}

// A flow that changes while its endpoint is asked is not published.
func TestPublishOfSomethingElse(t *testing.T) {
	t.Parallel()
	r := open(t)
	f := r.draft("f", talks)
	r.end.Set(func(flowtest.Question) flowtest.Answer {
		if _, err := r.Upload(t.Context(), f.ID, []byte(plain)); err != nil {
			t.Error(err)
		}
		return flowtest.Answer{}
	})
	_, err := r.Publish(t.Context(), f.ID)
	saying(t, err, wa.ErrFlowPublish, "was changed while it was published")
}

// Source: spec/flows.md sections 2 and 12.
func TestCreateIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(in *flow.NewFlow)
		row    *wa.Error
		words  string
	}{
		{"no name", func(in *flow.NewFlow) { in.Name = " " }, wa.ErrParamRequired, "name"},
		{"a long name", func(in *flow.NewFlow) { in.Name = strings.Repeat("é", 201) }, wa.ErrParamTooLong, "name"},
		{"a name that is taken", func(in *flow.NewFlow) { in.Name = "taken" }, wa.ErrFlowName, "already exists"},
		{"a name that is taken, published at once", func(in *flow.NewFlow) { in.Name, in.JSON, in.Publish = "taken", []byte(plain), true }, wa.ErrFlowName, "already exists"},
		{"no category", func(in *flow.NewFlow) { in.Categories = nil }, wa.ErrParamRequired, "categories"},
		{"an unknown category", func(in *flow.NewFlow) { in.Categories = []flow.Category{"X"} }, wa.ErrParamType, "categories"},
		{"a category twice", func(in *flow.NewFlow) { in.Categories = []flow.Category{"OTHER", "OTHER"} }, wa.ErrParamType, "categories"},
		{"an endpoint that is none", func(in *flow.NewFlow) { in.Endpoint = "http://a" }, wa.ErrParamType, "endpoint_uri"},
		{"a long endpoint", func(in *flow.NewFlow) { in.Endpoint = "https://" + strings.Repeat("a", 2048) }, wa.ErrParamType, "endpoint_uri"},
		{"an endpoint for a document that has one", func(in *flow.NewFlow) { in.Endpoint, in.JSON = uri, []byte(inVersion(plain, "2.1")) }, wa.ErrFlowEndpoint, "data_channel_uri"},
		{"no JSON", func(in *flow.NewFlow) { in.JSON = []byte(`{`) }, wa.ErrFlowUpdate, "Error while processing Flow JSON"},
		{"much JSON", func(in *flow.NewFlow) { in.JSON = make([]byte, flow.MaxJSON+1) }, wa.ErrFlowUpdate, "10 MB"},
		{"a version that there never was", func(in *flow.NewFlow) { in.JSON = []byte(inVersion(plain, "7.9")) }, wa.ErrFlowVersion, "'7.9' is no known version"},
		{"a data API that there never was", func(in *flow.NewFlow) { in.JSON = []byte(strings.Replace(talks, `"3.0"`, `"9.0"`, 1)) }, wa.ErrFlowDataVersion, "data_api_version"},
		{"publishing nothing", func(in *flow.NewFlow) { in.Publish = true }, wa.ErrParamRequired, "flow_json"},
		{"publishing without number", func(in *flow.NewFlow) { in.Publish, in.JSON = true, []byte(talks) }, wa.ErrFlowPublish, "endpoint_uri"},
		{"two sources", func(in *flow.NewFlow) { in.Clone, in.JSON = "1", []byte(plain) }, wa.ErrFlowCloneSource, "not both"},
		{"a clone of nothing", func(in *flow.NewFlow) { in.Clone = "1" }, wa.ErrFlowMissing, "does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			r.draft("taken", "")
			in := flow.NewFlow{WABA: waba, App: app, Name: "f", Categories: []flow.Category{"OTHER"}}
			c.change(&in)
			_, err := r.Create(t.Context(), in)
			saying(t, err, c.row, c.words)
			same(t, "flows", len(r.List(waba)), 1)
		})
	}
}

// Names belong to an account; one that nobody has any more is free.
func TestNames(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.o.MaxFlows = 3
	r.load()
	a, b := r.draft("a", plain), r.draft("b", plain)
	rename := func(id wa.FlowID, to string) error {
		_, err := r.Update(t.Context(), id, flow.Change{Name: &to})
		return err
	}
	saying(t, rename(b.ID, "a"), wa.ErrFlowName, "already exists")
	must(t, rename(a.ID, "a"))
	must(t, rename(a.ID, "c"))
	must(t, rename(b.ID, "a"))
	must(t, r.Delete(t.Context(), b.ID))
	r.draft("a", plain)
	if _, err := r.Create(t.Context(), flow.NewFlow{WABA: "w2", Name: "a", Categories: []flow.Category{"OTHER"}}); err != nil {
		t.Errorf("another account: %v", err)
	}
	r.draft("b", plain)
	_, err := r.Create(t.Context(), flow.NewFlow{WABA: waba, Name: "d", Categories: []flow.Category{"OTHER"}})
	saying(t, err, wa.ErrInvalidParameter, "can have 3 Flows")
	r.load()
	for name, want := range map[string]bool{"a": true, "b": true, "c": true, "d": false} {
		if _, ok := r.Named(waba, name); ok != want {
			t.Errorf("%s: %t", name, ok)
		}
	}
}

// A clone begins with what is live, or with the draft of what was never published.
func TestClone(t *testing.T) {
	t.Parallel()
	r := open(t)
	n := 0
	clone := func(of wa.FlowID) (string, error) {
		n++
		f, err := r.Create(t.Context(), flow.NewFlow{WABA: waba, App: app, Name: fmt.Sprint("clone", n), Categories: []flow.Category{"SURVEY"}, Clone: of})
		if err != nil {
			return "", err
		}
		same(t, "status", f.Status, flow.Draft)
		json, err := r.JSON(t.Context(), f.ID, f.Draft.N)
		return string(json), err
	}
	want := func(of *flow.Flow, doc string) {
		t.Helper()
		got, err := clone(of.ID)
		must(t, err)
		same(t, "document", got, doc)
	}
	want(r.draft("draft", talks), talks)
	live := r.published("live", plain)
	if _, err := r.Upload(t.Context(), live.ID, []byte(talks)); err != nil {
		t.Fatal(err)
	}
	want(live, plain)
	_, err := clone(r.draft("empty", "").ID)
	saying(t, err, wa.ErrInvalidParameter, "has no Flow JSON")
	r.state(live.ID, flow.Blocked)
	_, err = clone(live.ID)
	saying(t, err, wa.ErrInvalidParameter, "blocked")
}

// What states allow. Source: spec/flows.md section 1.
func TestStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state                      flow.Status
		edit, remove, end, operate bool
	}{
		{flow.Draft, true, true, false, false},
		{flow.Published, true, false, true, true},
		{flow.Throttled, true, false, true, true},
		{flow.Blocked, true, false, true, true},
		{flow.Deprecated, false, false, false, false},
	} {
		t.Run(string(c.state), func(t *testing.T) {
			t.Parallel()
			in := func(do func(r *room, id wa.FlowID) error) error {
				r := open(t)
				f := r.draft("f", plain)
				if c.state != flow.Draft {
					_, err := r.Publish(t.Context(), f.ID)
					must(t, err)
				}
				switch c.state {
				case flow.Throttled, flow.Blocked:
					r.state(f.ID, c.state)
				case flow.Deprecated:
					_, err := r.Deprecate(t.Context(), f.ID)
					must(t, err)
				case flow.Draft, flow.Published:
				}
				return do(r, f.ID)
			}
			check := func(what string, may bool, row error, do func(r *room, id wa.FlowID) error) {
				t.Helper()
				if err := in(do); (err == nil) != may || (err != nil && !errors.Is(err, row)) {
					t.Errorf("%s: %v", what, err)
				}
			}
			check("upload", c.edit, wa.ErrFlowUpdate, func(r *room, id wa.FlowID) error { _, err := r.Upload(t.Context(), id, []byte(plain)); return err })
			check("rename", c.edit, wa.ErrFlowUpdate, func(r *room, id wa.FlowID) error {
				name := "g"
				_, err := r.Update(t.Context(), id, flow.Change{Name: &name})
				return err
			})
			check("delete", c.remove, wa.ErrFlowDelete, func(r *room, id wa.FlowID) error { return r.Delete(t.Context(), id) })
			check("deprecate", c.end, wa.ErrFlowDeprecate, func(r *room, id wa.FlowID) error { _, err := r.Deprecate(t.Context(), id); return err })
			for _, to := range []flow.Status{flow.Published, flow.Throttled, flow.Blocked} {
				check("to "+string(to), c.operate && to != c.state, flow.ErrState, func(r *room, id wa.FlowID) error { _, err := r.SetState(t.Context(), id, to); return err })
			}
		})
	}
}

// Flows are copied under their names; each that cannot be is named with a code, which is a text. Source: spec/flows.md section 2.
func TestMigrate(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.o.MaxFlows = 5
	r.load()
	r.draft("draft", talks)
	live := r.published("live", plain)
	if _, err := r.Upload(t.Context(), live.ID, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	r.draft("empty", "")
	r.draft("taken", plain)
	for i, name := range []string{"taken", "other1", "other2"} {
		if _, err := r.Create(t.Context(), flow.NewFlow{WABA: "w2", Name: name, Categories: []flow.Category{"OTHER"}}); err != nil {
			t.Fatal(i, err)
		}
	}
	run := func(names ...string) (done, failed []string) {
		t.Helper()
		d, f, err := r.Migrate(t.Context(), waba, "w2", names)
		must(t, err)
		for _, m := range d {
			n, _ := r.Flow(m.To)
			json, err := r.JSON(t.Context(), m.To, n.Draft.N)
			must(t, err)
			old, _ := r.Flow(m.From)
			if n.WABA != "w2" || n.Status != flow.Draft || n.App != "" || n.Endpoint != old.Endpoint || n.Draft.Version != document.Latest {
				t.Errorf("copy: %+v", n)
			}
			done = append(done, m.Name+" "+old.Name+" "+string(json))
		}
		for _, x := range f {
			failed = append(failed, x.Name+" "+x.Code+" "+x.Message)
		}
		return done, failed
	}
	done, failed := run("live", "gone", "live", "taken", "empty")
	alike(t, "done", done, []string{"live live " + plain})
	alike(t, "failed", failed, []string{
		"gone 4233041 Flow name not found in the source account.", "live 4233042 Flow name already exists in the destination account.",
		"taken 4233042 Flow name already exists in the destination account.", "empty 4233043 The Flow has no Flow JSON.",
	})
	done, failed = run() // all, the newest first
	same(t, "copied of all", len(done), 1)
	same(t, "failed of all", len(failed), 3)
	r.draft("one more", plain)
	_, failed = run("one more")
	alike(t, "full", failed, []string{"one more 4233044 The destination account has too many Flows."})
	r.load()
	same(t, "after a restart", len(r.List("w2")), 5)
}
