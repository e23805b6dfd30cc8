package network_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/internal/network/networktest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// office is a world with registration over HTTP.
type office struct {
	*world
	inbox *network.Inbox
	web   http.Handler
}

func newOffice(t *testing.T) *office {
	w := newWorld(nil)
	t.Cleanup(func() { w.stop(t) })
	o := &office{world: w, inbox: new(network.Inbox)}
	g := network.NewRegistrar(network.RegistrarConfig{
		Directory: w.dir, Codes: w.store, Driver: o.inbox, Businesses: w.biz, Clock: w.clock,
	})
	o.web = network.Handler(w.hub, g)
	return o
}

// post sends a body from an address and returns the status and the refusal, if it is one.
func (o *office) post(t *testing.T, path string, body, into any, addr string) (int, *frame.Error) {
	t.Helper()
	data, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		data = string(b)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(data))
	r.RemoteAddr = addr + ":1234"
	rec := httptest.NewRecorder()
	o.web.ServeHTTP(rec, r)
	if rec.Code == http.StatusOK {
		if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
		return rec.Code, nil
	}
	e := new(frame.Error)
	if err := json.Unmarshal(rec.Body.Bytes(), e); err != nil {
		t.Fatalf("%d %q: %v", rec.Code, rec.Body, err)
	}
	if rec.Code != e.Code.Status() {
		t.Errorf("%s with status %d", e.Code, rec.Code)
	}
	return rec.Code, e
}

// code asks for a code and returns its id and digits.
func (o *office) code(t *testing.T, phone string) (id, digits string) {
	t.Helper()
	var a frame.CodeAnswer
	if _, e := o.post(t, frame.PathCodes, frame.CodeRequest{Phone: phone, Method: "sms", Locale: "en"}, &a, "192.0.2.1"); e != nil {
		t.Fatalf("code for %s: %v", phone, e)
	}
	return a.CodeID, o.inbox.Codes(wa.WaID(strings.TrimPrefix(phone, "+")))[0].Code
}

func (o *office) register(t *testing.T, phone string, keys *networktest.Keys, pin *string) (*frame.Registered, *frame.Error) {
	t.Helper()
	id, code := o.code(t, phone)
	res := new(frame.Registered)
	_, e := o.post(t, frame.PathDevices, frame.Registration{CodeID: id, Code: code, PIN: pin, Name: "Ann", Device: keys.Device}, res, "192.0.2.1")
	return res, e
}

const ann = "+15550142233"

func TestRegisterAndRegisterAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first, e := o.register(t, ann, sharedKeys(), nil)
	if e != nil {
		t.Fatal(e)
	}
	if first.WaID != "15550142233" || first.Device != 1 || first.OneTimeLeft != 12 || len(first.IdentityHash) != 12 || !strings.HasPrefix(first.UserID, "u_") {
		t.Errorf("registered %+v", first)
	}
	again, e := o.register(t, ann, networktest.NewKeys(0), nil)
	if e != nil {
		t.Fatal(e)
	}
	if again.UserID != first.UserID || again.IdentityHash == first.IdentityHash {
		t.Errorf("registered again as %+v, first was %+v", again, first)
	}
	b, err := o.dir.Bundle(t.Context(), "15550142233.1")
	if err != nil || b.OneTimePreKey != nil {
		t.Errorf("bundle has a one-time prekey of the device before: %+v, %v", b, err)
	}
}

