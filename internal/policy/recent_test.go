package policy

import (
	"strconv"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// What was put within the span is there, what is twice as old is not, and a crowd takes a bounded place.
func TestRecent(t *testing.T) {
	t.Parallel()
	const span = time.Hour
	ms := span.Milliseconds()
	var r recent[int]
	put := func(user wa.WaID, v int, now int64) { r.get(user, now, span); r.put(user, v) }
	put("1", 1, ms)
	put("2", 2, 2*ms-1)
	for _, c := range []struct {
		user wa.WaID
		now  int64
		want int
	}{{"1", 2*ms - 1, 1}, {"2", 2 * ms, 2}, {"1", 2 * ms, 1}, {"2", 3*ms - 1, 2}, {"2", 4 * ms, 0}, {"1", 4 * ms, 0}} {
		if got, ok := r.get(c.user, c.now, span); got != c.want || ok != (c.want != 0) {
			t.Errorf("%s at %d: %d, %v, want %d", c.user, c.now, got, ok, c.want)
		}
	}
	put("9", 9, 5*ms)
	for i := range 3 * recentPeople {
		put(wa.WaID(strconv.Itoa(1000+i)), i, 5*ms)
		if i == recentPeople-2 {
			if _, ok := r.get("9", 5*ms, span); !ok {
				t.Error("it was forgotten too early")
			}
		}
	}
	if len(r.young)+len(r.old) > 2*recentPeople {
		t.Errorf("%d people are remembered", len(r.young)+len(r.old))
	}
}
