package webhook

import (
	"context"
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

func addLoss(m map[loss]int, l loss) map[loss]int {
	if m == nil {
		m = map[loss]int{}
	}
	m[l]++
	return m
}

// lost counts updates that were too late to become a job, and tells of them.
func (d *Dispatcher) lost(l loss, updates int) {
	d.o.Observer.Lost(LossRetention, updates)
	d.passed(l)
}

// passed tells the app that updates of the number are lost: error 131035 of the account, see spec/webhooks.md section 15. When that
// cannot be written now, it is tried again with the next save of the cursors.
func (d *Dispatcher) passed(l loss) {
	d.lossMu.Lock()
	defer d.lossMu.Unlock()
	d.owed = addLoss(d.owed, l)
	d.tell(d.ctx)
}

// tell writes what is owed. It needs lossMu.
func (d *Dispatcher) tell(ctx context.Context) {
	if d.o.Notices == nil {
		d.owed = nil
		return
	}
	now := d.o.Clock.Now()
	for l, at := range d.told {
		if at.After(now) || now.Sub(at) >= tellEvery {
			delete(d.told, l)
		}
	}
	for l := range d.owed {
		if _, again := d.told[l]; !again {
			row := wa.ErrRetention
			value := appendError([]byte(`{"errors":[`), row.Code, row.Title, row.Details, d.build.href)
			if err := d.o.Notices.Raise(ctx, l.app, l.waba, l.number, FieldMessages, append(value, `]}`...)); err != nil {
				d.o.Log.Warn("tell of webhooks that were lost", "app_id", l.app, "number_id", string(l.number), "err", err)
				continue
			}
			d.told[l] = now
		}
		delete(d.owed, l)
	}
}

// remind tries again what could not be told.
func (d *Dispatcher) remind(ctx context.Context) {
	d.lossMu.Lock()
	defer d.lossMu.Unlock()
	if len(d.owed) > 0 {
		d.tell(ctx)
	}
}
