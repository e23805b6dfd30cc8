package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres is the DSN of a schema of its own in the database that HIKYAKU_TEST_POSTGRES names, which is dropped when the test
// ends; empty when the variable is not set.
func Postgres(tb testing.TB) string {
	tb.Helper()
	base := os.Getenv("HIKYAKU_TEST_POSTGRES")
	if base == "" {
		return ""
	}
	name := "t_" + strings.ToLower(rand.Text())
	db, err := sql.Open("pgx", base)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(tb.Context(), "CREATE SCHEMA "+name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _, _ = db.ExecContext(context.Background(), "DROP SCHEMA "+name+" CASCADE") })
	u, err := url.Parse(base)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	q.Set("pool_max_conns", "5")
	u.RawQuery = q.Encode()
	return u.String()
}
