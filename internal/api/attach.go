package api

import (
	"context"
	"errors"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/message"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// attach describes the media of a message: gate 11 of spec/errors.md section 2. What is known already is written into the
// body; links, and files that cannot be used, stay in m.Attachments for the lane, since both end in a status and not in an
// error. Source: spec/media.md sections 8, 15 and 21.
func (s *surface) attach(ctx context.Context, m *message.Outbound, n number) error {
	if len(m.Attachments) == 0 {
		return nil
	}
	if s.o.Media == nil {
		return wa.ErrUnsupportedType
	}
	var later []message.Attachment
	var members []byte
	for i, a := range m.Attachments {
		a.N = i
		if a.Link != "" {
			if !media.ValidLink(a.Link) {
				return wa.ErrParamURI.Fill(a.Path)
			}
			later = append(later, a)
			continue
		}
		f, err := s.mediaOf(ctx, n, &a)
		if err != nil {
			return err
		}
		if a.Fault = f.Unfit(a.Kind, a.Voice); a.Fault != "" {
			later = append(later, a)
			continue
		}
		members = f.AppendMembers(members[:0])
		m.Body, _ = message.AppendFilled(make([]byte, 0, len(m.Body)+len(members)), m.Body, i, members)
	}
	m.Attachments = later
	return nil
}

// mediaOf finds the file that an attachment names. It must belong to the sending number's account.
func (s *surface) mediaOf(ctx context.Context, n number, a *message.Attachment) (*media.Media, error) {
	f, err := s.o.Media.Attach(ctx, a.ID)
	if errors.Is(err, media.ErrNotFound) || (err == nil && (f.WABA != n.WABA || s.local(f, n))) {
		return nil, wa.ErrValue.Withf("Parameter '%s' is not the id of a media of this WhatsApp Business Account, or it has expired.", a.Path)
	}
	if err != nil {
		return nil, wa.ErrUnknownSend.Because(err)
	}
	return f, nil
}

// local reports whether a file of one number must not be used by another: data of a number that is kept in a country stays with
// that number, and that of one without storage must not be kept by another. Source: spec/security.md section A5.
func (s *surface) local(f *media.Media, n number) bool {
	if f.Number == n.ID || f.Number == "" {
		return false
	}
	if f.Brief {
		return true
	}
	owner, ok := s.o.Business.Number(f.Number)
	return n.Region != "" || ok && owner.Region != ""
}
