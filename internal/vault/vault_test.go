package vault_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/vault/vaulttest"
)

// wall is a clock that stands where the test puts it; the vault only reads it.
type wall struct {
	clock.Clock
	mu  sync.Mutex
	now time.Time
}

func newWall() *wall { return &wall{now: time.Date(2026, 3, 1, 10, 20, 0, 0, time.UTC)} }

func (w *wall) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *wall) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func open(tb testing.TB, root *vault.Root, s vault.Store, c clock.Clock) *vault.Vault {
	tb.Helper()
	v, err := vault.Open(tb.Context(), vault.Options{Root: root, Store: s, Clock: c})
	if err != nil {
		tb.Fatalf("open vault: %v", err)
	}
	return v
}

func seal(tb testing.TB, v *vault.Vault, class vault.Class, scope, ad, plain string) []byte {
	tb.Helper()
	b, err := v.Seal(class, scope, []byte(ad), []byte(plain))
	if err != nil {
		tb.Fatalf("seal: %v", err)
	}
	return b
}

func keyID(sealed []byte) uint32 { return binary.BigEndian.Uint32(sealed[1:]) }

func TestOpenIsTheInverseOfSeal(t *testing.T) {
	t.Parallel()
	v := vaulttest.New(t, newWall())
	rapid.Check(t, func(t *rapid.T) {
		class := rapid.SampledFrom([]vault.Class{vault.ClassNumber, vault.ClassContent, vault.ClassSecret}).Draw(t, "class")
		scope := rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "scope")
		ad, plain := rapid.SliceOf(rapid.Byte()).Draw(t, "ad"), rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := v.Seal(class, scope, ad, plain)
		if err != nil {
			t.Fatalf("seal: %v", err)
		}
		if len(sealed) != len(plain)+vault.Overhead {
			t.Fatalf("record of %d bytes for %d", len(sealed), len(plain))
		}
		if len(plain) >= 8 && bytes.Contains(sealed, plain) {
			t.Fatal("the record contains what was sealed")
		}
		got, err := v.Open(ad, sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("open: %x, %v; want %x", got, err, plain)
		}
		if _, err := v.Open(append(ad, 'x'), sealed); !errors.Is(err, vault.ErrTampered) {
			t.Fatalf("open elsewhere: %v", err)
		}
		i := rapid.IntRange(0, len(sealed)*8-1).Draw(t, "bit")
		sealed[i/8] ^= 1 << (i % 8)
		if _, err := v.Open(ad, sealed); !errors.Is(err, vault.ErrTampered) {
			t.Fatalf("open with bit %d flipped: %v", i, err)
		}
		cut := rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")
		if _, err := v.Open(ad, sealed[:cut]); !errors.Is(err, vault.ErrTampered) {
			t.Fatalf("open first %d bytes: %v", cut, err)
		}
	})
}

func TestKeysAreSharedAsTheClassSays(t *testing.T) {
	t.Parallel()
	w := newWall()
	v := vaulttest.New(t, w)
	id := func(c vault.Class, scope string) uint32 { return keyID(seal(t, v, c, scope, "ad", "x")) }

	n1, n2, c1, s1 := id(vault.ClassNumber, "1"), id(vault.ClassNumber, "2"), id(vault.ClassContent, ""), id(vault.ClassSecret, "")
	seen := map[uint32]bool{n1: true, n2: true, c1: true, s1: true}
	if len(seen) != 4 {
		t.Fatalf("keys are shared: %d %d %d %d", n1, n2, c1, s1)
	}
	w.add(39 * time.Minute) // 10:59
	if id(vault.ClassContent, "") != c1 {
		t.Error("new content key inside the hour")
	}
	w.add(time.Minute) // 11:00
	c2 := id(vault.ClassContent, "")
	if c2 == c1 {
		t.Error("same content key in the next hour")
	}
	w.add(-time.Minute)
	if id(vault.ClassContent, "") != c1 {
		t.Error("a clock set back does not find the key of its hour")
	}
	w.add(1000 * time.Hour)
	if id(vault.ClassNumber, "1") != n1 || id(vault.ClassSecret, "") != s1 {
		t.Error("keys of numbers and secrets depend on time")
	}
	for _, c := range []vault.Class{vault.ClassNumber, vault.ClassContent} {
		before := id(c, "1")
		v.SetUses(c, "1", vault.MaxUses-1)
		if last := id(c, "1"); last != before {
			t.Errorf("%s: key replaced one use early", c)
		}
		if after := id(c, "1"); after == before {
			t.Errorf("%s: key used more than 2^30 times", c)
		}
	}
}

