package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// manifest is DIR/journal.json: it tells this journal's directory from anything else, and a journal that lost its streams
// from one that never had any.
type manifest struct {
	Format     int  `json:"format"`
	Partitions int  `json:"partitions"`
	Created    bool `json:"created"` // the streams exist
}

const manifestFormat = 1

// home is a locked directory.
type home struct {
	dir  string
	lock *flock.Flock
	manifest
}

// openHome locks dir, creating it when it does not exist, and reads its manifest. partitions is what the caller expects, 0
// for whatever is there. Errors: ErrLocked, ErrForeign, ErrVersion.
func openHome(dir string, partitions int) (_ *home, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create journal directory: %w", orFull(err))
	}
	h := &home{dir: dir, lock: flock.New(filepath.Join(dir, "lock"))}
	held, err := h.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock journal directory: %w", orFull(err))
	}
	if !held {
		return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
	}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	switch b, err := os.ReadFile(h.path()); {
	case errors.Is(err, os.ErrNotExist):
		return h, h.found(partitions)
	case err != nil:
		return nil, fmt.Errorf("read journal manifest: %w", err)
	default:
		return h, h.check(b, partitions)
	}
}

// found makes a new journal of an empty directory.
func (h *home) found(partitions int) error {
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return fmt.Errorf("read journal directory: %w", err)
	}
	for _, e := range entries {
		if e.Name() != "lock" {
			return fmt.Errorf("%w: %s holds %s but no journal.json", ErrForeign, h.dir, e.Name())
		}
	}
	h.manifest = manifest{Format: manifestFormat, Partitions: or(partitions, defaultPartitions)}
	return h.save()
}

func (h *home) check(b []byte, partitions int) error {
	if err := json.Unmarshal(b, &h.manifest); err != nil || h.Partitions < 1 || h.Partitions > maxPartitions {
		return fmt.Errorf("%w: %s is not a journal manifest", ErrForeign, h.path())
	}
	if h.Format != manifestFormat {
		return fmt.Errorf("%w: journal directory has format %d", ErrVersion, h.Format)
	}
	if partitions != 0 && partitions != h.Partitions {
		return fmt.Errorf("%w: %s has %d partitions, not %d", ErrForeign, h.dir, h.Partitions, partitions)
	}
	return nil
}

// created notes that the streams exist: from now on a missing one is a loss.
func (h *home) created() error {
	if h.Created {
		return nil
	}
	h.Created = true
	return h.save()
}

// save replaces the manifest so that a crash leaves the old or the new one.
func (h *home) save() error {
	b, err := json.Marshal(h.manifest)
	if err != nil {
		return fmt.Errorf("encode journal manifest: %w", err)
	}
	tmp := h.path() + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the operator's own directory
	if err != nil {
		return fmt.Errorf("write journal manifest: %w", orFull(err))
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, h.path())
	}
	if err != nil {
		return fmt.Errorf("write journal manifest: %w", orFull(err))
	}
	if d, err := os.Open(h.dir); err == nil { // some systems cannot sync a directory; the rename is enough there
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

func (h *home) path() string { return filepath.Join(h.dir, "journal.json") }

func (h *home) close() { _ = h.lock.Unlock() }

// orFull adds ErrFull or ErrUnavailable to an error of the file system that means it.
func orFull(err error) error {
	if typed := writeFailure(err); typed != nil {
		return fmt.Errorf("%w: %w", typed, err)
	}
	return err
}
