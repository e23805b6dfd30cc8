package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// maxStepFiles is how many files a step brings. Source: Flow JSON reference, "Media upload".
const maxStepFiles = 30

// stepFile is a file as a device names it in the data of a step.
type stepFile struct {
	Name string          `json:"file_name"`
	Blob json.RawMessage `json:"blob"`
}

// endpointFile is a file as the endpoint of a flow gets it. Source: Flows reference, "Media upload".
type endpointFile struct {
	Name       string         `json:"file_name"`
	MediaID    string         `json:"media_id"`
	URL        string         `json:"cdn_url"`
	Encryption fileEncryption `json:"encryption_metadata"`
}

type fileEncryption struct {
	EncryptedHash []byte `json:"encrypted_hash"` // base64, as encoding/json writes bytes
	IV            []byte `json:"iv"`
	Key           []byte `json:"encryption_key"`
	HMACKey       []byte `json:"hmac_key"`
	PlaintextHash []byte `json:"plaintext_hash"`
}

// handFiles puts addresses and keys in the place of the files in the data of a step; brief says that it is one of a number without
// storage.
func (p *platform) handFiles(ctx context.Context, owner string, brief bool, data json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(data, []byte(`"blob"`)) {
		return data, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, frame.Refuse(frame.ErrFormat, "the data is no object")
	}
	n := 0
	for key, v := range members {
		var list []json.RawMessage
		if json.Unmarshal(v, &list) != nil {
			continue
		}
		for i := range list {
			var f stepFile
			if json.Unmarshal(list[i], &f) != nil || len(f.Blob) == 0 {
				continue
			}
			if n++; n > maxStepFiles {
				return nil, frame.Refuse(frame.ErrTooLarge, "too many files")
			}
			out, err := p.handFile(ctx, owner, brief, &f)
			if err != nil {
				return nil, err
			}
			list[i] = out
		}
		b, err := json.Marshal(list)
		if err != nil {
			return nil, fmt.Errorf("write a step's files: %w", err)
		}
		members[key] = b
	}
	return json.Marshal(members)
}

func (p *platform) handFile(ctx context.Context, owner string, brief bool, f *stepFile) (json.RawMessage, error) {
	sent, err := media.ParseSent(f.Blob)
	if err != nil {
		return nil, frame.Refuse(frame.ErrFormat, "a file is not described")
	}
	h, err := p.media.HandOver(ctx, owner, sent, brief)
	switch {
	case errors.Is(err, media.ErrCorrupt):
		return nil, frame.Refuse(frame.ErrFormat, "a file is not what it is said to be")
	case err != nil:
		return nil, blobError(err)
	}
	id := sent.ID
	return json.Marshal(&endpointFile{
		Name: f.Name, MediaID: id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:], URL: p.base + h.URL,
		Encryption: fileEncryption{h.SHA256Enc, h.IV, sent.Key, sent.MACKey, sent.SHA256},
	})
}
