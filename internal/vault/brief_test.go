package vault_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/vault/vaulttest"
)

func openBriefs(tb testing.TB, root *vault.Root, s vault.Store, c clock.Clock, file string) *vault.Vault {
	tb.Helper()
	v, err := vault.Open(tb.Context(), vault.Options{Root: root, Store: s, Clock: c, Brief: file})
	if err != nil {
		tb.Fatalf("open vault: %v", err)
	}
	return v
}

func brief(tb testing.TB, v *vault.Vault, born time.Time, plain string) []byte {
	tb.Helper()
	b, err := v.SealBrief(born, []byte("ad"), []byte(plain))
	if err != nil {
		tb.Fatalf("seal: %v", err)
	}
	return b
}

// opens reports whether b can be opened; what else could be wrong with it fails the test.
func opens(tb testing.TB, v *vault.Vault, b []byte) bool {
	tb.Helper()
	_, err := v.Open([]byte("ad"), b)
	if err != nil && !errors.Is(err, vault.ErrDestroyed) {
		tb.Fatalf("open: %v", err)
	}
	return err == nil
}

func TestABriefRecordLivesForAnHourAndAMinuteAtMost(t *testing.T) {
	t.Parallel()
	w, s, file := newWall(), &vaulttest.Store{}, filepath.Join(t.TempDir(), "brief.keys")
	v := openBriefs(t, vaulttest.Root(t, 1), s, w, file)
	w.add(30 * time.Second)
	b := brief(t, v, w.Now(), "hello")
	if !vault.IsBrief(b) || vault.IsBrief(seal(t, v, vault.ClassContent, "", "ad", "hello")) {
		t.Error("brief records cannot be told from others")
	}
	if len(b) != len("hello")+vault.Overhead || bytes.Contains(b, []byte("hello")) {
		t.Errorf("record %q", b)
	}
	if _, err := v.Open([]byte("elsewhere"), b); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("opened where it was not sealed for: %v", err)
	}
	w.add(vault.BriefLife)
	if !opens(t, v, b) {
		t.Error("it does not open at the end of its hour")
	}
	w.add(30 * time.Second)
	if opens(t, v, b) {
		t.Error("it opens a minute after its hour, though nobody has destroyed the key yet")
	}
	copied, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(file) // as a file system that keeps the blocks of the old file would
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if n, err := v.DestroyBrief(); n != 1 || err != nil {
		t.Fatalf("destroyed %d keys: %v", n, err)
	}
	if n, err := v.DestroyBrief(); n != 0 || err != nil {
		t.Fatalf("destroyed %d keys again: %v", n, err)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != "[]" {
		t.Errorf("the file still holds %q: %v", now, err)
	}
	old := make([]byte, len(copied))
	if _, err := held.ReadAt(old, 0); err != nil || len(bytes.Trim(old, "\x00")) > 0 {
		t.Errorf("the blocks of the old file hold %q: %v", old, err)
	}
	if _, err := v.SealBrief(w.Now().Add(-2*vault.BriefLife), nil, nil); !errors.Is(err, vault.ErrDestroyed) {
		t.Errorf("sealed what had to be gone: %v", err)
	}
}

func TestBriefKeysAreInNoTable(t *testing.T) {
	t.Parallel()
	w, s := newWall(), &vaulttest.Store{}
	v := openBriefs(t, vaulttest.Root(t, 1), s, w, filepath.Join(t.TempDir(), "brief.keys"))
	brief(t, v, w.Now(), "hello")
	if s.Adds() != 0 {
		t.Error("the key is in the store")
	}
	if _, err := open(t, vaulttest.Root(t, 1), s, w).SealBrief(w.Now(), nil, nil); !errors.Is(err, vault.ErrNoBrief) {
		t.Errorf("sealed without a file for the key: %v", err)
	}
}

func TestBriefRecordsSurviveARestart(t *testing.T) {
	t.Parallel()
	w, s, file := newWall(), &vaulttest.Store{}, filepath.Join(t.TempDir(), "brief.keys")
	start := func() *vault.Vault { return openBriefs(t, vaulttest.Root(t, 1), s, w, file) }
	first := brief(t, start(), w.Now(), "one")
	w.add(30 * time.Minute)
	v := start()
	if !opens(t, v, first) {
		t.Error("a record of before the start does not open")
	}
	second := brief(t, v, w.Now(), "two")
	late := brief(t, v, w.Now().Add(-29*time.Minute), "born before, sealed now")
	w.add(32 * time.Minute)
	v = start() // the process was away when the first key's time was over
	if opens(t, v, first) || opens(t, v, late) || !opens(t, v, second) {
		t.Error("a start must destroy the keys whose time is over, and no other")
	}
	w.add(-32 * time.Minute)
	if v = start(); opens(t, v, first) {
		t.Error("the key is still on disk: a clock that is set back opens the record")
	}
}

