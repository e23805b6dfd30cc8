package journal

import (
	"errors"
	"io/fs"
	"syscall"
)

// What a caller can tell apart with errors.Is.
var (
	// ErrClosed answers everything after Close.
	ErrClosed = errors.New("journal is closed")
	// ErrFull means that the disk has no room. After room was made, Resume works.
	ErrFull = errors.New("journal disk is full")
	// ErrFenced means that somebody else appended to the partition: this writer is no longer, or not yet, its owner.
	ErrFenced = errors.New("partition has another writer")
	// ErrUncertain means that the answer to an append was lost: its records may or may not be in the journal. Resume finds out.
	ErrUncertain = errors.New("outcome of the append is unknown")
	// ErrUnavailable means that the journal cannot be reached now. Nothing was written by the call.
	ErrUnavailable = errors.New("journal is unavailable")
	// ErrTooLarge means that the records of one Append do not fit into a frame. Nothing was queued; the log stays healthy.
	ErrTooLarge = errors.New("records do not fit into a frame")
	// ErrCorrupt means that stored bytes are damaged or missing. Stop the process.
	ErrCorrupt = errors.New("journal is corrupt")
	// ErrVersion means that a frame was written by a newer version of this program.
	ErrVersion = errors.New("frame has an unknown version")
	// ErrLocked means that another process uses the directory.
	ErrLocked = errors.New("journal directory is in use")
	// ErrForeign means that the directory or stream belongs to something else, or to a journal with another number of
	// partitions.
	ErrForeign = errors.New("not this journal")
	// ErrHeld means that another node holds the lease.
	ErrHeld = errors.New("lease is held by another node")
)

// writeFailure translates an error of the file system; nil for other errors.
func writeFailure(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, errQuota):
		return ErrFull
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.EROFS):
		return ErrUnavailable
	}
	// Whatever else keeps the server from writing, such as a limit on the size of files, stops a stream in the same way.
	if p, ok := errors.AsType[*fs.PathError](err); ok && (p.Op == "write" || p.Op == "sync") {
		return ErrUnavailable
	}
	return nil
}
