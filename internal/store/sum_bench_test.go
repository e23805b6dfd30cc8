package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
)

// BenchmarkYear asks for a year by day of one of 500 accounts, one of which has counts for every hour of the year and the
// others for every day. Goal: 50 ms, in both dialects.
func BenchmarkYear(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkYear(b, openSQLite(b, b.TempDir())) })
	b.Run("postgres", func(b *testing.B) { benchmarkYear(b, openPostgres(b)(b)) })
}

func benchmarkYear(b *testing.B, s *store.Store) {
	b.Helper()
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	position := uint64(0)
	fill := func(subject string, step int64) {
		var list []analytics.Count
		for at := start.Unix(); at < start.AddDate(1, 0, 0).Unix(); at += step {
			for _, what := range []string{analytics.SentTemplates, analytics.DeliveredTemplates} {
				list = append(list, analytics.Count{Key: analytics.Key{Subject: subject, What: what, Bucket: at, Number: "1", Country: "JP"}, N: 5})
			}
		}
		position++
		if err := s.Apply(b.Context(), &pipeline.Batch{Position: position, Counts: list}); err != nil {
			b.Fatal(err)
		}
	}
	fill("500", 3600)
	for i := range 499 {
		fill(fmt.Sprint(i), 86_400)
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
