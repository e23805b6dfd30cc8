package pipeline

import (
	"context"
	"errors"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrUnknown says that a number did not send such a message, or that it is forgotten.
var ErrUnknown = errors.New("no such message")

// Sent is a message that a number sent.
type Sent struct {
	Row int64 // its place in the store, above 0: messages that were accepted later have higher ones
	*Message
}

// HistoryPage is a stretch of what a number sent, newest first.
type HistoryPage struct {
	List []Sent
	More bool // there is more in the direction asked
	// Rest is the row at which the search gave up because it had looked at enough; 0 when List is full or nothing is left.
	Rest int64
}

// Archive finds what numbers sent. Inbound messages are none of it.
type Archive interface {
	// History returns up to limit messages of a number: those before a row, or with newer those right behind it. Row 0 is the
	// end that the search begins from. It looks at a bounded number of rows.
	History(ctx context.Context, number wa.PhoneNumberID, from int64, newer bool, limit int) (HistoryPage, error)
	// HistoryOf returns a message by its id; nil when there is none.
	HistoryOf(ctx context.Context, id wa.MessageID) (*Sent, error)
	// HistoryAt returns the message of a row; nil when there is none.
	HistoryAt(ctx context.Context, row int64) (*Sent, error)
}

// Sent returns a message that the number sent, with everything that is durable. Errors: [ErrUnknown],
// [wa.ErrUnavailable] when the store does not answer.
func (p *Pipeline) Sent(ctx context.Context, number wa.PhoneNumberID, id wa.MessageID) (*Sent, error) {
	l, ok := p.laneOfMessage(id)
	if !ok || l != p.laneOf(number) || p.o.Archive == nil {
		return nil, ErrUnknown
	}
	if err := p.settled(ctx, number); err != nil {
		return nil, err
	}
	m, err := p.o.Archive.HistoryOf(ctx, id)
	switch {
	case err != nil:
		return nil, wa.ErrUnavailable.Because(err)
	case m == nil || m.Number != number:
		return nil, ErrUnknown
	}
	return m, nil
}

// SentAt returns a message by its row. Errors as for Sent.
func (p *Pipeline) SentAt(ctx context.Context, row int64) (*Sent, error) {
	if p.o.Archive == nil {
		return nil, ErrUnknown
	}
	m, err := p.o.Archive.HistoryAt(ctx, row)
	if err != nil {
		return nil, wa.ErrUnavailable.Because(err)
	}
	if m == nil {
		return nil, ErrUnknown
	}
	return m, nil
}

// History returns a page of what the number sent, with everything that is durable, see [Archive]. Errors:
// [wa.ErrUnavailable].
func (p *Pipeline) History(ctx context.Context, number wa.PhoneNumberID, from int64, newer bool, limit int) (HistoryPage, error) {
	if p.o.Archive == nil {
		return HistoryPage{}, nil
	}
	if err := p.settled(ctx, number); err != nil {
		return HistoryPage{}, err
	}
	page, err := p.o.Archive.History(ctx, number, from, newer, limit)
	if err != nil {
		return HistoryPage{}, wa.ErrUnavailable.Because(err)
	}
	return page, nil
}
