//go:build crash

package crash

import (
	"encoding/hex"
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/signal"
)

var errWire = errors.New("not a Signal message")

// messageKey names the key that a ciphertext was made with: the sender's ratchet key and the number in its chain.
func messageKey(wire []byte, pre bool) (string, error) {
	if pre {
		if _, err := signal.ParsePreKeyInfo(wire); err != nil {
			return "", err
		}
		inner, _, err := field(wire, 4)
		if err != nil {
			return "", err
		}
		wire = inner
	}
	if len(wire) < 9 {
		return "", errWire
	}
	body := wire[:len(wire)-8] // the rest is the MAC
	ratchet, _, err := field(body, 1)
	if err != nil {
		return "", err
	}
	_, counter, err := field(body, 2)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(ratchet) + "/" + hex.EncodeToString([]byte{byte(counter >> 24), byte(counter >> 16), byte(counter >> 8), byte(counter)}), nil
}

// field finds a protobuf field behind the version byte.
func field(wire []byte, want protowire.Number) ([]byte, uint64, error) {
	if len(wire) == 0 {
		return nil, 0, errWire
	}
	for b := wire[1:]; len(b) > 0; {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, 0, errWire
		}
		b = b[n:]
		n = protowire.ConsumeFieldValue(num, kind, b)
		if n < 0 {
			return nil, 0, errWire
		}
		if num == want {
			switch kind {
			case protowire.BytesType:
				v, _ := protowire.ConsumeBytes(b)
				return v, 0, nil
			case protowire.VarintType:
				v, _ := protowire.ConsumeVarint(b)
				return nil, v, nil
			}
		}
		b = b[n:]
	}
	return nil, 0, errWire
}

func TestMessageKeyIsReadFromTheWire(t *testing.T) {
	t.Parallel()
	body := []byte{0x44}
	body = protowire.AppendTag(body, 1, protowire.BytesType)
	body = protowire.AppendBytes(body, []byte{5, 1, 2})
	body = protowire.AppendTag(body, 2, protowire.VarintType)
	body = protowire.AppendVarint(body, 300)
	body = append(body, 1, 2, 3, 4, 5, 6, 7, 8)
	key, err := messageKey(body, false)
	if err != nil || key != "050102/0000012c" {
		t.Errorf("%q, %v", key, err)
	}
	if _, err := messageKey(body[:5], false); err == nil {
		t.Error("a cut message was read")
	}
}