func TestRegistrationRefusals(t *testing.T) {
	t.Parallel()
	good := sharedKeys().Device
	change := func(f func(*frame.Device)) frame.Device {
		d := good
		f(&d)
		return d
	}
	for _, tc := range []struct {
		name   string
		device frame.Device
		code   func(string) string
		wait   time.Duration
		want   frame.Code
		left   int
	}{
		{name: "wrong code", device: good, code: func(c string) string { return other(c) }, want: frame.ErrCodeWrong, left: 4},
		{name: "short code", device: good, code: func(string) string { return "12" }, want: frame.ErrFormat, left: -1},
		{name: "after 10 minutes", device: good, wait: 10 * time.Minute, want: frame.ErrCodeExpired, left: -1},
		{name: "signature of another key", device: change(func(d *frame.Device) {
			d.SignedPreKey = networktest.NewKeys(0).Device.SignedPreKey
		}), want: frame.ErrBadSignature, left: -1},
		{name: "KEM key changed after signing", device: change(func(d *frame.Device) {
			d.KEMPreKey.Key = append(bytes.Clone(d.KEMPreKey.Key[:1568]), d.KEMPreKey.Key[1568]^1)
		}), want: frame.ErrBadSignature, left: -1},
		{name: "identity key of 32 bytes", device: change(func(d *frame.Device) { d.IdentityKey = d.IdentityKey[:32] }), want: frame.ErrFormat, left: -1},
		{name: "auth key missing", device: change(func(d *frame.Device) { d.AuthKey = nil }), want: frame.ErrFormat, left: -1},
		{name: "registration id 0", device: change(func(d *frame.Device) { d.RegistrationID = 0 }), want: frame.ErrFormat, left: -1},
		{name: "registration id 16381", device: change(func(d *frame.Device) { d.RegistrationID = 16381 }), want: frame.ErrFormat, left: -1},
		{name: "unknown platform", device: change(func(d *frame.Device) { d.Platform = "toaster" }), want: frame.ErrFormat, left: -1},
		{name: "name too long", device: change(func(d *frame.Device) { d.Name = strings.Repeat("x", 65) }), want: frame.ErrFormat, left: -1},
		{name: "one-time prekey twice", device: change(func(d *frame.Device) {
			d.OneTime = append(d.OneTime[:1:1], d.OneTime[0])
		}), want: frame.ErrFormat, left: -1},
		{name: "one-time prekey of another type", device: change(func(d *frame.Device) {
			d.OneTime = []frame.OneTimeKey{{ID: 1, Key: make([]byte, 33)}}
		}), want: frame.ErrFormat, left: -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			id, code := o.code(t, ann)
			o.clock.Advance(tc.wait)
			sent := code
			if tc.code != nil {
				sent = tc.code(code)
			}
			_, e := o.post(t, frame.PathDevices, frame.Registration{CodeID: id, Code: sent, Device: tc.device}, nil, "192.0.2.1")
			if e == nil || e.Code != tc.want {
				t.Fatalf("got %v, want %s", e, tc.want)
			}
			if left := e.Left; (left == nil) != (tc.left < 0) || left != nil && *left != tc.left {
				t.Errorf("tries left %v, want %d", left, tc.left)
			}
			if u, err := o.dir.Lookup(t.Context(), "15550142233"); err != nil || u != nil {
				t.Errorf("there is a user: %+v, %v", u, err)
			}
		})
	}
}

func other(code string) string {
	if code == "123456" {
		return "654321"
	}
	return "123456"
}

func TestCodeHasFiveTries(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id, code := o.code(t, ann)
	reg := frame.Registration{CodeID: id, Code: other(code), Device: sharedKeys().Device}
	for left := 4; left >= 0; left-- {
		_, e := o.post(t, frame.PathDevices, reg, nil, "192.0.2.1")
		if e == nil || e.Code != frame.ErrCodeWrong || *e.Left != left {
			t.Fatalf("got %+v, want %d tries left", e, left)
		}
	}
	reg.Code = code
	if _, e := o.post(t, frame.PathDevices, reg, nil, "192.0.2.1"); e == nil || e.Code != frame.ErrCodeExpired {
		t.Fatalf("right code after five wrong ones: %v", e)
	}
}

func TestCodeWorksOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id, code := o.code(t, ann)
	reg := frame.Registration{CodeID: id, Code: code, Device: sharedKeys().Device}
	if _, e := o.post(t, frame.PathDevices, reg, new(frame.Registered), "192.0.2.1"); e != nil {
		t.Fatal(e)
	}
	if _, e := o.post(t, frame.PathDevices, reg, nil, "192.0.2.1"); e == nil || e.Code != frame.ErrCodeExpired {
		t.Fatalf("second use: %v", e)
	}
}

func TestCodeRequests(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ask := func(body any, addr string) *frame.Error {
		_, e := o.post(t, frame.PathCodes, body, new(frame.CodeAnswer), addr)
		return e
	}
	for name, tc := range map[string]struct {
		body any
		want frame.Code
	}{
		"no JSON":           {"{", frame.ErrFormat},
		"a word":            {frame.CodeRequest{Phone: "hello"}, frame.ErrFormat},
		"too short":         {frame.CodeRequest{Phone: "+123"}, frame.ErrFormat},
		"by pigeon":         {frame.CodeRequest{Phone: ann, Method: "pigeon"}, frame.ErrFormat},
		"business number":   {frame.CodeRequest{Phone: "+" + business}, frame.ErrConflict},
		"enormous":          {`{"phone":"` + strings.Repeat("1", 70_000) + `"}`, frame.ErrTooLarge},
		"phone of no digit": {frame.CodeRequest{}, frame.ErrFormat},
	} {
		if e := ask(tc.body, "192.0.2.9"); e == nil || e.Code != tc.want {
			t.Errorf("%s: %v, want %s", name, e, tc.want)
		}
	}
	for i := range 6 {
		e := ask(frame.CodeRequest{Phone: ann}, fmt.Sprintf("192.0.2.%d", i+10))
		if limited := e != nil && e.Code == frame.ErrRate; limited != (i == 5) {
			t.Errorf("code %d for one number: %v", i+1, e)
		}
	}
	o.clock.Advance(time.Hour)
	if e := ask(frame.CodeRequest{Phone: ann}, "192.0.2.30"); e != nil {
		t.Errorf("an hour later: %v", e)
	}
	for i := range 21 {
		e := ask(frame.CodeRequest{Phone: fmt.Sprintf("+155501430%02d", i)}, "192.0.2.40")
		if limited := e != nil && e.Code == frame.ErrRate && e.After > 3_599_000; limited != (i == 20) {
			t.Errorf("code %d from one address: %v", i+1, e)
		}
	}
}

