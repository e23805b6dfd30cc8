package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program builds the program once.
var program = sync.OnceValues(func() (string, error) {
	if built := os.Getenv("HIKYAKU"); built != "" {
		return built, nil
	}
	dir, err := os.MkdirTemp("", "hikyaku-e2e")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "hikyaku")
	build := exec.Command("go", "build", "-o", path, "./cmd/hikyaku")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		_, _ = os.Stderr.Write(out)
		return "", err
	}
	return path, nil
})

// server is a platform of its own.
type server struct {
	t    *testing.T
	dir  string
	vars map[string]string // as `hikyaku env` prints them

	said, log heard // what it prints for people, and its log
}

// heard is what a program writes.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(b)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// serve starts the program; extra are flags.
func serve(t *testing.T, extra ...string) *server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, dir: t.TempDir()}
	args := append([]string{"serve", "--sandbox", "--data", s.dir, "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--seed", "1", "--clock", "2026-01-05T09:00:00Z"}, extra...)
	c := exec.Command(path, args...)
	c.Stdout, c.Stderr = &s.said, &s.log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil || t.Failed() {
			t.Logf("the server ended with %v and said:\n%s", err, s.log.String())
		}
	})
	for !strings.Contains(s.said.String(), "\n\n    ") { // the end of the banner's addresses
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server did not start: %v\n%s", err, s.log.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.vars = map[string]string{}
	if err := json.Unmarshal(s.run("env", "--json"), &s.vars); err != nil {
		t.Fatal(err)
	}
	return s
}

// run is a command of the program about this server's data.
func (s *server) run(args ...string) []byte {
	s.t.Helper()
	path, _ := program()
	out, err := exec.Command(path, append(args, "--data", s.dir)...).Output()
	if err != nil {
		s.t.Fatalf("hikyaku %v: %v", args, err)
	}
	return out
}

// answer is what the API answered.
type answer struct {
	status int
	body   string
	code   int // of the error
	sub    int
}

// call makes a call; a path that begins with /control goes to the control API.
func (s *server) call(method, path, token, body string) answer {
	s.t.Helper()
	base := s.vars["BASE_URL"]
	if strings.HasPrefix(path, "/control") {
		base = s.vars["CONTROL_URL"]
	}
	r, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, body: string(text)}
	var e struct {
		Error struct {
			Code int `json:"code"`
			Sub  int `json:"error_subcode"`
		} `json:"error"`
	}
	_ = json.Unmarshal(text, &e)
	a.code, a.sub = e.Error.Code, e.Error.Sub
	return a
}

// idle waits until nothing is in flight.
func (s *server) idle() {
	s.t.Helper()
	if a := s.call("POST", "/control/v1/idle", "", `{"timeout":"10s"}`); a.status != 200 {
		s.t.Fatalf("idle: %s", a.body)
	}
}

// chat is what the user's device holds.
func (s *server) chat(user string) string {
	s.t.Helper()
	s.idle()
	return s.call("GET", "/control/v1/users/"+user+"/messages", "", "").body
}

// shell runs a command line as it was copied from a page.
func (s *server) shell(command string) string {
	s.t.Helper()
	out, err := exec.Command("sh", "-c", command).Output()
	if err != nil {
		s.t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}
