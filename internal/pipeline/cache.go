package pipeline

// pin keeps an entry in a lane's memory while the store does not have its latest state: while a frame that changes it is
// on its way, and until the projector has applied that frame.
type pin struct {
	flying int    // frames on their way
	dirty  uint64 // last durable frame that changed the entry
	held   int    // commands waiting on the entry, jobs working for it
}

func (p *pin) pinned(projected uint64) bool {
	return p.flying > 0 || p.held > 0 || p.dirty > projected
}

type pinner interface {
	pinned(projected uint64) bool
}

// cache is a bounded map in two generations: entries that were not used during a whole generation are dropped, pinned ones
// are carried over. It may exceed its bound by what is pinned; the lane bounds that by watching the projector's lag.
type cache[K comparable, V pinner] struct {
	young, old map[K]V
	max        int // entries per generation
	due        int // size of young at which the next turn is tried
	dropped    func(K, V)
}

func newCache[K comparable, V pinner](limit int, dropped func(K, V)) *cache[K, V] {
	return &cache[K, V]{young: map[K]V{}, old: map[K]V{}, max: limit, due: limit, dropped: dropped}
}

func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		delete(c.old, k)
		c.young[k] = v
	}
	return v, ok
}

// put adds an entry that get did not find.
func (c *cache[K, V]) put(k K, v V) { c.young[k] = v }

func (c *cache[K, V]) drop(k K) {
	delete(c.young, k)
	delete(c.old, k)
}

func (c *cache[K, V]) each(f func(V)) {
	for _, v := range c.young {
		f(v)
	}
	for _, v := range c.old {
		f(v)
	}
}

// turn starts a new generation when the young one is full.
func (c *cache[K, V]) turn(projected uint64) {
	if len(c.young) < c.due {
		return
	}
	next := c.keep(projected)
	if len(next) > c.max/2 {
		// Nearly everything is pinned: a new generation would only copy maps around. Looking again has to wait, or every
		// burst would.
		c.old, c.due = next, len(c.young)+c.max/2+1
		return
	}
	c.old, c.young, c.due = c.young, next, c.max
}

// age starts a new generation although the young one is not full: what is not used between two calls goes.
func (c *cache[K, V]) age(projected uint64) {
	if len(c.young)+len(c.old) == 0 {
		return
	}
	next := c.keep(projected)
	c.old, c.young, c.due = c.young, next, max(c.max, len(next)+c.max/2+1)
}

// keep ends the old generation, and returns what has to stay of it.
func (c *cache[K, V]) keep(projected uint64) map[K]V {
	pinned := map[K]V{}
	for k, v := range c.old {
		if v.pinned(projected) {
			pinned[k] = v
		} else if c.dropped != nil {
			c.dropped(k, v)
		}
	}
	return pinned
}
