package frame_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

func fill(n int) []byte { return bytes.Repeat([]byte{7}, n) }

func deviceFrames() []frame.Frame {
	key := frame.SignedKey{ID: 3, Key: fill(frame.PublicKeySize), Sig: fill(frame.SigSize)}
	kem := frame.SignedKey{ID: 4, Key: fill(frame.KEMKeySize), Sig: fill(frame.SigSize)}
	return []frame.Frame{
		&frame.Auth{Device: "15550142233.1", Sig: fill(64), LastSeq: 41, Client: "cli/1"},
		&frame.Ack{Seq: 4182, Read: []string{"wamid.HBgL", "wamid.é"}},
		&frame.Ack{Seq: frame.MaxSeq},
		&frame.Receipt{State: frame.StatePlayed, IDs: []string{"wamid.A"}, TS: 1767225630},
		&frame.Send{R: 7, ID: "0K9c4QmVfE2uHcA7", To: "15550783881", K: frame.KindPreKey, Ct: fill(70), TS: 1767225630},
		&frame.Retry{Seq: 9, ID: "wamid.B", Reason: frame.RetryBadMAC},
		&frame.BundleRequest{R: 8, Of: "15550783881"},
		&frame.PreKeys{R: 9, SignedPreKey: &key, KEMPreKey: &kem, OneTime: []frame.OneTimeKey{{ID: 1, Key: fill(33)}}},
		&frame.Act{R: 10, Do: frame.DoBlock, Of: "15550783881", Reason: "spam"},
		&frame.Profile{R: 11, Name: new("Ann \"A\" <b>"), ReadReceipts: new(false), PIN: new("")},
		&frame.Find{R: 12, Q: "Lucky Shrub"},
	}
}

func serverFrames() []frame.Frame {
	return []frame.Frame{
		&frame.Hello{V: 1, Nonce: fill(32), Time: 1767225600, Host: "localhost:8080"},
		&frame.Welcome{LastSeq: 3, Pending: 2, OneTimeLeft: 50, Limits: frame.DefaultLimits()},
		&frame.Bye{Reason: "restart", After: 1500},
		&frame.Deliver{Items: []frame.Item{
			{Seq: 4182, ID: "wamid.HBgLMTU", From: "15550783881", K: frame.KindMessage, Ct: fill(99), TS: 1, Exp: 2},
			{Seq: 4183, From: "15550783881", K: frame.KindEvent, TS: 1, Ev: &frame.Event{Kind: frame.EventRead, IDs: []string{"wamid.\u2028x"}}},
			{From: "15550783881", K: frame.KindEvent, TS: 1, Ev: &frame.Event{Kind: frame.EventTyping, For: 25}},
		}},
		&frame.Sent{R: 7, ID: "0K9c4QmVfE2uHcA7", Wamid: "wamid.H\"\\", TS: 1767225630},
		&frame.Bundle{R: 8, Of: "1", IdentityKey: fill(33), RegistrationID: 5, SignedPreKey: frame.SignedKey{ID: 1, Key: fill(33), Sig: fill(64)}},
		&frame.OK{R: 9, OneTimeLeft: new(0), Found: []frame.Business{{WaID: "1", Name: "x"}}},
		&frame.OK{},
		&frame.Low{OneTimeLeft: 9},
		&frame.Error{R: 8, Code: frame.ErrRate, Text: "20 messages per second", After: 350},
	}
}

func TestEncodeThenDecodeIsIdentity(t *testing.T) {
	t.Parallel()
	for from, list := range map[string][]frame.Frame{"device": deviceFrames(), "server": serverFrames()} {
		decode := frame.FromDevice
		if from == "server" {
			decode = frame.FromServer
		}
		for _, f := range list {
			data, err := frame.Encode(f)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(data, []byte(`{"t":"`+f.Type()+`"`)) {
				t.Errorf("%s does not begin with its type: %s", f.Type(), data)
			}
			got, err := decode(data)
			if err != nil {
				t.Errorf("%s: %v\n%s", f.Type(), err, data)
			} else if !reflect.DeepEqual(got, f) {
				t.Errorf("%s came back as\n%#v, was\n%#v", f.Type(), got, f)
			}
		}
	}
}

// The frames written by hand must be what the struct tags say.
func TestHandWrittenFormMatchesTags(t *testing.T) {
	t.Parallel()
	for _, f := range append(deviceFrames(), serverFrames()...) {
		data, err := frame.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		tagged, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		var got, want map[string]any
		if err := errors.Join(json.Unmarshal(data, &got), json.Unmarshal(tagged, &want)); err != nil {
			t.Fatal(err)
		}
		want["t"] = string(f.Type())
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", f.Type(), got, want)
		}
	}
}

