package access

import (
	"sync/atomic"
	"time"
)

// use is when a token was presented at last, to the minute; copies of a token share it. It is forgotten at a restart: writing it down
// would cost a disk write for what nobody decides by.
type use struct{ at atomic.Int64 }

// now notes a use. Busy tokens are presented thousands of times a second: only the first of a minute writes.
func (u *use) now(t time.Time) {
	if sec := t.Unix(); u != nil && sec-u.at.Load() >= 60 {
		u.at.Store(sec)
	}
}

// LastUse is when the token was presented at last since the server started, to the minute; zero when it was not.
func (t *Token) LastUse() time.Time {
	if t.used == nil || t.used.at.Load() == 0 {
		return time.Time{}
	}
	return time.Unix(t.used.at.Load(), 0)
}
