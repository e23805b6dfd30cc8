package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An uploaded file is downloaded through the URL that the API returns, on the same origin, also after a start; only
// ciphertext is in the data directory.
func TestMediaOnThePublicPort(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	content := strings.Repeat("a canary in a text file\n", 2000)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	f, err := m.CreateFormFile("file", "menu.txt") // in front of what belongs to it
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	for k, v := range map[string]string{"messaging_product": "whatsapp", "type": "text/plain"} {
		if err == nil {
			err = m.WriteField(k, v)
		}
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, address, kind string, body io.Reader) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, address, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.start.Token)
		if kind != "" {
			req.Header.Set("Content-Type", kind)
		}
		res, err := s.place.HTTP.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	var d struct{ ID, URL string }
	status, body := call("POST", s.app.PublicURL()+"/"+version+"/106540352242922/media", m.FormDataContentType(), &form)
	if err := json.Unmarshal([]byte(body), &d); err != nil || status != 200 || d.ID == "" {
		t.Fatalf("upload: %d %s", status, body)
	}
	for range 2 {
		status, body = call("GET", s.app.PublicURL()+"/"+version+"/"+d.ID, "", nil)
		if err := json.Unmarshal([]byte(body), &d); err != nil || status != 200 || !strings.HasPrefix(d.URL, s.app.PublicURL()+"/media/?mid="+d.ID) {
			t.Fatalf("describe: %d %s", status, body)
		}
		if status, body = call("GET", d.URL, "", nil); status != 200 || body != content {
			t.Fatalf("download: %d, %d bytes", status, len(body))
		}
		s.down()
		s.up()
	}
	s.down()
	err = filepath.WalkDir(s.options.Data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("a canary in a text file")) {
			t.Errorf("%s holds the file in clear", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
