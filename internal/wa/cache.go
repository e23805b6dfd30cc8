package wa

import (
	"hash/maphash"
	"sync/atomic"
)

// cache is a direct-mapped memory of answers: bounded, without locks, and allowed to forget. A key that lands on the slot
// of another replaces it. It has room for the people of a large campaign, some megabytes when it is full; slots that
// nothing was put into cost nothing. The zero value is ready.
type cache struct {
	slots [1 << 16]atomic.Pointer[answer]
}

type answer struct {
	digits string
	code   int
	value  string
}

var seed = maphash.MakeSeed()

func (c *cache) slot(digits string) *atomic.Pointer[answer] {
	return &c.slots[maphash.String(seed, digits)%uint64(len(c.slots))]
}

func (c *cache) get(digits string, code int) (string, bool) {
	if a := c.slot(digits).Load(); a != nil && a.digits == digits && a.code == code {
		return a.value, true
	}
	return "", false
}

func (c *cache) put(digits string, code int, value string) {
	c.slot(digits).Store(&answer{digits, code, value})
}
