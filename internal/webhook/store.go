package webhook

import (
	"context"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// EndpointID names an endpoint: an app and the scope whose URL applies. The zero value names the head readers.
type EndpointID struct {
	App   wa.AppID
	Scope Scope
}

// Cursor says that everything of a partition up to frame Seq that concerns the endpoint was answered or is in the store. The
// largest Seq that a signed column holds stands for the cursor of the head reader, whatever that is.
type Cursor struct {
	Endpoint  EndpointID
	Partition int
	Seq       uint64
}

// CursorStore keeps cursors.
type CursorStore interface {
	Cursors(ctx context.Context) ([]Cursor, error)
	// SaveCursors is an upsert of all rows in one transaction.
	SaveCursors(ctx context.Context, rows []Cursor) error
	DeleteCursors(ctx context.Context, e EndpointID) error
}

// Pending is a POST that failed and waits for its next attempt. Bodies are sealed under "webhook/" and the id.
type Pending struct {
	ID       string
	Endpoint EndpointID
	WABA     wa.WABAID // of the first update
	Message  wa.MessageID
	Updates  int
	Born     time.Time // of the youngest update: the seven days, or the hour, count from here
	Attempts int       // made so far
	Status   int       // of the last answer; 0 when nobody answered
	Next     time.Time
	Body     []byte // sealed; the exact bytes that are signed and sent again

	Brief wa.PhoneNumberID // whose updates they are, of a number without storage; empty for all others
}

// PendingCount sums up the rows of one endpoint.
type PendingCount struct {
	Endpoint EndpointID
	Rows     int
	Updates  int
	Oldest   time.Time // smallest Born
	Next     time.Time // smallest Next
}

// PendingStore keeps POSTs between attempts.
type PendingStore interface {
	AddPending(ctx context.Context, p *Pending) error
	// UpdatePending sets Attempts, Status and Next of the row with this id; a row that is gone is no error.
	UpdatePending(ctx context.Context, id string, attempts, status int, next time.Time) error
	// DeletePending says whether there was such a row.
	DeletePending(ctx context.Context, id string) (found bool, err error)
	// DeleteAllPending removes every row of the endpoint and returns how many updates they held.
	DeleteAllPending(ctx context.Context, e EndpointID) (updates int, err error)
	// DuePending returns up to limit rows of the endpoint with Next at or before now, earliest first.
	DuePending(ctx context.Context, e EndpointID, now time.Time, limit int) ([]*Pending, error)
	// NextPending is the smallest Next of the endpoint after the given time; zero when there is none.
	NextPending(ctx context.Context, e EndpointID, after time.Time) (time.Time, error)
	// PendingByID returns nil when there is no such row.
	PendingByID(ctx context.Context, id string) (*Pending, error)
	// PendingCounts has one element per endpoint with rows.
	PendingCounts(ctx context.Context) ([]PendingCount, error)
}

// Store is what the dispatcher keeps across restarts.
type Store interface {
	CursorStore
	PendingStore
}

func pendingAD(id string) string { return "webhook/" + id }
