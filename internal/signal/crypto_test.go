package signal_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hikyaku/hikyaku/internal/signal"
)

func TestMac32AgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	var key [32]byte
	var msg [64]byte
	for n := range len(msg) + 1 {
		_, _ = rand.Read(key[:])
		_, _ = rand.Read(msg[:])
		h := hmac.New(sha256.New, key[:])
		h.Write(msg[:n])
		if got := signal.Mac32(&key, msg[:n]); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Fatalf("%d bytes differ", n)
		}
	}
}

func TestKDFAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	var salt, secret [32]byte
	for _, n := range []int{1, 32, 64, 80, 200} {
		_, _ = rand.Read(salt[:])
		_, _ = rand.Read(secret[:])
		want, err := hkdf.Key(sha256.New, secret[:], salt[:], "WhisperMessageKeys", n)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, n)
		signal.KDF(&salt, &secret, "WhisperMessageKeys", got)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes differ", n)
		}
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	for i := range 50 { // half of the keys have the sign bit that Sign has to remove
		k := newKey(t)
		msg := []byte(strings.Repeat("m", i))
		sig := k.Sign(nil, msg)
		pub := k.Public()
		if !pub.Verify(msg, sig[:]) {
			t.Fatal("own signature does not verify")
		}
		if sig[63]&0x80 != 0 {
			t.Fatal("signature carries a sign bit")
		}
		if pub.Verify(append(msg, 0), sig[:]) || pub.Verify(msg, sig[:63]) {
			t.Fatal("wrong message or length verifies")
		}
		for _, at := range []int{0, 31, 32, 63} {
			bad := sig
			bad[at] ^= 0x80 >> (at % 8)
			if pub.Verify(msg, bad[:]) {
				t.Fatalf("signature with byte %d changed verifies", at)
			}
		}
		if again := k.Sign(nil, msg); again == sig {
			t.Fatal("nonce repeated")
		}
		same := k.Sign(iotest.ErrReader(io.EOF), msg)
		if same != k.Sign(iotest.ErrReader(io.EOF), msg) || !pub.Verify(msg, same[:]) {
			t.Fatal("without randomness a signature is deterministic and valid")
		}
	}
}

func TestNonCanonicalKeysDoNotVerify(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	sig := k.Sign(nil, []byte("m"))
	pub := k.Public()
	pub[32] |= 0x80
	if pub.Verify([]byte("m"), sig[:]) {
		t.Error("top bit of the key is ignored")
	}
	pub = k.Public()
	pub[0] = 6
	if pub.Verify([]byte("m"), sig[:]) {
		t.Error("type byte of the key is ignored")
	}
	for _, b := range []byte{0xec, 0xed, 0xee, 0xff, 0} { // p-1 (no Edwards counterpart), p, p+1, …
		weird := signal.PublicKey(bytes.Repeat([]byte{0xff}, 33))
		weird[0], weird[1], weird[32] = 5, b, 0x7f
		weird.Verify([]byte("m"), sig[:]) // must not panic
	}
}

func TestKeysAreParsedStrictly(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	pub := k.Public()
	if got, err := signal.ParsePublicKey(pub.Bytes()); err != nil || got != pub {
		t.Error(err)
	}
	again, err := signal.ParsePrivateKey(k.Bytes())
	if err != nil || again.Public() != pub || again.IsZero() {
		t.Error(err)
	}
	kem, err := signal.GenerateKEMPrivateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	same, err := signal.ParseKEMPrivateKey(kem.Bytes())
	if err != nil || !bytes.Equal(same.Public(), kem.Public()) || len(kem.Public()) != 1569 || kem.Public()[0] != 0x0a {
		t.Error("KEM key changed by parsing", err)
	}
	for name, err := range map[string]error{
		"short public":  second(signal.ParsePublicKey(pub[:32])),
		"typeless":      second(signal.ParsePublicKey(append(pub[1:], 5))),
		"short private": second(signal.ParsePrivateKey(k.Bytes()[1:])),
		"short seed":    second(signal.ParseKEMPrivateKey(kem.Bytes()[1:])),
	} {
		if !errors.Is(err, signal.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestSecretsStayOutOfLogs(t *testing.T) {
	t.Parallel()
	a, _ := pair(t)
	for _, v := range []any{a.id.Key, a.kem[9], a.session, a.id} {
		for _, secret := range [][]byte{a.id.Key.Bytes(), a.kem[9].Bytes()} {
			if out := fmt.Sprintf("%v %x", v, v); strings.Contains(out, fmt.Sprintf("%d", secret)) ||
				strings.Contains(out, hex.EncodeToString(secret)) {
				t.Errorf("%T prints its secret: %s", v, out)
			}
		}
	}
}

func TestIdentityHash(t *testing.T) {
	t.Parallel()
	k, err := signal.ParsePublicKey(append([]byte{5}, make([]byte, 32)...))
	if err != nil {
		t.Fatal(err)
	}
	if got := signal.IdentityHash(k); got != "46WAPNL7G8Q=" {
		t.Errorf("identity hash %q", got)
	}
}

// TestSafetyNumber uses the published test vector of libsignal's displayable fingerprint: the same construction.
func TestSafetyNumber(t *testing.T) {
	t.Parallel()
	key := func(s string) signal.PublicKey {
		raw, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		k, err := signal.ParsePublicKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	alice := key("0506863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868")
	bob := key("05f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b")
	const want = "300354477692869396892869876765458257569162576843440918079131"
	if got := signal.SafetyNumber(alice, "+14152222222", bob, "+14153333333"); got != want {
		t.Errorf("safety number %s, want %s", got, want)
	}
	if got := signal.SafetyNumber(bob, "+14153333333", alice, "+14152222222"); got != want {
		t.Errorf("from the other side %s, want %s", got, want)
	}
	if half := signal.SafetyHalf(alice, "+14152222222"); len(half) != 30 || !strings.Contains(want, half) {
		t.Errorf("half %s", half)
	}
}
