package property_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
	"github.com/hikyaku/hikyaku/internal/network/frame"
	"github.com/hikyaku/hikyaku/test/child"
	"github.com/hikyaku/hikyaku/test/fidelity"
	"github.com/hikyaku/hikyaku/test/property"
)

// shelf has a file of every kind.
var shelf = map[string]struct {
	mime, name string
	data       []byte
}{
	"image":    {"image/png", "terrace.png", mediatest.PNG(8, 8)},
	"video":    {"video/mp4", "tour.mp4", mediatest.MP4()},
	"audio":    {"audio/ogg", "note.ogg", mediatest.Ogg(1)},
	"document": {"application/pdf", "menu.pdf", mediatest.PDF(200)},
	"sticker":  {"image/webp", "wave.webp", mediatest.WebP(512, 512, false, 1000)},
}

const party = `{
  "version": "7.3", "screens": [
    {"id": "GUESTS", "title": "Form", "terminal": true, "success": true, "layout": {"type": "SingleColumnLayout", "children": [
       {"type": "TextInput", "name": "name", "label": "Name", "required": true},
       {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {"name": "${form.name}"}}}]}}]}`

// stand is a platform in this process with its business's receiver, and a phone for each of its numbers.
type stand struct {
	t     *testing.T
	clock *clock.Controlled
	start child.Starter
	place *child.Place
	hooks child.Receiver
	spec  *fidelity.Spec // nil without the published file
	world property.World
	home  pair
	india pair

	mu     sync.Mutex
	more   *sync.Cond // something happened: a webhook came, or a device moved
	bodies map[string]string
}

// pair is a business number and a phone that it writes to.
type pair struct {
	number, digits string
	phone          *phone
	userID         string
}

func open(t *testing.T) *stand {
	t.Helper()
	s := &stand{
		t: t, start: child.Declared(), clock: clock.NewFake(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)), bodies: map[string]string{},
	}
	s.more = sync.NewCond(&s.mu)
	s.hooks.Secret, s.hooks.Verify = s.start.Secret, s.start.Verify
	var err error
	if s.spec, err = fidelity.Open(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(s.start.YAML()), 0o600); err != nil {
		t.Fatal(err)
	}
	a := app.New(app.Options{
		Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Config: config, Sandbox: true, NoPreviews: true,
		WebhookBatch: 1, Clock: s.clock, Logger: slog.New(slog.DiscardHandler),
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.place = &child.Place{
		Public: s.port(a.PublicURL()), Control: s.port(a.ControlURL()), Clock: clock.System(), HTTP: &http.Client{Timeout: 20 * time.Second},
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		s.place.HTTP.CloseIdleConnections()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	s.prepare()
	return s
}

func (s *stand) port(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		s.t.Fatal(err)
	}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// prepare makes everything that messages refer to.
func (s *stand) prepare() {
	s.t.Helper()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, f := range shelf {
			if f.name == path.Base(r.URL.Path) {
				w.Header().Set("Content-Type", f.mime)
				_, _ = w.Write(f.data)
			}
		}
	}))
	s.t.Cleanup(origin.Close)
	receiver := httptest.NewServer(http.HandlerFunc(s.hear))
	s.t.Cleanup(receiver.Close)
	s.call("POST", s.start.App+"/subscriptions", s.start.App+"|"+s.start.Secret, map[string]string{
		"object": "whatsapp_business_account", "callback_url": receiver.URL, "verify_token": s.start.Verify, "fields": "messages",
	})
	s.graph("POST", s.start.WABA+"/subscribed_apps", nil)

	s.world.Files = map[string]property.File{}
	handles := map[string]string{}
	for kind, f := range shelf {
		s.world.Files[kind] = property.File{ID: s.upload(kind), Link: origin.URL + "/files/" + f.name}
		if kind == "audio" || kind == "sticker" {
			continue // no header shows them
		}
		session := decode[struct{ ID string }](s.t, s.graph("POST", s.start.App+"/uploads?file_type="+url.QueryEscape(f.mime)+"&file_length="+strconv.Itoa(len(f.data)), nil))
		handles[kind] = decode[struct{ H string }](s.t, s.raw(session.ID, "application/octet-stream", f.data)).H
	}
	s.world.Name, s.world.Entry = "party", "GUESTS"
	s.world.Flow = decode[struct{ ID string }](s.t, s.graph("POST", s.start.WABA+"/flows", map[string]any{
		"name": s.world.Name, "categories": []string{"OTHER"}, "publish": true, "flow_json": party,
	})).ID
	for _, t := range property.Templates(handles, s.world.Flow) {
		s.graph("POST", s.start.WABA+"/message_templates", t)
	}
	s.clock.Advance(2 * time.Second) // the review
	s.control("POST", "idle", map[string]string{"timeout": "20s"})
	s.clock.Advance(10 * time.Minute) // until the marketing edge knows them
	s.world.Now = s.clock.Now()

	number := decode[struct{ ID string }](s.t, s.control("POST", "numbers", map[string]string{"phone": "919876543210", "name": "Delhi"})).ID
	s.home = pair{number: s.start.Number, digits: s.start.Phone, phone: s.register("12025550143", "Ana")}
	s.india = pair{number: number, digits: "919876543210", phone: s.register("919811112222", "Asha")}
	for _, p := range []*pair{&s.home, &s.india} {
		_, hook := s.says(s.t, p, device.TextContent("hi"))
		p.userID = hook.FromUserID
	}
}

