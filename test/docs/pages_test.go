package docs

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/test/child"
)

var (
	update = flag.Bool("update", false, "write the answers into the pages")
	binary = flag.String("program", "", "binary to use instead of building one")
)

// patience is how long a page may take on a busy machine.
const patience = 2 * time.Minute

// program is the binary, built once for all pages.
var program = sync.OnceValues(func() (string, error) {
	if *binary != "" {
		return *binary, nil
	}
	dir, err := os.MkdirTemp("", "hikyaku-docs")
	if err != nil {
		return "", err
	}
	return child.Build(context.Background(), dir)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if p, err := program(); err == nil && *binary == "" {
		_ = os.RemoveAll(filepath.Dir(p))
	}
	os.Exit(code)
}

func TestPagesDoWhatTheySay(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a sandbox for every page takes seconds")
	}
	for _, tool := range []string{"bash", "curl", "openssl", "base64"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the commands of the pages need %s: %v", tool, err)
		}
	}
	for _, page := range pages(t) {
		list := blocks(t, page)
		if !slices.ContainsFunc(list, func(b *block) bool { use, _ := b.use(); return use == run || use == terminal }) {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, list)
			s.play(t)
			s.review(t, page)
		})
	}
}

// stage is where one page is played: a folder, a platform, a shell.
type stage struct {
	dir    string
	blocks []*block
	place  child.Place
	echo   int // port of the receiver
}

