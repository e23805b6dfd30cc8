package record_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// kinds has one record of every kind, with all fields at zero.
var kinds = []record.Record{
	&record.Accepted{}, &record.Sealed{},
	&record.Status{Of: record.KindSent}, &record.Status{Of: record.KindDelivered}, &record.Status{Of: record.KindRead},
	&record.Status{Of: record.KindPlayed}, &record.Status{Of: record.KindFailed},
	&record.Received{}, &record.Marked{}, &record.Item{}, &record.Acked{}, &record.Blocked{}, &record.Dropped{}, &record.Feedback{},
	&record.Notice{}, &record.Standing{}, &record.Clicked{},
}

// memoryOnly are the clear fields, which must never be stored.
var memoryOnly = map[string]bool{
	"Accepted.Body": true, "Accepted.Opaque": true, "Status.Opaque": true, "Received.Body": true,
	"Notice.Value": true,
}

const secret = "CLEAR-TEXT"

// fill draws a value for every field of r by reflection, so that a new field without a place in the stored form fails the
// round trip. Memory-only fields get the secret.
func fill(t *rapid.T, r record.Record) {
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name
		switch {
		case name == "Status.Of":
		case memoryOnly[name] && f.Kind() == reflect.String:
			f.SetString(secret)
		case memoryOnly[name]:
			f.SetBytes([]byte(secret))
		case f.Kind() == reflect.String:
			f.SetString(rapid.StringN(0, 20, -1).Draw(t, name))
		case f.Kind() == reflect.Slice:
			if b := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, name); len(b) > 0 {
				f.SetBytes(b)
			}
		case f.Kind() == reflect.Bool:
			f.SetBool(rapid.Bool().Draw(t, name))
		case f.CanInt():
			f.SetInt(rapid.Int64().Draw(t, name))
		case f.Kind() == reflect.Uint32:
			f.SetUint(uint64(rapid.Uint32().Draw(t, name)))
		case f.CanUint():
			f.SetUint(rapid.Uint64().Draw(t, name))
		default:
			t.Fatalf("do not know how to fill %s", name)
		}
	}
}

// stored is r as a reader from disk sees it.
func stored(r record.Record) record.Record {
	v := reflect.ValueOf(r).Elem()
	c := reflect.New(v.Type())
	c.Elem().Set(v)
	for i := range v.NumField() {
		if memoryOnly[v.Type().Name()+"."+v.Type().Field(i).Name] {
			c.Elem().Field(i).SetZero()
		}
	}
	return c.Interface().(record.Record)
}

func blank(r record.Record) record.Record {
	c := reflect.New(reflect.TypeOf(r).Elem()).Interface().(record.Record)
	if s, ok := c.(*record.Status); ok {
		s.Of = r.Kind()
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var want []record.Record
		var b []byte
		for range rapid.IntRange(1, 5).Draw(t, "records") {
			r := blank(rapid.SampledFrom(kinds).Draw(t, "kind"))
			fill(t, r)
			b = record.Append(b, r)
			want = append(want, stored(r))
		}
		if bytes.Contains(b, []byte(secret)) {
			t.Fatal("clear text is in the stored form")
		}
		for i, w := range want {
			var r record.Record
			var err error
			if r, b, err = record.Next(b); err != nil {
				t.Fatalf("record %d: %v", i, err)
			}
			if !reflect.DeepEqual(r, w) {
				t.Fatalf("record %d is %+v, want %+v", i, r, w)
			}
		}
		if len(b) != 0 {
			t.Fatalf("%d bytes are left", len(b))
		}
	})
}

