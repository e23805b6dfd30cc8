package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Names beside the file of the brief keys while it is being replaced. They are always the same, so that whatever a process leaves
// behind when it is killed is found and wiped by the next one.
const (
	briefNew = ".new" // the file to come
	briefOld = ".old" // a second name of the file that is there, so that it can be wiped once the new one has its place
)

// loadBriefs reads the file; keys whose time was over while the process was away are destroyed at once, as is what a killed
// process left. A damaged file is wiped: it holds an hour at most, and no server stays down for that.
func (v *Vault) loadBriefs(path string) error {
	v.brief.path, v.brief.keys = path, map[uint32]*dataKey{}
	if path == "" {
		return nil
	}
	if err := wipeLeft(path); err != nil {
		return err
	}
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the data directory
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read brief keys: %w", err)
	}
	var rows []briefRow
	if err := json.Unmarshal(text, &rows); err != nil {
		v.brief.log.Error("the file of brief keys is damaged: it is wiped, and what was sealed with them in the last hour is lost",
			"file", path, "bytes", len(text))
		return wipeAway(path)
	}
	for _, r := range rows {
		v.brief.keys[r.Minute] = briefKey(r.Minute, r.Wrapped)
	}
	_, err = v.DestroyBrief()
	return err
}

// replaceAndWipe replaces a file in one step and overwrites what was there, so that its bytes are not left in blocks that look
// free. A process that is killed in between leaves nothing that [wipeLeft] does not find.
func replaceAndWipe(path string, content []byte) error {
	if err := wipeLeft(path); err != nil {
		return err
	}
	err := writeOnce(path+briefNew, content)
	if err == nil {
		err = os.Link(path, path+briefOld)
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = os.Rename(path+briefNew, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("replace brief keys: %w", err), wipeLeft(path))
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return err // the old file may still be the one that a crash of the machine brings back: it is wiped next time
	}
	return wipeLeft(path)
}

// writeOnce makes a file that is not there yet, durably and readable by its owner only.
func writeOnce(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the data directory
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// wipeLeft wipes and removes what a replacement of the file has left, or one that did not come to its end.
func wipeLeft(path string) error {
	old, err := os.Stat(path + briefOld)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return wipeAway(path + briefNew)
	case err != nil:
		return fmt.Errorf("find old keys: %w", err)
	}
	now, err := os.Stat(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("find brief keys: %w", err)
	}
	if err == nil && os.SameFile(old, now) { // it ended before the new file had its place: these are the keys in use
		if err := os.Remove(path + briefOld); err != nil {
			return fmt.Errorf("remove second name: %w", err)
		}
		return wipeAway(path + briefNew)
	}
	if err := syncDir(filepath.Dir(path)); err != nil { // not before the new file is there for good
		return err
	}
	return errors.Join(wipeAway(path+briefOld), wipeAway(path+briefNew))
}

// wipeAway overwrites a file and removes it, if there is one.
func wipeAway(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // the operator names the data directory
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wipe old keys: %w", err)
	}
	if err := errors.Join(wipe(f), f.Close()); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove old keys: %w", err)
	}
	return nil
}

func wipe(f *os.File) error {
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(make([]byte, info.Size()), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("wipe old keys: %w", err)
	}
	return nil
}