func TestPIN(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	pin, wrong := "246810", "000000"
	if _, e := o.register(t, ann, sharedKeys(), nil); e != nil {
		t.Fatal(e)
	}
	if _, err := o.dir.SetProfile(t.Context(), "15550142233", &frame.Profile{PIN: &pin}); err != nil {
		t.Fatal(err)
	}
	id, code := o.code(t, ann)
	try := func(pin *string) *frame.Error {
		reg := frame.Registration{CodeID: id, Code: code, PIN: pin, Device: sharedKeys().Device}
		_, e := o.post(t, frame.PathDevices, reg, new(frame.Registered), "192.0.2.1")
		return e
	}
	if e := try(nil); e == nil || e.Code != frame.ErrPINRequired {
		t.Fatalf("without PIN: %v", e)
	}
	for left := 4; left >= 0; left-- {
		if e := try(&wrong); e == nil || e.Code != frame.ErrPINWrong || *e.Left != left {
			t.Fatalf("wrong PIN: %+v, want %d tries left", e, left)
		}
	}
	if e := try(&pin); e == nil || e.Code != frame.ErrRate || e.After != (12*time.Hour).Milliseconds() {
		t.Fatalf("right PIN during the pause: %+v", e)
	}
	o.clock.Advance(12 * time.Hour)
	id, code = o.code(t, ann)
	if e := try(&pin); e != nil {
		t.Fatalf("right PIN after the pause: %v", e)
	}
	o.clock.Advance(7 * 24 * time.Hour)
	if _, e := o.register(t, ann, sharedKeys(), nil); e != nil {
		t.Fatalf("without PIN after 7 days: %v", e)
	}
}

func TestUnknownPathsAreUnsupported(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if status, e := o.post(t, "/network/v1/blobs", "{}", nil, "192.0.2.1"); status != 400 || e.Code != frame.ErrUnsupported {
		t.Errorf("%d %v", status, e)
	}
}

func TestDrivers(t *testing.T) {
	t.Parallel()
	m := network.CodeMessage{Phone: "15550142233", Code: "482913", Method: "sms", Locale: "en"}
	const want = `{"phone":"+15550142233","code":"482913","method":"sms","locale":"en"}`

	var got, auth string
	status := http.StatusAccepted
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, auth = string(b), r.Header.Get("Authorization")
		w.WriteHeader(status)
	}))
	defer srv.Close()
	gateway := &network.Gateway{URL: srv.URL, Token: "secret", Client: srv.Client()}
	if err := gateway.SendCode(t.Context(), m); err != nil || got != want || auth != "Bearer secret" {
		t.Errorf("gateway got %q with %q, %v", got, auth, err)
	}
	status = http.StatusBadGateway
	if err := gateway.SendCode(t.Context(), m); err == nil {
		t.Error("a gateway's 502 is no success")
	}

	file := t.TempDir() + "/code"
	program := &network.Program{Path: "/bin/sh", Args: []string{"-c", `cat > "$0"`, file}}
	if err := program.SendCode(context.Background(), m); err != nil {
		t.Error(err)
	}
	if b := readFile(t, file); b != want {
		t.Errorf("program got %q", b)
	}

	inbox := new(network.Inbox)
	fixed := &network.Fixed{Prefix: "1555", Code: "111222", Next: inbox}
	if code, ok := fixed.ChooseCode(m.Phone); !ok || code != "111222" {
		t.Errorf("fixed code %q", code)
	}
	if err := fixed.SendCode(t.Context(), m); err != nil || len(inbox.Codes("")) != 0 {
		t.Errorf("a fixed code was sent: %v", err)
	}
	m.Phone = "4915550142233"
	if _, ok := fixed.ChooseCode(m.Phone); ok {
		t.Error("fixed code outside its range")
	}
	if err := fixed.SendCode(t.Context(), m); err != nil || len(inbox.Codes(m.Phone)) != 1 {
		t.Errorf("the next driver did not get the code: %v", err)
	}
}

// FuzzRegistration posts bytes to every path where a device without an account can write: each is refused as such.
func FuzzRegistration(f *testing.F) {
	f.Add(`{"phone":"+16505550101","method":"sms"}`, "")
	f.Add(`{"code_id":"a","code":"123456","pin":""}`, "Bearer a.b")
	f.Add(`{`, "Bearer ")
	w := newWorld(nil)
	g := network.NewRegistrar(network.RegistrarConfig{Directory: w.dir, Codes: w.store, Driver: new(network.Inbox), Businesses: w.biz, Clock: w.clock})
	web := network.Handler(w.hub, g)
	f.Fuzz(func(t *testing.T, body, bearer string) {
		for _, path := range []string{frame.PathCodes, frame.PathDevices, frame.PathBlobs} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header["Authorization"] = []string{bearer}
			rec := httptest.NewRecorder()
			web.ServeHTTP(rec, r)
			if rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
				t.Errorf("%s answers %q with %d %q", path, body, rec.Code, rec.Body)
			}
		}
	})
}
