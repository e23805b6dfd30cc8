package policy_test

import (
	"fmt"
	"testing"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// BenchmarkMillion starts with a million people who count against the messaging limit of one portfolio, in SQLite: what a restart
// costs. None of them may be lost, and nobody may pass beyond the limit.
func BenchmarkMillion(b *testing.B) {
	const people, page = 1_000_000, 20_000
	w := newWorld(b, business.Tier250, people)
	batch := &pipeline.Batch{}
	for i := range people {
		batch.Reached = append(batch.Reached, limits.Reached{Number: one, User: wa.WaID(fmt.Sprint(5_511_000_000_000 + i)), At: w.now(), Counted: w.now()})
		if len(batch.Reached) == page {
			w.apply(batch)
			batch.Reached = batch.Reached[:0]
		}
	}
	for b.Loop() {
		w.start()
	}
	if used, _ := w.policy.Used(owner, w.now()); used != people {
		b.Fatalf("%d are counted", used)
	}
	n, _ := w.business.Number(one)
	if w.policy.Admit(n, policy.Send{User: "5512000000000", Category: "utility", Outside: true}, w.now()) == nil || w.policy.Admit(n, policy.Send{User: "5511000000000", Category: "utility", Outside: true}, w.now()) != nil {
		b.Error("the limit is not exact")
	}
}
