package webhook

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNextWalksSevenDays(t *testing.T) {
	t.Parallel()
	born := time.Date(2026, 7, 3, 8, 0, 0, 0, time.UTC)
	nominal := []time.Duration{0, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}
	now, n := born, 1
	for ; ; n++ {
		out, at := Next(born, now, Life, n, 500, nil)
		if out == Dropped {
			break
		}
		if out != Retry {
			t.Fatalf("attempt %d: %v", n, out)
		}
		if n <= len(nominal) && at.Sub(now) != nominal[n-1] {
			t.Errorf("pause after attempt %d: %v, want %v", n, at.Sub(now), nominal[n-1])
		}
		if n > len(nominal) && at.Sub(now) != time.Hour && !at.Equal(born.Add(Life)) {
			t.Errorf("pause after attempt %d: %v, want 1h", n, at.Sub(now))
		}
		now = at
	}
	if got := now.Sub(born); got != Life {
		t.Errorf("last attempt %v after the event, want %v", got, Life)
	}
	if n < 170 || n > 180 {
		t.Errorf("%d attempts in seven days", n)
	}
}

func TestNextRules(t *testing.T) {
	t.Parallel()
	born := time.Date(2026, 7, 3, 8, 0, 0, 0, time.UTC)
	if out, _ := Next(born, born.Add(8*24*time.Hour), Life, 9, 204, nil); out != Delivered {
		t.Errorf("a late 2xx: %v, want delivered", out)
	}
	for _, status := range []int{0, 301, 302, 400, 404, 410, 429, 500, 503} {
		if out, _ := Next(born, born, Life, 1, status, nil); out != Retry {
			t.Errorf("status %d: %v, want retry", status, out)
		}
	}
	if out, _ := Next(born, born.Add(Life), Life, 3, 500, nil); out != Dropped {
		t.Errorf("at seven days: %v, want dropped", out)
	}
	if out, at := Next(born, born.Add(Life-time.Nanosecond), Life, 30, 500, nil); out != Retry || !at.Equal(born.Add(Life)) {
		t.Errorf("just before seven days: %v at %v", out, at)
	}
}

func TestNextProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		born := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "born"))
		now := born.Add(time.Duration(rapid.Int64Range(0, int64(Life)-1).Draw(t, "age")))
		n := rapid.IntRange(-3, 1000).Draw(t, "n")
		jitter := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		out, at := Next(born, now, Life, n, 500, jitter)
		if out != Retry || at.Before(now) || at.After(born.Add(Life)) || at.Sub(now) > time.Hour {
			t.Fatalf("%v at %v, now %v, born %v", out, at, now, born)
		}
	})
}