func TestEveryKindIsStored(t *testing.T) {
	t.Parallel()
	seen := map[record.Kind]bool{}
	for _, r := range kinds {
		got, rest, err := record.Next(record.Append(nil, r))
		if err != nil || len(rest) != 0 || !reflect.DeepEqual(got, r) {
			t.Errorf("kind %d: got %+v, %v", r.Kind(), got, err)
		}
		seen[r.Kind()] = true
	}
	for k := record.KindAccepted; k <= record.KindDropped; k++ {
		if !seen[k] {
			t.Errorf("kind %d has no case", k)
		}
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	t.Parallel()
	for _, r := range kinds {
		payload := record.Append(nil, r)[4:]
		payload = protowire.AppendTag(payload, 900, protowire.BytesType)
		payload = protowire.AppendString(payload, "of a newer version")
		payload = protowire.AppendTag(payload, 901, protowire.VarintType)
		payload = protowire.AppendVarint(payload, 1<<40)
		payload = protowire.AppendTag(payload, 902, protowire.Fixed64Type)
		payload = protowire.AppendFixed64(payload, 7)
		payload = protowire.AppendTag(payload, 903, protowire.Fixed32Type)
		payload = protowire.AppendFixed32(payload, 7)
		got, rest, err := record.Next(frameOf(r.Kind(), payload))
		if err != nil || len(rest) != 0 || !reflect.DeepEqual(got, r) {
			t.Errorf("kind %d: got %+v, %v", r.Kind(), got, err)
		}
	}
}

func TestUnknownKindsAreSkipped(t *testing.T) {
	t.Parallel()
	b := frameOf(200, []byte("\xff\xff whatever a newer version stores"))
	b = record.Append(b, &record.Marked{ID: "wamid.1"})
	r, b, err := record.Next(b)
	if u, ok := r.(record.Unknown); err != nil || !ok || u.Of != 200 || u.Kind() != 200 {
		t.Fatalf("got %+v, %v", r, err)
	}
	if r, _, err = record.Next(b); err != nil || r.(*record.Marked).ID != "wamid.1" {
		t.Fatalf("the record after it is %+v, %v", r, err)
	}
}

// frameOf is a record of any kind with the given payload.
func frameOf(k record.Kind, payload []byte) []byte {
	return protowire.AppendBytes([]byte{byte(k)}, payload)
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	whole := record.Append(nil, &record.Marked{ID: "wamid.1", At: 5})
	for name, b := range map[string][]byte{
		"nothing":                      {},
		"a kind alone":                 {1},
		"a length beyond the end":      {1, 100, 0},
		"a payload that is cut off":    whole[:len(whole)-1],
		"field number 0":               frameOf(record.KindMarked, []byte{0x02, 0}),
		"text beyond its payload":      frameOf(record.KindMarked, []byte{0x0a, 9, 'x'}),
		"a number without end":         frameOf(record.KindMarked, []byte{0x28, 0xff}),
		"a fixed number that is short": frameOf(record.KindMarked, []byte{0x29, 1, 2}),
	} {
		if r, _, err := record.Next(b); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
}

func TestFieldsDoNotOverlap(t *testing.T) {
	t.Parallel()
	b := record.Append(nil, &record.Sealed{Cipher: []byte("cipher"), Session: []byte("session")})
	r, _, err := record.Next(b)
	if err != nil {
		t.Fatal(err)
	}
	s := r.(*record.Sealed)
	_ = append(s.Cipher, "overwrites what follows"...)
	if string(s.Session) != "session" {
		t.Errorf("appending to one field changed the next to %q", s.Session)
	}
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	for k := record.KindAccepted; k <= record.KindDropped; k++ {
		want := map[record.Kind]wa.Status{
			record.KindSent: wa.StatusSent, record.KindDelivered: wa.StatusDelivered, record.KindRead: wa.StatusRead,
			record.KindPlayed: wa.StatusPlayed, record.KindFailed: wa.StatusFailed,
		}[k]
		if got := record.StatusOf(k); got != want {
			t.Errorf("kind %d has status %q, want %q", k, got, want)
		}
	}
}

// FuzzRecord: decoding never panics, and what decodes survives another round.
func FuzzRecord(f *testing.F) {
	for _, r := range kinds {
		f.Add(record.Append(nil, r))
	}
	f.Add(record.Append(nil, &record.Status{Of: record.KindFailed, ID: "wamid.1", Code: 131026, Details: "x", SealedOpaque: []byte{1}}))
	f.Add(frameOf(99, []byte("later")))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, rest, err := record.Next(b)
		if err != nil {
			return
		}
		if len(rest) >= len(b) {
			t.Fatal("nothing was consumed")
		}
		again, rest, err := record.Next(record.Append(nil, r))
		if err != nil || len(rest) != 0 || !equal(again, r) {
			t.Fatalf("got %+v, %v, want %+v", again, err, r)
		}
	})
}

// equal treats empty and missing bytes alike: an empty field is not stored.
func equal(a, b record.Record) bool {
	return bytes.Equal(record.Append(nil, a), record.Append(nil, b)) && a.Kind() == b.Kind()
}

func BenchmarkAppend(b *testing.B) {
	r := &record.Status{
		Of: record.KindSent, ID: "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA", Number: "106540352242922", WABA: "102290129340398",
		To: "16505551234", At: 1700000000000, Type: "text", Category: "service", PricingType: "regular", Priced: true,
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for range b.N {
		buf = record.Append(buf[:0], r)
	}
}

func BenchmarkNext(b *testing.B) {
	buf := record.Append(nil, &record.Status{
		Of: record.KindSent, ID: "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA", Number: "106540352242922", WABA: "102290129340398",
		To: "16505551234", At: 1700000000000, Type: "text", Category: "service", PricingType: "regular", Priced: true,
	})
	b.ReportAllocs()
	for range b.N {
		if _, _, err := record.Next(buf); err != nil {
			b.Fatal(err)
		}
	}
}
