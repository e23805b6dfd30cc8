package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Lease says that one node owns a partition until it expires by the platform's clock. The clocks of nodes may differ by a
// part of the lease's length: safety does not come from time but from the expected sequence of every append. A new owner
// resumes the log and appends a frame before it decides anything, so that the old owner's appends are refused.
type Lease struct {
	j     *Journal
	p     int
	owner string
	epoch uint64

	mu       sync.Mutex
	expires  time.Time
	revision uint64
}

const leaseBucket = "hikyaku-leases"

// holding is a lease as stored.
type holding struct {
	Owner   string `json:"owner"`
	Epoch   uint64 `json:"epoch"`   // one more for every new lease
	Expires int64  `json:"expires"` // Unix milliseconds
}

// Acquire takes partition p for the given owner. It succeeds when nobody holds it, when the holder's lease has expired, and
// when the same owner held it before; each time the epoch grows. Errors: ErrHeld, ErrUnavailable.
func (j *Journal) Acquire(ctx context.Context, p int, owner string, ttl time.Duration) (*Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kv, err := j.leases(ctx)
	if err != nil {
		return nil, fmt.Errorf("acquire partition %d: %w", p, err)
	}
	now := j.o.Clock.Now()
	held, revision, err := readHolding(kv, p)
	if err != nil {
		return nil, fmt.Errorf("acquire partition %d: %w", p, err)
	}
	if held.Owner != owner && now.UnixMilli() < held.Expires {
		return nil, fmt.Errorf("acquire partition %d: %w: %s until %s", p, ErrHeld, held.Owner, fromMilli(held.Expires))
	}
	l := &Lease{j: j, p: p, owner: owner, epoch: held.Epoch + 1, revision: revision}
	if err := l.write(kv, now.Add(ttl)); err != nil {
		return nil, fmt.Errorf("acquire partition %d: %w", p, err)
	}
	return l, nil
}

// Epoch is 1 for the first lease of a partition and grows with every new one.
func (l *Lease) Epoch() uint64 { return l.epoch }

// Expires is when another node may take the partition, unless the lease is renewed.
func (l *Lease) Expires() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.expires
}

// Renew moves the end of the lease to ttl from now. Errors: ErrHeld when it was lost: stop deciding at once;
// ErrUnavailable, after which the lease is good until Expires.
func (l *Lease) Renew(ctx context.Context, ttl time.Duration) error {
	return l.update(ctx, "renew", l.j.o.Clock.Now().Add(ttl))
}

// Release lets another node acquire the partition at once. Errors as Renew.
func (l *Lease) Release(ctx context.Context) error {
	return l.update(ctx, "release", l.j.o.Clock.Now())
}

func (l *Lease) update(ctx context.Context, what string, expires time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	kv, err := l.j.leases(ctx)
	if err == nil {
		err = l.write(kv, expires)
	}
	if err != nil {
		return fmt.Errorf("%s lease of partition %d: %w", what, l.p, err)
	}
	return nil
}

// write stores the lease if nobody else did since it was read.
func (l *Lease) write(kv nats.KeyValue, expires time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := json.Marshal(holding{Owner: l.owner, Epoch: l.epoch, Expires: expires.UnixMilli()})
	if err != nil {
		return fmt.Errorf("encode lease: %w", err)
	}
	revision, err := kv.Update(leaseKey(l.p), b, l.revision)
	var apiErr *nats.APIError
	switch {
	case errors.As(err, &apiErr) && (apiErr.ErrorCode == codeWrongLast || apiErr.ErrorCode == codeWrongLastConstant):
		return l.recognise(kv, b, expires)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	l.revision, l.expires = revision, expires
	return nil
}

// recognise tells a lease that somebody else took from an own write whose answer was lost. Lock held.
func (l *Lease) recognise(kv nats.KeyValue, b []byte, expires time.Time) error {
	e, err := kv.Get(leaseKey(l.p))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var h holding
	if err := json.Unmarshal(e.Value(), &h); err != nil || h.Owner != l.owner || h.Epoch != l.epoch {
		return fmt.Errorf("%w: %s", ErrHeld, h.Owner)
	}
	revision, err := kv.Update(leaseKey(l.p), b, e.Revision())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	l.revision, l.expires = revision, expires
	return nil
}

func readHolding(kv nats.KeyValue, p int) (h holding, revision uint64, err error) {
	e, err := kv.Get(leaseKey(p))
	switch {
	case errors.Is(err, nats.ErrKeyNotFound):
		return holding{}, 0, nil
	case err != nil:
		return holding{}, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err := json.Unmarshal(e.Value(), &h); err != nil {
		return holding{}, 0, fmt.Errorf("%w: lease of partition %d: %w", ErrCorrupt, p, err)
	}
	return h, e.Revision(), nil
}

func leaseKey(p int) string { return "partition." + strconv.Itoa(p) }

// leases is the bucket of leases, created when it is first needed. Calls on it end with ctx, which has a deadline.
func (j *Journal) leases(ctx context.Context) (nats.KeyValue, error) {
	k := j.link.Load()
	if k == nil {
		return nil, fmt.Errorf("%w: server is not running", ErrUnavailable)
	}
	js, err := k.api.JetStream(nats.Context(ctx))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	kv, err := js.KeyValue(leaseBucket)
	if errors.Is(err, nats.ErrBucketNotFound) {
		kv, err = js.CreateKeyValue(&nats.KeyValueConfig{Bucket: leaseBucket, Replicas: j.o.replicas()})
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return kv, nil
}