func TestRestartFindsEverything(t *testing.T) {
	t.Parallel()
	s, w := &vaulttest.Store{}, newWall()
	v := open(t, vaulttest.Root(t, 1), s, w)
	var sealed [][]byte
	for i := range 5 {
		sealed = append(sealed, seal(t, v, vault.ClassContent, "", "ad", fmt.Sprint(i)), seal(t, v, vault.ClassNumber, fmt.Sprint(i), "ad", "n"))
		w.add(time.Hour)
	}
	adds := s.Adds()
	v = open(t, vaulttest.Root(t, 1), s, w)
	for i, b := range sealed {
		if _, err := v.Open([]byte("ad"), b); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
	w.add(-time.Hour)
	seal(t, v, vault.ClassContent, "", "ad", "same hour")
	seal(t, v, vault.ClassNumber, "3", "ad", "same number")
	if s.Adds() != adds {
		t.Errorf("%d new keys after restart, want none", s.Adds()-adds)
	}
	_, err := vault.Open(t.Context(), vault.Options{Root: vaulttest.Root(t, 2), Store: s, Clock: w})
	if !errors.Is(err, vault.ErrUnwrap) {
		t.Errorf("open with another root key: %v", err)
	}
}

func TestDestroyContent(t *testing.T) {
	t.Parallel()
	s, w := &vaulttest.Store{}, newWall()
	v, other := open(t, vaulttest.Root(t, 1), s, w), open(t, vaulttest.Root(t, 1), s, w)
	number := seal(t, v, vault.ClassNumber, "1", "ad", "kept")
	old := seal(t, v, vault.ClassContent, "", "ad", "10:20")
	foreign := seal(t, other, vault.ClassContent, "", "ad", "10:20 on another node")
	if _, err := v.Open([]byte("ad"), foreign); err != nil {
		t.Fatalf("key of another node: %v", err)
	}
	w.add(time.Hour)
	young := seal(t, v, vault.ClassContent, "", "ad", "11:20")

	if n, err := v.DestroyContent(t.Context(), time.Date(2026, 3, 1, 10, 59, 59, 0, time.UTC)); n != 0 || err != nil {
		t.Fatalf("before the period ended: %d, %v", n, err)
	}
	if n, err := v.DestroyContent(t.Context(), time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)); n != 2 || err != nil {
		t.Fatalf("at the period's end: %d, %v; want 2", n, err)
	}
	for i, b := range [][]byte{old, foreign} {
		if _, err := v.Open([]byte("ad"), b); !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("record %d under a destroyed key: %v", i, err)
		}
	}
	for i, b := range [][]byte{number, young} {
		if _, err := v.Open([]byte("ad"), b); err != nil {
			t.Errorf("record %d under a living key: %v", i, err)
		}
	}
	if n, err := other.DestroyContent(t.Context(), time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)); n != 0 || err != nil {
		t.Fatalf("second node: %d, %v", n, err)
	}
	if _, err := other.Open([]byte("ad"), old); !errors.Is(err, vault.ErrDestroyed) {
		t.Errorf("second node: %v", err)
	}
	again := open(t, vaulttest.Root(t, 1), s, w)
	if _, err := again.Open([]byte("ad"), old); !errors.Is(err, vault.ErrDestroyed) {
		t.Errorf("after restart: %v", err)
	}
	rows, _ := s.DataKeys(t.Context())
	for _, k := range rows {
		if k.ID == keyID(old) && len(k.Wrapped) != 0 {
			t.Error("the wrapped key is still in the table")
		}
	}
	// A destroyed period that is entered again (a clock set back) gets a key of its own.
	w.add(-time.Hour)
	b := seal(t, v, vault.ClassContent, "", "ad", "10:20 again")
	if _, err := v.Open([]byte("ad"), b); err != nil || keyID(b) == keyID(old) {
		t.Errorf("period entered again: %v", err)
	}
}

func TestDestroyNumber(t *testing.T) {
	t.Parallel()
	v := vaulttest.New(t, newWall())
	one, two := seal(t, v, vault.ClassNumber, "1", "ad", "a"), seal(t, v, vault.ClassNumber, "2", "ad", "b")
	if n, err := v.DestroyNumbers(t.Context(), []string{"1", "9"}); err != nil || n != 1 {
		t.Fatal(err)
	}
	if _, err := v.Open([]byte("ad"), one); !errors.Is(err, vault.ErrDestroyed) {
		t.Errorf("destroyed number: %v", err)
	}
	if _, err := v.Open([]byte("ad"), two); err != nil {
		t.Errorf("other number: %v", err)
	}
	if b := seal(t, v, vault.ClassNumber, "1", "ad", "registered again"); keyID(b) == keyID(one) {
		t.Error("destroyed key used again")
	}
}

