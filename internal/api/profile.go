package api

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"image"
	_ "image/jpeg" // formats of profile photos
	_ "image/png"
	"io"
	"strings"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Uploads opens what an app uploaded in a resumable session.
type Uploads interface {
	// Handle returns the bytes behind a handle. One that is unknown, expired or another app's is a row of code 100.
	Handle(ctx context.Context, app wa.AppID, handle string) (mime string, data []byte, err error)
}

// Pictures keeps profile photos.
type Pictures interface {
	SavePicture(ctx context.Context, id, mime string, data []byte) error
	// Picture returns nil data when there is none.
	Picture(ctx context.Context, id string) (mime string, data []byte, err error)
	DeletePicture(ctx context.Context, id string) error
}

// Bounds of a profile photo; the smallest side is unverified. Source: spec/phone_numbers.md section 10.
const (
	maxPicture     = 5 << 20
	minPictureSide = 192
	maxPictureSide = 10_000
)

// profileEdge is /{phone-number-id}/whatsapp_business_profile.
func (s *surface) profileEdge() graph.Edge[number] {
	return s.single(edgeProfile, profileObject(), func(n number) bool { return true }, s.updateProfile)
}

// single is an edge with one value: a list of one, or of none while nothing is set.
func (s *surface) single(name string, item graph.Object[number], set func(number) bool, write func(context.Context, *graph.Call, number) (any, error)) graph.Edge[number] {
	return graph.Edge[number]{
		Name: name, Scopes: scopes(get, kindNumber, name),
		List: graph.Collection[number, number]{Item: item, Unpaged: true, List: func(_ context.Context, c *graph.Call, n number, _ graph.Page) (graph.Items[number], error) {
			if !mayRead(c, n, name) || !set(n) {
				return graph.Items[number]{}, nil
			}
			return graph.Items[number]{Data: []number{n}, Total: 1}, nil
		}},
		Post: &graph.Action[number]{Scopes: scopes(post, kindNumber, name), Do: write},
	}
}

func profileObject() graph.Object[number] {
	text := func(name string, get func(*business.Profile) string) graph.Field[number] {
		return graph.Field[number]{Name: name, Get: func(n number) any {
			if n.Profile == nil {
				return nil
			}
			return graph.NonEmpty(get(n.Profile))
		}}
	}
	return graph.Object[number]{Name: "WhatsAppBusinessProfile", Fields: []graph.Field[number]{
		text("about", func(p *business.Profile) string { return p.About }),
		text("address", func(p *business.Profile) string { return p.Address }),
		text("description", func(p *business.Profile) string { return p.Description }),
		text("email", func(p *business.Profile) string { return p.Email }),
		{Name: "profile_picture_url", Ask: func(_ context.Context, c *graph.Call, n number, _ graph.Item) (any, error) {
			if n.Profile == nil || n.Profile.Picture.ID == "" {
				return nil, nil
			}
			return c.Base() + PicturePath + n.Profile.Picture.ID, nil
		}},
		{Name: "websites", Get: func(n number) any {
			if n.Profile == nil || len(n.Profile.Websites) == 0 {
				return nil
			}
			return n.Profile.Websites
		}},
		text("vertical", func(p *business.Profile) string { return p.Vertical }),
		{Name: "messaging_product", When: graph.Always, Get: func(number) any { return "whatsapp" }},
	}}
}

// updateProfile is POST /{phone-number-id}/whatsapp_business_profile.
func (s *surface) updateProfile(ctx context.Context, c *graph.Call, n number) (any, error) {
	if _, err := c.Params.Get("messaging_product").Enum("whatsapp"); err != nil {
		return nil, err
	}
	var p business.ProfileChange
	for name, to := range map[string]**string{
		"about": &p.About, "address": &p.Address, "description": &p.Description, "email": &p.Email, "vertical": &p.Vertical,
	} {
		v := c.Params.Get(name)
		if !v.Present() {
			continue
		}
		text, err := v.Str()
		if err != nil {
			return nil, err
		}
		*to = &text
	}
	if p.Vertical != nil {
		upper := strings.ToUpper(*p.Vertical)
		p.Vertical = &upper
	}
	if v := c.Params.Get("websites"); v.Present() {
		list, err := v.Strings()
		if err != nil {
			return nil, err
		}
		list = without(list, "")
		p.Websites = &list
	}
	if err := p.Check(); err != nil { // before the photo is stored
		return nil, err
	}
	old := ""
	if n.Profile != nil {
		old = n.Profile.Picture.ID
	}
	if v := c.Params.Get("profile_picture_handle"); v.Present() {
		pic, err := s.takePicture(ctx, c, v)
		if err != nil {
			return nil, err
		}
		p.Picture = pic
	}
	_, err := s.o.Business.UpdateProfile(acting(ctx, c), n.ID, p)
	if p.Picture != nil {
		if err != nil { // the new photo belongs to nobody
			old = p.Picture.ID
		}
		if e := s.o.Pictures.DeletePicture(ctx, old); e != nil && s.o.Log != nil {
			s.o.Log.WarnContext(ctx, "a profile photo stays", "err", e)
		}
	}
	return done(err)
}

// takePicture keeps the photo behind an upload handle. What it is, its bytes say.
func (s *surface) takePicture(ctx context.Context, c *graph.Call, v graph.Value) (*business.Picture, error) {
	handle, err := v.Str()
	if err != nil {
		return nil, err
	}
	if s.o.Uploads == nil || s.o.Pictures == nil {
		return nil, graph.Invalid("Param profile_picture_handle is not supported: this server takes no uploads.")
	}
	_, data, err := s.o.Uploads.Handle(ctx, who(c).App(), handle)
	if err != nil {
		return nil, err
	}
	conf, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil, len(data) > maxPicture:
		return nil, graph.Invalid("Param profile_picture_handle must be the handle of a JPEG or PNG image of at most 5 MB.")
	case min(conf.Width, conf.Height) < minPictureSide, max(conf.Width, conf.Height) > maxPictureSide:
		return nil, graph.Invalid("Param profile_picture_handle must be the handle of an image of at least %d x %d pixels.", minPictureSide, minPictureSide)
	}
	var name [16]byte
	if _, err := io.ReadFull(s.o.Names, name[:]); err != nil {
		return nil, err
	}
	pic := &business.Picture{ID: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(name[:]), Type: "image/" + format, At: c.Start}
	if err := s.o.Pictures.SavePicture(ctx, pic.ID, pic.Type, data); err != nil {
		return nil, err
	}
	return pic, nil
}

func without(list []string, s string) []string {
	out := make([]string, 0, len(list))
	for _, x := range list {
		if x != s {
			out = append(out, x)
		}
	}
	return out
}

// uploadsOf is the media room as profile photos need it.
type uploadsOf struct{ s *media.Service }

// Handle implements Uploads.
func (u uploadsOf) Handle(ctx context.Context, app wa.AppID, handle string) (string, []byte, error) {
	m, err := u.s.Handle(ctx, handle)
	if errors.Is(err, media.ErrNotFound) || err == nil && m.App != app {
		return "", nil, graph.Invalid("Param profile_picture_handle must be the handle of a complete upload of this app.")
	}
	if err != nil {
		return "", nil, err
	}
	if m.Size > maxPicture {
		return "", nil, graph.Invalid("Param profile_picture_handle must be the handle of a JPEG or PNG image of at most 5 MB.")
	}
	c := u.s.Content(ctx, m)
	defer c.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(c, maxPicture+1))
	return m.MIME, data, err
}
