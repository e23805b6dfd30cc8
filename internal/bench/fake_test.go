package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestMain lets the test binary play the platform's program: `serve` and `env`, with a fake platform. A file "faults" in
// the data directory holds the fakeFaults.
func TestMain(m *testing.M) {
	if len(os.Args) > 4 && (os.Args[1] == "serve" || os.Args[1] == "env") {
		dir := os.Args[slices.Index(os.Args, "--data")+1]
		if os.Args[1] == "env" {
			b, err := os.ReadFile(filepath.Join(dir, "env.json"))
			if err != nil {
				fmt.Fprintln(os.Stderr, "no platform there")
				os.Exit(1)
			}
			_, _ = os.Stdout.Write(b)
			return
		}
		os.Exit(serveFake(dir))
	}
	os.Exit(m.Run())
}

func serveFake(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var faults fakeFaults
	if b, err := os.ReadFile(filepath.Join(dir, "faults")); err == nil {
		if err := json.Unmarshal(b, &faults); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	f := newFake(faults)
	defer f.close()
	if faults.NeverReady {
		fmt.Fprintln(os.Stderr, "the disk is made of cheese")
		return 3
	}
	b, _ := json.Marshal(f.env())
	if err := os.WriteFile(filepath.Join(dir, "env.json"), b, 0o600); err != nil {
		return 2
	}
	fmt.Println("the fake is ready")
	select {
	case <-ctx.Done():
		return 0
	case <-f.dead:
		fmt.Fprintln(os.Stderr, "journal: out of cheese")
		return 4
	}
}

// fakeFaults say what a fake platform does wrong, by the number of the message. 0 is never.
type fakeFaults struct {
	LoseRead, DoubleSent, Fail, Refuse, LoseReply int
	Forge                                         bool
	Refetch                                       bool // every message fetches its link
	NeverReady                                    bool
	DieAt                                         int
}

// fake is a platform that accepts everything and reports every status at once. Every third message is answered.
type fake struct {
	faults         fakeFaults
	graph, control *httptest.Server
	dead           chan struct{}
	transport      *http.Transport

	mu       sync.Mutex
	callback *url.URL
	messages int
	received int
	way, top int            // messages on their way: now, and most at once
	pictures map[string]int // messages by what their picture is named by
	levels   map[string]int
	users    int
	work     sync.WaitGroup
}

func newFake(faults fakeFaults) *fake {
	f := &fake{faults: faults, dead: make(chan struct{}), transport: transport(64), levels: map[string]int{}, pictures: map[string]int{}}
	graph, control := http.NewServeMux(), http.NewServeMux()
	graph.HandleFunc("POST /v23.0/app/subscriptions", f.subscribe)
	graph.HandleFunc("POST /v23.0/waba/subscribed_apps", func(http.ResponseWriter, *http.Request) {})
	graph.HandleFunc("POST /v23.0/{number}/messages", f.accept)
	graph.HandleFunc("POST /v23.0/n0/media", func(w http.ResponseWriter, r *http.Request) {
		file, _, err := r.FormFile("file")
		if err == nil {
			_, err = png.DecodeConfig(file)
		}
		if err != nil || r.FormValue("messaging_product") != "whatsapp" {
			http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"id":"184672"}`)
	})
	control.HandleFunc("POST /control/v1/users", f.createUsers)
	control.HandleFunc("POST /control/v1/users/{user}/messages", func(_ http.ResponseWriter, r *http.Request) { f.inbound(r.PathValue("user"), true) })
	control.HandleFunc("POST /control/v1/numbers", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Phone string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		fmt.Fprintf(w, `{"id":"n%s","wa_id":"%s"}`, plain(in.Phone), plain(in.Phone))
	})
	control.HandleFunc("POST /control/v1/numbers/{id}/throughput", func(_ http.ResponseWriter, r *http.Request) {
		var in struct{ MPS int }
		_ = json.NewDecoder(r.Body).Decode(&in)
		f.mu.Lock()
		f.levels[r.PathValue("id")] = in.MPS
		f.mu.Unlock()
	})
	control.HandleFunc("POST /control/v1/idle", func(http.ResponseWriter, *http.Request) { f.work.Wait() })
	control.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		fmt.Fprintf(w, "# HELP x y\n%s %d\nother{a=\"b c\"} 1\n%s 1.5\n%s 1e+08\n", metricReceived, f.received, metricCPU, metricRSS)
	})
	control.HandleFunc("GET /debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "profile of ", r.FormValue("seconds")) })
	f.graph, f.control = httptest.NewServer(graph), httptest.NewServer(control)
	return f
}

func (f *fake) close() {
	f.graph.Close()
	f.control.Close()
	f.work.Wait()
	f.transport.CloseIdleConnections()
}

func (f *fake) env() map[string]string {
	return map[string]string{
		"BASE_URL": f.graph.URL, "CONTROL_URL": f.control.URL, "TOKEN": "t", "GRAPH_VERSION": "v23.0", "APP_ID": "app",
		"APP_SECRET": secret, "VERIFY_TOKEN": "verify", "WABA_ID": "waba", "PHONE_NUMBER_ID": "n0", "DISPLAY_PHONE_NUMBER": "+1 555-078-3881",
	}
}

func (f *fake) subscribe(w http.ResponseWriter, r *http.Request) {
	u, err := url.Parse(r.FormValue("callback_url"))
	if err == nil {
		var res *http.Response
		if res, err = http.Get(u.String() + "?hub.mode=subscribe&hub.challenge=42&hub.verify_token=" + r.FormValue("verify_token")); err == nil {
			b, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if string(b) != "42" {
				err = fmt.Errorf("challenge %q", b)
			}
		}
	}
	if err != nil || r.Header.Get("Authorization") != "Bearer app|"+secret {
		http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.callback = u
	f.mu.Unlock()
}

func (f *fake) createUsers(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Prefix    string
		Count     int
		Behaviour behaviour
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Behaviour.ReadRate != 1 {
		http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.users += in.Count
	f.mu.Unlock()
	fmt.Fprintf(w, `{"created":%d,"first":"%s%03d","last":"%s%03d"}`, in.Count, in.Prefix, 0, in.Prefix, in.Count-1)
}

func (f *fake) accept(w http.ResponseWriter, r *http.Request) {
	var m struct {
		To    string
		Image struct{ ID, Link string }
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Header.Get("Authorization") != "Bearer t" {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.messages++
	n := f.messages
	f.pictures[m.Image.ID+m.Image.Link]++
	fetch := m.Image.Link != "" && (f.faults.Refetch || f.pictures[m.Image.Link] == 1)
	f.way++
	f.top = max(f.top, f.way)
	f.mu.Unlock()
	if fetch {
		if res, err := http.Get(m.Image.Link); err == nil {
			res.Body.Close()
		}
	}
	if n == f.faults.DieAt {
		close(f.dead)
	}
	if n == f.faults.Refuse {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"message":"(#131056) (Business Account, Consumer Account) pair rate limit hit","code":131056}}`)
		f.leave()
		return
	}
	id := messageID(m.To, int64(n))
	f.work.Go(func() {
		f.statuses(n, id, m.To)
		f.leave()
	})
	fmt.Fprintf(w, `{"messaging_product":"whatsapp","messages":[{"id":"%s"}]}`, escaped(id))
}

func (f *fake) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.way--
}

