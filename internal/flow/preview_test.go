package flow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/flow"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// A preview link lives for 30 days, or until another one is asked for. Source: spec/flows.md section 5.
func TestPreview(t *testing.T) {
	t.Parallel()
	r := open(t)
	f, other := r.draft("f", plain), r.draft("g", plain)
	link := func(fresh bool) (string, time.Time) {
		t.Helper()
		token, ends, err := r.Preview(t.Context(), f.ID, fresh)
		must(t, err)
		return token, ends
	}
	works := func(id wa.FlowID, token string, want bool) {
		t.Helper()
		got, json, err := r.Previewed(t.Context(), id, token)
		if want && (err != nil || got.ID != id || string(json) != plain) {
			t.Errorf("the link does not work: %v", err)
		}
		if !want && !errors.Is(err, flow.ErrUnknown) {
			t.Errorf("the link works: %v", err)
		}
	}
	works(f.ID, "", false)
	first, ends := link(false)
	same(t, "ends", ends, noon.Add(30*24*time.Hour))
	works(f.ID, first, true)
	works(other.ID, first, false)
	works(f.ID, first[:len(first)-1], false)
	works(f.ID, strings.ToUpper(first), false)
	r.clock.Advance(time.Hour)
	if again, e := link(false); again != first || e != ends {
		t.Error("another link without need")
	}
	fresh, ends := link(true)
	same(t, "ends", ends, noon.Add(30*24*time.Hour+time.Hour))
	works(f.ID, first, false)
	works(f.ID, fresh, true)
	r.load()
	works(f.ID, fresh, true)
	r.clock.Advance(ends.Sub(r.clock.Now()) - time.Second)
	works(f.ID, fresh, true)
	r.clock.Advance(time.Second)
	works(f.ID, fresh, false)
	next, _ := link(false)
	works(f.ID, next, true)
	works(f.ID, fresh, false)
	r.o.Key = []byte("another key 0123")
	r.load()
	works(f.ID, next, false)
	if _, _, err := r.Preview(t.Context(), "1", false); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// between is a clock on which something else happens before it is read the next time.
type between struct {
	clock.Clock
	do func()
}

func (b *between) Now() time.Time {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return b.Clock.Now()
}

// Who asks for the link at the same time gets the same one.
func TestPreviewAtOnce(t *testing.T) {
	t.Parallel()
	r := open(t)
	b := &between{Clock: r.clock}
	r.o.Clock = b
	r.load()
	f := r.draft("f", plain)
	var first string
	b.do = func() {
		var err error
		first, _, err = r.Preview(t.Context(), f.ID, false)
		must(t, err)
	}
	second, _, err := r.Preview(t.Context(), f.ID, false)
	must(t, err)
	same(t, "second link", second, first)
}

// Whoever has the address of an asset downloads that document of that flow for an hour.
func TestAsset(t *testing.T) {
	t.Parallel()
	r := open(t)
	f, other := r.draft("f", plain), r.draft("g", plain)
	n, ends, token := r.AssetToken(f)
	same(t, "ends", ends, noon.Add(time.Hour).Unix())
	for _, c := range []struct {
		name  string
		id    wa.FlowID
		n     int64
		ends  int64
		token string
		ok    bool
	}{
		{"as it was handed out", f.ID, n, ends, token, true},
		{"another flow", other.ID, n, ends, token, false},
		{"another document", f.ID, n + 1, ends, token, false},
		{"a longer life", f.ID, n, ends + 1, token, false},
		{"no token", f.ID, n, ends, "", false},
		{"part of a token", f.ID, n, ends, token[:39], false},
		{"more than a token", f.ID, n, ends, token + "0", false},
	} {
		json, err := r.Asset(t.Context(), c.id, c.n, c.ends, c.token)
		if c.ok && (err != nil || string(json) != plain) || !c.ok && (!errors.Is(err, flow.ErrUnknown) || json != nil) {
			t.Errorf("%s: %s %v", c.name, json, err)
		}
	}
	r.clock.Advance(time.Hour - time.Second)
	if _, err := r.Asset(t.Context(), f.ID, n, ends, token); err != nil {
		t.Errorf("within the hour: %v", err)
	}
	r.clock.Advance(time.Second)
	if _, err := r.Asset(t.Context(), f.ID, n, ends, token); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("after the hour: %v", err)
	}
	_, ends, token = r.AssetToken(f)
	if _, err := r.Upload(t.Context(), f.ID, []byte(talks)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Asset(t.Context(), f.ID, n, ends, token); !errors.Is(err, flow.ErrUnknown) {
		t.Errorf("a draft that was replaced: %v", err)
	}
}
