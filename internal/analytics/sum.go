package analytics

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Sum asks for counts, added up.
type Sum struct {
	Subject   string
	Subjects  []string // when there are any: these in place of Subject, added up
	What      []string // not empty
	From, To  int64    // Unix seconds, the end excluded
	Step      int64    // seconds of a bucket, counted from From
	Numbers   []wa.PhoneNumberID
	Countries []string
	ByNumber  bool
	ByCountry bool
}

// Of are the subjects that are asked for, one at least.
func (q *Sum) Of() []string {
	if len(q.Subjects) > 0 {
		return q.Subjects
	}
	return []string{q.Subject}
}

// Source has the counts.
type Source interface {
	// Sum returns the sums that are not zero. Without ByNumber, Number is empty; Country likewise. There is no order.
	Sum(ctx context.Context, q *Sum) ([]Count, error)
	// Counted lists the words of each subject that begin with prefix, sorted. Subjects that have none are left out.
	Counted(ctx context.Context, prefix string, subjects ...string) (map[string][]string, error)
}