func newStage(t *testing.T, list []*block) *stage {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{dir: t.TempDir(), blocks: list}
	s.place = child.Place{
		Program: path, Data: filepath.Join(s.dir, "data"), Args: []string{"--sandbox"}, Log: &bytes.Buffer{},
		Clock: clock.System(), HTTP: &http.Client{}, ReadyWithin: patience,
	}
	for _, p := range []*int{&s.place.Public, &s.place.Control, &s.echo} {
		if *p, err = child.Port(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	repo, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(repo, "examples"), filepath.Join(s.dir, "examples")); err != nil {
		t.Fatal(err)
	}
	// The reader's commands, with the ports and folders of this stage instead of the defaults.
	s.write(t, "bin/hikyaku", fmt.Sprintf(`#!/bin/sh
word=$1; shift
case $word in
serve) exec %[1]s serve --data %[2]s --listen 127.0.0.1:%[3]d --control 127.0.0.1:%[4]d "$@" ;;
echo) exec %[1]s echo --data %[2]s --listen 127.0.0.1:%[5]d "$@" ;;
env | chat) exec %[1]s $word --data %[2]s "$@" ;;
sandbox) exec %[1]s "$word" "$@" --data %[2]s ;;
*) exec %[1]s $word "$@" ;;
esac
`, path, s.place.Data, s.place.Public, s.place.Control, s.echo))
	s.write(t, "bin/go", fmt.Sprintf(`#!/bin/sh
if [ "$1 $2" = "run ./cmd/hikyaku" ]; then shift 2; exec hikyaku "$@"; fi
real=$(PATH=${PATH#*:} command -v go)
cd %s && exec "$real" "$@"
`, repo))
	return s
}

func (s *stage) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// ports names the addresses of the stage and those that pages show.
func (s *stage) ports() *strings.Replacer {
	return strings.NewReplacer(
		"127.0.0.1:8080", "127.0.0.1:"+strconv.Itoa(s.place.Public), "127.0.0.1:8081", "127.0.0.1:"+strconv.Itoa(s.place.Control),
		"127.0.0.1:9000", "127.0.0.1:"+strconv.Itoa(s.echo))
}

func (s *stage) shown(out string) string {
	return strings.NewReplacer(
		"127.0.0.1:"+strconv.Itoa(s.place.Public), "127.0.0.1:8080", "127.0.0.1:"+strconv.Itoa(s.place.Control), "127.0.0.1:8081",
		"127.0.0.1:"+strconv.Itoa(s.echo), "127.0.0.1:9000").Replace(out)
}

// prologue makes a failing command end the page, and writes down how every call ended.
const prologue = `set -euo pipefail
curl() { command curl -sS --max-time 60 -w '%{stderr}\n#http %{http_code} %{method} %{url}\n' "$@"; }
await() {
	for _ in $(seq 2000); do
		grep -qF -- "$2" "$1" && return
		sleep 0.02
	done
	echo "never printed: $2"
	return 1
}
mkfifo keyboard
exec 9<>keyboard
`

// script is all blocks of the page. The output of block i goes to i.out and i.err; a line in done says that it ended well.
func (s *stage) script() (text string, serves bool) {
	var b strings.Builder
	b.WriteString(prologue)
	for i, block := range s.blocks {
		use, words := block.use()
		body := s.ports().Replace(block.text)
		switch use {
		case run:
			fmt.Fprintf(&b, "{\n%s\n} >%d.out 2>%d.err </dev/null\n", body, i, i)
		case terminal:
			serves = serves || strings.Contains(body, " serve")
			fmt.Fprintf(&b, "(\n%s\n) >%d.out 2>&1 <&9 &\nawait %d.out '%s' 2>%d.err\n", body, i, i, words, i)
		default:
			continue
		}
		fmt.Fprintf(&b, "echo %d >>done\n", i)
	}
	return b.String(), serves
}

func (s *stage) play(t *testing.T) {
	t.Helper()
	script, serves := s.script()
	s.write(t, "page.sh", script)
	s.write(t, "done", "")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !serves {
		p, err := s.place.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		if err := p.Ready(ctx); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(ctx, "bash", "page.sh")
	cmd.Dir = s.dir
	cmd.Env = []string{
		"PATH=" + filepath.Join(s.dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + s.dir, "LANG=C.UTF-8", "GOFLAGS=" + os.Getenv("GOFLAGS"),
		"GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE"), "GOPROXY=off",
	}
	// What runs in terminals of its own ends with the page.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	end := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = end
	out, err := cmd.CombinedOutput()
	_ = end() // there may be nobody left
	if err == nil {
		return
	}
	for i, b := range s.blocks {
		if use, _ := b.use(); (use == run || use == terminal) && !slices.Contains(strings.Fields(s.read("done")), strconv.Itoa(i)) {
			t.Fatalf("%s: %v\n%s%s%s", b, err, s.read(fmt.Sprintf("%d.out", i)), s.read(fmt.Sprintf("%d.err", i)), out)
		}
	}
	t.Fatalf("%v\n%s", err, out)
}

var goEnv = func() func(t *testing.T, name string) string {
	var mu sync.Mutex
	known := map[string]string{}
	return func(t *testing.T, name string) string {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if v, ok := known[name]; ok {
			return v
		}
		out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		known[name] = strings.TrimSpace(string(out))
		return known[name]
	}
}()

// read is what a block printed; empty when it never ran.
func (s *stage) read(name string) string {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return ""
	}
	return s.shown(string(b))
}

var outcome = regexp.MustCompile(`(?m)^#http (\d+) (.*)$`)

// review compares what was printed with what the page shows.
func (s *stage) review(t *testing.T, page string) {
	t.Helper()
	fixes := map[*block]string{}
	for i, b := range s.blocks {
		if use, _ := b.use(); use != run {
			continue
		}
		out, answer := s.read(fmt.Sprintf("%d.out", i)), (*block)(nil)
		if i+1 < len(s.blocks) {
			answer = s.blocks[i+1]
		}
		refused := false
		switch {
		case answer == nil:
		case answer.lang == "json":
			refused = s.reviewJSON(t, answer, out, fixes)
		case answer.lang == "text" && answer.info == "output":
			reviewText(t, answer, out)
		}
		calls := outcome.FindAllStringSubmatch(s.read(fmt.Sprintf("%d.err", i)), -1)
		for j, call := range calls {
			if ok := call[1][0] == '2'; ok == (refused && j == len(calls)-1) {
				t.Errorf("%s: HTTP %s for %s\n%s", b, call[1], call[2], out)
			}
		}
	}
	if *update && len(fixes) > 0 {
		rewrite(t, page, fixes)
	}
}

// reviewJSON reports whether the answer is an error that the page shows.
func (s *stage) reviewJSON(t *testing.T, shown *block, out string, fixes map[*block]string) (refused bool) {
	t.Helper()
	got := lastJSON(out)
	if got == nil {
		t.Errorf("%s: nothing like this was printed:\n%s", shown, out)
		return false
	}
	want, err := parse(shown.text)
	diff := fmt.Sprint(err)
	if err == nil {
		diff = differ("answer", want, got)
	}
	if diff == "" {
		return want.member("error") != nil
	}
	if *update {
		fixes[shown] = got.print(0)
		return got.member("error") != nil
	}
	t.Errorf("%s: %s\n%s", shown, diff, got.print(0))
	return want != nil && want.member("error") != nil
}

func reviewText(t *testing.T, shown *block, out string) {
	t.Helper()
	for line := range strings.SplitSeq(shown.text, "\n") {
		found := false
		for !found && out != "" {
			var got string
			got, out, _ = strings.Cut(out, "\n")
			found = pattern(strings.TrimSpace(line)).MatchString(volatile(strings.TrimSpace(got)))
		}
		if !found {
			t.Errorf("%s: %q was not printed, or not at this place", shown, line)
			return
		}
	}
}

// rewrite puts answers into a page, from the end, so that line numbers stay true.
func rewrite(t *testing.T, page string, fixes map[*block]string) {
	t.Helper()
	all := lines(t, page)
	for _, b := range slices.Backward(blocks(t, page)) {
		for old, text := range fixes {
			if old.line == b.line {
				n := len(strings.Split(b.text, "\n"))
				if all[b.line-1] == "```" { // an empty block
					n = 0
				}
				all = slices.Replace(all, b.line-1, b.line-1+n, strings.Split(text, "\n")...)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(root, page), []byte(strings.Join(all, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
