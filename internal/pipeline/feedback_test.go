package pipeline_test

import (
	"fmt"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func (w *world) feedback(user wa.WaID, what string) {
	w.tb.Helper()
	done := make(chan error, 1)
	w.p.Feedback(user, "15550001111", what, "", func(err error) { done <- err })
	w.check(<-done)
}

func (w *world) block(user wa.WaID, on bool) {
	w.tb.Helper()
	done := make(chan error, 1)
	w.p.Block(user, "15550001111", on, "", func(err error) { done <- err })
	w.check(<-done)
}

func (w *world) templated(to wa.WaID, id wa.TemplateID) {
	w.tb.Helper()
	m := template(to, "x")
	m.Template = id
	w.accept(m)
	w.settle()
}

// Source: spec/quality.md section 7.1, "Attribution" and "mute, archive within 1 h after a delivery".
func TestFeedbackIsAttributed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana)
	heard := func() (out []string) {
		for _, r := range of[*record.Feedback](w.records()) {
			out = append(out, r.What+"/"+string(r.Template))
		}
		return out
	}
	want := func(fact string, list ...string) {
		t.Helper()
		if got := heard(); fmt.Sprint(got) != fmt.Sprint(list) {
			t.Errorf("%s: %v, want %v", fact, got, list)
		}
	}
	w.feedback(ana, pipeline.FeedbackReport)
	want("a report by a user who got no message is ignored")
	w.templated(ana, "71")
	w.feedback(ana, pipeline.FeedbackMute)
	want("of the template delivered last", "mute/71")
	w.clock.Advance(time.Hour + time.Second)
	w.feedback(ana, pipeline.FeedbackMute)
	want("muting counts within an hour", "mute/71")
	w.stop()
	w.start() // what was delivered last is in the store
	w.clock.Advance(71*time.Hour - time.Minute)
	w.block(ana, true)
	w.block(ana, true)
	w.block(ana, false)
	want("blocking twice is once", "mute/71", "block/71", "unblock/71")
	w.clock.Advance(time.Hour)
	w.feedback(ana, pipeline.FeedbackReport)
	want("after 72 hours it is about the number alone", "mute/71", "block/71", "unblock/71", "report/")
	w.clock.Advance(96 * time.Hour)
	w.feedback(ana, pipeline.FeedbackReport)
	want("and after seven days about nobody", "mute/71", "block/71", "unblock/71", "report/")
}

// Source: spec/quality.md section 7.1 and spec/templates.md section 16.2: why people block is counted by template.
func TestReasonsOfBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana)
	w.templated(ana, "71")
	for _, reason := range []string{"spam", "", "they write in verse"} {
		for _, on := range []bool{true, false} {
			done := make(chan error, 1)
			w.p.Block(ana, "15550001111", on, reason, func(err error) { done <- err })
			w.check(<-done)
		}
	}
	w.projected()
	got := map[string]int64{}
	words, err := w.store.Counted(t.Context(), "blocked.", "71")
	w.check(err)
	for _, word := range words["71"] {
		list, err := w.store.Sum(t.Context(), &analytics.Sum{Subject: "71", What: []string{word}, To: math.MaxInt32, Step: math.MaxInt32})
		w.check(err)
		for _, c := range list {
			got[c.What] += c.N
		}
	}
	if want := map[string]int64{"blocked.spam": 1, "blocked.": 1, "blocked.other": 1}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Source: spec/quality.md section 7.1: users are counted once a day.
func TestFirstDeliveryOfTheDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.phone(ana)
	want := func(fact string, fresh record.Fresh) {
		t.Helper()
		list := of[*record.Status](w.records())
		last := list[len(list)-1]
		for _, s := range list {
			if s.Of == record.KindDelivered {
				last = s
			}
		}
		if last.Fresh != fresh {
			t.Errorf("%s: %b, want %b", fact, last.Fresh, fresh)
		}
		if !last.Outside {
			t.Errorf("%s: not marked as sent outside of a window", fact)
		}
	}
	w.templated(ana, "71")
	want("the first", record.FreshNumber|record.FreshTemplate)
	w.templated(ana, "71")
	want("the same again", 0)
	w.templated(ana, "72")
	want("another template", record.FreshTemplate)
	w.clock.Advance(24 * time.Hour)
	w.templated(ana, "72")
	want("the next day", record.FreshNumber|record.FreshTemplate)
}
