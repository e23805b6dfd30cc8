package media

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Options assemble a Service. The first four are needed, the zero value of the rest works.
type Options struct {
	Store Store
	Blobs Blobs
	Vault Sealer
	Clock clock.Clock // platform time

	Key    []byte       // of the addresses that endpoints of flows fetch files from; at least 16 bytes, or there are none
	Rand   io.Reader    // keys and names; nil means crypto/rand
	IDs    io.Reader    // media ids; nil means Rand
	Logger *slog.Logger // nil: none
	Cached int          // descriptions kept in memory per generation; 0 means 4096
	Hourly int64        // bytes a device stores, and has taken over, in any hour; 0 means 1 GiB
	// Retention bounds the life of every id: what it was sealed with is destroyed then. 0 means no bound.
	Retention time.Duration
}

// Service is the media of a platform.
type Service struct {
	o      Options
	log    *slog.Logger
	known  *cache
	taken  takenFiles[*takenFile]  // of users
	handed takenFiles[*handedFile] // of users, to endpoints of flows

	uploads, arrivals *budget // of devices: bytes stored, bytes taken over

	// Counts are running totals since the start, for metrics.
	Counts Counts
}

// Counts are running totals.
type Counts struct {
	Uploaded, UploadedBytes, Received, Fetched, FetchFailed, LinkCached, Refused, BlobsExpired atomic.Uint64
}

// New returns a Service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Blobs == nil || o.Vault == nil || o.Clock == nil {
		return nil, errors.New("media: Options needs Store, Blobs, Vault and Clock")
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.IDs == nil {
		o.IDs = o.Rand
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Cached == 0 {
		o.Cached = 4096
	}
	if o.Hourly == 0 {
		o.Hourly = hourly
	}
	return &Service{
		o: o, log: o.Logger, known: newCache(o.Cached), taken: takenFiles[*takenFile]{most: o.Cached}, handed: takenFiles[*handedFile]{most: o.Cached},
		uploads: newBudget(o.Hourly), arrivals: newBudget(o.Hourly),
	}, nil
}

// Media is a file and what it is known under. It is immutable, save for what keeps its blob alive.
type Media struct {
	ID      string           `json:"-"`
	WABA    wa.WABAID        `json:"-"`
	Number  wa.PhoneNumberID `json:"-"` // it was uploaded on, or sent to
	Expires int64            `json:"-"` // Unix milliseconds

	MIME   string `json:"mime"`           // as declared, with parameters
	Size   int64  `json:"size"`           // clear bytes
	Made   int64  `json:"made,omitempty"` // Unix milliseconds; 0 in rows of before
	SHA256 []byte `json:"sha256"`

	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	Animated bool   `json:"animated,omitempty"`
	Voice    bool   `json:"voice,omitempty"` // Ogg with Opus, mono: can be a voice note
	Fault    string `json:"fault,omitempty"` // why it cannot be sent, in the words of 131053
	Name     string `json:"name,omitempty"`  // of a handle's file

	Brief bool `json:"brief,omitempty"` // of a number without storage

	App  wa.AppID `json:"app,omitempty"`  // of a handle
	User string   `json:"user,omitempty"` // of a handle

	Blob      string `json:"blob"`
	BlobSize  int64  `json:"blob_size"`
	SHA256Enc []byte `json:"sha256_enc"`
	Keys

	kept *atomic.Int64 // until when the blob is kept, Unix milliseconds
}

func (s *Service) now() int64 { return s.o.Clock.Now().UnixMilli() }

// The range of ids is that of all Graph nodes: 15 or 16 digits, at most 2^53-1. Source: spec/graph.md section 1.
const (
	minID = 100_000_000_000_000
	maxID = 1<<53 - 1
)

// newID draws an id that is free. A seeded source gives the same ids again after a start; past those that are taken, the
// other source serves.
func (s *Service) newID(ctx context.Context) (string, error) {
	const most = 50
	for try := 0; ; {
		random := s.o.IDs
		if try >= most {
			random = s.o.Rand
		}
		var b [8]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("draw a media id: %w", err)
		}
		v := binary.LittleEndian.Uint64(b[:]) >> 11
		if v > maxID-minID {
			continue
		}
		id := strconv.FormatUint(minID+v, 10)
		taken, err := s.o.Store.Media(ctx, id)
		if err != nil {
			return "", fmt.Errorf("look for a media id: %w", err)
		}
		if taken == nil {
			return id, nil
		}
		try++
	}
}

