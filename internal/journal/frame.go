package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal/record"
)

// Frame is a group of records that became durable together. Frames are shared between readers: treat them as read-only.
type Frame struct {
	Partition int
	Seq       uint64    // position in the partition, from 1, without gaps
	At        time.Time // platform time when the frame was closed, to the millisecond; never falls within a partition
	Records   []record.Record
}

// A stored frame is a header and the records as record.Append writes them. All integers are little-endian.
//
//	0  magic    1 byte
//	1  version  1 byte
//	2  codec    1 byte, flags; 0: records are stored as they are
//	3  reserved 1 byte, 0
//	4  count    4 bytes, number of records
//	8  at       8 bytes, Unix milliseconds
//	16 crc      4 bytes, CRC-32C of everything else
const (
	frameMagic   = 0xa7
	frameVersion = 1
	frameHeader  = 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealFrame fills in the header in front of the records that follow it in b.
func sealFrame(b []byte, count int, at int64) {
	h := b[:frameHeader]
	clear(h)
	h[0], h[1] = frameMagic, frameVersion
	binary.LittleEndian.PutUint32(h[4:], uint32(count))
	binary.LittleEndian.PutUint64(h[8:], uint64(at))
	binary.LittleEndian.PutUint32(h[16:], frameSum(b))
}

func frameSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:16], castagnoli), castagnoli, b[frameHeader:])
}

// decodeFrame parses a stored frame. The records share memory with b. Errors: ErrCorrupt, ErrVersion.
func decodeFrame(b []byte) (at int64, recs []record.Record, err error) {
	if len(b) < 2 || b[0] != frameMagic {
		return 0, nil, fmt.Errorf("%w: %d bytes are not a frame", ErrCorrupt, len(b))
	}
	if b[1] != frameVersion {
		return 0, nil, fmt.Errorf("%w: version %d", ErrVersion, b[1])
	}
	if len(b) < frameHeader {
		return 0, nil, fmt.Errorf("%w: frame header is cut off", ErrCorrupt)
	}
	if binary.LittleEndian.Uint32(b[16:]) != frameSum(b) {
		return 0, nil, fmt.Errorf("%w: checksum of frame does not match", ErrCorrupt)
	}
	if b[2] != 0 || b[3] != 0 {
		return 0, nil, fmt.Errorf("%w: codec %d.%d", ErrVersion, b[2], b[3])
	}
	count := int(binary.LittleEndian.Uint32(b[4:]))
	at = int64(binary.LittleEndian.Uint64(b[8:]))
	rest := b[frameHeader:]
	if count > len(rest)/2 { // a record takes two bytes at least
		return 0, nil, fmt.Errorf("%w: %d records in %d bytes", ErrCorrupt, count, len(rest))
	}
	recs = make([]record.Record, 0, count)
	for range count {
		var r record.Record
		if r, rest, err = record.Next(rest); err != nil {
			return 0, nil, fmt.Errorf("%w: record %d: %w", ErrCorrupt, len(recs), err)
		}
		recs = append(recs, r)
	}
	if len(rest) != 0 {
		return 0, nil, fmt.Errorf("%w: %d bytes after the last record", ErrCorrupt, len(rest))
	}
	return at, recs, nil
}
