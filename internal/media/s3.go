package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// partBytes is how much of a blob is in memory while it is sent: the smallest part S3 takes.
const partBytes = 5 << 20

// S3 keeps blobs in a bucket of an S3-compatible service.
type S3 struct {
	client *minio.Client
	bucket string
	prefix string
}

// OpenS3 opens a bucket, which must exist: "s3://bucket/prefix?endpoint=https://host&region=eu-central-1". Without an
// endpoint it is that of AWS. Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
// AWS_SESSION_TOKEN) or from the machine's role.
func OpenS3(ctx context.Context, address string) (*S3, error) { return openS3(ctx, address, nil) }

func openS3(ctx context.Context, address string, transport http.RoundTripper) (*S3, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil {
		return nil, errors.New("open bucket: the address has the form s3://bucket/prefix?endpoint=https://host&region=name; credentials come from the environment")
	}
	end := &url.URL{Scheme: "https", Host: "s3.amazonaws.com"}
	if e := u.Query().Get("endpoint"); e != "" {
		if end, err = url.Parse(e); err != nil || end.Host == "" || (end.Scheme != "https" && end.Scheme != "http") {
			return nil, fmt.Errorf("open bucket: endpoint %q is no http or https address", e)
		}
	}
	c, err := minio.New(end.Host, &minio.Options{
		Creds:  credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.IAM{}}),
		Secure: end.Scheme == "https", Region: u.Query().Get("region"), Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	s := &S3{client: c, bucket: u.Host, prefix: strings.Trim(u.Path, "/")}
	if s.prefix != "" {
		s.prefix += "/"
	}
	ok, err := c.BucketExists(ctx, s.bucket)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", s.bucket, err)
	}
	if !ok {
		return nil, fmt.Errorf("open bucket %s: it does not exist", s.bucket)
	}
	return s, nil
}

func (s *S3) key(id string) string { return s.prefix + id[:2] + "/" + id }

// Put implements Blobs. A blob appears when its last part was taken.
func (s *S3) Put(ctx context.Context, id string, r io.Reader) error {
	if !ValidBlobID(id) {
		return ErrNoBlob
	}
	_, err := s.client.PutObject(ctx, s.bucket, s.key(id), r, -1, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: partBytes, NumThreads: 1, DisableContentSha256: s.client.EndpointURL().Scheme == "https",
	})
	if err != nil {
		return fmt.Errorf("store blob: %w", err)
	}
	return nil
}

// Open implements Blobs.
func (s *S3) Open(ctx context.Context, id string, from int64) (io.ReadCloser, error) {
	if !ValidBlobID(id) {
		return nil, ErrNoBlob
	}
	var o minio.GetObjectOptions
	if from > 0 {
		if err := o.SetRange(from, 0); err != nil {
			return nil, fmt.Errorf("open blob: %w", err)
		}
	}
	body, _, _, err := minio.Core{Client: s.client}.GetObject(ctx, s.bucket, s.key(id), o)
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, ErrNoBlob
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return body, nil
}

// Delete implements Blobs.
func (s *S3) Delete(ctx context.Context, id string) error {
	if !ValidBlobID(id) {
		return nil
	}
	err := s.client.RemoveObject(ctx, s.bucket, s.key(id), minio.RemoveObjectOptions{})
	if err == nil {
		err = s.client.RemoveIncompleteUpload(ctx, s.bucket, s.key(id))
	}
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchKey, minio.NoSuchUpload: // somebody was faster, or there never was one
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}
