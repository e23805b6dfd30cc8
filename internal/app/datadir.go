package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// markFile tells that a directory is ours, and in which layout.
const (
	markFile   = "hikyaku.json"
	lockFile   = "lock"
	dataLayout = 1
)

type mark struct {
	Layout     int `json:"layout"`
	Partitions int `json:"partitions"`
}

// dataDir is a locked data directory.
type dataDir struct {
	path string
	mark mark
	lock *flock.Flock
}

// openDir creates the directory if it is absent, refuses one that holds something else, and locks it: two processes on one
// journal would undo each other's promises.
func openDir(path string, partitions int) (*dataDir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	d := &dataDir{path: abs}
	if err := d.recognise(partitions); err != nil {
		return nil, err
	}
	d.lock = flock.New(filepath.Join(abs, lockFile))
	ok, err := d.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", abs, err)
	}
	if !ok {
		return nil, fmt.Errorf("data directory %s is in use by another hikyaku process; stop it, or give this one another --data", abs)
	}
	return d, nil
}

func (d *dataDir) recognise(partitions int) error {
	b, err := os.ReadFile(d.markPath())
	switch {
	case errors.Is(err, os.ErrNotExist):
		return d.claim(partitions)
	case err != nil:
		return fmt.Errorf("read %s: %w", d.markPath(), err)
	}
	if err := json.Unmarshal(b, &d.mark); err != nil || d.mark.Layout == 0 {
		return fmt.Errorf("%s is not a file of hikyaku", d.markPath())
	}
	if d.mark.Layout > dataLayout {
		return fmt.Errorf("data directory %s has layout %d, which is newer than the %d this program knows; use a newer hikyaku",
			d.path, d.mark.Layout, dataLayout)
	}
	return nil
}

func (d *dataDir) claim(partitions int) error {
	list, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Name() != lockFile && e.Name() != rootKeyFile {
			return fmt.Errorf("%s is not a data directory of hikyaku (it holds %q); choose an empty or a new one with --data",
				d.path, e.Name())
		}
	}
	d.mark = mark{Layout: dataLayout, Partitions: partitions}
	b, err := json.Marshal(d.mark)
	if err != nil {
		return err
	}
	return writeFile(d.markPath(), append(b, '\n'))
}

func (d *dataDir) markPath() string { return filepath.Join(d.path, markFile) }

func (d *dataDir) close() error { return d.lock.Unlock() }

// writeFile replaces a small file so that a crash leaves the old or the new content.
func writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when everything went well
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
