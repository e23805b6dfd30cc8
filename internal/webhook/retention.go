package webhook

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Notices takes updates that the dispatcher itself has to tell.
type Notices interface {
	// Raise writes an update of a field of the number into the journal, for the app alone. It may wait.
	Raise(ctx context.Context, app wa.AppID, waba wa.WABAID, number wa.PhoneNumberID, field string, value []byte) error
}

// loss names those who lost updates of a number without storage, because its app did not answer for an hour.
type loss struct {
	app    wa.AppID
	waba   wa.WABAID
	number wa.PhoneNumberID
}

// tellEvery is how often an app is told of the same number: once for everything that was lost in a minute.
const tellEvery = time.Minute

// lost counts updates that were too late to become a job, and owes a notice of them. It never waits.
func (d *Dispatcher) lost(late ...loss) {
	if len(late) == 0 {
		return
	}
	d.o.Observer.Lost(LossRetention, len(late))
	for _, l := range late {
		d.owe(l)
	}
}

// owe notes that the app must be told that updates of the number are lost, unless it was a moment ago. It must be called before the
// updates count as dealt with.
func (d *Dispatcher) owe(l loss) {
	if d.o.Notices == nil {
		return
	}
	now := d.o.Clock.Now()
	d.lossMu.Lock()
	defer d.lossMu.Unlock()
	if _, known := d.owed[l]; known || d.justTold(l, now) {
		return
	}
	d.owed[l] = struct{}{}
	d.untried.Add(1)
	select {
	case d.owing <- struct{}{}:
	default:
	}
}

// justTold says whether the app was told of the number within the last minute. It needs lossMu.
func (d *Dispatcher) justTold(l loss, now time.Time) bool {
	recent := func(at time.Time) bool { return !at.After(now) && now.Sub(at) < tellEvery } // clocks may be set back
	if !recent(d.swept) {
		for l, at := range d.told {
			if !recent(at) {
				delete(d.told, l)
			}
		}
		d.swept = now
	}
	at, ok := d.told[l]
	return ok && recent(at)
}

// herald tells what is owed as soon as it is. What fails is tried again with the next save of the cursors.
func (d *Dispatcher) herald(ctx context.Context) {
	for {
		select {
		case <-d.owing:
		case <-ctx.Done():
			return
		}
		n := d.untried.Load()
		d.settle(ctx)
		d.untried.Add(-n)
	}
}

// settle tells what is owed now and says whether that is done. After a failure it leaves the rest: what fails are lanes that are
// busy, and all notices go through those.
func (d *Dispatcher) settle(ctx context.Context) bool {
	d.lossMu.Lock()
	owed := slices.Collect(maps.Keys(d.owed))
	d.lossMu.Unlock()
	for _, l := range owed {
		if !d.tell(ctx, l) {
			return false
		}
	}
	return true
}

// tell writes an owed notice: error 131035 of the account, see spec/webhooks.md section 15. It says whether nothing is owed for l
// any more. Lanes are closed before webhooks are: from then on nothing is told, and the next start finds what is owed.
func (d *Dispatcher) tell(ctx context.Context, l loss) bool {
	d.telling.Lock()
	defer d.telling.Unlock()
	if !d.owes(l) {
		return true
	}
	if d.closing.Load() {
		return false
	}
	row := wa.ErrRetention
	value := append(appendError([]byte(`{"errors":[`), row.Code, row.Title, row.Details, d.build.href), `]}`...)
	if err := d.o.Notices.Raise(ctx, l.app, l.waba, l.number, FieldMessages, value); err != nil {
		d.o.Log.Warn("tell of webhooks that were lost", "app_id", l.app, "number_id", string(l.number), "err", err)
		return false
	}
	now := d.o.Clock.Now()
	d.lossMu.Lock()
	defer d.lossMu.Unlock()
	d.told[l] = now
	delete(d.owed, l)
	return true
}

func (d *Dispatcher) owes(l loss) bool {
	d.lossMu.Lock()
	defer d.lossMu.Unlock()
	_, yes := d.owed[l]
	return yes
}