func (f *fake) statuses(n int, id, user string) {
	s := sample{"waba", "n0", "15550783881"}
	list := []string{"sent", "delivered", "read"}
	switch n {
	case f.faults.Fail:
		list = []string{"failed"}
	case f.faults.LoseRead:
		list = list[:2]
	case f.faults.DoubleSent:
		list = append(list, "sent")
	}
	for _, st := range list {
		f.post(s.status(id, user, st, start))
	}
	if n%3 == 0 {
		f.inbound(user, n != f.faults.LoseReply)
	}
}

// inbound is a message of a user: the platform takes it, and delivers it unless it is lost.
func (f *fake) inbound(user string, deliver bool) {
	f.mu.Lock()
	f.received++
	n := f.received
	f.mu.Unlock()
	if deliver {
		s := sample{"waba", "n0", "15550783881"}
		f.post(s.message(messageID(user, int64(-n)), user, start))
	}
}

func (f *fake) post(payload []byte) {
	f.mu.Lock()
	u := f.callback
	f.mu.Unlock()
	h := newSigner(secret).header(payload)
	if f.faults.Forge {
		h.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	}
	status, err := post(context.Background(), f.transport, u, h, payload)
	if err != nil || status != http.StatusOK {
		f.faults.Forge = f.faults.Forge || err == nil // an answer other than 200 shows as a wrong count
	}
}
