//go:build crash

package crash

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// history is what the journal says, in the order of its partitions.
type history struct {
	accepted map[string]*record.Accepted
	steps    map[string][]*record.Status
	received map[string]*record.Received // by wamid
	byClient map[string][]string         // device/own id to wamids
	sealed   map[string][]*record.Sealed // by device
	traffic  map[string][]int64          // by number: times of accepted and received
	acked    []*record.Acked
	frames   int
}

// readJournal reads everything that the platform wrote.
func readJournal(t *testing.T, data string) *history {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	j, err := journal.Open(ctx, journal.Options{Dir: filepath.Join(data, "journal")})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(ctx)
	h := &history{
		accepted: map[string]*record.Accepted{}, steps: map[string][]*record.Status{}, received: map[string]*record.Received{},
		byClient: map[string][]string{}, sealed: map[string][]*record.Sealed{}, traffic: map[string][]int64{},
	}
	pairs := map[string]limits.PairState{}
	for p := range j.Partitions() {
		log := j.Log(p)
		if first := log.First(); first != 1 {
			t.Errorf("partition %d begins at frame %d", p, first)
		}
		for at := uint64(0); at < log.Last(); {
			f, err := log.Next(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			if f.Seq != at+1 {
				t.Errorf("partition %d: frame %d follows %d", p, f.Seq, at)
			}
			at = f.Seq
			h.frames++
			for _, r := range f.Records {
				h.take(t, r, pairs)
			}
		}
	}
	return h
}

func (h *history) take(t *testing.T, r record.Record, pairs map[string]limits.PairState) {
	switch r := r.(type) {
	case *record.Accepted:
		if h.accepted[string(r.ID)] != nil {
			t.Errorf("%s was accepted twice", r.ID)
		}
		h.accepted[string(r.ID)] = r
		h.traffic[string(r.Number)] = append(h.traffic[string(r.Number)], r.At)
		pair := string(r.Number) + "/" + string(r.To)
		next, wait := limits.Pair.Next(pairs[pair], r.At)
		if wait > 0 {
			t.Errorf("pair limit of %s: %s came %v too early", pair, r.ID, wait)
		}
		pairs[pair] = next
	case *record.Status:
		h.steps[string(r.ID)] = append(h.steps[string(r.ID)], r)
	case *record.Received:
		if h.received[string(r.ID)] != nil {
			t.Errorf("%s was received twice", r.ID)
		}
		h.received[string(r.ID)] = r
		key := string(r.Device) + "/" + r.ClientID
		h.byClient[key] = append(h.byClient[key], string(r.ID))
		h.traffic[string(r.Number)] = append(h.traffic[string(r.Number)], r.At)
	case *record.Acked:
		h.acked = append(h.acked, r)
	case *record.Sealed:
		h.sealed[string(r.Device)] = append(h.sealed[string(r.Device)], r)
	}
}

// verify holds what the platform did against what it promised.
func (w *world) verify() {
	h := readJournal(w.t, w.place.Data)
	w.verifySends(h)
	w.verifyKeys(h)
	w.verifyLimits(h)
	w.verifyInbound(h)
	w.verifyWebhooks(h)
	w.verifyAnnounced(h)
	for _, p := range w.people {
		w.verifyPerson(p, h)
	}
	w.verifyStore(h)
	for _, p := range w.hooks.Problems() {
		w.t.Errorf("receiver: %s", p)
	}
	for _, p := range w.ledger.problems {
		w.t.Errorf("sender: %s", p)
	}
	updates, repeats, refused := w.hooks.Counts()
	w.t.Logf("%d frames; %d accepted (%d answered), refusals %v; %d received; %d updates at the receiver, %d repeats, %d requests refused there",
		h.frames, len(h.accepted), w.ledger.count(), w.ledger.refused, len(h.received), updates, repeats, refused)
}

// verifySends: nothing acknowledged is missing, and every message walks its ladder once.
func (w *world) verifySends(h *history) {
	t := w.t
	for id, p := range w.ledger.accepted {
		a := h.accepted[id]
		if a == nil {
			t.Errorf("%s was answered with 200 and is not in the journal", id)
		} else if string(a.To) != p.to || string(a.Number) != p.number {
			t.Errorf("%s: journal says %s to %s, the sender said %s to %s", id, a.Number, a.To, p.number, p.to)
		}
	}
	ends := map[record.Kind]int{}
	for id := range h.accepted {
		last := record.Kind(0)
		count := map[record.Kind]int{}
		for _, s := range h.steps[id] {
			count[s.Of]++
			ends[s.Of]++
			if s.Of <= last {
				t.Errorf("%s: %s after %s", id, record.StatusOf(s.Of), record.StatusOf(last))
			}
			last = s.Of
			if s.Of != record.KindSent && s.Of != record.KindFailed && count[record.KindSent] == 0 {
				t.Errorf("%s: %s without sent", id, record.StatusOf(s.Of))
			}
		}
		for kind, n := range count {
			if n > 1 {
				t.Errorf("%s: %s %d times", id, record.StatusOf(kind), n)
			}
		}
		if count[record.KindSent]+count[record.KindFailed] == 0 {
			t.Errorf("%s ended in neither sent nor failed", id)
		}
		if count[record.KindFailed]+count[record.KindDelivered]+count[record.KindRead] == 0 {
			t.Errorf("everybody is online, and a message is still on its way: %s", h.story(id))
		}
		if count[record.KindFailed] > 0 && count[record.KindDelivered]+count[record.KindRead] > 0 {
			t.Errorf("%s failed and was delivered", id)
		}
	}
	for id := range h.steps {
		if h.accepted[id] == nil {
			t.Errorf("%s has steps and was never accepted", id)
		}
	}
	stories := 0
	for id := range h.accepted {
		if last := h.steps[id]; len(last) > 0 && last[len(last)-1].Of == record.KindFailed && stories < 3 {
			stories++
			t.Log(h.story(id))
		}
	}
	t.Logf("steps: sent %d, delivered %d, read %d, failed %d", ends[record.KindSent], ends[record.KindDelivered],
		ends[record.KindRead], ends[record.KindFailed])
}

// verifyKeys: no message key made two ciphertexts, and no mailbox position holds two items.
func (w *world) verifyKeys(h *history) {
	keys := map[string]wa.MessageID{}
	total, again := 0, 0
	for device, list := range h.sealed {
		places := map[uint64]wa.MessageID{}
		for _, s := range list {
			total++
			if s.Attempt > 0 {
				again++
			}
			key, err := messageKey(s.Cipher, s.PreKey)
			if err != nil {
				w.t.Errorf("%s for %s: %v", s.ID, device, err)
				continue
			}
			if old, used := keys[key]; used {
				w.t.Errorf("message key %s of %s made two ciphertexts: for %s and %s", key, device, old, s.ID)
			}
			keys[key] = s.ID
			if old, taken := places[s.Seq]; taken {
				w.t.Errorf("position %d of %s holds %s and %s", s.Seq, device, old, s.ID)
			}
			places[s.Seq] = s.ID
		}
	}
	w.t.Logf("%d ciphertexts under as many keys, %d of them for messages encrypted again", total, again)
}

// verifyLimits: in no second did a number send more than its level allows, kills or not.
func (w *world) verifyLimits(h *history) {
	for i, n := range w.numbers {
		level := limits.LevelHigh
		if i == 2 {
			level = limits.LevelStandard
		}
		times := h.traffic[n.id]
		slices.Sort(times)
		out := map[int64]int{}
		for _, a := range h.accepted {
			if string(a.Number) == n.id {
				out[a.At]++
			}
		}
		for last, first := 0, 0; last < len(times); last++ {
			for times[first] <= times[last]-1000 {
				first++
			}
			// Inbound messages are never refused, so only a second that ends with an outbound one counts.
			if out[times[last]] > 0 && last-first+1 > level+inboundAt(h, n.id, times[last]) {
				w.t.Errorf("number %s: %d messages in the second before %d, level %d", n.id, last-first+1, times[last], level)
				break
			}
		}
	}
}

func inboundAt(h *history, number string, at int64) (n int) {
	for _, r := range h.received {
		if string(r.Number) == number && r.At == at {
			n++
		}
	}
	return n
}

// verifyInbound: every message of a person was recorded once, under the id that the person was told.
func (w *world) verifyInbound(h *history) {
	for key, ids := range h.byClient {
		if len(ids) != 1 {
			w.t.Errorf("device message %s was recorded %d times: %v", key, len(ids), ids)
		}
	}
	for _, p := range w.people {
		for own, m := range p.wrote {
			id := p.sent[own]
			if id == "" {
				w.t.Errorf("%s: message %s was never acknowledged", p.phone, own)
				continue
			}
			r := h.received[id]
			if r == nil || r.ClientID != own || string(r.From) != p.phone {
				w.t.Errorf("%s was told that %s is %s, and the journal says %+v", p.phone, own, id, r)
			}
			if u, ok := w.hooks.Find(id, ""); r != nil && r.At >= w.subscribed && (!ok || u.Text != m.Text() || u.User != p.phone) {
				w.t.Errorf("%s wrote %q as %s, and the receiver has %v %+v", p.phone, m.Text(), id, ok, u)
			}
		}
	}
}

// verifyWebhooks: everything in the journal arrived.
func (w *world) verifyWebhooks(h *history) {
	for id, steps := range h.steps {
		for _, s := range steps {
			if _, ok := w.hooks.Find(id, string(record.StatusOf(s.Of))); !ok {
				w.t.Errorf("status %s of %s never reached the receiver", record.StatusOf(s.Of), id)
			}
		}
	}
	for id, r := range h.received {
		if _, ok := w.hooks.Find(id, ""); !ok && r.At >= w.subscribed {
			w.t.Errorf("inbound %s of %s never reached the receiver", id, r.From)
		}
	}
}

// verifyAnnounced: nothing was announced that the journal does not know.
func (w *world) verifyAnnounced(h *history) {
	for _, u := range w.hooks.Updates() {
		known := u.Status == "" && h.received[u.ID] != nil
		for _, s := range h.steps[u.ID] {
			known = known || string(record.StatusOf(s.Of)) == u.Status
		}
		if !known {
			w.t.Errorf("the receiver heard of %q of %s, which is not in the journal: %s", u.Status, u.ID, u.Content)
		}
	}
}

// verifyPerson: everything sent to a real device was decrypted there once, in the order of the mailbox, as it was written.
func (w *world) verifyPerson(p *person, h *history) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		w.t.Errorf("device %s: %s", p.phone, problem)
	}
	list := slices.Clone(h.sealed[p.phone+".1"])
	slices.SortFunc(list, func(a, b *record.Sealed) int { return int(int64(a.Seq) - int64(b.Seq)) })
	var want []string
	for _, s := range list {
		if s.Attempt > 0 {
			w.t.Errorf("device %s could not decrypt %s: it was encrypted again", p.phone, s.ID)
		}
		if !s.Silent {
			want = append(want, string(s.ID))
		}
	}
	got := make([]string, len(p.got))
	for i, m := range p.got {
		got[i] = m.ID
		if q, ok := w.ledger.accepted[m.ID]; ok && q.text != "" && q.text != m.Text() {
			w.t.Errorf("device %s shows %q for %s, sent was %q", p.phone, m.Text(), m.ID, q.text)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("device %s shows %d messages, its mailbox had %d, or in another order: %s", p.phone, len(got), len(want), firstDifference(got, want))
	}
	for id, a := range h.accepted {
		if string(a.To) == p.phone && len(h.steps[id]) > 0 && h.steps[id][0].Of == record.KindSent && p.seen[id] == 0 {
			w.t.Errorf("device %s never showed %s", p.phone, id)
		}
	}
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, x := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			x = want[i]
		}
		if g != x {
			return fmt.Sprintf("at %d %s instead of %s", i, g, x)
		}
	}
	return "no difference"
}

