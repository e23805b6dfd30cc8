package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
)

// file is one that was stored just now.
type file struct {
	enc  *encrypter
	keys Keys
	blob string
	look Look
	size int64
}

// store encrypts what r gives and stores it as a blob. The blob expires soon, sooner when it is brief, unless its media is saved.
// Errors: [ErrEmpty], [ErrTooLarge], those of r.
func (s *Service) store(ctx context.Context, r io.Reader, limit int64, brief bool) (*file, error) {
	f := &file{}
	var err error
	if f.keys, err = newKeys(s.o.Rand); err != nil {
		return nil, err
	}
	if f.blob, err = NewBlobID(s.o.Rand); err != nil {
		return nil, err
	}
	in := &intake{r: r, left: limit}
	if f.enc, err = newEncrypter(in, f.keys, s.o.Rand); err != nil {
		return nil, err
	}
	pending := pendingLife
	if brief {
		pending = BriefLife
	}
	if err = s.o.Store.AddBlob(ctx, BlobRow{ID: f.blob, Expires: s.o.Clock.Now().Add(pending).UnixMilli()}); err != nil {
		return nil, fmt.Errorf("add blob: %w", err)
	}
	if err = s.o.Blobs.Put(ctx, f.blob, f.enc); err == nil && in.n == 0 {
		err = ErrEmpty
	}
	if err != nil {
		s.discard(ctx, f.blob)
		if in.err != nil && !errors.Is(in.err, io.EOF) {
			return nil, in.err // what the reader said, without what its readers made of it
		}
		return nil, err
	}
	f.size = in.n
	f.look = look(in.head.Bytes())
	f.look.film = in.reel.film()
	return f, nil
}

// discard removes a blob that nobody will know. What cannot be removed now expires.
func (s *Service) discard(ctx context.Context, blob string) {
	if err := s.remove(context.WithoutCancel(ctx), blob); err != nil {
		s.log.Warn("remove unfinished blob", "blob", blob, "err", err)
	}
}

func (f *file) media(declared string) *Media {
	m := &Media{
		MIME: declared, Size: f.size, SHA256: f.enc.sha.Sum(nil), Width: f.look.Width, Height: f.look.Height,
		Animated: f.look.Animated, Voice: f.look.Opus && f.look.Mono, Fault: f.look.fault(declared, f.size),
		Blob: f.blob, BlobSize: f.enc.out, SHA256Enc: f.enc.enc.Sum(nil), Keys: f.keys, kept: new(atomic.Int64),
	}
	return m
}

// intake bounds a file and remembers how it begins.
type intake struct {
	r    io.Reader
	left int64
	n    int64
	head bytes.Buffer
	reel reel
	err  error
}

func (i *intake) Read(p []byte) (int, error) {
	if i.err != nil {
		return 0, i.err
	}
	n, err := i.r.Read(p)
	i.n += int64(n)
	if i.n > i.left {
		i.err = ErrTooLarge
		return 0, i.err
	}
	_, _ = i.reel.Write(p[:n])
	if room := headSize - i.head.Len(); room > 0 {
		i.head.Write(p[:min(n, room)])
	}
	i.err = err
	return n, err
}

// AppendMembers writes the description of m for devices, the inside of a JSON object: what replaces the placeholder of an
// attachment. A file fetched from a link has no id.
func (m *Media) AppendMembers(b []byte) []byte {
	if m.ID != "" {
		b = append(appendText(append(b, `"id":`...), m.ID), ',')
	}
	b = appendText(append(b, `"mime_type":`...), m.MIME)
	b = appendBytes(append(b, `,"sha256":`...), m.SHA256)
	b = strconv.AppendInt(append(b, `,"size":`...), m.Size, 10)
	if m.Width > 0 && m.Height > 0 {
		b = strconv.AppendInt(append(b, `,"width":`...), int64(m.Width), 10)
		b = strconv.AppendInt(append(b, `,"height":`...), int64(m.Height), 10)
	}
	if m.Animated {
		b = append(b, `,"animated":true`...)
	}
	b = appendText(append(b, `,"blob":{"id":`...), m.Blob)
	b = strconv.AppendInt(append(b, `,"size":`...), m.BlobSize, 10)
	b = appendBytes(append(b, `,"key":`...), m.Key)
	b = appendBytes(append(b, `,"mac_key":`...), m.MAC)
	b = appendBytes(append(b, `,"sha256_enc":`...), m.SHA256Enc)
	b = appendBytes(append(b, `,"sha256":`...), m.SHA256)
	return append(b, '}')
}

// AppendArrival writes the description of a user's file for the business, the inside of a JSON object, with the address it is
// downloaded from, which begins its five minutes now. The keys stay here. Source: spec/media.md section 9.
func (s *Service) AppendArrival(b []byte, base string, m *Media) []byte {
	b = appendText(append(b, `"id":`...), m.ID)
	b = appendText(append(b, `,"mime_type":`...), m.MIME)
	b = appendBytes(append(b, `,"sha256":`...), m.SHA256)
	b = appendText(append(b, `,"url":`...), s.URL(base, m, "webhook"))
	return strconv.AppendInt(append(b, `,"size":`...), m.Size, 10)
}

// Unfit says why m cannot be what a place in a message takes, a kind or less, in the words of error_data.details for 131053; "" when it can.
// Source: spec/media.md sections 8 and 21.
func (m *Media) Unfit(kind string, voice bool) string {
	bare := Bare(m.MIME)
	switch {
	case kind == Document && kinds[bare] != Document && m.ID == "":
		return "" // by link a document may be anything
	case !serves(bare, kind):
		return mismatch(kindOf(kind), m.MIME, m.MIME)
	case m.Fault != "":
		return m.Fault
	case m.Size > ofKind(kind): // fetched for a document
		return oversize(ofKind(kind))
	case voice && !m.Voice:
		return mismatch(kind, m.MIME, m.MIME) + " A voice message must be audio/ogg with the Opus codec, mono."
	}
	return ""
}
