package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// openMedia opens where files are kept: a directory beside the other data unless a bucket is named.
func (p *platform) openMedia(ctx context.Context, draw io.Reader) error {
	blobs, err := openBlobs(ctx, p.o)
	if err != nil {
		return err
	}
	p.media, err = media.New(media.Options{
		Store: p.store, Blobs: blobs, Vault: contentSealer{p.vault}, Clock: p.clock, Key: []byte(p.plan.Pepper), IDs: draw, Rand: p.o.random("media"), Logger: p.log, Retention: p.o.Retention,
	})
	if err != nil {
		return err
	}
	p.links = media.NewLinks(p.media, media.LinkOptions{Private: p.o.Sandbox || p.o.PrivateMedia})
	return nil
}

func openBlobs(ctx context.Context, o *Options) (media.Blobs, error) {
	if strings.HasPrefix(o.Media, "s3://") {
		return media.OpenS3(ctx, o.Media)
	}
	dir := o.Media
	if dir == "" {
		dir = filepath.Join(o.Data, "media")
	}
	return media.OpenDir(dir)
}

// linker lets lanes have media by link.
type linker struct{ l *media.Links }

// Link implements pipeline.Linker. A document without a name gets that of the link.
func (k linker) Link(waba wa.WABAID, a *message.Attachment, done func(members []byte, fault string)) {
	name := ""
	if (a.Kind == media.Document || a.Kind == media.PDF) && a.Filename == "" {
		name = message.FileName(a.Link)
	}
	k.l.Get(waba, a.Link, a.Kind, a.Voice, func(m *media.Media, fault string) {
		if m == nil {
			done(nil, fault)
			return
		}
		done(m.AppendMembers(media.AppendName(nil, name)), "")
	})
}

// arrivals lets lanes take over the files of users.
type arrivals struct {
	s    *media.Service
	base string // of the addresses that businesses are given
}

// Arrive implements pipeline.Arrivals.
func (v arrivals) Arrive(ctx context.Context, from wa.DeviceID, to *business.Number, f *message.File) ([]byte, error) {
	sent, err := media.ParseSent(f.Blob)
	if err != nil {
		return nil, nil //nolint:nilerr // what does not describe a file is one that cannot be had
	}
	m, err := v.s.Arrive(ctx, sent, &media.Origin{
		Device: string(from), WABA: to.WABA, Number: to.ID, Kind: f.Kind, MIME: f.MIME, Brief: to.NoStorage(),
	})
	_, over := errors.AsType[*media.BudgetError](err)
	switch {
	case err == nil:
		return v.s.AppendArrival(nil, v.base, m), nil
	case over, errors.Is(err, media.ErrNoBlob), errors.Is(err, media.ErrCorrupt), errors.Is(err, media.ErrTooLarge):
		return nil, nil
	}
	return nil, err
}

// blobs lets devices keep encrypted files.
type blobs struct{ s *media.Service }

// PutBlob implements network.Blobs.
func (b blobs) PutBlob(ctx context.Context, owner wa.DeviceID, announced int64, r io.Reader) (string, int64, error) {
	id, size, err := b.s.PutBlob(ctx, string(owner), announced, r)
	return id, size, blobError(err)
}

// Blob implements network.Blobs.
func (b blobs) Blob(ctx context.Context, id string) (int64, error) {
	size, err := b.s.Blob(ctx, id)
	return size, blobError(err)
}

// OpenBlob implements network.Blobs.
func (b blobs) OpenBlob(ctx context.Context, id string, from int64) (io.ReadCloser, error) {
	r, err := b.s.OpenBlob(ctx, id, from)
	return r, blobError(err)
}

// shelf is where a virtual user's device keeps encrypted files: the same as others reach over HTTP.
type shelf struct {
	s     *media.Service
	owner wa.DeviceID
}

// Upload implements device.Relay.
func (f shelf) Upload(ctx context.Context, sealed []byte) (string, error) {
	id, _, err := blobs{f.s}.PutBlob(ctx, f.owner, int64(len(sealed)), bytes.NewReader(sealed))
	return id, err
}

// Download implements device.Relay.
func (f shelf) Download(ctx context.Context, id string, most int64) ([]byte, error) {
	size, err := blobs{f.s}.Blob(ctx, id)
	if err != nil {
		return nil, err
	}
	if size > most {
		return nil, frame.Refuse(frame.ErrTooLarge, "the file is larger than the message says")
	}
	r, err := blobs{f.s}.OpenBlob(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	return b, nil
}

// blobError translates the refusals. Source: design "The user network", section 12.
func blobError(err error) error {
	if over, ok := errors.AsType[*media.BudgetError](err); ok {
		e := frame.Refuse(frame.ErrRate, "too many bytes")
		e.After = over.Wait.Milliseconds()
		return e
	}
	switch {
	case errors.Is(err, media.ErrNoBlob):
		return frame.Refuse(frame.ErrNotFound, "no such file")
	case errors.Is(err, media.ErrTooLarge):
		return frame.Refuse(frame.ErrTooLarge, "a file is too large")
	case errors.Is(err, media.ErrEmpty):
		return frame.Refuse(frame.ErrFormat, "a file is empty")
	}
	return err
}

// expireMedia removes what has come to its end.
func (p *platform) expireMedia(ctx context.Context) {
	if err := p.media.Expire(ctx); err != nil && ctx.Err() == nil {
		p.log.Warn("expire media", "err", err)
	}
}
