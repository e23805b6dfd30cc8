package journal_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func someFrame() []byte {
	return journal.EncodeFrame(time.UnixMilli(1700000000123), []record.Record{
		&record.Marked{ID: "wamid.1", At: 1}, &record.Sealed{ID: "wamid.2", Seq: 7, Cipher: []byte("abc")},
	})
}

func TestFrameRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "at")).UTC()
		names := rapid.SliceOf(rapid.StringN(1, 40, -1)).Draw(t, "names")
		recs := make([]record.Record, 0, len(names))
		for _, n := range names {
			recs = append(recs, &record.Dropped{ID: wa.MessageID(n)})
		}
		gotAt, got, err := journal.DecodeFrame(journal.EncodeFrame(at, recs))
		if err != nil || !gotAt.Equal(at) || !reflect.DeepEqual(got, recs) {
			t.Fatalf("got %v, %v, %v", gotAt, got, err)
		}
	})
}

func TestFrameDamage(t *testing.T) {
	t.Parallel()
	whole := someFrame()
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		if _, recs, err := journal.DecodeFrame(b); !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, journal.ErrVersion) {
			t.Errorf("byte %d changed: %v, %v", i, recs, err)
		}
		if _, recs, err := journal.DecodeFrame(whole[:i]); !errors.Is(err, journal.ErrCorrupt) {
			t.Errorf("cut off after %d bytes: %v, %v", i, recs, err)
		}
	}
}

func TestFrameRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   error
	}{
		"a later version":              {func(b []byte) []byte { b[1] = 2; return b }, journal.ErrVersion},
		"a later version, cut off":     {func([]byte) []byte { return []byte{0xa7, 9} }, journal.ErrVersion},
		"an unknown codec":             {func(b []byte) []byte { b[2] = 1; return b }, journal.ErrVersion},
		"more records than it holds":   {func(b []byte) []byte { b[4]++; return b }, journal.ErrCorrupt},
		"fewer records than it holds":  {func(b []byte) []byte { b[4]--; return b }, journal.ErrCorrupt},
		"a billion records":            {func(b []byte) []byte { b[7] = 0x40; return b }, journal.ErrCorrupt},
		"bytes after the last record":  {func(b []byte) []byte { return append(b, 1, 0x80) }, journal.ErrCorrupt},
		"a record that is not one":     {func(b []byte) []byte { b[24] = 0xff; b[25] = 0xff; return b }, journal.ErrCorrupt},
		"something else altogether":    {func([]byte) []byte { return []byte("hello, this is long enough") }, journal.ErrCorrupt},
		"nothing":                      {func([]byte) []byte { return nil }, journal.ErrCorrupt},
		"a kind of a newer version":    {func(b []byte) []byte { b[20] = 250; return b }, nil},
		"a time before the epoch, too": {func(b []byte) []byte { b[15] = 0xff; return b }, nil},
	} {
		b := c.change(someFrame())
		if len(b) >= 20 {
			journal.Reseal(b)
		}
		if _, recs, err := journal.DecodeFrame(b); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v, want %v", name, recs, err, c.want)
		}
	}
}

// FuzzFrame: decoding never panics and never returns more records than there are bytes for. Every input is also tried with
// a valid checksum, to get past it.
func FuzzFrame(f *testing.F) {
	f.Add(someFrame())
	f.Add(journal.EncodeFrame(time.Time{}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for range 2 {
			if _, recs, err := journal.DecodeFrame(b); err == nil && 2*len(recs) > len(b) {
				t.Fatalf("%d records in %d bytes", len(recs), len(b))
			}
			if len(b) < 20 {
				return
			}
			b = bytes.Clone(b)
			b[0], b[1], b[2], b[3] = 0xa7, 1, 0, 0
			journal.Reseal(b)
		}
	})
}

func TestReadAck(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]struct {
		seq uint64
		err error
	}{
		`{"stream":"s","seq":7}`:                     {7, nil},
		`{"stream":"s", "seq":18446744073709551615}`: {1<<64 - 1, nil},
		`{"stream":"s","domain":"d","seq":9}`:        {9, nil},
		`{"stream":"s","seq":9,"duplicate":true}`:    {9, nil},
		`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"s"}`:   {0, journal.ErrFenced},
		`{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"stream":"s"}`:      {0, journal.ErrFenced},
		`{"error":{"code":400,"err_code":10054,"description":"message size exceeds"},"stream":"s"}`:     {0, journal.ErrTooLarge},
		`{"error":{"code":500,"err_code":10047,"description":"insufficient storage"},"stream":"s"}`:     {0, journal.ErrFull},
		`{"error":{"code":503,"err_code":10077,"description":"write: no space left on device"}}`:        {0, journal.ErrFull},
		`{"error":{"code":503,"err_code":10077,"description":"something else"}}`:                        {0, journal.ErrUnavailable},
		`{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavail."}}`: {0, journal.ErrUnavailable},
		``:                      {0, journal.ErrUnavailable},
		`not json`:              {0, journal.ErrUncertain},
		`{"stream":"s","seq":}`: {0, journal.ErrUncertain},
	} {
		if seq, err := journal.ReadAck(data); seq != want.seq || !errors.Is(err, want.err) {
			t.Errorf("%s: got %d, %v", data, seq, err)
		}
	}
}
