package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/media/mediatest"
)

// fetch calls the public port with the starter token.
func (s *stand) fetch(method, address, kind string, body io.Reader) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, address, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.start.Token)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := s.place.HTTP.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// upload sends a file, in front of the parameters that belong to it, and returns its id.
func (s *stand) upload(kind, content string) string {
	s.t.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	f, err := m.CreateFormFile("file", "a.bin")
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	for k, v := range map[string]string{"messaging_product": "whatsapp", "type": kind} {
		if err == nil {
			err = m.WriteField(k, v)
		}
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	status, body := s.fetch("POST", s.app.PublicURL()+"/"+version+"/"+s.start.Number+"/media", m.FormDataContentType(), &form)
	d := decode[struct{ ID string }](s.t, []byte(body))
	if status != 200 || d.ID == "" {
		s.t.Fatalf("upload: %d %s", status, body)
	}
	return d.ID
}

// An uploaded file is downloaded through the URL that the API returns, on the same origin, also after a start; only
// ciphertext is in the data directory.
func TestMediaOnThePublicPort(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	content := strings.Repeat("a canary in a text file\n", 2000)
	id := s.upload("text/plain", content)
	for range 2 {
		status, body := s.fetch("GET", s.app.PublicURL()+"/"+version+"/"+id, "", nil)
		d := decode[struct{ URL string }](t, []byte(body))
		if status != 200 || !strings.HasPrefix(d.URL, s.app.PublicURL()+"/media/?mid="+id) {
			t.Fatalf("describe: %d %s", status, body)
		}
		if status, body = s.fetch("GET", d.URL, "", nil); status != 200 || body != content {
			t.Fatalf("download: %d, %d bytes", status, len(body))
		}
		s.down()
		s.up()
	}
	s.down()
	err := filepath.WalkDir(s.options.Data, func(path string, e fs.DirEntry, err error) error {
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

// An image by id and one by link reach the user's device, which opens them; a link that leads nowhere fails the message
// without a sent status; a user's file is taken over. Source: spec/media.md sections 20.1, 20.2 and 20.3.
func TestMediaToAndFro(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	png := mediatest.PNG(32, 32)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		if r.URL.Path != "/a.png" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(png)
	}))
	t.Cleanup(origin.Close)
	s := run(t, nil)
	s.subscribe()
	send := func(image map[string]string) string {
		t.Helper()
		return s.send(map[string]any{"messaging_product": "whatsapp", "to": "+" + s.start.User, "type": "image", "image": image})
	}
	id := s.upload("image/png", string(png))
	for name, image := range map[string]map[string]string{
		"by id":         {"id": id, "caption": "Voucher"},
		"by link":       {"link": origin.URL + "/a.png"},
		"by link again": {"link": origin.URL + "/a.png", "caption": "once more"},
	} {
		wamid := send(image)
		s.idle()
		s.status(wamid, "delivered")
		file := decode[struct {
			Kind string
			MIME string `json:"mime_type"`
			Data []byte
		}](t, s.control("GET", "users/"+s.start.User+"/media?message_id="+url.QueryEscape(wamid), nil))
		if file.Kind != "image" || file.MIME != "image/png" || !bytes.Equal(file.Data, png) {
			t.Errorf("%s: the device has %s %s, %d bytes", name, file.Kind, file.MIME, len(file.Data))
		}
	}
	if n := hits.Load(); n != 1 {
		t.Errorf("the link was fetched %d times", n)
	}
	lost := send(map[string]string{"link": origin.URL + "/menu.pdf"})
	s.idle()
	contains(t, "the status", s.status(lost, "failed").Content, `"error_data":{"details":"Downloading media from weblink failed with http code 404, status message Not Found"}`)
	if _, ok := s.hooks.Find(lost, "sent"); ok {
		t.Error("a sent status precedes the failure")
	}
	answer, err := json.Marshal(map[string]any{
		"to": s.start.Phone, "type": "image", "image": map[string]any{"data": png, "mime_type": "image/png", "caption": "Is this yours?"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.hooks.take()
	s.control("POST", "users/"+s.start.User+"/messages", json.RawMessage(answer))
	s.idle()
	s.downloads(s.hooks.take(), png)
	res, err := s.place.HTTP.Get(s.app.ControlURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	metrics, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"hikyaku_media_received_total 1", "hikyaku_media_uploads_total 1", `hikyaku_media_links_total{outcome="fetched"} 1`,
		`hikyaku_media_links_total{outcome="cached"} 1`, `hikyaku_media_links_total{outcome="failed"} 1`,
	} {
		contains(t, "/metrics", string(metrics), line+"\n")
	}
}

// downloads fetches the file of an inbound message from the address in its webhook, with the token, for five minutes.
// Source: spec/media.md sections 9 and 20.4.
func (s *stand) downloads(bodies []string, want []byte) {
	s.t.Helper()
	type hook struct {
		Entry []struct {
			Changes []struct {
				Value struct {
					Messages []struct {
						Timestamp string
						Image     struct{ ID, SHA256, URL string }
					}
				}
			}
		}
	}
	if len(bodies) != 1 {
		s.t.Fatalf("webhooks: %q", bodies)
	}
	m := decode[hook](s.t, []byte(bodies[0])).Entry[0].Changes[0].Value.Messages[0]
	sum := sha256.Sum256(want)
	sent, err := strconv.Atoi(m.Timestamp)
	if err != nil || m.Image.SHA256 != base64.StdEncoding.EncodeToString(sum[:]) ||
		!strings.HasPrefix(m.Image.URL, fmt.Sprintf("%s/media/?mid=%s&source=webhook&ext=%d&hash=AR", s.app.PublicURL(), m.Image.ID, sent+300)) {
		s.t.Fatalf("%+v, %v", m, err)
	}
	if status, body := s.fetch("GET", m.Image.URL, "", nil); status != 200 || body != string(want) {
		s.t.Errorf("download: %d, %d bytes", status, len(body))
	}
	s.advance(5 * time.Minute)
	if status, _ := s.fetch("GET", m.Image.URL, "", nil); status != 404 {
		s.t.Errorf("after five minutes: %d", status)
	}
}
