package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir keeps blobs in a directory: 256 folders by the first two digits of the name.
type Dir struct{ path string }

const unfinished = ".part"

// OpenDir makes the directory and its folders when they are not there. Their names are durable before a blob is stored.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	for i := range 256 {
		if err := os.Mkdir(filepath.Join(path, fmt.Sprintf("%02x", i)), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("open blobs: %w", err)
		}
	}
	if err := syncDir(path); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	return &Dir{path}, nil
}

func (d *Dir) file(id string) (string, error) {
	if !ValidBlobID(id) {
		return "", ErrNoBlob
	}
	return filepath.Join(d.path, id[:2], id), nil
}

// Put implements Blobs: the bytes are synced before the file gets its name, and the name before Put returns.
func (d *Dir) Put(ctx context.Context, id string, r io.Reader) (err error) {
	path, err := d.file(id)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the name is checked
	if err != nil {
		return fmt.Errorf("store blob: %w", err)
	}
	_, err = io.Copy(f, &cancelled{ctx, r})
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // Delete tries again when the row expires
		return fmt.Errorf("store blob: %w", err)
	}
	return nil
}

func syncDir(path string) error {
	f, err := os.Open(path) //nolint:gosec // a folder of ours
	if err != nil {
		return err //nolint:wrapcheck // by the caller
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open implements Blobs.
func (d *Dir) Open(_ context.Context, id string, from int64) (io.ReadCloser, error) {
	path, err := d.file(id)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path) //nolint:gosec // the name is checked
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoBlob
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, fmt.Errorf("open blob: %w", errors.Join(err, f.Close()))
	}
	return f, nil
}

// Delete implements Blobs.
func (d *Dir) Delete(_ context.Context, id string) error {
	path, err := d.file(id)
	if err != nil {
		return nil //nolint:nilerr // what cannot be there is gone
	}
	for _, p := range []string{path + unfinished, path} {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete blob: %w", err)
		}
	}
	return nil
}

// cancelled is a reader that ends with its context.
type cancelled struct {
	ctx context.Context //nolint:containedctx // lives for one call
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
