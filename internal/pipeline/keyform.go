package pipeline

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// The stored form of a number's keys is protobuf: field 1 identity, 2 registration id, 3 signed prekeys, 4 KEM prekeys.

var errNumberKeys = errors.New("malformed keys of a number")

func (k *numberKeys) append(b []byte) []byte {
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendBytes(b, k.identity.Key.Bytes())
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(k.identity.RegistrationID))
	for _, p := range k.signed {
		b = appendPreKey(b, 3, p.id, p.key.Bytes(), p.sig, p.created)
	}
	for _, p := range k.kem {
		b = appendPreKey(b, 4, p.id, p.key.Bytes(), p.sig, p.created)
	}
	return b
}

func appendPreKey(b []byte, field protowire.Number, id uint32, key, sig []byte, created int64) []byte {
	var in []byte
	in = protowire.AppendVarint(in, uint64(id))
	in = protowire.AppendVarint(in, uint64(created))
	in = protowire.AppendBytes(in, key)
	in = protowire.AppendBytes(in, sig)
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, in)
}

func parsePreKey(b []byte) (id uint32, key, sig []byte, created int64, err error) {
	i, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	b = b[n:]
	at, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	b = b[n:]
	key, n = protowire.ConsumeBytes(b)
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	sig, n = protowire.ConsumeBytes(b[n:])
	if n < 0 {
		return 0, nil, nil, 0, errNumberKeys
	}
	return uint32(i), key, sig, int64(at), nil
}

func parseNumberKeys(b []byte) (*numberKeys, error) {
	n := &numberKeys{}
	for len(b) > 0 {
		field, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return nil, errNumberKeys
		}
		b = b[size:]
		if typ == protowire.VarintType {
			v, size := protowire.ConsumeVarint(b)
			if size < 0 {
				return nil, errNumberKeys
			}
			b = b[size:]
			if field == 2 {
				n.identity.RegistrationID = uint32(v)
			}
			continue
		}
		v, size := protowire.ConsumeBytes(b)
		if typ != protowire.BytesType || size < 0 {
			return nil, errNumberKeys
		}
		b = b[size:]
		if err := n.field(field, v); err != nil {
			return nil, err
		}
	}
	if n.identity.Key.IsZero() || len(n.signed) == 0 || len(n.kem) == 0 {
		return nil, errNumberKeys
	}
	return n, nil
}

func (k *numberKeys) field(field protowire.Number, v []byte) (err error) {
	switch field {
	case 1:
		k.identity.Key, err = signal.ParsePrivateKey(v)
	case 3:
		p := preKey[signal.PrivateKey]{}
		var key []byte
		if p.id, key, p.sig, p.created, err = parsePreKey(v); err == nil {
			p.key, err = signal.ParsePrivateKey(key)
		}
		k.signed = append(k.signed, p)
	case 4:
		p := preKey[signal.KEMPrivateKey]{}
		var key []byte
		if p.id, key, p.sig, p.created, err = parsePreKey(v); err == nil {
			p.key, err = signal.ParseKEMPrivateKey(key)
		}
		k.kem = append(k.kem, p)
	}
	return err
}
