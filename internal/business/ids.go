package business

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// The range of ids: 15 digits at least, and at most 2^53-1 so that JavaScript reads them exactly (spec/graph.md section 1).
const (
	minID = 100_000_000_000_000
	maxID = 1<<53 - 1
)

// NewID makes a random id of a Graph node: 15 or 16 decimal digits, at most 2^53-1. The only errors are those of rand.
func NewID(rand io.Reader) (string, error) {
	const span = maxID - minID + 1
	for {
		var b [8]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", fmt.Errorf("draw a random id: %w", err)
		}
		v := binary.LittleEndian.Uint64(b[:]) >> 11 // 53 bits
		if v < span {                               // 98.9 % of draws; anything else would favour small ids
			return strconv.FormatUint(minID+v, 10), nil
		}
	}
}

// newNamespace makes a message_template_namespace: groups of 8, 4, 4, 4 and 12 hex digits joined by underscores.
func newNamespace(rand io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("draw a namespace: %w", err)
	}
	return fmt.Sprintf("%x_%x_%x_%x_%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
