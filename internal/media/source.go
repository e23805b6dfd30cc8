package media

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Source is where a file comes from and goes to.
type Source struct {
	WABA   wa.WABAID
	Number wa.PhoneNumberID
	// Hint is the declared type if it is known already; it only ends a hopeless upload earlier.
	Hint string
	// Declared is asked for the MIME type once all bytes were read: a form may have it behind the file.
	Declared func() (string, error)
	// Brief says that the number is without storage: the file lives for BriefLife.
	Brief bool
	// Life is asked after Declared whether a file of such a number shall live longer, up to UploadedLife; 0 is no answer. nil: it
	// shall not.
	Life func() (time.Duration, error)
}

// Upload stores a file of a business and gives it an id. Nothing is kept when it fails. Errors: [ErrEmpty], those of the
// reader and of from.Declared, and rows: [wa.ErrParamFileType], [wa.ErrMediaTooLarge]. Source: spec/media.md section 3.
func (s *Service) Upload(ctx context.Context, r io.Reader, from Source) (*Media, error) {
	limit := int64(MaxSize)
	if Supported(Bare(from.Hint)) {
		limit = Limit(Bare(from.Hint))
	}
	f, err := s.store(ctx, r, limit, from.Brief)
	if errors.Is(err, ErrTooLarge) {
		s.Counts.Refused.Add(1)
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, err
	}
	declared, err := from.Declared()
	if err == nil {
		err = f.accept(declared)
	}
	life := UploadedLife
	if err == nil {
		life, err = from.life()
	}
	if err != nil {
		s.discard(ctx, f.blob)
		s.Counts.Refused.Add(1)
		return nil, err
	}
	m := f.media(declared)
	m.WABA, m.Number, m.Brief = from.WABA, from.Number, from.Brief
	m.live(s.now(), s.bound(life))
	keep := m.Expires
	if !m.Brief {
		keep = s.keepUntil(m)
	}
	if err := s.save(ctx, m, "", keep); err != nil {
		return nil, err
	}
	s.Counts.Uploaded.Add(1)
	s.Counts.UploadedBytes.Add(uint64(m.Size))
	return m, nil
}

// life is how long the id lives.
func (from *Source) life() (time.Duration, error) {
	var (
		life time.Duration
		err  error
	)
	if from.Life != nil {
		life, err = from.Life()
	}
	switch {
	case !from.Brief:
		life = UploadedLife
	case life == 0:
		life = BriefLife
	}
	return life, err
}

// accept refuses what cannot be uploaded at all; whatever else is wrong with a file shows when it is sent.
func (f *file) accept(declared string) error {
	bare := Bare(declared)
	switch {
	case !Supported(bare):
		return wa.ErrParamFileType.Fill(clip(declared))
	case f.size > Limit(bare):
		return tooLarge(Limit(bare))
	case kinds[bare] == Sticker && f.look.is(bare) && !f.look.Animated && f.size > maxSticker:
		return tooLarge(maxSticker)
	}
	return nil
}

func tooLarge(limit int64) error {
	return wa.ErrMediaTooLarge.Withf("The file is larger than the limit of %d bytes for its type.", limit)
}

// clip bounds what is repeated to the caller.
func clip(s string) string { return s[:min(len(s), 100)] }
