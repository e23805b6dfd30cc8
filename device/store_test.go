package device_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/device/internal/platformtest"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

func TestFileStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "home", "device")
	s, err := device.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := device.OpenFile(path); !errors.Is(err, device.ErrLocked) {
		t.Errorf("second opening: %v", err)
	}
	commit := func(step device.Step) {
		t.Helper()
		if err := s.Commit(step); err != nil {
			t.Fatal(err)
		}
	}
	commit(device.Step{Put: []device.Record{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte{0, 1, 2}}}})
	commit(device.Step{Put: []device.Record{{Key: "c", Value: nil}}, Delete: []string{"a", "nothing"}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
	s, err = device.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Load()
	if err != nil || len(list) != 2 || list[0].Key != "b" || string(list[0].Value) != "\x00\x01\x02" || list[1].Key != "c" {
		t.Errorf("loaded %v: %v", list, err)
	}
	commit(device.Step{Reset: true, Put: []device.Record{{Key: "z"}}})
	if list, _ = s.Load(); len(list) != 1 {
		t.Errorf("after reset: %v", list)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 0x40
		for _, data := range [][]byte{bad, whole[:i]} {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := device.OpenFile(path); !errors.Is(err, device.ErrDamaged) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
}

func TestRegistrar(t *testing.T) {
	t.Parallel()
	p := platformtest.New(business)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any
		switch r.URL.Path {
		case frame.PathCodes:
			answer = frame.CodeAnswer{CodeID: "cd_1", ExpiresIn: 600, RetryAfter: 60}
		case frame.PathDevices:
			var g frame.Registration
			_ = json.NewDecoder(r.Body).Decode(&g)
			if g.PIN == nil {
				e := frame.Refuse(frame.ErrPINRequired, "")
				w.WriteHeader(e.Code.Status())
				answer = e
				break
			}
			_, reg := p.Register(user, g.Device)
			reg.LastSeq = 41
			answer = reg
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(srv.Close)
	g := &device.Registrar{Server: srv.URL + "/", HTTP: srv.Client()}
	code, err := g.RequestCode(t.Context(), "+"+user, "sms", "en")
	if err != nil || code.CodeID != "cd_1" {
		t.Fatalf("code %+v: %v", code, err)
	}
	path := filepath.Join(t.TempDir(), "device")
	store, err := device.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o := device.Options{Clock: newClock(), Store: store}
	if _, err := device.Open(o); !errors.Is(err, device.ErrEmpty) {
		t.Errorf("empty store: %v", err)
	}
	form := device.Registration{CodeID: code.CodeID, Code: "482913", Profile: "Ann", Device: "test", Platform: frame.PlatformCLI}
	if _, err := g.Register(t.Context(), form, o); !errors.Is(err, frame.Refuse(frame.ErrPINRequired, "")) {
		t.Fatalf("without PIN: %v", err)
	}
	form.PIN = "123456"
	d, err := g.Register(t.Context(), form, o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := device.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "id", again.ID(), deviceID)
	equal(t, "name", again.Name(), "Ann")
	equal(t, "position", again.ResumeSeq(), 41)
	equal(t, "identity", again.IdentityHash(), d.IdentityHash())
}
