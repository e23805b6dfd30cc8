package signal_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"testing"

	"github.com/hikyaku/hikyaku/internal/signal"
)

// hexBytes is a byte string that JSON carries as hexadecimal digits.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// transcript is one conversation recorded from another implementation.
type transcript struct {
	Name    string   `json:"name"`
	Version int      `json:"message_version"`
	Role    string   `json:"role"`
	Base    hexBytes `json:"base_private"`
	Bundle  struct {
		Identity  hexBytes `json:"identity"`
		KEM       hexBytes `json:"kem_prekey"`
		KEMID     uint32   `json:"kem_prekey_id"`
		KEMSig    hexBytes `json:"kem_prekey_signature"`
		OneTime   hexBytes `json:"one_time_prekey"`
		OneTimeID uint32   `json:"one_time_prekey_id"`
		Signed    hexBytes `json:"signed_prekey"`
		SignedID  uint32   `json:"signed_prekey_id"`
		SignedSig hexBytes `json:"signed_prekey_signature"`
	} `json:"bundle"`
	KEMText  hexBytes `json:"kem_ciphertext"`
	KEMKey   hexBytes `json:"kem_shared_secret"`
	Identity hexBytes `json:"local_identity_private"`
	RegID    uint32   `json:"local_registration_id"`
	OneTime  hexBytes `json:"one_time_prekey_private"`
	Signed   hexBytes `json:"signed_prekey_private"`
	Steps    []struct {
		Dir        string   `json:"dir"`
		NewRatchet hexBytes `json:"new_ratchet_private"`
		Plaintext  string   `json:"plaintext"`
		PreKey     bool     `json:"prekey"`
		Wire       hexBytes `json:"wire"`
	} `json:"steps"`
}

// replayKEM stands for the peer's KEM: it knows one secret and its ciphertext.
type replayKEM struct{ secret, text []byte }

func (k replayKEM) CheckPublicKey([]byte) error { return nil }

func (k replayKEM) Encapsulate(io.Reader, []byte) ([]byte, []byte, error) {
	return k.secret, k.text, nil
}

func (k replayKEM) Decapsulate(signal.KEMPrivateKey, []byte) ([]byte, error) { return k.secret, nil }

// replayKeys answers every id with the transcript's keys.
type replayKeys struct{ signed, oneTime signal.PrivateKey }

func (k replayKeys) SignedPreKey(uint32) (signal.PrivateKey, bool)  { return k.signed, true }
func (k replayKeys) OneTimePreKey(uint32) (signal.PrivateKey, bool) { return k.oneTime, true }
func (k replayKeys) KEMPreKey(uint32) (signal.KEMPrivateKey, bool) {
	return signal.KEMPrivateKey{}, true
}

func loadTranscripts(tb testing.TB) []transcript {
	tb.Helper()
	data, err := os.ReadFile("testdata/signal.json")
	if err != nil {
		tb.Fatal(err)
	}
	var ts []transcript
	if err := json.Unmarshal(data, &ts); err != nil {
		tb.Fatal(err)
	}
	return ts
}

func mustPrivate(tb testing.TB, raw []byte) signal.PrivateKey {
	tb.Helper()
	k, err := signal.ParsePrivateKey(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func (tr *transcript) bundle(tb testing.TB) *signal.Bundle {
	tb.Helper()
	public := func(b []byte) signal.PublicKey {
		k, err := signal.ParsePublicKey(b)
		if err != nil {
			tb.Fatal(err)
		}
		return k
	}
	b := &tr.Bundle
	return &signal.Bundle{
		IdentityKey:   public(b.Identity),
		SignedPreKey:  signal.SignedPreKey{ID: b.SignedID, Key: public(b.Signed), Sig: b.SignedSig},
		KEMPreKey:     signal.KEMPreKey{ID: b.KEMID, Key: b.KEM, Sig: b.KEMSig},
		OneTimePreKey: &signal.OneTimePreKey{ID: b.OneTimeID, Key: public(b.OneTime)},
	}
}

// TestTranscripts replays conversations recorded from two other implementations: what they sent decrypts, and with the
// same random choices we send the same bytes. The session is stored and loaded between steps in every second run.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	ts := loadTranscripts(t)
	if len(ts) != 4 {
		t.Fatalf("%d transcripts, want 4", len(ts))
	}
	for _, tr := range ts {
		for _, reload := range []bool{false, true} {
			name := tr.Name
			if reload {
				name += "/reloaded"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				tr.replay(t, reload)
			})
		}
	}
}

