package limits

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ReachWindow is how long a user counts against the messaging limit after a delivery outside a customer service window.
const ReachWindow = 24 * time.Hour

const reachMillis = int64(ReachWindow / time.Millisecond)

// Reach is the messaging limit of one portfolio: the people whom its messages reach outside of customer service windows
// within a moving 24 hours, and those for whom room is held because a message is on its way. It is exact.
//
// The numbers of a portfolio may live in different lanes, so unlike everything else in this package it is safe for
// concurrent use: people are spread over shards with a lock each, which is held for the time of a table look-up, and room
// is a single counter. Nobody waits for a table to grow but the people of its shard, a sixty-fourth of all.
//
// Source: spec/limits.md section 3.5; the stamp rule is that of M5.
type Reach struct {
	used   atomic.Int64 // people counted or with held room, over all shards
	shards [shards]shard
}

const shards = 64

type shard struct {
	mu sync.Mutex
	users
}

// person is a wa_id as a number. Ids have at most 15 digits and none starts with 0.
func person(id wa.WaID) uint64 {
	v, err := strconv.ParseUint(string(id), 10, 64)
	if err != nil {
		return 0
	}
	return v
}

func (r *Reach) shard(user uint64) *shard { return &r.shards[mix(user)%shards] }

// Reserve holds room for a message to user. It is false when limit people are counted or hold room already and user is
// none of them. A negative limit is none. Every true answer is followed by one call of [Reach.Deliver] or [Reach.Release].
func (r *Reach) Reserve(id wa.WaID, now int64, limit int) bool {
	user := person(id)
	if user == 0 {
		return false
	}
	if r.reserve(user, now, limit) {
		return true
	}
	// Stamps of other shards may be over without anyone having looked.
	if r.Used(now) < limit {
		return r.reserve(user, now, limit)
	}
	return false
}

func (r *Reach) reserve(user uint64, now int64, limit int) bool {
	h := r.shard(user)
	h.mu.Lock()
	defer h.mu.Unlock()
	r.used.Add(-int64(h.expire(now - reachMillis)))
	s := h.find(user)
	if s == nil {
		if !r.room(limit) {
			return false
		}
		s = h.add(user)
	}
	s.set(s.stamp(), s.holds()+1)
	return true
}

// room takes one of the limit's places if there is one.
func (r *Reach) room(limit int) bool {
	for {
		used := r.used.Load()
		if limit >= 0 && used >= int64(limit) {
			return false
		}
		if r.used.CompareAndSwap(used, used+1) {
			return true
		}
	}
}

// Deliver turns a reservation into a count and returns the time user counts from: now, or that of an earlier delivery
// within 24 hours, which later ones do not move.
func (r *Reach) Deliver(id wa.WaID, now int64) (since int64) {
	user := person(id)
	if user == 0 {
		return now
	}
	h := r.shard(user)
	h.mu.Lock()
	defer h.mu.Unlock()
	r.used.Add(-int64(h.expire(now - reachMillis)))
	s := h.find(user)
	if s == nil { // the hold was lost with a burst: what was delivered counts all the same
		r.used.Add(1)
		s = h.add(user)
	}
	since = s.stamp()
	if since == 0 {
		since = max(now, 1)
		h.queue.push(user)
	}
	s.set(since, s.holds()-1)
	return since
}

// Release gives a reservation back: the message failed, or its life is over.
func (r *Reach) Release(id wa.WaID) {
	user := person(id)
	h := r.shard(user)
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(user)
	if s == nil || s.holds() == 0 {
		return
	}
	s.set(s.stamp(), s.holds()-1)
	if s.holds() == 0 && s.stamp() == 0 {
		h.remove(s)
		r.used.Add(-1)
	}
}

// Load restores a count of before a restart. Calls come in the order of their stamps.
func (r *Reach) Load(id wa.WaID, since int64) {
	user := person(id)
	h := r.shard(user)
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.find(user)
	if s == nil {
		r.used.Add(1)
		s = h.add(user)
	}
	if s.stamp() == 0 {
		h.queue.push(user)
		s.set(since, s.holds())
	}
}

// Used is how many places are taken at now.
func (r *Reach) Used(now int64) int {
	for i := range r.shards {
		h := &r.shards[i]
		h.mu.Lock()
		r.used.Add(-int64(h.expire(now - reachMillis)))
		h.mu.Unlock()
	}
	return int(r.used.Load())
}
