package console

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const menu = `"type":"interactive","interactive":{"type":"list","body":{"text":"When?"},"action":{"button":"Times","sections":[` +
	`{"title":"Today","rows":[{"id":"a","title":"Noon"},{"id":"b","title":"Six"}]}]}}`

// The script of a conversation: every command that sends, in a pipe.
func TestCommands(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.script = func(body string) []string {
		switch body {
		case "menu":
			return []string{menu}
		case "form":
			return []string{`"type":"interactive","interactive":{"type":"flow","body":{"text":"?"},"action":{"name":"flow","parameters":` +
				`{"flow_id":"7","flow_cta":"Go on","flow_token":"tok"}}}`}
		case "link":
			return []string{`"type":"interactive","interactive":{"type":"cta_url","body":{"text":"Look"},"action":{"name":"cta_url",` +
				`"parameters":{"display_text":"See it","url":"https://example.com/shop"}}}`}
		}
		return nil
	}
	path := filepath.Join(t.TempDir(), "a note.pdf")
	short := filepath.Join(filepath.Dir(path), "note.pdf")
	if err := os.WriteFile(short, []byte("%PDF-1.4"), 0o600); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(t.TempDir(), "phone.state")
	// Answers come at the pace of the socket, so each part waits for what it is about.
	run := func(input string, until ...string) (string, string) {
		t.Helper()
		out, notes, err := pipe(t, s, Options{State: state, To: market}, input, until...)
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", input, err, out, notes)
		}
		return out, notes
	}
	out, _ := run("menu\n", "[2] Six")
	if !strings.Contains(out, "When? · Today: · [1] Noon · [2] Six (#") {
		t.Errorf("the menu: %s", out)
	}
	run("/press 2\n/press noon\n/react 👍\n/reply fine\n//slash\n/stop\n/report spam\n/location 48.8589 2.32 Here\n"+
		"/contact +15550100123 Front Desk\n/order 700 HAMP-S 2 24.5 EUR\n/document "+short+" see this\n/voice "+short+"\n", "Voice message")
	run("form\n", "[1] Go on")
	run("link\n", "See it")
	_, notes := run("/open see it\n", "https://example.com/shop")
	if !strings.Contains(notes, "https://example.com/shop") {
		t.Errorf("where the link leads: %s", notes)
	}
	_, notes = run("/press go on guests=8 note=two tables\n/list 2\n/help\n", "Form")
	if !strings.Contains(notes, "/press [#N] CHOICE") || !strings.Contains(notes, "#") {
		t.Errorf("notes: %s", notes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.raw, "\n")
	for _, want := range []string{
		`"list_reply":{"id":"b","title":"Six"}`, `"list_reply":{"id":"a","title":"Noon"}`, `"context":{"id":"wamid.in`, `"emoji":"👍"`,
		`{"body":"fine"}`, `{"body":"/slash"}`, `"latitude":48.8589`, `"name":"Here"`, `"wa_id":"15550100123"`, `"formatted_name":"Front Desk"`,
		`"product_retailer_id":"HAMP-S","quantity":2,"item_price":24.5,"currency":"EUR"`, `"filename":"note.pdf"`, `"caption":"see this"`,
		`"mime_type":"application/pdf"`, `"voice":true`, `"response_json":"{\"flow_token\":\"tok\",\"guests\":\"8\",\"note\":\"two tables\"}"`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing sent says %s:\n%s", want, all)
		}
	}
	if !slices.Equal(s.acts, []string{"opt_out " + market, "report " + market, "click " + market}) {
		t.Errorf("acts %q", s.acts)
	}
}

// A command in a pipe answers the newest message, also when that waited in the mailbox of a phone that was off.
func TestCommandsWaitForTheMailbox(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.script = func(string) []string { return []string{menu} }
	state := filepath.Join(t.TempDir(), "phone.state")
	if _, _, err := pipe(t, s, Options{State: state, To: market}, "menu\n", "[2] Six"); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.box = append(s.box, s.item(strings.NewReplacer("Noon", "Tea", `"a"`, `"tea"`).Replace(menu)))
	s.slow = 200 * time.Millisecond
	s.mu.Unlock()
	if out, notes, err := pipe(t, s, Options{State: state, To: market}, "/press 1\n"); err != nil {
		t.Fatalf("%v\n%s%s", err, out, notes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := strings.Join(s.raw, "\n"); !strings.Contains(all, `"list_reply":{"id":"tea","title":"Tea"}`) {
		t.Errorf("sent %s", all)
	}
}

func TestSaveAndPlay(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	state, dir := filepath.Join(t.TempDir(), "phone.state"), t.TempDir()
	source := filepath.Join(dir, "v.ogg")
	if err := os.WriteFile(source, []byte("OggS and so on"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := pipe(t, s, Options{State: state, To: market}, "/voice "+source+"\n"); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	var sent struct{ Audio json.RawMessage }
	if err := json.Unmarshal([]byte(s.raw[0]), &sent); err != nil {
		t.Fatal(err)
	}
	s.script = func(string) []string { return []string{`"type":"audio","audio":` + string(sent.Audio)} } // the business sends it back
	s.mu.Unlock()
	if _, _, err := pipe(t, s, Options{State: state, To: market}, "again\n", "Voice message"); err != nil {
		t.Fatal(err)
	}
	_, notes, err := pipe(t, s, Options{State: state, To: market}, "/play "+dir+"\n/save "+dir+"\n")
	if err != nil {
		t.Fatalf("%v\n%s", err, notes)
	}
	files, err := filepath.Glob(filepath.Join(dir, "hikyaku-*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("saved %q, %v\n%s", files, err, notes)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || string(b) != "OggS and so on" {
			t.Errorf("%s: %q, %v", f, b, err)
		}
	}
}

func TestWrongCommands(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	_, notes, err := pipe(t, s, Options{To: market},
		"/dance\n/press\n/press 1\n/save\n/image /no/such/file\n/image "+t.TempDir()+"\n/reply #99 x\n/reply #x y\n/location here\n/order a\n/edit x\n")
	if err == nil || err.Error() != "11 commands were not carried out" {
		t.Errorf("err %v", err)
	}
	for _, want := range []string{
		"there is no /dance", "write /press [#N] CHOICE", "no message in this chat", "cannot be read", "is no file", "no message #99",
		"is no number", "write /location LAT LON", "write /order CATALOG",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("nothing says %q:\n%s", want, notes)
		}
	}
}

func TestSavedNamesAreHarmless(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for given, want := range map[string]string{
		"../../etc/passwd": "_.._etc_passwd", ".bashrc": "bashrc", "-rf": "rf", "a\x1b[2Jb.pdf": "a[2Jb.pdf", "": "hikyaku-7-1.pdf", "..": "hikyaku-7-1.pdf",
		strings.Repeat("x", 300): "hikyaku-7-1.pdf",
	} {
		f := mediaOf(given)
		name := fileName(&f, 7, 0)
		if name != want {
			t.Errorf("%.20q is saved as %q, want %q", given, name, want)
		}
		if _, err := keep(dir, name, []byte("x")); err != nil {
			t.Error(err)
		}
	}
	a, err := keep(dir, "bashrc", []byte("y"))
	if err != nil || filepath.Base(a) != "bashrc-2" {
		t.Errorf("saved over another file: %s, %v", a, err)
	}
}
