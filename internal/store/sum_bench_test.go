package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
)

// BenchmarkYear asks for a year by day of one of 500 accounts, all of which have two counts for every hour of the year: nearly
// nine million. Goal: 50 ms, in both dialects.
func BenchmarkYear(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkYear(b, openSQLite(b, b.TempDir())) })
	b.Run("postgres", func(b *testing.B) { benchmarkYear(b, openPostgres(b)(b)) })
}

func benchmarkYear(b *testing.B, s *store.Store) {
	b.Helper()
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	var list []analytics.Count
	for at := start.Unix(); at < start.AddDate(1, 0, 0).Unix(); at += 3600 {
		for _, what := range []string{analytics.SentTemplates, analytics.DeliveredTemplates} {
			list = append(list, analytics.Count{Key: analytics.Key{Subject: "500", What: what, Bucket: at, Number: "1", Country: "JP"}, N: 5})
		}
	}
	if err := s.Apply(b.Context(), &pipeline.Batch{Position: 1, Counts: list}); err != nil {
		b.Fatal(err)
	}
	for i := range 499 {
		if err := s.Exec(b.Context(), fmt.Sprintf(`INSERT INTO counts (subject, what, bucket, number, country, n)
			SELECT '%d', what, bucket, number, country, n FROM counts WHERE subject = '500'`, i)); err != nil {
			b.Fatal(err)
		}
	}
	q := &analytics.Query{
		Subject: "500", What: []string{analytics.SentTemplates, analytics.DeliveredTemplates}, Start: start, End: start.AddDate(1, 0, 0),
		Granularity: analytics.Days, Zone: time.UTC, ByCountry: true,
	}
	for b.Loop() {
		points, err := analytics.Points(b.Context(), s, q)
		if err != nil || len(points) != 2*365 {
			b.Fatalf("%d points, %v", len(points), err)
		}
	}
}
