//go:build unix

package device

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the owner chose the path
	if err != nil {
		return nil, fmt.Errorf("lock the device's file: %w", err)
	}
	if err := lockExclusive(f); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("lock the device's file: %w", err), f.Close())
	}
	return f, nil
}

// syncFolder makes a rename durable.
func syncFolder(path string) error {
	d, err := os.Open(path) //nolint:gosec // the owner chose the path
	if err != nil {
		return fmt.Errorf("sync the device's folder: %w", err)
	}
	if err := d.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync the device's folder: %w", err), d.Close())
	}
	return d.Close()
}
