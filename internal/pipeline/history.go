package pipeline

import (
	"context"
	"errors"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// ErrUnknown says that a number did not send such a message, or that it is forgotten.
var ErrUnknown = errors.New("no such message")

// Sent returns a message that the number sent, with everything that is durable. Errors: [ErrUnknown],
// [wa.ErrUnavailable] when the store does not answer.
func (p *Pipeline) Sent(ctx context.Context, number wa.PhoneNumberID, id wa.MessageID) (*Message, error) {
	l, ok := p.laneOfMessage(id)
	if !ok || l != p.laneOf(number) {
		return nil, ErrUnknown
	}
	if err := p.settled(ctx, number); err != nil {
		return nil, err
	}
	rows, err := p.o.Store.Messages(ctx, []wa.MessageID{id})
	if err != nil {
		return nil, wa.ErrUnavailable.Because(err)
	}
	for _, m := range rows {
		if m.Number == number && m.State != StateReceived {
			return m, nil
		}
	}
	return nil, ErrUnknown
}
