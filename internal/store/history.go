package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// There is no index of messages by number: it would cost every message something, for a list that is rarely asked for. Rows
// are in the order in which they were accepted, so a list reads them from one end.
const (
	historyStep  = 5_000 // rows that one query reads
	historySteps = 40    // queries for one page
)

// History implements pipeline.Archive.
func (s *Store) History(ctx context.Context, number wa.PhoneNumberID, from int64, newer bool, limit int) (p pipeline.HistoryPage, err error) {
	var first, last int64
	if _, err := s.one(ctx, s.db, "SELECT coalesce((SELECT min(n) FROM messages), 0), coalesce((SELECT max(n) FROM messages), 0)", nil, &first, &last); err != nil {
		return p, fmt.Errorf("find the ends of the messages: %w", err)
	}
	if from == 0 && !newer {
		from = math.MaxInt64
	}
	at := max(min(from, last+1), first-1)
	for range historySteps {
		lo, hi := at-historyStep, at // rows from lo on and before hi
		if newer {
			lo, hi = at+1, at+1+historyStep
		}
		list, err := s.stretch(ctx, number, lo, hi, newer, limit+1-len(p.List))
		if err != nil {
			return p, err
		}
		p.List = append(p.List, list...)
		if at = lo; newer {
			at = hi - 1
		}
		if len(p.List) > limit || at <= first && !newer || at >= last && newer {
			at = 0
			break
		}
	}
	if p.More = len(p.List) > limit; p.More {
		p.List = p.List[:limit]
	}
	if p.Rest = at; newer {
		slices.Reverse(p.List)
	}
	return p, nil
}

// stretch reads what the number sent among some rows, beginning with the newest, or the oldest.
func (s *Store) stretch(ctx context.Context, number wa.PhoneNumberID, lo, hi int64, oldest bool, limit int) (list []pipeline.Sent, err error) {
	order := "DESC"
	if oldest {
		order = "ASC"
	}
	err = s.query(ctx, s.db, "SELECT m.n, "+messageColumns+` FROM messages m
WHERE m.n >= ? AND m.n < ? AND m.number = ? AND m.state <> 9 ORDER BY m.n `+order+" LIMIT ?", []any{lo, hi, text(number), int64(limit)}, collect(&list))
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return list, nil
}

// HistoryOf implements pipeline.Archive.
func (s *Store) HistoryOf(ctx context.Context, id wa.MessageID) (*pipeline.Sent, error) {
	where, args := s.byID("m", []wa.MessageID{id})
	return s.sent(ctx, where, args...)
}

// HistoryAt implements pipeline.Archive.
func (s *Store) HistoryAt(ctx context.Context, row int64) (*pipeline.Sent, error) {
	return s.sent(ctx, "m.n = ?", row)
}

func (s *Store) sent(ctx context.Context, where string, args ...any) (*pipeline.Sent, error) {
	var list []pipeline.Sent
	err := s.query(ctx, s.db, "SELECT m.n, "+messageColumns+" FROM messages m WHERE "+where+" AND m.state <> 9", args, collect(&list))
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	if len(list) == 0 {
		return nil, nil
	}
	return &list[0], nil
}

func collect(to *[]pipeline.Sent) func(*sql.Rows) error {
	return func(r *sql.Rows) error {
		var e pipeline.Sent
		var err error
		if e.Message, err = scanMessage(r, &e.Row); err == nil {
			*to = append(*to, e)
		}
		return err
	}
}
