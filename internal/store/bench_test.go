package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// traffic makes batches as the projector does.
type traffic struct {
	rnd *rand.Rand
	seq uint64
	at  int64
}

func newTraffic() *traffic { return &traffic{rnd: rand.New(rand.NewPCG(1, 2)), at: 1_770_000_000_000} }

func (tr *traffic) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(tr.rnd.Uint32())
	}
	return b
}

// coalesced is a batch of n messages to n of many users that passed all their steps meanwhile: the row, the pair and the session.
func (tr *traffic) coalesced(n int) *pipeline.Batch {
	tr.seq++
	b := &pipeline.Batch{Position: tr.seq}
	for range n {
		user := wa.WaID(fmt.Sprintf("1555%07d", tr.rnd.IntN(200_000)))
		number := wa.PhoneNumberID(fmt.Sprintf("10654035224292%d", tr.rnd.IntN(8)))
		tr.at++
		b.Insert = append(b.Insert, &pipeline.Message{
			ID: wa.NewMessageID(user, true, tr.bytes(9)), Number: number, WABA: "102290129340398", User: user,
			State: pipeline.StateRead, Type: "template", Category: "utility", PricingType: "regular", Billable: true, PricedOnce: true,
			AcceptedAt: tr.at, SentAt: tr.at + 5, DeliveredAt: tr.at + 90, ReadAt: tr.at + 2000, Expires: tr.at + 2_592_000_000,
		})
		b.Peers = append(b.Peers, pipeline.PeerChange{Key: pipeline.PeerKey{Number: number, User: user}, PairStart: tr.at, PairCount: 1})
		b.Sessions = append(b.Sessions, pipeline.Session{Number: number, Device: wa.NewDeviceID(user, 1), State: tr.bytes(560), LastSeq: tr.seq})
	}
	return b
}

// ladder is the same in two batches: accepted and sent with its item, then delivered, read and gone.
func (tr *traffic) ladder(n int) (first, second *pipeline.Batch) {
	first = tr.coalesced(n)
	tr.seq++
	second = &pipeline.Batch{Position: tr.seq}
	for i, m := range first.Insert {
		m.State, m.DeliveredAt, m.ReadAt, m.PricedOnce, m.Content = pipeline.StateSent, 0, 0, false, tr.bytes(200)
		device := wa.NewDeviceID(m.User, 1)
		seq := tr.seq*1_000_000 + uint64(i)
		first.Items = append(first.Items, &pipeline.MailboxItem{
			Device: device, Seq: seq, ID: m.ID, Number: m.Number, At: m.AcceptedAt, Expires: m.Expires, Cipher: tr.bytes(300),
		})
		second.Update = append(second.Update, &pipeline.Message{ID: m.ID, State: pipeline.StateRead, DeliveredAt: 1, ReadAt: 2, PricedOnce: true})
		second.Gone = append(second.Gone, pipeline.MailboxRef{Device: device, Seq: seq})
	}
	return first, second
}

const batchSize = 2000

// Budget: 15 to 20 µs per row, three rows per message.
func BenchmarkApplyCoalesced(b *testing.B) {
	s := openSQLite(b, b.TempDir())
	tr := newTraffic()
	var spent time.Duration
	n := 0
	for b.Loop() {
		batch := tr.coalesced(batchSize)
		start := time.Now()
		if err := s.Apply(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(start)
		n += batchSize
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(n), "µs/message")
}

func BenchmarkApplyLadder(b *testing.B) {
	s := openSQLite(b, b.TempDir())
	tr := newTraffic()
	var spent time.Duration
	n := 0
	for b.Loop() {
		first, second := tr.ladder(batchSize)
		start := time.Now()
		for _, batch := range []*pipeline.Batch{first, second} {
			if err := s.Apply(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		spent += time.Since(start)
		n += batchSize
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(n), "µs/message")
}

func openSQLite(tb testing.TB, dir string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), store.Options{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