// verifyStore: the store shows what the journal says.
func (w *world) verifyStore(h *history) {
	ctx := context.WithoutCancel(w.t.Context())
	s, err := store.Open(ctx, store.Options{Dir: w.place.Data})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	var ids []wa.MessageID
	for id := range h.accepted {
		ids = append(ids, wa.MessageID(id))
	}
	rows := map[wa.MessageID]*pipeline.Message{}
	for part := range slices.Chunk(ids, 500) {
		list, err := s.Messages(ctx, part)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range list {
			rows[r.ID] = r
		}
	}
	states := map[record.Kind]pipeline.State{
		record.KindSent: pipeline.StateSent, record.KindDelivered: pipeline.StateDelivered, record.KindRead: pipeline.StateRead,
		record.KindPlayed: pipeline.StatePlayed, record.KindFailed: pipeline.StateFailed,
	}
	for _, id := range ids {
		steps := h.steps[string(id)]
		switch row := rows[id]; {
		case row == nil:
			w.t.Errorf("the store does not know %s", id)
		case len(steps) > 0 && row.State != states[steps[len(steps)-1].Of]:
			w.t.Errorf("the store has %s in state %d, the journal ends with %s", id, row.State, record.StatusOf(steps[len(steps)-1].Of))
		}
	}
}

// story tells what happened to a message, for a person who looks for the reason.
func (h *history) story(id string) string {
	a := h.accepted[id]
	s := fmt.Sprintf("%s to %s", id, a.To)
	for _, x := range h.sealed[string(a.To)+".1"] {
		if string(x.ID) == id {
			s += fmt.Sprintf("\n  +%dms sealed at %d, attempt %d, prekey %v", x.At-a.At, x.Seq, x.Attempt, x.PreKey)
		}
	}
	for _, x := range h.acked {
		if string(x.ID) == id {
			s += fmt.Sprintf("\n  +%dms acknowledged at %d, without a status", x.At-a.At, x.Seq)
		}
	}
	for _, x := range h.steps[id] {
		s += fmt.Sprintf("\n  +%dms %s %d", x.At-a.At, record.StatusOf(x.Of), x.Code)
	}
	return s
}