// Keys of an hour are not worth a server that does not start.
func TestADamagedFileOfBriefKeysIsWiped(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"junk": "junk", "empty": "", "wiped": "\x00\x00\x00", "cut off": `[{"minute":1,"wrapped":"AAAA`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, file, said := newWall(), filepath.Join(t.TempDir(), "brief.keys"), bytes.Buffer{}
			held := heldFile(t, file, text)
			v, err := vault.Open(t.Context(), vault.Options{
				Root: vaulttest.Root(t, 1), Store: &vaulttest.Store{}, Clock: w, Brief: file, Logger: slog.New(slog.NewTextHandler(&said, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(said.String(), "level=ERROR") || !strings.Contains(said.String(), file) {
				t.Errorf("the operator is told %q", said.String())
			}
			wiped(t, file, held)
			if !opens(t, v, brief(t, v, w.Now(), "hello")) {
				t.Error("no new keys")
			}
		})
	}
}

// heldFile makes a file and holds it, as a file system does that keeps the blocks of what was removed.
func heldFile(tb testing.TB, path, text string) *os.File {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

// wiped fails the test unless the file was removed, and overwritten before that.
func wiped(tb testing.TB, path string, held *os.File) {
	tb.Helper()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		tb.Errorf("%s is still there: %v", path, err)
	}
	if text, err := io.ReadAll(held); err != nil || len(bytes.Trim(text, "\x00")) > 0 {
		tb.Errorf("the blocks of %s hold %q: %v", path, text, err)
	}
}

// What a process leaves that is killed while it replaces the file goes with the next start, and with the next replacement.
func TestNothingIsLeftOfAReplacementThatWasCutOff(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{".new", ".old"} {
		for _, when := range []string{"the first start", "a start", "a replacement"} {
			t.Run(suffix+" at "+when, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				w, s, file := newWall(), &vaulttest.Store{}, filepath.Join(dir, "brief.keys")
				start := func() *vault.Vault { return openBriefs(t, vaulttest.Root(t, 1), s, w, file) }
				v, b := start(), []byte(nil)
				if when != "the first start" {
					b = brief(t, v, w.Now(), "hello")
				}
				held := heldFile(t, file+suffix, "keys that were")
				if when == "a replacement" {
					w.add(time.Minute)
					brief(t, v, w.Now(), "hello")
				} else {
					start()
				}
				wiped(t, file+suffix, held)
				if b != nil && !opens(t, start(), b) {
					t.Error("the keys in use went too")
				}
				names, err := os.ReadDir(dir)
				if err != nil || len(names) > 1 {
					t.Errorf("%v are left: %v", names, err)
				}
			})
		}
	}
}

// Killed when the file had its second name and the new one not yet its place: both names are the keys in use.
func TestTheKeysInUseAreNotTakenForOldOnes(t *testing.T) {
	t.Parallel()
	w, s, file := newWall(), &vaulttest.Store{}, filepath.Join(t.TempDir(), "brief.keys")
	start := func() *vault.Vault { return openBriefs(t, vaulttest.Root(t, 1), s, w, file) }
	b := brief(t, start(), w.Now(), "hello")
	held := heldFile(t, file+".new", "keys that never were")
	if err := os.Link(file, file+".old"); err != nil {
		t.Fatal(err)
	}
	if !opens(t, start(), b) {
		t.Error("the keys are gone")
	}
	wiped(t, file+".new", held)
	if _, err := os.Stat(file + ".old"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the second name is left: %v", err)
	}
}

func TestBriefKeysAreMadeAheadWhileThereIsUseForThem(t *testing.T) {
	t.Parallel()
	w, file := newWall(), filepath.Join(t.TempDir(), "brief.keys")
	v := openBriefs(t, vaulttest.Root(t, 1), &vaulttest.Store{}, w, file)
	if err := v.PrepareBrief(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("keys were made though nobody needs them")
	}
	brief(t, v, w.Now(), "hello")
	if err := v.PrepareBrief(); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(file)
	w.add(2 * time.Minute)
	brief(t, v, w.Now(), "hello")
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("a record two minutes later waited for its key")
	}
}

func TestRotateRootWrapsBriefKeysAgain(t *testing.T) {
	t.Parallel()
	w, s, file := newWall(), &vaulttest.Store{}, filepath.Join(t.TempDir(), "brief.keys")
	v := openBriefs(t, vaulttest.Root(t, 1), s, w, file)
	b := brief(t, v, w.Now(), "hello")
	if n, err := v.RotateRoot(t.Context(), vaulttest.Root(t, 2)); n != 1 || err != nil {
		t.Fatalf("wrapped %d keys: %v", n, err)
	}
	for _, v := range []*vault.Vault{v, openBriefs(t, vaulttest.Root(t, 2), s, w, file)} {
		if !opens(t, v, b) {
			t.Error("the record does not open under the new root key")
		}
	}
}
