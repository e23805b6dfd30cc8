package wa_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// The samples of spec/messages.md and spec/media.md.
func TestMessageIDSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id       wa.MessageID
		user     wa.WaID
		outbound bool
		key      string
	}{
		{"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA", "15550177788", true, "4E0B77C1D93A2F6658"},
		{"wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI5QzQxRDBCN0EyRTY1RjM4MTAA", "15550177788", true, "9C41D0B7A2E65F3810"},
		{"wamid.HBgLMTU1NTAxNzc3ODgVAgASGBIzRUIwQzdBOTFENTJGNEU4MEIA", "15550177788", false, "3EB0C7A91D52F4E80B"},
		{"wamid.HBgLMTU1NTAxNzc3ODgVAgASGBQzQTZGMTlDMkIwNERFODcxNTUzMAA=", "15550177788", false, "3A6F19C2B04DE8715530"},
	} {
		m, err := wa.ParseMessageID(c.id)
		if err != nil {
			t.Errorf("%s: %v", c.id, err)
			continue
		}
		if k := strings.ToUpper(hex.EncodeToString(m.Key)); m.User != c.user || m.Outbound != c.outbound || k != c.key {
			t.Errorf("%s is %+v, key %s", c.id, m, k)
		}
		if again := wa.NewMessageID(m.User, m.Outbound, m.Key); again != c.id {
			t.Errorf("%s prints as %s", c.id, again)
		}
	}
}

func TestMessageIDShape(t *testing.T) {
	t.Parallel()
	key := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
	if out := wa.NewMessageID("15550177788", true, key); !strings.Contains(string(out), "VAgARGBI") {
		t.Errorf("outbound %s", out)
	}
	if in := wa.NewMessageID("15550177788", false, append([]byte{0x3a}, key...)); !strings.Contains(string(in), "VAgASGBQzQT") {
		t.Errorf("inbound %s", in)
	}
	for _, id := range []wa.MessageID{
		wa.NewMessageID("", true, key), wa.NewMessageID("1555017778812345", true, key), wa.NewMessageID("1555x", true, key),
		wa.NewMessageID("15550177788", true, nil), wa.NewMessageID("15550177788", true, make([]byte, 33)),
	} {
		if id != "" {
			t.Errorf("a fault of the caller gave %s", id)
		}
	}
}

func TestParseMessageIDRefuses(t *testing.T) {
	t.Parallel()
	const good = "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA"
	for fact, id := range map[string]string{
		"empty":               "",
		"prefix only":         "wamid.",
		"other prefix":        strings.Replace(good, "wamid", "wacid", 1),
		"no padding":          "wamid.HBgLMTU1NTAxNzc3ODgVAgASGBQzQTZGMTlDMkIwNERFODcxNTUzMAA",
		"line break inside":   good[:20] + "\n" + good[20:],
		"cut":                 good[:len(good)-4],
		"more behind":         good + "AAAA",
		"very long":           "wamid." + strings.Repeat("A", 1<<16),
		"lower-case key":      "wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0ZTBCNzdDMUQ5M0EyRjY2NTgA",
		"user with letters":   "wamid.HBgLYTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA",
		"length past the end": "wamid.HBj/MTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA",
	} {
		if m, err := wa.ParseMessageID(wa.MessageID(id)); err == nil {
			t.Errorf("%s: %+v", fact, m)
		}
	}
}

func TestMessageIDRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		user := wa.WaID(rapid.StringMatching(`[0-9]{1,15}`).Draw(t, "user"))
		key := rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, "key")
		outbound := rapid.Bool().Draw(t, "outbound")
		m, err := wa.ParseMessageID(wa.NewMessageID(user, outbound, key))
		if err != nil || m.User != user || m.Outbound != outbound || !bytes.Equal(m.Key, key) {
			t.Fatalf("%+v, %v", m, err)
		}
	})
}

func FuzzParseMessageID(f *testing.F) {
	f.Add("wamid.HBgLMTU1NTAxNzc3ODgVAgARGBI0RTBCNzdDMUQ5M0EyRjY2NTgA")
	f.Add("wamid.HBgLMTU1NTAxNzc3ODgVAgASGBQzQTZGMTlDMkIwNERFODcxNTUzMAA=")
	f.Fuzz(func(t *testing.T, id string) {
		m, err := wa.ParseMessageID(wa.MessageID(id))
		if err != nil {
			return
		}
		if again := wa.NewMessageID(m.User, m.Outbound, m.Key); string(again) != id {
			t.Fatalf("%q prints as %q", id, again)
		}
	})
}

func TestMessageIDAllocations(t *testing.T) {
	key := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
	var id wa.MessageID
	if n := testing.AllocsPerRun(100, func() { id = wa.NewMessageID("15550177788", true, key) }); n > 1 {
		t.Errorf("NewMessageID allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = wa.ParseMessageID(id) }); n > 2 {
		t.Errorf("ParseMessageID allocates %v times: user and key are enough", n)
	}
}

func BenchmarkMessageID(b *testing.B) {
	key := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wa.ParseMessageID(wa.NewMessageID("15550177788", true, key)); err != nil {
			b.Fatal(err)
		}
	}
}