// ValidID reports whether id has the form of a media id.
func ValidID(id string) bool {
	if len(id) < 15 || len(id) > 16 {
		return false
	}
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
	}
	return true
}

// save gives m an id unless it has one, and writes its row. Its blob is kept until keep, and as long as the id.
func (s *Service) save(ctx context.Context, m *Media, id string, keep int64) (err error) {
	if m.ID = id; id == "" {
		if m.ID, err = s.newID(ctx); err != nil {
			return err
		}
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode media: %w", err)
	}
	r := &Row{ID: m.ID, WABA: m.WABA, Number: m.Number, Blob: m.Blob, Expires: m.Expires, Keep: max(keep, m.Expires), Size: m.BlobSize}
	if r.Sealed, err = s.o.Vault.SealContent(m.born(), rowAD(m.ID), plain); err != nil {
		return fmt.Errorf("seal media: %w", err)
	}
	if err = s.o.Store.SaveMedia(ctx, r); err != nil {
		return fmt.Errorf("save media: %w", err)
	}
	m.kept = new(atomic.Int64)
	m.kept.Store(r.Keep)
	s.known.put(m.ID, m)
	return nil
}

func rowAD(id string) []byte { return []byte("media/" + id) }

// Describe returns a media. It is answered from memory as a rule. Errors: [ErrNotFound] for ids that are unknown or have
// expired; who may see it is for the caller to say.
func (s *Service) Describe(ctx context.Context, id string) (*Media, error) {
	if !ValidID(id) {
		return nil, ErrNotFound
	}
	return s.describe(ctx, id)
}

func (s *Service) describe(ctx context.Context, id string) (*Media, error) {
	m, ok := s.known.get(id)
	if !ok {
		drops := s.known.dropped()
		r, err := s.o.Store.Media(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read media: %w", err)
		}
		if r == nil || r.Expires <= s.now() {
			return nil, ErrNotFound
		}
		if m, err = s.open(r); err != nil {
			// The key of its period may be destroyed: then the retention is shorter than the id's life.
			s.log.Warn("open media", "media_id", id, "err", err)
			return nil, ErrNotFound
		}
		s.known.putSince(drops, id, m)
	}
	if m.Expires <= s.now() {
		s.known.drop(id)
		return nil, ErrNotFound
	}
	return m, nil
}

func (s *Service) open(r *Row) (*Media, error) {
	plain, err := s.o.Vault.Open(rowAD(r.ID), r.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open media: %w", err)
	}
	m := &Media{ID: r.ID, WABA: r.WABA, Number: r.Number, Expires: r.Expires, kept: new(atomic.Int64)}
	if err := json.NewDecoder(bytes.NewReader(plain)).Decode(m); err != nil {
		return nil, fmt.Errorf("decode media: %w", err)
	}
	return m, nil
}

// Attach returns a media for a message that is about to be sent, and sees to it that its file outlives the message.
func (s *Service) Attach(ctx context.Context, id string) (*Media, error) {
	m, err := s.Describe(ctx, id)
	if err != nil {
		return nil, err
	}
	return m, s.keep(ctx, m)
}

// Delete forgets a media id. Messages on their way keep the file. Errors: [ErrNotFound].
func (s *Service) Delete(ctx context.Context, id string) error {
	was, err := s.o.Store.DeleteMedia(ctx, id)
	s.known.drop(id) // who read it before puts it back no more
	if err != nil {
		return fmt.Errorf("delete media: %w", err)
	}
	if !was {
		return ErrNotFound
	}
	return nil
}

// sweepBatch is how many blobs one step of Expire removes.
const sweepBatch = 200

// Expire deletes what has come to its end: ids, uploads, and blobs with their bytes.
func (s *Service) Expire(ctx context.Context) error {
	now := s.now()
	if _, err := s.o.Store.DeleteExpiredMedia(ctx, now); err != nil {
		return fmt.Errorf("delete expired media: %w", err)
	}
	for {
		ids, err := s.o.Store.ExpiredBlobs(ctx, now, sweepBatch)
		if err != nil {
			return fmt.Errorf("find expired blobs: %w", err)
		}
		for _, id := range ids {
			if err := s.remove(ctx, id); err != nil {
				return err
			}
			s.Counts.BlobsExpired.Add(1)
		}
		if len(ids) < sweepBatch {
			return nil
		}
	}
}

func (s *Service) remove(ctx context.Context, blob string) error {
	if err := s.o.Blobs.Delete(ctx, blob); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	if err := s.o.Store.DeleteBlob(ctx, blob); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}
