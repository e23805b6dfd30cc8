package analytics

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Sum asks for counts, added up.
type Sum struct {
	Subject   string
	What      []string // not empty
	From, To  int64    // Unix seconds, the end excluded
	Step      int64    // seconds of a bucket, counted from From
	Numbers   []wa.PhoneNumberID
	Countries []string
	ByNumber  bool
	ByCountry bool
}

// Source has the counts.
type Source interface {
	// Sum returns the sums that are not zero. Without ByNumber, Number is empty; Country likewise. There is no order.
	Sum(ctx context.Context, q *Sum) ([]Count, error)
	// Counted lists the words of a subject that begin with prefix.
	Counted(ctx context.Context, subject, prefix string) ([]string, error)
}