// hear is the business's receiver.
func (s *stand) hear(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.hooks.ServeHTTP(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys(body) {
		s.bodies[key] = string(body)
	}
	s.more.Broadcast()
}

// waits is how long something may take that nothing holds up.
const waits = 20 * time.Second

// until waits for a condition; false when it does not come true.
func (s *stand) until(ok func() bool) bool {
	late := false
	timer := time.AfterFunc(waits, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.more.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() {
		if late {
			return false
		}
		s.more.Wait()
	}
	return true
}

func (s *stand) call(method, path, token string, body any) *child.Answer {
	s.t.Helper()
	a, err := s.place.Graph(s.t.Context(), method, "v23.0/"+path, token, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// graph insists on 200.
func (s *stand) graph(method, path string, body any) []byte {
	s.t.Helper()
	a := s.call(method, path, s.start.Token, body)
	if a.Status != http.StatusOK {
		b, _ := json.Marshal(body)
		s.t.Fatalf("%s %s: HTTP %d %s\n%s", method, path, a.Status, a.Body, b)
	}
	return a.Body
}

func (s *stand) control(method, path string, body any) []byte {
	s.t.Helper()
	a, err := s.place.Do(s.t.Context(), method, "/control/v1/"+path, body)
	if err != nil || a.Status != http.StatusOK {
		s.t.Fatalf("%s %s: %v %+v", method, path, err, a)
	}
	return a.Body
}

// raw posts bytes.
func (s *stand) raw(path, kind string, body []byte) []byte {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.place.URL()+"/v23.0/"+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "OAuth "+s.start.Token)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("file_offset", "0")
	return s.fetch(req)
}

func (s *stand) fetch(req *http.Request) []byte {
	s.t.Helper()
	res, err := s.place.HTTP.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: HTTP %d %s %v", req.Method, req.URL, res.StatusCode, b, err)
	}
	return b
}

// upload uploads a file of the shelf and returns its media id.
func (s *stand) upload(kind string) string {
	s.t.Helper()
	f := shelf[kind]
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", f.name)
	if err == nil {
		_, err = part.Write(f.data)
	}
	for k, v := range map[string]string{"messaging_product": "whatsapp", "type": f.mime} {
		if err == nil {
			err = m.WriteField(k, v)
		}
	}
	if err != nil || m.Close() != nil {
		s.t.Fatal(err)
	}
	return decode[struct{ ID string }](s.t, s.raw(s.start.Number+"/media", m.FormDataContentType(), form.Bytes())).ID
}

func decode[V any](t *testing.T, b []byte) (v V) {
	t.Helper()
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return v
}

// phone is a device of a person, connected by a socket.
type phone struct {
	digits string
	link   *device.Link
}

func (s *stand) register(digits, name string) *phone {
	s.t.Helper()
	t := s.t
	r := device.Registrar{Server: s.place.URL(), HTTP: s.place.HTTP}
	code, err := r.RequestCode(t.Context(), "+"+digits, "sms", "en")
	if err != nil {
		t.Fatal(err)
	}
	caught := decode[struct{ Data []struct{ Code string } }](t, s.control("GET", "codes?phone="+digits, nil)).Data
	if len(caught) == 0 {
		t.Fatal("no code was sent")
	}
	d, err := r.Register(t.Context(), device.Registration{
		CodeID: code.CodeID, Code: caught[0].Code, Profile: name, Device: "test", Platform: frame.PlatformOther,
	}, device.Options{Clock: s.clock, History: 50})
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{digits: digits}
	p.link, err = device.NewLink(d, device.LinkOptions{Server: s.place.URL(), Clock: clock.System(), Events: func(device.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.more.Broadcast()
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.link.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return p
}

// message is one that the phone has.
func (p *phone) message(id string) (m device.Message, ok bool) {
	p.link.Look(func(d *device.Device) { m, ok = d.Message(id) })
	return m, ok
}

// own is a message of the phone's, which has no other id before the platform has it.
func (p *phone) own(clientID string) (found device.Message) {
	p.link.Look(func(d *device.Device) {
		for _, m := range d.Messages("", 0, 0) {
			if m.ClientID == clientID {
				found = m
			}
		}
	})
	return found
}
