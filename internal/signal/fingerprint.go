package signal

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
)

// fingerprintRounds makes it expensive to search for a key with a chosen number.
const fingerprintRounds = 5200

// IdentityHash is what the API calls identity_key_hash: 12 characters of standard base64 over the first 8 bytes of
// SHA-256("identity-v1" ‖ 33-byte key). Source: design "The user network", section 1.
func IdentityHash(k PublicKey) string {
	sum := sha256.Sum256(append([]byte("identity-v1"), k[:]...))
	return base64.StdEncoding.EncodeToString(sum[:8])
}

// SafetyHalf is one side's 30 digits of the [SafetyNumber]: they depend on that side's identity key and wa_id only. It
// takes about 2 ms on purpose.
func SafetyHalf(k PublicKey, waID string) string {
	h := sha512.New()
	sum := append([]byte{0, 0}, k[:]...) // two bytes of version
	sum = append(sum, waID...)
	for range fingerprintRounds {
		h.Reset()
		h.Write(sum)
		h.Write(k[:])
		sum = h.Sum(sum[:0])
	}
	digits := make([]byte, 0, 30)
	for i := range 6 {
		var n uint64
		for _, b := range sum[5*i : 5*i+5] {
			n = n<<8 | uint64(b)
		}
		digits = fmt.Appendf(digits, "%05d", n%100000)
	}
	return string(digits)
}

// SafetyNumber is the 60 digits both ends can compare to see that nobody replaced a key between them. Both get the same
// digits, whichever side asks. Show it as six groups of ten.
func SafetyNumber(a PublicKey, aWaID string, b PublicKey, bWaID string) string {
	x, y := SafetyHalf(a, aWaID), SafetyHalf(b, bWaID)
	if x > y {
		x, y = y, x
	}
	return x + y
}