func TestPrepareMakesKeysAheadOfTime(t *testing.T) {
	t.Parallel()
	s, w := &vaulttest.Store{}, newWall()
	v := open(t, vaulttest.Root(t, 1), s, w)
	for range 3 {
		if err := v.Prepare(t.Context(), vault.ClassContent, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Prepare(t.Context(), vault.ClassNumber, "1"); err != nil {
		t.Fatal(err)
	}
	if s.Adds() != 3 {
		t.Fatalf("%d keys made, want this hour's, the next hour's and the number's", s.Adds())
	}
	seal(t, v, vault.ClassContent, "", "ad", "x")
	seal(t, v, vault.ClassNumber, "1", "ad", "x")
	w.add(time.Hour)
	seal(t, v, vault.ClassContent, "", "ad", "x")
	if s.Adds() != 3 {
		t.Errorf("%d keys made, want no more", s.Adds())
	}
}

func TestRotateRoot(t *testing.T) {
	t.Parallel()
	s, w := &vaulttest.Store{}, newWall()
	v := open(t, vaulttest.Root(t, 1), s, w)
	a, gone := seal(t, v, vault.ClassNumber, "1", "ad", "a"), seal(t, v, vault.ClassContent, "", "ad", "gone")
	if _, err := v.DestroyContent(t.Context(), w.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n, err := v.RotateRoot(t.Context(), vaulttest.Root(t, 2)); n != 1 || err != nil {
		t.Fatalf("rotate: %d, %v", n, err)
	}
	b := seal(t, v, vault.ClassNumber, "2", "ad", "b") // made under the new root
	for _, v := range []*vault.Vault{v, open(t, vaulttest.Root(t, 2), s, w)} {
		for i, sealed := range [][]byte{a, b} {
			if _, err := v.Open([]byte("ad"), sealed); err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		}
		if _, err := v.Open([]byte("ad"), gone); !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("rotation brought a destroyed key back: %v", err)
		}
	}
	if _, err := vault.Open(t.Context(), vault.Options{Root: vaulttest.Root(t, 1), Store: s, Clock: w}); !errors.Is(err, vault.ErrUnwrap) {
		t.Errorf("the old root still opens: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	s, w := &vaulttest.Store{}, newWall()
	v := open(t, vaulttest.Root(t, 1), s, w)
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			for j := range 200 {
				plain := []byte(fmt.Sprint(i, j))
				b, err := v.Seal(vault.ClassContent, "", []byte("ad"), plain)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := v.Open([]byte("ad"), b); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("open: %q, %v", got, err)
					return
				}
				if j%20 == 0 {
					w.add(time.Hour)
				}
				if j%50 == 0 {
					if _, err := v.DestroyContent(t.Context(), w.Now().Add(-200*time.Hour)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	g.Wait()
	if s.Adds() > 90 {
		t.Errorf("%d keys for about 80 hours", s.Adds())
	}
}

// A key whose storing went wrong is never used.
func TestKeyIsDurableBeforeItsFirstUse(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	s := &failing{err: broken}
	v := open(t, vaulttest.Root(t, 1), s, newWall())
	if _, err := v.Seal(vault.ClassContent, "", nil, []byte("x")); !errors.Is(err, broken) {
		t.Fatalf("seal: %v", err)
	}
	s.err = nil
	if _, err := v.Seal(vault.ClassContent, "", nil, []byte("x")); err != nil {
		t.Fatalf("seal: %v", err)
	}
	if s.Adds() != 1 {
		t.Errorf("%d keys stored", s.Adds())
	}
}

// Budget: 1.5 µs to seal and open 600 bytes.
func BenchmarkSealOpen600(b *testing.B) {
	v := vaulttest.New(b, newWall())
	plain, ad := make([]byte, 600), []byte("message/wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3N0EyQUJDMjFEQzZCQUMzODMA/body")
	b.ReportAllocs()
	for b.Loop() {
		s, err := v.Seal(vault.ClassContent, "", ad, plain)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.Open(ad, s); err != nil {
			b.Fatal(err)
		}
	}
}
