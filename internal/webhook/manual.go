package webhook

import (
	"context"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Deliveries returns up to limit remembered deliveries, newest first, for which keep is true; a nil keep means all.
func (d *Dispatcher) Deliveries(limit int, keep func(*Delivery) bool) []Delivery {
	d.log.forget(d.o.Clock.Now())
	return d.log.list(limit, keep)
}

// About returns the remembered deliveries with updates of these messages, newest first.
func (d *Dispatcher) About(ids ...wa.MessageID) []Delivery {
	d.log.forget(d.o.Clock.Now())
	return d.log.about(ids)
}

// Errors of Redeliver and Send.
var (
	ErrNoDelivery     = errors.New("unknown delivery")
	ErrNoSubscription = errors.New("app has no callback")
)

// Redeliver posts a remembered or waiting delivery once more, the same bytes, to the URL that applies now, and waits for
// the answer. A good one also ends its retries. Errors: ErrNoDelivery, ErrNoSubscription, store errors.
func (d *Dispatcher) Redeliver(ctx context.Context, id string) (Attempt, error) {
	row, err := d.o.Store.PendingByID(ctx, id)
	if err != nil {
		return Attempt{}, fmt.Errorf("read delivery %s: %w", id, err)
	}
	d.log.forget(d.o.Clock.Now())
	known, en, found := d.log.find(id)
	body := known.Payload
	endpoint := known.Endpoint
	var waba wa.WABAID
	if row != nil {
		endpoint, waba = row.Endpoint, row.WABA
		if body, err = d.o.Safe.Open(pendingAD(id), row.Body); err != nil {
			return Attempt{}, fmt.Errorf("open delivery %s: %w", id, err)
		}
	} else if !found || known.Payload == nil {
		return Attempt{}, fmt.Errorf("%w: %s", ErrNoDelivery, id)
	}
	a, err := d.post(endpoint, waba, body)
	if err != nil {
		return a, err
	}
	if found {
		d.log.attempt(en, a)
	}
	if a.Answer == AnswerOK {
		err = d.redelivered(ctx, row)
		if found && err == nil {
			d.log.end(en, StateDelivered, known.Next)
		}
	}
	return a, err
}

func (d *Dispatcher) redelivered(ctx context.Context, row *Pending) error {
	if row == nil {
		return nil
	}
	found, err := d.o.Store.DeletePending(ctx, row.ID)
	if err != nil {
		return fmt.Errorf("delete delivery %s: %w", row.ID, err)
	}
	if !found {
		return nil
	}
	e := d.endpoint(row.Endpoint)
	e.mu.Lock()
	e.pending--
	e.waiting -= row.Updates
	e.mu.Unlock()
	return nil
}

// Send posts any bytes to the app's callback, signed, once: test events and edited deliveries. Nothing is stored.
// Errors: ErrNoSubscription.
func (d *Dispatcher) Send(app wa.AppID, body []byte) (Attempt, error) {
	return d.post(EndpointID{App: app}, "", body)
}

// post makes one attempt outside of the queues.
func (d *Dispatcher) post(id EndpointID, waba wa.WABAID, body []byte) (Attempt, error) {
	text := d.o.Service.snap.Load().url(id.App, id.Scope, waba)
	secret, ok := d.o.Apps.AppSecret(id.App)
	if text == "" || !ok {
		return Attempt{}, fmt.Errorf("%w: app %s", ErrNoSubscription, id.App)
	}
	if _, err := d.o.Service.o.URLs.Parse(text); err != nil {
		return Attempt{}, err
	}
	w := newWorker(d)
	w.sign = newSigner(secret)
	a := w.attempt(text, body)
	d.o.Observer.Attempted(a.Answer, a.Latency, 1)
	return a, nil
}
