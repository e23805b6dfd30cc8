//go:build load && linux

package load

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const (
	million      = 1_000_000
	startGoal    = 5 * time.Second
	perAppend    = 100 // messages
	cipherBytes  = 340
	sessionBytes = 620
)

// TestStartOnAMillionMessages writes the journal of a million messages that were sent, delivered and read, lets the platform
// bring its store up to date once, and measures how long it takes to be ready after a clean stop and after a kill.
func TestStartOnAMillionMessages(t *testing.T) {
	p, start, log := newPlace(t, t.TempDir())
	p.ReadyWithin = 10 * time.Minute
	launch(t, p, log).Kill() // makes the data directory
	began := time.Now()
	writeMillion(t, filepath.Join(p.Data, "journal"), start.WABA)
	t.Logf("journal written in %v", time.Since(began))

	began = time.Now()
	c := launch(t, p, log)
	t.Logf("store brought up to date in %v: %.0f messages a second", time.Since(began), million/time.Since(began).Seconds())
	for _, end := range []string{"clean stop", "kill"} {
		if end == "kill" {
			c.Kill()
		} else {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := c.Stop(ctx); err != nil {
				t.Errorf("stop: %v", err)
			}
			cancel()
		}
		began = time.Now()
		c = launch(t, p, log)
		took := time.Since(began)
		t.Logf("ready %v after a %s, with %.0f MB", took, end, rss(t, c.PID()))
		if took > startGoal {
			t.Errorf("the goal is %v", startGoal)
		}
	}
}

// writeMillion appends what the lanes would have written, spread over all partitions.
func writeMillion(t *testing.T, dir, waba string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	j, err := journal.Open(ctx, journal.Options{Dir: dir, TailBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	var logs sync.WaitGroup
	each := million / j.Partitions()
	for i := range j.Partitions() {
		w := &writer{
			log: j.Log(i), number: numberOf(i, j.Partitions()), waba: wa.WABAID(waba), rng: rand.NewChaCha8([32]byte{byte(i)}),
			now: clock.System().Now().Add(-time.Hour).UnixMilli(),
		}
		logs.Go(func() { w.write(t, each) })
	}
	logs.Wait()
	if err := j.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// numberOf finds a phone number id that belongs to a partition.
func numberOf(partition, of int) wa.PhoneNumberID {
	for n := 200000000000000; ; n++ {
		id := fmt.Sprint(n)
		h := fnv.New32a()
		_, _ = h.Write([]byte(id))
		if int(h.Sum32()%uint32(of)) == partition {
			return wa.PhoneNumberID(id)
		}
	}
}

type writer struct {
	log    *journal.Log
	number wa.PhoneNumberID
	waba   wa.WABAID
	rng    *rand.ChaCha8
	now    int64
}

func (w *writer) write(t *testing.T, messages int) {
	done := make(chan error, messages/perAppend+1)
	appends := 0
	for at := 0; at < messages; at += perAppend {
		var recs []record.Record
		for i := range min(perAppend, messages-at) {
			recs = w.message(recs, at+i)
		}
		if err := w.log.Append(recs, func(_ uint64, err error) { done <- err }); err != nil {
			t.Error(err)
			return
		}
		appends++
	}
	for range appends {
		if err := <-done; err != nil {
			t.Error(err)
			return
		}
	}
}

func (w *writer) noise(n int) []byte {
	b := make([]byte, n)
	_, _ = w.rng.Read(b)
	return b
}

// message appends the life of one message. Ten messages go to each user.
func (w *writer) message(recs []record.Record, n int) []record.Record {
	user := wa.WaID(fmt.Sprintf("1%02d%08d", 20+w.log.Partition(), n/10))
	key := w.noise(9)
	key[8] = byte(w.log.Partition())
	id := wa.NewMessageID(user, true, key)
	device := wa.NewDeviceID(user, 1)
	at := w.now + int64(n)
	recs = append(recs,
		&record.Accepted{
			ID: id, Number: w.number, WABA: w.waba, To: user, At: at, Expires: at + 30*86_400_000, Type: "template", Category: "utility",
			PairStart: at, PairCount: 1, SealedBody: w.noise(180),
		},
		&record.Sealed{
			ID: id, Number: w.number, Device: device, Seq: uint64(n%10 + 1), At: at, Expires: at + 30*86_400_000, PreKey: n%10 == 0,
			Cipher: w.noise(cipherBytes), Session: w.noise(sessionBytes),
		})
	for i, kind := range []record.Kind{record.KindSent, record.KindDelivered, record.KindRead} {
		s := &record.Status{
			Of: kind, ID: id, Number: w.number, WABA: w.waba, To: user, At: at + int64(i), Type: "template", Category: "utility",
			PricingType: "regular", Billable: true, Priced: kind != record.KindRead,
		}
		if kind == record.KindDelivered {
			s.Device, s.Seq = device, uint64(n%10+1)
		}
		recs = append(recs, s)
	}
	return recs
}
