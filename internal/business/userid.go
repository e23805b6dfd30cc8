package business

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"math/big"
	"math/bits"
	"strconv"
	"sync"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// A business-scoped user id is the country of the user's number, a dot, and the number encrypted under a key of the
// portfolio: one AES block of the digits and 64 zero bits, written in base 62. So nothing has to be stored, an id of
// another portfolio or a made-up one does not decrypt to anything, and ids of two portfolios cannot be matched. The same
// user always has the same id, and a user with a new number a new one. Source: spec/messages.md section 3.2 for the form,
// spec/webhooks.md section 48; the construction is ours.

// userIDLength is that of the part behind the dot: 62^22 is the first power of 62 above 2^128.
const userIDLength = 22

// noCountry stands for the country of numbers that belong to none: satellite phones and the like.
const noCountry = "ZZ"

// scopes makes and reads business-scoped user ids.
type scopes struct {
	key []byte

	mu         sync.RWMutex
	portfolios map[wa.BusinessID]cipher.Block
}

func (s *scopes) block(id wa.BusinessID) (cipher.Block, error) {
	s.mu.RLock()
	b, ok := s.portfolios[id]
	s.mu.RUnlock()
	if ok {
		return b, nil
	}
	key, err := hkdf.Key(sha256.New, s.key, nil, "business-scoped user ids/"+string(id), 32)
	if err != nil {
		return nil, err
	}
	if b, err = aes.NewCipher(key); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.portfolios == nil {
		s.portfolios = map[wa.BusinessID]cipher.Block{}
	}
	s.portfolios[id] = b
	return b, nil
}

// UserID is the id under which the portfolio that owns the account knows the user; empty for an unknown account, a user
// that is no phone number, and a service without a key.
func (s *Service) UserID(waba wa.WABAID, user wa.WaID) string {
	w, ok := s.WABA(waba)
	if !ok || len(s.scopes.key) == 0 {
		return ""
	}
	digits, err := strconv.ParseUint(string(user), 10, 64)
	if err != nil || user[0] < '1' || user[0] > '9' {
		return ""
	}
	b, err := s.scopes.block(w.Owner)
	if err != nil {
		return ""
	}
	var raw [aes.BlockSize]byte
	binary.BigEndian.PutUint64(raw[:], digits)
	b.Encrypt(raw[:], raw[:])
	country, _ := wa.CountryOf(user)
	if len(country) != 2 || country[0] < 'A' || country[0] > 'Z' {
		country = noCountry
	}
	var id [len(noCountry) + 1 + userIDLength]byte
	copy(id[:], country)
	id[len(noCountry)] = '.'
	base62(id[len(noCountry)+1:], binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:]))
	return string(id[:])
}

// base62 fills dst with the digits of a number of 128 bits, as [big.Int.Text] writes them, zeros in front: a status has
// no time for a big.Int.
func base62(dst []byte, high, low uint64) {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for i := len(dst) - 1; i >= 0; i-- {
		var rest uint64
		high, rest = high/62, high%62
		low, rest = bits.Div64(rest, low, 62)
		dst[i] = digits[rest]
	}
}

// UserOf finds the user whom the portfolio that owns the account knows by this id. ok is false for every id that UserID
// did not make for this portfolio.
func (s *Service) UserOf(waba wa.WABAID, id string) (user wa.WaID, ok bool) {
	w, known := s.WABA(waba)
	if !known || len(s.scopes.key) == 0 || len(id) != len(noCountry)+1+userIDLength {
		return "", false
	}
	n, valid := new(big.Int).SetString(id[len(noCountry)+1:], 62)
	if !valid || n.Sign() < 0 || n.BitLen() > 8*aes.BlockSize {
		return "", false
	}
	b, err := s.scopes.block(w.Owner)
	if err != nil {
		return "", false
	}
	var raw [aes.BlockSize]byte
	n.FillBytes(raw[:])
	b.Decrypt(raw[:], raw[:])
	user = wa.WaID(strconv.FormatUint(binary.BigEndian.Uint64(raw[:]), 10))
	if subtle.ConstantTimeCompare([]byte(s.UserID(waba, user)), []byte(id)) != 1 {
		return "", false
	}
	return user, true
}
