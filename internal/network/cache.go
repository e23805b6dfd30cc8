package network

import (
	"hash/maphash"
	"sync"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const cacheShards = 16

// cache holds users that were read, up to a bound; when it is full an arbitrary one makes room.
type cache struct {
	seed   maphash.Seed
	limit  int // per shard
	shards [cacheShards]cacheShard
}

type cacheShard struct {
	mu    sync.RWMutex
	users map[wa.WaID]*User
	steps uint64 // changes by writers: a reader that began before one must not fill in what it read
}

func newCache(limit int) *cache {
	c := &cache{seed: maphash.MakeSeed(), limit: max(1, limit/cacheShards)}
	for i := range c.shards {
		c.shards[i].users = make(map[wa.WaID]*User)
	}
	return c
}

func (c *cache) shard(id wa.WaID) *cacheShard {
	return &c.shards[maphash.String(c.seed, string(id))%cacheShards]
}

// lookup returns the cached user, or the step that fill needs.
func (c *cache) lookup(id wa.WaID) (u *User, step uint64) {
	s := c.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.users[id], s.steps
}

// fill stores what a reader loaded, unless a writer came between.
func (c *cache) fill(u *User, step uint64) {
	s := c.shard(u.WaID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.steps == step {
		s.put(u, c.limit)
	}
}

// set stores what a writer made durable.
func (c *cache) set(u *User) {
	s := c.shard(u.WaID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	s.put(u, c.limit)
}

// drop forgets a user that a writer changed.
func (c *cache) drop(id wa.WaID) {
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps++
	delete(s.users, id)
}

func (s *cacheShard) put(u *User, limit int) {
	if _, known := s.users[u.WaID]; !known && len(s.users) >= limit {
		for id := range s.users {
			delete(s.users, id)
			break
		}
	}
	s.users[u.WaID] = u
}
