package media

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Sent is a file as a user's device describes it inside a message. Source: design "The user network", section 10.
type Sent struct {
	ID        string `json:"id"`
	Size      int64  `json:"size"` // encrypted, in bytes
	Key       []byte `json:"key"`
	MACKey    []byte `json:"mac_key"`
	SHA256Enc []byte `json:"sha256_enc"`
	SHA256    []byte `json:"sha256"` // of the clear file
}

// ParseSent reads the "blob" member of a device's message.
func ParseSent(raw []byte) (*Sent, error) {
	b := &Sent{}
	if err := json.Unmarshal(raw, b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if !ValidBlobID(b.ID) || len(b.Key) != keySize || len(b.MACKey) != keySize || len(b.SHA256Enc) != macSize || len(b.SHA256) != macSize {
		return nil, fmt.Errorf("%w: the message does not describe it", ErrCorrupt)
	}
	return b, nil
}

// Origin is where a user's file comes from and goes to.
type Origin struct {
	Device string
	WABA   wa.WABAID
	Number wa.PhoneNumberID
	Kind   string // of the message
	MIME   string // as the device declares it
	Brief  bool   // the number is without storage
}

// Arrive takes a user's file over: it is fetched and checked before anything is decrypted, encrypted again under a key of
// the platform, and gets a media id of seven days, or of an hour if the number is without storage. A file that the number already has is not stored again. Errors:
// [ErrNoBlob], [ErrCorrupt], [ErrTooLarge], [*BudgetError]; anything else means that it may be tried again.
func (s *Service) Arrive(ctx context.Context, b *Sent, from *Origin) (*Media, error) {
	size, err := s.Blob(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	if size > MaxBlob {
		return nil, ErrTooLarge
	}
	key := b.at(from.Number)
	had, ok := s.taken.get(key, s.now())
	if !ok {
		if err := s.arrivals.take(from.Device, size, s.o.Clock.Now()); err != nil {
			return nil, err
		}
		if had, err = s.takeOver(ctx, b, size, from.Brief); err != nil {
			if !hopeless(err) {
				s.arrivals.give(from.Device, size)
			}
			return nil, err
		}
	}
	m := had.media(from)
	if from.Kind != Document && kinds[Bare(m.MIME)] != from.Kind {
		if !ok {
			s.discard(ctx, had.Blob)
		}
		return nil, fmt.Errorf("%w: %s is no %s", ErrCorrupt, m.MIME, from.Kind)
	}
	life := InboundLife
	if m.Brief = from.Brief; m.Brief {
		life = BriefLife
	}
	m.live(s.now(), s.bound(life))
	if err := s.save(ctx, m, "", m.Expires); err != nil {
		return nil, err
	}
	kept := *had
	kept.until = m.Expires
	s.taken.put(key, &kept)
	s.Counts.Received.Add(1)
	return m, nil
}

// hopeless reports whether a file that cannot be had will not be there later either.
func hopeless(err error) bool {
	return errors.Is(err, ErrNoBlob) || errors.Is(err, ErrCorrupt) || errors.Is(err, ErrTooLarge)
}

// takeOver checks a device's blob and stores its content under keys of the platform.
func (s *Service) takeOver(ctx context.Context, b *Sent, size int64, brief bool) (*takenFile, error) {
	keys := Keys{Key: b.Key, MAC: b.MACKey}
	src, err := s.o.Blobs.Open(ctx, b.ID, 0)
	if err != nil {
		return nil, fmt.Errorf("open a user's file: %w", err)
	}
	if err = errors.Join(verify(&cancelled{ctx, src}, keys, b.SHA256Enc), src.Close()); err != nil {
		return nil, err
	}
	if src, err = s.o.Blobs.Open(ctx, b.ID, 0); err != nil {
		return nil, fmt.Errorf("open a user's file: %w", err)
	}
	clear, err := newDecrypter(src, keys, size, 0)
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	defer clear.Close() //nolint:errcheck // it was only read
	f, err := s.store(ctx, clear, MaxSize, brief)
	if errors.Is(err, ErrEmpty) {
		err = ErrCorrupt
	}
	if err != nil {
		return nil, err
	}
	m := f.media("")
	if string(m.SHA256) != string(b.SHA256) {
		s.discard(ctx, f.blob)
		return nil, fmt.Errorf("%w: it is another file than announced", ErrCorrupt)
	}
	return &takenFile{Media: *m, look: f.look}, nil
}

// takenFile is a file of a user that the platform has.
type takenFile struct {
	Media // without what the arrival says
	look  Look
	until int64 // when its blob ends, Unix milliseconds
}

func (t *takenFile) end() int64 { return t.until }

// media describes the file for one more message.
func (t *takenFile) media(from *Origin) *Media {
	m := t.Media
	m.MIME = strings.TrimSpace(from.MIME)
	bare := Bare(m.MIME)
	if bare == "" || len(m.MIME) > 100 || (from.Kind != Document && (kinds[bare] != from.Kind || !t.look.is(bare))) {
		m.MIME = t.look.MIME
	}
	m.Fault = t.look.fault(m.MIME, m.Size)
	m.WABA, m.Number, m.kept = from.WABA, from.Number, new(atomic.Int64)
	return &m
}

// takenKey is a file as one number got it: number and everything that the device said, so that nobody gets more out of the
// memory than by sending the file.
type takenKey struct {
	number wa.PhoneNumberID
	sent   [sha256.Size]byte
}

func (b *Sent) at(number wa.PhoneNumberID) takenKey {
	h := sha256.New()
	h.Write([]byte(b.ID)) // all of these have one length, see ParseSent
	for _, v := range [][]byte{b.Key, b.MACKey, b.SHA256Enc, b.SHA256} {
		h.Write(v)
	}
	k := takenKey{number: number}
	h.Sum(k.sent[:0])
	return k
}

// takenMargin is how long before its end a blob is not given to further messages: by the time its life is prolonged it may be on
// the sweep's list, all the more when another node sweeps. It leaves [BriefLife] most of its hour.
const takenMargin = 10 * time.Minute

// takenFiles remembers files in two generations, as cache does. What it forgets is taken over again. Files must not be changed.
type takenFiles[F interface{ end() int64 }] struct {
	most int

	mu       sync.Mutex
	now, old map[takenKey]F
}

func (t *takenFiles[F]) get(k takenKey, now int64) (F, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.now[k]
	if !ok {
		f, ok = t.old[k]
	}
	return f, ok && f.end() > now+takenMargin.Milliseconds()
}

func (t *takenFiles[F]) put(k takenKey, f F) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now == nil || len(t.now) >= t.most {
		t.now, t.old = map[takenKey]F{}, t.now
	}
	t.now[k] = f
}
