package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/store/storetest"
	"github.com/hikyaku/hikyaku/internal/vault"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) *store.Store { return openSQLite(tb, tb.TempDir()) })
}

func openSQLite(tb testing.TB, dir string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), store.Options{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openPostgres(t))
}

// openPostgres makes every store a schema of its own in the database that HIKYAKU_TEST_POSTGRES names.
func openPostgres(tb testing.TB) func(testing.TB) *store.Store {
	tb.Helper()
	if os.Getenv("HIKYAKU_TEST_POSTGRES") == "" {
		tb.Skip("HIKYAKU_TEST_POSTGRES is not set; run through test/postgres.sh to test PostgreSQL")
	}
	return func(tb testing.TB) *store.Store {
		tb.Helper()
		s, err := store.Open(tb.Context(), store.Options{DSN: storetest.Postgres(tb)})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := s.Close(); err != nil {
				tb.Error(err)
			}
		})
		return s
	}
}

func TestSQLiteRollback(t *testing.T) {
	t.Parallel()
	s := openSQLite(t, t.TempDir())
	storetest.Rollback(t, s, func(on bool) {
		q := "DROP TRIGGER boom"
		if on {
			q = "CREATE TRIGGER boom BEFORE INSERT ON mailbox WHEN NEW.id = 'boom' BEGIN SELECT RAISE(ABORT, 'boom'); END"
		}
		if err := s.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPostgresRollback(t *testing.T) {
	t.Parallel()
	s := openPostgres(t)(t)
	storetest.Rollback(t, s, func(on bool) {
		q := "ALTER TABLE mailbox DROP CONSTRAINT boom"
		if on {
			q = "ALTER TABLE mailbox ADD CONSTRAINT boom CHECK (id <> 'boom')"
		}
		if err := s.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, s *store.Store, o store.Options) {
		if err := s.Exec(t.Context(), "INSERT INTO schema_version (version_id, is_applied) VALUES (9999, true)"); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), o)
		var newer *store.SchemaError
		if !errors.As(err, &newer) || newer.Have != 9999 || newer.Known < 2 {
			t.Fatalf("open: %v", err)
		}
		if !strings.Contains(err.Error(), "9999") || !strings.Contains(err.Error(), "newer hikyaku") {
			t.Errorf("message: %v", err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		check(t, openSQLite(t, dir), store.Options{Dir: dir})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		openPostgres(t)
		dsn := storetest.Postgres(t)
		s, err := store.Open(t.Context(), store.Options{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		check(t, s, store.Options{DSN: dsn})
	})
}

// Nodes that start together migrate once.
func TestPostgresNodesStartTogether(t *testing.T) {
	t.Parallel()
	openPostgres(t)
	dsn := storetest.Postgres(t)
	errs := make(chan error, 4)
	for range 4 {
		go func() {
			s, err := store.Open(context.Background(), store.Options{DSN: dsn})
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    store.Options
		want string
	}{
		"nothing":        {store.Options{}, "neither"},
		"other scheme":   {store.Options{DSN: "mysql://user:secret@host/db"}, "postgres://"},
		"no server":      {store.Options{DSN: "postgres://user:secret@127.0.0.1:1/db?connect_timeout=2"}, "open store"},
		"not a DSN":      {store.Options{DSN: "postgres://user:secret@host:port/db"}, "open store"},
		"not a folder":   {store.Options{Dir: "/dev/null/x"}, "data directory"},
		"not a database": {store.Options{Dir: notADatabase(t)}, "not a database"},
	} {
		_, err := store.Open(t.Context(), c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func notADatabase(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hikyaku.db"), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// What derives from the journal does not wait for the disk, the control plane does.
func TestSQLiteSynchronous(t *testing.T) {
	t.Parallel()
	s := openSQLite(t, t.TempDir())
	mode := func() int64 {
		n, err := s.Int(t.Context(), "PRAGMA synchronous")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 {
		if err := s.Apply(t.Context(), &pipeline.Batch{Position: 1}); err != nil {
			t.Fatal(err)
		}
		if mode() != 1 {
			t.Errorf("synchronous=%d after Apply, want NORMAL", mode())
		}
		if err := s.SaveNumberKeys(t.Context(), "1", []byte("k")); err != nil {
			t.Fatal(err)
		}
		if mode() != 2 {
			t.Errorf("synchronous=%d after a control-plane write, want FULL", mode())
		}
	}
}

func TestSQLiteReopen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "with space", "and?mark#")
	s, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), &pipeline.Batch{Position: 42, Insert: []*pipeline.Message{{ID: "m", State: pipeline.StateSent}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "hikyaku.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v, %v", info, err)
	}
	s = openSQLite(t, dir)
	if at, err := s.Position(t.Context(), 0); at != 42 || err != nil {
		t.Errorf("position %d, %v", at, err)
	}
}

// The wrapped form of a destroyed key is in no file any more.
func TestSQLiteDestroyedKeyLeavesNoBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openSQLite(t, dir)
	canary := []byte("wrapped key canary " + rand.Text())
	for id := range uint32(50) {
		k := vault.DataKey{ID: id + 1, Class: vault.ClassContent, Wrapped: []byte("another wrapped key")}
		if id == 20 {
			k.Wrapped = canary
		}
		if err := s.AddDataKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	if len(holding(t, dir, canary)) == 0 {
		t.Fatal("the canary was never there")
	}
	if err := s.DestroyDataKeys(t.Context(), []uint32{21}); err != nil {
		t.Fatal(err)
	}
	if files := holding(t, dir, canary); len(files) > 0 {
		t.Errorf("still in %v", files)
	}
}

func holding(t *testing.T, dir string, b []byte) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, b) {
			out = append(out, filepath.Base(f))
		}
	}
	return out
}
