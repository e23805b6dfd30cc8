package access

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// newID makes a random id: 15 or 16 decimal digits, at most 2^53-1 (spec/graph.md section 1).
func newID(rand io.Reader) (string, error) {
	const least, most = 100_000_000_000_000, 1<<53 - 1
	for {
		var b [8]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", fmt.Errorf("draw a random id: %w", err)
		}
		if v := binary.LittleEndian.Uint64(b[:]) >> 11; v <= most-least {
			return strconv.FormatUint(least+v, 10), nil
		}
	}
}

// freeID draws an id that no object of this room has. The caller holds mu.
func (s *Service) freeID() (string, error) {
	for {
		id, err := newID(s.rand)
		if err != nil {
			return "", err
		}
		if !s.taken(id) {
			return id, nil
		}
	}
}

func (s *Service) taken(id string) bool {
	snap := s.snap.Load()
	_, a := snap.apps[wa.AppID(id)]
	_, u := snap.system[wa.SystemUserID(id)]
	_, p := snap.people[id]
	return a || u || p
}

// newHex makes 32 lower-case hex characters: the form of app secrets.
func newHex(rand io.Reader) (Secret, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return Secret(hex.EncodeToString(b[:])), nil
}
