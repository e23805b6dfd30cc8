package pipeline_test

import (
	"testing"

	"github.com/hikyaku/hikyaku/internal/pipeline"
)

// Whoever is told that businesses know of a change may forget it: a lane that loses what it wrote, or cannot look, must say so.
func TestAcquaintFailsWithItsRecords(t *testing.T) {
	t.Parallel()
	for _, landed := range []bool{false, true} {
		var logs []*faultyLog
		ill := &illStore{}
		w := newWorld(t, func(w *world) {
			w.set = func(o *pipeline.Options) {
				o.UserIDs = userIDs{}
				ill.Store, o.Store = o.Store, ill
				for i, l := range o.Logs {
					f := newFaultyLog(l)
					logs = append(logs, f)
					o.Logs[i] = f
				}
			}
		})
		f := w.phone(ana)
		f.say(shop, "hi")
		w.projected()
		acquaint := func() error {
			return w.p.Acquaint(t.Context(), ana, &pipeline.Moved{To: "16505559999", Name: "Ana"})
		}
		w.stop()
		logs = nil
		w.start() // the pair is no longer in memory
		ill.mu.Lock()
		ill.reads = 1
		ill.mu.Unlock()
		if acquaint() == nil {
			t.Error("told without having looked")
		}
		logs[w.p.Partition(shop)].fail(1, landed)
		if acquaint() == nil {
			t.Error("told although the record was refused")
		}
		w.settle()
		for range 2 {
			w.check(acquaint())
		}
		w.projected()
		if system, update := w.notices("messages"), w.notices("user_id_update"); len(system) != 1 || len(update) != 1 {
			t.Errorf("landed %t: %d and %d notices, want one of both", landed, len(system), len(update))
		}
	}
}