func (tr *transcript) replay(t *testing.T, reload bool) {
	t.Helper()
	suite := signal.Suite{
		Label:     "WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024",
		LabelX3DH: "WhisperText",
		KEM:       replayKEM{tr.KEMKey, tr.KEMText},
		AllowX3DH: tr.Version == 3,
	}
	local := signal.Identity{Key: mustPrivate(t, tr.Identity), RegistrationID: tr.RegID}
	var session *signal.Session
	var keys replayKeys
	if tr.Role == "initiator" {
		r := bytes.NewReader(append(append([]byte{}, tr.Base...), tr.Steps[0].NewRatchet...))
		var err error
		if session, err = signal.Initiate(r, suite, local, tr.bundle(t)); err != nil {
			t.Fatal(err)
		}
	} else {
		keys = replayKeys{mustPrivate(t, tr.Signed), mustPrivate(t, tr.OneTime)}
	}
	for i, step := range tr.Steps {
		want := signal.Msg
		if step.PreKey {
			want = signal.Pre
		}
		switch step.Dir {
		case "send":
			kind, wire, err := session.Encrypt(bytes.NewReader(step.NewRatchet), []byte(step.Plaintext))
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			if kind != want || !bytes.Equal(wire, step.Wire) {
				t.Fatalf("step %d: sent %s\n%x\nwant %s\n%x", i, kind, wire, want, []byte(step.Wire))
			}
		case "recv":
			plaintext, next, oneTime, err := signal.Receive(nil, suite, local, keys, session, want, step.Wire)
			if err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			if string(plaintext) != step.Plaintext {
				t.Fatalf("step %d: received %q, want %q", i, plaintext, step.Plaintext)
			}
			if (oneTime != nil) != (session == nil) {
				t.Fatalf("step %d: one-time prekey %v", i, oneTime)
			}
			session = next
		default:
			t.Fatalf("step %d: direction %q", i, step.Dir)
		}
		if reload {
			session = reloaded(t, session)
		}
	}
}

// TestTranscriptSignatures checks the prekey signatures the other implementations made.
func TestTranscriptSignatures(t *testing.T) {
	t.Parallel()
	for _, tr := range loadTranscripts(t) {
		if tr.Role != "initiator" {
			continue
		}
		b := tr.bundle(t)
		if !b.IdentityKey.Verify(b.SignedPreKey.Key[:], b.SignedPreKey.Sig) {
			t.Errorf("%s: signed prekey does not verify", tr.Name)
		}
		if len(b.KEMPreKey.Key) > 0 && !b.IdentityKey.Verify(b.KEMPreKey.Key, b.KEMPreKey.Sig) {
			t.Errorf("%s: KEM prekey does not verify", tr.Name)
		}
	}
}

// stored returns the stored form of s.
func stored(tb testing.TB, s *signal.Session) []byte {
	tb.Helper()
	if s == nil {
		return nil
	}
	data, err := s.AppendBinary(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// reloaded returns s after a trip through its stored form.
func reloaded(tb testing.TB, s *signal.Session) *signal.Session {
	tb.Helper()
	data := stored(tb, s)
	next, err := signal.ParseSession(data)
	if err != nil {
		tb.Fatal(err)
	}
	if again := stored(tb, next); !bytes.Equal(again, data) {
		tb.Fatalf("stored form changed by loading:\n%x\n%x", data, again)
	}
	return next
}
