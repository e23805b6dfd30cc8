package device

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"

	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// Bounds of the files in the answer to a flow. Source: Flow JSON reference, "Media upload".
const (
	maxFlowFiles = 10
	maxFlowBytes = 100 << 20 // of all of them, clear
)

// Pick encrypts a file with keys of its own, hands it to the relay and returns what a PhotoPicker or DocumentPicker holds of it,
// for [document.Session.Set]. Filename and MIME are needed. random nil means crypto/rand. Errors: [ErrContent], [ErrFile], those of
// the relay.
func (a *Attachment) Pick(ctx context.Context, random io.Reader, r Relay) (map[string]any, error) {
	if a.Filename == "" || a.MIME == "" {
		return nil, fmt.Errorf("a file of a flow needs a name and a type: %w", ErrContent)
	}
	if random == nil {
		random = rand.Reader
	}
	sealed, blob, err := SealFile(random, a.Data)
	if err != nil {
		return nil, err
	}
	if blob.ID, err = r.Upload(ctx, sealed); err != nil {
		return nil, err
	}
	f := document.File{Name: a.Filename, MIME: a.MIME, Size: int64(len(a.Data))}
	if err := json.Unmarshal(encode(blob), &f.Blob); err != nil {
		return nil, fmt.Errorf("describe a file: %w", err)
	}
	return f.Value(), nil
}

// PickFile is [Attachment.Pick] with the platform's relay.
func (l *Link) PickFile(ctx context.Context, a Attachment) (map[string]any, error) {
	return a.Pick(ctx, nil, l.relay())
}

// flowFile is a file in the answer to a flow, as it travels beside response_json. The platform takes it over and puts its media id
// into the answer.
type flowFile struct {
	Name string         `json:"file_name"`
	MIME string         `json:"mime_type"`
	Blob map[string]any `json:"blob"`
}

// withoutFiles takes the files out of what a flow ended with. Only those at its top can reach the business; of others nothing is
// left but their names. Errors: [ErrContent] for more than a message takes.
func withoutFiles(response map[string]any) (rest map[string]any, files map[string][]flowFile, err error) {
	rest, files = map[string]any{}, map[string][]flowFile{}
	n, size := 0, int64(0)
	for key, v := range response {
		list, _ := v.([]any)
		for _, it := range list {
			f, ok := document.ReadFile(it)
			if !ok {
				break
			}
			files[key] = append(files[key], flowFile{f.Name, f.MIME, f.Blob})
			n++
			size += f.Size
		}
		if len(list) == 0 || len(files[key]) < len(list) {
			delete(files, key)
			rest[key] = nameFiles(v)
		}
	}
	if n > maxFlowFiles || size > maxFlowBytes {
		return nil, nil, fmt.Errorf("an answer takes %d files and 100 MB: %w", maxFlowFiles, ErrContent)
	}
	return rest, files, nil
}

// nameFiles puts names in the place of files.
func nameFiles(v any) any {
	if f, ok := document.ReadFile(v); ok {
		return f.Name
	}
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = nameFiles(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = nameFiles(x[k])
		}
		return out
	}
	return v
}

// withFiles adds files to the content of an answer.
func withFiles(content []byte, files map[string][]flowFile) []byte {
	if len(files) == 0 {
		return content
	}
	out := append(content[:len(content)-1:len(content)-1], `,"files":`...)
	return append(append(out, encode(files)...), '}')
}
