package vault_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/vault/vaulttest"
)

type failing struct {
	vaulttest.Store
	err error
}

func (f *failing) AddDataKey(ctx context.Context, k vault.DataKey) error {
	if f.err != nil {
		return f.err
	}
	return f.Store.AddDataKey(ctx, k)
}

func TestParseRoot(t *testing.T) {
	t.Parallel()
	k, former := bytes.Repeat([]byte{0xfb}, 32), bytes.Repeat([]byte{2}, 32)
	want, err := vault.NewRoot(k)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString(k)
	for name, c := range map[string]struct {
		text string
		err  error
	}{
		"base64":              {b64 + "\n", nil},
		"base64 for URLs":     {base64.RawURLEncoding.EncodeToString(k), nil},
		"hex":                 {hex.EncodeToString(k), nil},
		"comment and former":  {"# made on Monday\n" + b64 + "\n" + hex.EncodeToString(former), nil},
		"commas":              {b64 + "," + hex.EncodeToString(former), nil},
		"empty":               {"", vault.ErrNoRoot},
		"only comments":       {"# nothing\n\n", vault.ErrNoRoot},
		"short":               {base64.StdEncoding.EncodeToString(k[:16]), vault.ErrRootFormat},
		"long":                {hex.EncodeToString(append(k, 1)), vault.ErrRootFormat},
		"pass phrase":         {"correct horse battery staple", vault.ErrRootFormat},
		"former one is wrong": {b64 + "\nxx", vault.ErrRootFormat},
	} {
		r, err := vault.ParseRoot(c.text)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: error %v, want %v", name, err, c.err)
			continue
		}
		if err == nil && r.ID() != want.ID() {
			t.Errorf("%s: another key", name)
		}
		if err != nil && strings.Contains(c.text, " ") && strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: the error repeats the key", name)
		}
	}
}

func TestRootFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "root.key")
	if _, err := vault.ReadRootFile(path); !errors.Is(err, vault.ErrNoRoot) || !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("read before it exists: %v", err)
	}
	var ids sync.Map
	var g sync.WaitGroup
	for range 8 { // all of them start at once, one key comes out
		g.Go(func() {
			r, err := vault.RootFile(path, rand.Reader)
			if err != nil {
				t.Error(err)
				return
			}
			ids.Store(r.ID(), true)
		})
	}
	g.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d different root keys", n)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
	if err := os.WriteFile(path, []byte("AAAA"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.RootFile(path, rand.Reader); !errors.Is(err, vault.ErrRootFormat) {
		t.Errorf("damaged file: %v", err)
	}
}

// Hooks as shell scripts; $0 is "wrap" or "unwrap". The honest one answers what it was asked, context and all.
const honest = `in=$(cat); case $in in *'"context":"hikyaku/root"'*) echo "$in";; *) echo "unknown context" >&2; exit 1;; esac`

func shell(t *testing.T, script string) vault.Hook {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh")
	}
	return vault.Hook{Program: "sh", Args: []string{"-c", script}}
}

func TestRootHook(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "root.wrapped")
	first, err := vault.RootHook(t.Context(), shell(t, honest), path, bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	second, err := vault.RootHook(t.Context(), shell(t, honest), path, nil)
	if err != nil || second.ID() != first.ID() {
		t.Fatalf("second start: %v", err)
	}
	for name, c := range map[string]struct {
		script, path, says string
		is                 error
	}{
		"refuses to unwrap":      {"echo 'no access to key' >&2; exit 2", path, "no access to key", vault.ErrUnwrap},
		"answers nonsense":       {"cat >/dev/null; echo hello", path, "its answer is not", vault.ErrUnwrap},
		"answers nothing":        {"echo {}", path, "empty", vault.ErrUnwrap},
		"answers another length": {`echo '{"data":"AAAAAAA="}'`, path, "has 5 bytes", vault.ErrRootFormat},
		"cannot unwrap its own": {
			`if [ $0 = wrap ]; then echo '{"data":"AAAA"}'; else echo '{"data":"BBBB"}'; fi`, path + ".new", "came back changed", vault.ErrUnwrap,
		},
		"refuses to wrap":     {"exit 2", path + ".new", "wrap root key", nil},
		"answers too much":    {"head -c 10000000 /dev/zero", path, "its answer is not", vault.ErrUnwrap},
		"complains at length": {"head -c 10000000 /dev/zero >&2; exit 1", path, "exit status 1", vault.ErrUnwrap},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := vault.RootHook(t.Context(), shell(t, c.script), c.path, rand.Reader)
			if err == nil || !strings.Contains(err.Error(), c.says) || (c.is != nil && !errors.Is(err, c.is)) {
				t.Errorf("%v", err)
			}
			if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a key that cannot be unwrapped was stored: %v", err)
			}
		})
	}
	if _, err := vault.RootHook(t.Context(), vault.Hook{Program: "/nowhere"}, path, nil); err == nil {
		t.Error("missing program")
	}
}

func TestRootHookThatHangs(t *testing.T) {
	t.Parallel()
	h := shell(t, "read x; exec sleep 1000")
	h.Timeout = 50 * time.Millisecond
	_, err := vault.RootHook(t.Context(), h, filepath.Join(t.TempDir(), "root.wrapped"), rand.Reader)
	if err == nil || !strings.Contains(err.Error(), "did not answer within 50ms") {
		t.Errorf("%v", err)
	}
}

func TestSealFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "env.sealed")
	r := vaulttest.Root(t, 1)
	if _, err := r.OpenFile(path, "env"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("before it exists: %v", err)
	}
	for _, text := range []string{"TOKEN=EAA…", "", "TOKEN=other"} {
		if err := r.SealFile(path, "env", []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := r.OpenFile(path, "env")
		if err != nil || string(got) != text {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if _, err := r.OpenFile(path, "other purpose"); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("other purpose: %v", err)
	}
	if _, err := vaulttest.Root(t, 2).OpenFile(path, "env"); !errors.Is(err, vault.ErrUnwrap) {
		t.Errorf("other root: %v", err)
	}
	b, _ := os.ReadFile(path)
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.OpenFile(path, "env"); !errors.Is(err, vault.ErrTampered) && !errors.Is(err, vault.ErrUnwrap) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}
