package scenario_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/test/scenario"
)

// play takes the steps of f and returns what really happened: the same steps with the answers and webhooks of this run.
func (s *stage) play(f *scenario.File) *scenario.File {
	s.t.Helper()
	real := &scenario.File{Name: f.Name, About: f.About, Settings: f.Settings}
	for i, step := range f.Steps {
		did := &scenario.Step{Do: step.Do, Label: step.Label, Request: step.Request}
		real.Steps = append(real.Steps, did)
		if step.Request == nil {
			s.act(step.Do)
		} else {
			did.Answer = s.call(real, step.Request, 1)
			for n := 2; n <= step.Request.Times; n++ {
				before := did.Answer.Status
				if did.Answer = s.call(real, step.Request, n); did.Answer.Status != before {
					s.t.Fatalf("%s: call %d answers %d %s", step.Do, n, did.Answer.Status, did.Answer.Body)
				}
			}
			if step.Request.Control() && step.Answer == nil && did.Answer.Status == http.StatusOK {
				did.Answer = nil // nobody asks what it says
			}
		}
		last := i == len(f.Steps)-1
		if quiet := did.Answer != nil && (step.Request.Method == http.MethodGet || did.Answer.Status >= http.StatusBadRequest); quiet && !last {
			continue // nothing comes of it; what comes all the same is told at the next step
		}
		did.Webhooks = s.idle()
	}
	return real
}

var (
	later   = regexp.MustCompile(`^(\S+) later$`)
	answers = regexp.MustCompile(`^receiver answers ([2-5]\d\d)$`)
)

// act takes a step that is no call.
func (s *stage) act(what string) {
	s.t.Helper()
	switch m := later.FindStringSubmatch(what); {
	case m != nil:
		d, err := time.ParseDuration(m[1])
		if err != nil || d <= 0 {
			s.t.Fatalf("%s: want a duration such as 25h", what)
		}
		s.control("clock", fmt.Sprintf(`{"advance": %q}`, d))
	case answers.MatchString(what):
		s.mu.Lock()
		s.status, _ = strconv.Atoi(answers.FindStringSubmatch(what)[1])
		s.mu.Unlock()
	case what == "restart":
		s.down()
		s.up()
	default:
		s.t.Fatalf("there is no step %q; see README.md", what)
	}
}

func (s *stage) control(path, body string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.app.ControlURL()+scenario.ControlPath+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if res, body := s.do(req); res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: HTTP %d %s", path, res.StatusCode, body)
	}
}

// showHeader is the pseudo header of a request that names the headers of the answer to be shown.
const showHeader = "Show"

// always are the headers of answers that are shown whenever they are there.
var always = []string{"Retry-After", "Location", "Content-Range"}

// call makes a request and reads the answer.
func (s *stage) call(f *scenario.File, r *scenario.Request, n int) *scenario.Answer {
	s.t.Helper()
	resolve := func(text string) string {
		out, err := f.Resolve(text, n)
		if err != nil {
			s.t.Fatalf("%s %s: %v", r.Method, r.Path, err)
		}
		return s.said(out)
	}
	path := strings.TrimPrefix(resolve(r.Path), publicURL)
	address := s.public(path)
	if r.Control() {
		address = s.app.ControlURL() + path
	}
	body, kind := s.body(resolve(r.Body), r.Header.Get("Content-Type"))
	req, err := http.NewRequestWithContext(s.t.Context(), r.Method, address, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for k, values := range r.Header {
		for _, v := range values {
			req.Header.Add(k, resolve(v))
		}
	}
	req.Header.Del(showHeader)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	switch {
	case r.Header.Get("Authorization") == "none":
		req.Header.Del("Authorization")
	case r.Header.Get("Authorization") == "" && !r.Control():
		req.Header.Set("Authorization", "Bearer "+s.starter.Token)
	}
	res, answer := s.do(req)
	a := &scenario.Answer{Status: res.StatusCode, Body: s.written(string(answer))}
	if kind := res.Header.Get("Content-Type"); kind != "" && !strings.HasPrefix(kind, "application/json") {
		a.Header = append(a.Header, [2]string{"Content-Type", kind})
	}
	if r.Control() {
		a.Body = strings.TrimSuffix(a.Body, "\n")
		s.learn(answer)
	}
	if !utf8.Valid(answer) {
		a.Body = fmt.Sprintf("%d bytes, SHA-256 %x", len(answer), sha256.Sum256(answer))
	}
	show := always
	for name := range strings.SplitSeq(r.Header.Get(showHeader), ",") {
		if name = strings.TrimSpace(name); name != "" {
			show = append(slices.Clip(show), name)
		}
	}
	for _, name := range show {
		for _, v := range res.Header.Values(name) {
			a.Header = append(a.Header, [2]string{name, v})
		}
	}
	return a
}

// learn takes the secret of an app that was made.
func (s *stage) learn(answer []byte) {
	var made struct {
		Secret string `json:"app_secret"`
	}
	if json.Unmarshal(answer, &made) == nil && made.Secret != "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.secrets = append(s.secrets, made.Secret)
	}
}

// body is what goes over the wire for the body of a file, and its type.
func (s *stage) body(text, kind string) ([]byte, string) {
	s.t.Helper()
	if strings.HasPrefix(kind, "multipart/form-data") {
		return s.form(text)
	}
	if name, ok := strings.CutPrefix(text, "@"); ok {
		return s.file(name), kind
	}
	if kind == "" && text != "" {
		kind = "application/json"
	}
	return []byte(text), kind
}

// boundary separates the parts of forms, always the same.
const boundary = "----scenario"

// form makes a multipart form of lines such as "file=@photo.png;type=image/png".
func (s *stage) form(text string) ([]byte, string) {
	s.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		header := textproto.MIMEHeader{}
		disposition := map[string]string{"name": name}
		content := []byte(value)
		if file, ok := strings.CutPrefix(value, "@"); ok {
			file, kind, typed := strings.Cut(file, ";type=")
			if typed {
				header.Set("Content-Type", kind)
			}
			disposition["filename"], content = file, s.file(file)
		}
		header.Set("Content-Disposition", mime.FormatMediaType("form-data", disposition))
		part, err := w.CreatePart(header)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := part.Write(content); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

func (s *stage) file(name string) []byte {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", filepath.Base(name)))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}
