package flow

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Links that need no access token carry one of their own. It is computed, not kept: what it stands for, under a key that
// nobody else has.
const (
	// PreviewLife is how long a preview link can be used. Source: spec/flows.md section 5.
	PreviewLife = 30 * 24 * time.Hour
	// AssetLife is how long an asset can be downloaded by its address (ours).
	AssetLife = time.Hour
)

// Preview is the token of a flow's preview page and when it ends; it is made when there is none, or when fresh asks for another
// one, which ends the old one at once. Error: [ErrUnknown].
func (s *Service) Preview(ctx context.Context, id wa.FlowID, fresh bool) (token string, ends time.Time, err error) {
	f, ok := s.Flow(id)
	if !ok {
		return "", time.Time{}, fmt.Errorf("flow %s: %w", id, ErrUnknown)
	}
	if fresh || !s.o.Clock.Now().Before(f.PreviewEnds) {
		if f, err = s.change(ctx, id, func(f *Flow) ([]byte, error) {
			if !fresh && s.o.Clock.Now().Before(f.PreviewEnds) {
				return nil, nil // somebody else asked at the same time: theirs must not end
			}
			f.PreviewTurn++
			f.PreviewEnds = s.o.Clock.Now().Add(PreviewLife).Truncate(time.Second)
			return nil, nil
		}); err != nil {
			return "", time.Time{}, err
		}
	}
	return s.previewToken(f), f.PreviewEnds, nil
}

func (s *Service) previewToken(f *Flow) string {
	return s.token("preview", string(f.ID), strconv.Itoa(f.PreviewTurn))
}

// Previewed is the flow behind a preview link, with its draft's document. Error: [ErrUnknown] for a link that is not, or not any
// more, one, and for a flow without document.
func (s *Service) Previewed(ctx context.Context, id wa.FlowID, token string) (*Flow, []byte, error) {
	f, ok := s.Flow(id)
	if !ok || f.PreviewTurn == 0 || !s.o.Clock.Now().Before(f.PreviewEnds) || !hmac.Equal([]byte(token), []byte(s.previewToken(f))) {
		return nil, nil, fmt.Errorf("preview of flow %s: %w", id, ErrUnknown)
	}
	json, err := s.JSON(ctx, id, f.Draft.N)
	return f, json, err
}

// AssetToken lets whoever has it download the draft's document until ends.
func (s *Service) AssetToken(f *Flow) (n int64, ends int64, token string) {
	n, ends = f.Draft.N, s.o.Clock.Now().Add(AssetLife).Unix()
	return n, ends, s.assetToken(f.ID, n, ends)
}

func (s *Service) assetToken(id wa.FlowID, n, ends int64) string {
	return s.token("asset", string(id), strconv.FormatInt(n, 10), strconv.FormatInt(ends, 10))
}

// Asset reads a document by the token of its address. Error: [ErrUnknown].
func (s *Service) Asset(ctx context.Context, id wa.FlowID, n, ends int64, token string) ([]byte, error) {
	if s.o.Clock.Now().Unix() >= ends || !hmac.Equal([]byte(token), []byte(s.assetToken(id, n, ends))) {
		return nil, fmt.Errorf("asset of flow %s: %w", id, ErrUnknown)
	}
	return s.JSON(ctx, id, n)
}

func (s *Service) token(parts ...string) string {
	h := hmac.New(sha256.New, s.o.Key)
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}