func TestAboutSizeIsAnUpperBound(t *testing.T) {
	t.Parallel()
	for _, f := range serverFrames() {
		d, ok := f.(*frame.Deliver)
		if !ok {
			continue
		}
		for i := range d.Items {
			one, err := frame.Encode(&frame.Deliver{Items: d.Items[i : i+1]})
			if err != nil {
				t.Fatal(err)
			}
			if len(one) > d.Items[i].AboutSize()+30 {
				t.Errorf("item %d: %d bytes, estimated %d", i, len(one), d.Items[i].AboutSize())
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     frame.Code // "" for ErrMalformed
		r        uint64
	}{
		{"no JSON", `hello`, "", 0},
		{"no type", `{"r":1}`, "", 0},
		{"cut off", `{"t":"ack","seq":1`, "", 0},
		{"an array", `[1]`, "", 0},
		{"too long", `{"t":"find","q":"` + strings.Repeat("x", frame.MaxFrame) + `"}`, "", 0},
		{"unknown type", `{"t":"dance","r":5}`, frame.ErrUnsupported, 5},
		{"server's frame", `{"t":"deliver","items":[]}`, frame.ErrUnsupported, 0},
		{"type not first", `{"r":6,"t":"find"}`, frame.ErrFormat, 6},
		{"not base64", `{"t":"send","r":3,"id":"0K9c4QmVfE2uHcA7","to":"1","k":"msg","ct":"%%"}`, frame.ErrFormat, 3},
		{"id too short", `{"t":"send","r":3,"id":"short","to":"1","k":"msg","ct":"AA=="}`, frame.ErrFormat, 3},
		{"wrong kind", `{"t":"send","r":3,"id":"0K9c4QmVfE2uHcA7","to":"1","k":"evt","ct":"AA=="}`, frame.ErrFormat, 3},
		{"seq as text", `{"t":"ack","seq":"9"}`, frame.ErrFormat, 0},
		{"negative seq", `{"t":"ack","seq":-1}`, frame.ErrFormat, 0},
		{"receipt without ids", `{"t":"receipt","state":"read"}`, frame.ErrFormat, 0},
		{"device zero", `{"t":"auth","device":"15550142233.0","sig":""}`, frame.ErrFormat, 0},
		{"PIN of letters", `{"t":"profile","r":2,"pin":"abcdef"}`, frame.ErrFormat, 2},
	} {
		_, err := frame.FromDevice([]byte(tc.in))
		if tc.want == "" {
			if !errors.Is(err, frame.ErrMalformed) {
				t.Errorf("%s: %v, want malformed", tc.name, err)
			}
			continue
		}
		e, ok := errors.AsType[*frame.Error](err)
		if !ok || e.Code != tc.want || e.R != tc.r {
			t.Errorf("%s: %#v, want %s for request %d", tc.name, err, tc.want, tc.r)
		}
	}
}

func TestUnknownMembersAreIgnored(t *testing.T) {
	t.Parallel()
	f, err := frame.FromDevice([]byte(`{"t":"ack","seq":3,"mood":"good"}`))
	if err != nil || f.(*frame.Ack).Seq != 3 {
		t.Fatalf("got %v, %v", f, err)
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []frame.Code{
		frame.ErrFormat, frame.ErrBadSignature, frame.ErrCodeWrong, frame.ErrCodeExpired, frame.ErrPINRequired,
		frame.ErrPINWrong, frame.ErrUnauthorized, frame.ErrNotFound, frame.ErrGone, frame.ErrConflict, frame.ErrStaleKey,
		frame.ErrUndecryptable, frame.ErrBlocked, frame.ErrBlocking, frame.ErrRate, frame.ErrTooLarge, frame.ErrBusy, frame.ErrUnsupported,
	} {
		if c.Status() >= 500 && c != frame.ErrBusy {
			t.Errorf("%s has no status", c)
		}
	}
}

func TestAuthMessage(t *testing.T) {
	t.Parallel()
	got := frame.AuthMessage("h:1", []byte{1, 2}, "15.1")
	if want := "network-auth-v1h:1\x00\x01\x0215.1"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzFrame(f *testing.F) {
	for _, x := range append(deviceFrames(), serverFrames()...) {
		data, err := frame.Encode(x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, decode := range []func([]byte) (frame.Frame, error){frame.FromDevice, frame.FromServer} {
			x, err := decode(data)
			if err != nil {
				if _, ok := errors.AsType[*frame.Error](err); !ok && !errors.Is(err, frame.ErrMalformed) {
					t.Fatalf("error outside the contract: %v", err)
				}
				continue
			}
			again, err := frame.Encode(x)
			if err != nil {
				t.Fatal(err)
			}
			y, err := decode(again)
			if err != nil {
				t.Fatalf("own encoding refused: %v\n%s", err, again)
			}
			third, err := frame.Encode(y)
			if err != nil || !bytes.Equal(again, third) {
				t.Fatalf("encoding not stable:\n%s\n%s", again, third)
			}
		}
	})
}

func BenchmarkEncodeDeliver(b *testing.B) {
	d := &frame.Deliver{}
	for i := range 10 {
		d.Items = append(d.Items, frame.Item{Seq: uint64(i), ID: "wamid.HBgLMTU1NTAxNDIyMzM", From: "15550783881", K: frame.KindMessage, Ct: fill(300), TS: 1})
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf, _ = frame.AppendJSON(buf[:0], d)
	}
}

func BenchmarkDecodeAck(b *testing.B) {
	data := []byte(`{"t":"ack","seq":4182,"read":["wamid.HBgLMTU1NTAxNDIyMzM"]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := frame.FromDevice(data); err != nil {
			b.Fatal(err)
		}
	}
}
