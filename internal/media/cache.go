package media

import "sync"

// cache keeps media in memory in two generations: what was not asked for while a generation filled up is forgotten.
type cache struct {
	most int

	mu       sync.RWMutex
	now, old map[string]*Media
	drops    uint64 // so far
}

func newCache(most int) *cache {
	return &cache{most: most, now: map[string]*Media{}, old: map[string]*Media{}}
}

func (c *cache) get(id string) (*Media, bool) {
	c.mu.RLock()
	m, ok := c.now[id]
	if ok {
		c.mu.RUnlock()
		return m, true
	}
	m, ok = c.old[id]
	c.mu.RUnlock()
	if ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		if m, ok = c.old[id]; ok { // else it was dropped meanwhile
			c.add(id, m)
		}
	}
	return m, ok
}

func (c *cache) put(id string, m *Media) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(id, m)
}

// dropped counts the drops so far.
func (c *cache) dropped() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.drops
}

// putSince is put, unless something was dropped since dropped gave that count: m may have been read before it went.
func (c *cache) putSince(drops uint64, id string, m *Media) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drops == drops {
		c.add(id, m)
	}
}

func (c *cache) add(id string, m *Media) {
	if len(c.now) >= c.most {
		c.now, c.old = map[string]*Media{}, c.now
	}
	c.now[id] = m
}

func (c *cache) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	delete(c.now, id)
	delete(c.old, id)
}
