package limits

import "math/bits"

// users is an exact set of people who were counted at a time, or for whom room is held. An entry is 16 bytes in an
// open-addressed table that grows by a quarter, and 8 bytes in the queue of those who were counted, oldest first: about 32
// bytes per person. It is one shard of a [Reach].
type users struct {
	slots []slot
	n     int // of slots in use
	queue ring
}

// slot is a person: the digits as a number, and a stamp in milliseconds (44 bits) above the number of holds (20 bits).
type slot struct{ user, state uint64 }

const (
	holdBits = 20
	maxHolds = 1<<holdBits - 1
	minSlots = 8
)

func (s *slot) stamp() int64 { return int64(s.state >> holdBits) }
func (s *slot) holds() int   { return int(s.state & maxHolds) }

func (s *slot) set(stamp int64, holds int) {
	s.state = uint64(stamp)<<holdBits | uint64(min(max(holds, 0), maxHolds))
}

// mix spreads digits over 64 bits (the finaliser of SplitMix64, a bijection).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// home is where a user would be without others; any size of table works.
func (u *users) home(user uint64) int {
	hi, _ := bits.Mul64(mix(user), uint64(len(u.slots)))
	return int(hi)
}

// find returns the user's slot, nil when there is none.
func (u *users) find(user uint64) *slot {
	if u.n == 0 {
		return nil
	}
	for i := u.home(user); ; i = u.next(i) {
		switch s := &u.slots[i]; s.user {
		case user:
			return s
		case 0:
			return nil
		}
	}
}

func (u *users) next(i int) int {
	if i++; i == len(u.slots) {
		return 0
	}
	return i
}

// add returns a new slot for a user that is not in the set.
func (u *users) add(user uint64) *slot {
	if (u.n+1)*8 > len(u.slots)*7 {
		u.resize(max(minSlots, len(u.slots)*5/4+1))
	}
	u.n++
	i := u.home(user)
	for u.slots[i].user != 0 {
		i = u.next(i)
	}
	u.slots[i] = slot{user: user}
	return &u.slots[i]
}

func (u *users) resize(size int) {
	old := u.slots
	u.slots = make([]slot, size)
	for _, s := range old {
		if s.user == 0 {
			continue
		}
		i := u.home(s.user)
		for u.slots[i].user != 0 {
			i = u.next(i)
		}
		u.slots[i] = s
	}
}

// remove takes a user out and moves those behind it up, so that no search ends at the gap.
func (u *users) remove(s *slot) {
	gap := u.index(s)
	u.n--
	for i := u.next(gap); u.slots[i].user != 0; i = u.next(i) {
		if u.between(u.home(u.slots[i].user), gap, i) {
			u.slots[gap] = u.slots[i]
			gap = i
		}
	}
	u.slots[gap] = slot{}
	if len(u.slots) > 4*minSlots && u.n*4 < len(u.slots) {
		u.resize(len(u.slots) / 2)
	}
}

func (u *users) index(s *slot) int {
	for i := u.home(s.user); ; i = u.next(i) {
		if u.slots[i].user == s.user {
			return i
		}
	}
}

// between reports whether an entry at i whose home is given may move to gap: its home is not behind the gap.
func (u *users) between(home, gap, i int) bool {
	n := len(u.slots)
	return (i-home+n)%n >= (i-gap+n)%n
}

// expire forgets stamps of at or before the given time and returns how many people left with theirs.
func (u *users) expire(before int64) (left int) {
	for {
		user, ok := u.queue.peek()
		if !ok {
			return left
		}
		s := u.find(user)
		if s != nil && s.stamp() > before {
			return left
		}
		u.queue.pop()
		if s == nil || s.stamp() == 0 {
			continue
		}
		s.set(0, s.holds())
		if s.holds() == 0 {
			u.remove(s)
			left++
		}
	}
}

// ring is a queue of users.
type ring struct {
	buf      []uint64
	first, n int
}

func (r *ring) peek() (uint64, bool) {
	if r.n == 0 {
		return 0, false
	}
	return r.buf[r.first], true
}

func (r *ring) pop() {
	r.first = (r.first + 1) % len(r.buf)
	r.n--
	if len(r.buf) > 32 && r.n*4 < len(r.buf) {
		r.resize(len(r.buf) / 2)
	}
}

func (r *ring) push(v uint64) {
	if r.n == len(r.buf) {
		r.resize(max(8, len(r.buf)*5/4))
	}
	r.buf[(r.first+r.n)%len(r.buf)] = v
	r.n++
}

func (r *ring) resize(size int) {
	buf := make([]uint64, size)
	for i := range r.n {
		buf[i] = r.buf[(r.first+i)%len(r.buf)]
	}
	r.buf, r.first = buf, 0
}
