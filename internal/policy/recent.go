package policy

import (
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// recentPeople is how many people a generation of [recent] holds; with all shards half a million.
const recentPeople = 1 << 13

// recent remembers something of people in two generations. Who was put within the span given to get is remembered, unless
// more than recentPeople others came since; who was not for twice as long is forgotten. The zero value is empty.
type recent[V any] struct {
	young, old map[wa.WaID]V
	turned     int64 // when young was begun, Unix milliseconds
}

func (r *recent[V]) get(user wa.WaID, now int64, span time.Duration) (v V, ok bool) {
	if r.young == nil || len(r.young) >= recentPeople || now-r.turned >= span.Milliseconds() {
		if now-r.turned >= 2*span.Milliseconds() {
			r.young = nil // nobody of it is within the span
		}
		r.young, r.old, r.turned = map[wa.WaID]V{}, r.young, now
	}
	if v, ok = r.young[user]; !ok {
		v, ok = r.old[user]
	}
	return v, ok
}

// put follows a get of the same user.
func (r *recent[V]) put(user wa.WaID, v V) { r.young[user] = v }
