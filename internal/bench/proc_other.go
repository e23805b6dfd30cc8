//go:build !linux

package bench

import (
	"errors"
	"fmt"
	"time"
)

// usage of a process.
type usage struct {
	CPU  time.Duration // user and system
	RSS  int64         // resident memory, bytes
	Peak int64         // most of it so far
}

// processUsage is for Linux only; elsewhere the platform's metrics are read.
func processUsage(int) (usage, error) {
	return usage{}, fmt.Errorf("processor time of another process: %w", errors.ErrUnsupported)
}

// machineBusy is for Linux only.
func machineBusy() (time.Duration, error) {
	return 0, fmt.Errorf("processor time of the machine: %w", errors.ErrUnsupported)
}
