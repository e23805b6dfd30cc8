package analytics_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/analytics"
)

// spans records what is asked of the store.
type spans []string

func (s *spans) Sum(_ context.Context, q *analytics.Sum) ([]analytics.Count, error) {
	*s = append(*s, fmt.Sprintf("%d buckets of %d", (q.To-q.From)/q.Step, q.Step))
	return nil, nil
}

func (*spans) Counted(context.Context, string, ...string) (map[string][]string, error) {
	return nil, nil
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	tokyo, york := analytics.Zone("Asia/Tokyo"), analytics.Zone("7")
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		fact       string
		start, end time.Time
		g          analytics.Granularity
		zone       *time.Location
		want       string
	}{
		{"half hours", at(2026, 3, 1).Add(time.Minute), at(2026, 3, 1).Add(61 * time.Minute), analytics.Halves, tokyo, "[3 buckets of 1800]"},
		{"days begin at the account's midnight", at(2026, 3, 1), at(2026, 3, 2), analytics.Days, tokyo, "[2 buckets of 86400]"},
		{"clocks put forward", at(2026, 3, 7), at(2026, 3, 10), analytics.Days, york, "[2 buckets of 86400 1 buckets of 82800 1 buckets of 86400]"},
		{"clocks put forward at midnight", at(2026, 9, 4).Add(12 * time.Hour), at(2026, 9, 8).Add(12 * time.Hour), analytics.Days, analytics.Zone("41"), "[2 buckets of 86400 1 buckets of 82800 2 buckets of 86400]"},
		{"months", at(2026, 2, 10), at(2026, 4, 1), analytics.Months, time.UTC, "[1 buckets of 2419200 1 buckets of 2678400]"},
		{"nothing", at(2026, 3, 2), at(2026, 3, 1), analytics.Days, time.UTC, "[]"},
		{"never more than a year and a month", at(2026, 3, 1), at(9999, 12, 31), analytics.Days, time.UTC, "[396 buckets of 86400]"},
	} {
		var s spans
		_, err := analytics.Points(t.Context(), &s, &analytics.Query{Start: c.start, End: c.end, Granularity: c.g, Zone: c.zone})
		if got := fmt.Sprint([]string(s)); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.fact, got, err, c.want)
		}
	}
	if analytics.Zone("nowhere") != time.UTC || analytics.Zone("") != time.UTC || analytics.Zone("../etc") != time.UTC {
		t.Error("what is not known is UTC")
	}
	for i := 1; i <= 142; i++ {
		zone := analytics.Zone(strconv.Itoa(i))
		if _, offset := at(2026, 7, 1).In(zone).Zone(); zone == time.UTC || offset%analytics.HalfHour != 0 {
			t.Errorf("time zone %d is %s, %d seconds from UTC", i, zone, offset)
		}
	}
	if got := analytics.Zone("77").String(); got != "Asia/Tokyo" {
		t.Errorf("time zone 77 is %s", got)
	}
}
