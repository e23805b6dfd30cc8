package signal_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/hikyaku/hikyaku/internal/signal"
)

func TestStoredFormIsReadStrictly(t *testing.T) {
	t.Parallel()
	a, b := newPeer(t), newPeer(t)
	a.initiate(b)
	ms := a.burst(3)
	b.mustReceive(ms[2])
	for _, data := range [][]byte{stored(t, a.session), stored(t, b.session)} {
		for n := range data {
			if _, err := signal.ParseSession(data[:n]); !errors.Is(err, signal.ErrFormat) {
				t.Fatalf("first %d of %d bytes: %v", n, len(data), err)
			}
		}
		for name, bad := range map[string][]byte{
			"trailing byte":       append(slices.Clone(data), 0),
			"unknown version":     with(data, 0, 2),
			"two current states":  with(data, 1, 2),
			"archived overflow":   with(data, 2, signal.MaxArchived+1),
			"unknown flags":       with(data, 3, data[3]|0x80),
			"one-time, no header": with(data, 3, data[3]&^4|8),
		} {
			if _, err := signal.ParseSession(bad); !errors.Is(err, signal.ErrFormat) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// with returns a copy of data with one byte replaced.
func with(data []byte, at int, v byte) []byte {
	data = slices.Clone(data)
	data[at] = v
	return data
}

// field encodes one protobuf field: a varint, or a byte string.
func field(num int, v any) []byte {
	switch v := v.(type) {
	case int:
		return binary.AppendUvarint([]byte{byte(num << 3)}, uint64(v))
	case []byte:
		return append(binary.AppendUvarint([]byte{byte(num<<3 | 2)}, uint64(len(v))), v...)
	}
	panic("field of another type")
}

func TestMessagesAreReadStrictly(t *testing.T) {
	t.Parallel()
	_, b := pair(t)
	pub := b.id.Key.Public()
	key, number, text, tag := field(1, pub[:]), field(2, 0), field(4, make([]byte, 16)), make([]byte, 8)
	v := []byte{0x44}
	for name, c := range map[string]struct {
		wire []byte
		want error
	}{
		"well formed, from nobody": {slices.Concat(v, key, number, text, tag), signal.ErrBadMAC},
		"reserved field 5 ignored": {slices.Concat(v, key, number, text, field(5, pub[:]), tag), signal.ErrBadMAC},
		"unknown fields ignored": {
			slices.Concat(v, key, number, text, field(9, 1), []byte{0x51, 1, 2, 3, 4, 5, 6, 7, 8, 0x5d, 1, 2, 3, 4}, tag),
			signal.ErrBadMAC,
		},
		"empty":                   {nil, signal.ErrFormat},
		"version only":            {v, signal.ErrFormat},
		"other version":           {slices.Concat([]byte{0x34}, key, number, text, tag), signal.ErrFormat},
		"no ratchet key":          {slices.Concat(v, number, text, tag), signal.ErrFormat},
		"no number":               {slices.Concat(v, key, text, tag), signal.ErrFormat},
		"no ciphertext":           {slices.Concat(v, key, number, tag), signal.ErrFormat},
		"not whole blocks":        {slices.Concat(v, key, number, field(4, make([]byte, 15)), tag), signal.ErrFormat},
		"number over 32 bits":     {slices.Concat(v, key, field(2, 1<<32), text, tag), signal.ErrFormat},
		"number as bytes":         {slices.Concat(v, key, field(2, []byte{1}), text, tag), signal.ErrFormat},
		"key as number":           {slices.Concat(v, field(1, 5), number, text, tag), signal.ErrFormat},
		"key of another type":     {slices.Concat(v, field(1, make([]byte, 33)), number, text, tag), signal.ErrFormat},
		"ciphertext as number":    {slices.Concat(v, key, number, field(4, 16), tag), signal.ErrFormat},
		"group":                   {slices.Concat(v, key, number, text, []byte{0x4b}, tag), signal.ErrFormat},
		"field 0":                 {slices.Concat(v, key, number, text, []byte{0x00, 0}, tag), signal.ErrFormat},
		"cut inside a length":     {slices.Concat(v, key, number, text, []byte{0x4a, 0x80}, tag), signal.ErrFormat},
		"cut inside a varint":     {slices.Concat(v, key, number, text, []byte{0x48, 0x80}, tag), signal.ErrFormat},
		"length over the end":     {slices.Concat(v, key, number, text, []byte{0x4a, 200, 1}, tag), signal.ErrFormat},
		"fixed field over end":    {slices.Concat(v, key, number, text, []byte{0x4d, 1}, tag), signal.ErrFormat},
		"the version of X3DH":     {slices.Concat([]byte{0x33}, key, number, text, tag), signal.ErrBadMAC},
		"last number of a chain":  {slices.Concat(v, key, field(2, 1<<32-1), text, tag), signal.ErrTooFarAhead},
		"first message as second": {slices.Concat(v, field(2, pub[:]), field(3, pub[:]), tag), signal.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, _, err := signal.Receive(nil, b.suite, b.id, b, b.session, signal.Msg, c.wire); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestFirstMessagesAreReadStrictly(t *testing.T) {
	t.Parallel()
	b := newPeer(t)
	b.suite.AllowX3DH = true
	pub := b.id.Key.Public()
	inner := slices.Concat([]byte{0x44}, field(1, pub[:]), field(2, 0), field(4, make([]byte, 16)), make([]byte, 8))
	base, identity, body, signed := field(2, pub[:]), field(3, pub[:]), field(4, inner), field(6, 7)
	kem := slices.Concat(field(7, 9), field(8, append([]byte{0x0a}, make([]byte, 1568)...)))
	v := []byte{0x44}
	for name, c := range map[string]struct {
		wire []byte
		want error
	}{
		"well formed, from nobody": {slices.Concat(v, base, identity, body, signed, kem), signal.ErrBadMAC},
		"empty":                    {nil, signal.ErrFormat},
		"no base key":              {slices.Concat(v, identity, body, signed, kem), signal.ErrFormat},
		"no identity key":          {slices.Concat(v, base, body, signed, kem), signal.ErrFormat},
		"no inner message":         {slices.Concat(v, base, identity, signed, kem), signal.ErrFormat},
		"no signed prekey":         {slices.Concat(v, base, identity, body, kem), signal.ErrFormat},
		"no KEM ciphertext":        {slices.Concat(v, base, identity, body, signed, field(7, 9)), signal.ErrFormat},
		"no KEM prekey id":         {slices.Concat(v, base, identity, body, signed, kem[2:]), signal.ErrFormat},
		"short KEM ciphertext":     {slices.Concat(v, base, identity, body, signed, field(7, 9), field(8, []byte{0x0a})), signal.ErrFormat},
		"outer version differs":    {slices.Concat([]byte{0x33}, base, identity, body, signed), signal.ErrFormat},
		"damaged inner message":    {slices.Concat(v, base, identity, field(4, inner[:20]), signed, kem), signal.ErrFormat},
		"damaged field":            {slices.Concat(v, base, identity, body, signed, kem, []byte{0x0f}), signal.ErrFormat},
		"unknown one-time prekey":  {slices.Concat(v, field(1, 5), base, identity, body, signed, kem), signal.ErrUnknownPreKey},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, _, err := signal.Receive(nil, b.suite, b.id, b, nil, signal.Pre, c.wire); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, err := signal.ParsePreKeyInfo(c.wire); err != nil && !errors.Is(err, signal.ErrFormat) {
				t.Errorf("info: %v", err)
			}
		})
	}
}
