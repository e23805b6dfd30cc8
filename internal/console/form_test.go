package console

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

const (
	granted = `"type":"interactive","interactive":{"type":"flow","body":{"text":"Book"},"action":{"name":"flow","parameters":` +
		`{"flow_id":"7","flow_cta":"Go on","flow_token":"tok"}}},"flows":[{"id":"7","grant":"lx"}]`

	party = `{"version":"7.3","data_api_version":"3.0","routing_model":{"WHO":["WHEN"],"WHEN":[]},"screens":[
 {"id":"WHO","title":"Your party","layout":{"type":"SingleColumnLayout","children":[
  {"type":"TextBody","text":"Tell us who comes."},
  {"type":"TextInput","name":"guests","label":"Guests","input-type":"number","required":true,"helper-text":"Up to 12"},
  {"type":"OptIn","name":"kids","label":"Children come"},
  {"type":"If","condition":"${form.kids}","then":[{"type":"TextInput","name":"age","label":"Age of the youngest","input-type":"number"}]},
  {"type":"Footer","label":"Continue","on-click-action":{"name":"data_exchange","payload":{"guests":"${form.guests}"}}}]}},
 {"id":"WHEN","title":"When?","terminal":true,"data":{"slots":{"type":"array","__example__":[]}},"layout":{"type":"SingleColumnLayout","children":[
  {"type":"RadioButtonsGroup","name":"slot","label":"Slot","required":true,"data-source":"${data.slots}"},
  {"type":"EmbeddedLink","text":"House rules","on-click-action":{"name":"open_url","url":"https://example.test/rules"}},
  {"type":"Footer","label":"Book","right-caption":"free","left-caption":"No card","on-click-action":{"name":"complete",
   "payload":{"slot":"${form.slot}","guests":"${screen.WHO.form.guests}"}}}]}}]}`

	slots  = `{"screen":"WHEN","data":{"slots":[{"id":"a","title":"Noon"},{"id":"b","title":"Six","description":"by the window"}]}}`
	booked = `"response_json":"{\"flow_token\":\"tok\",\"guests\":\"8\",\"slot\":\"b\"}"`
)

// serveParty lets a server show the flow.
func (s *server) serveParty(w http.ResponseWriter, r *http.Request) {
	body := string(must(io.ReadAll(r.Body)))
	switch {
	case !strings.Contains(body, `"grant":"lx"`) || r.Header.Get("Authorization") != "Bearer tok":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"code":"not_found","text":"no such flow"}`)
	case strings.HasSuffix(r.URL.Path, "/steps") && strings.Contains(body, `"guests":"13"`):
		fmt.Fprint(w, `{"screen":"WHO","data":{"error_message":"We seat 12."}}`)
	case strings.HasSuffix(r.URL.Path, "/steps"):
		fmt.Fprint(w, slots)
	default:
		fmt.Fprint(w, party)
	}
}

// A flow in a pipe: every field is a line, and every button.
func TestAFlowInLines(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.script = func(body string) []string {
		if body == "form" {
			return []string{granted}
		}
		return nil
	}
	state := t.TempDir() + "/phone.state"
	run := func(input string, until ...string) (notes string, err error) {
		t.Helper()
		_, notes, err = pipe(t, s, Options{State: state, To: market}, input, until...)
		return notes, err
	}
	if notes, err := run("form\n", "[1] Go on"); err != nil {
		t.Fatal(err, notes)
	}
	notes, err := run("/press 1\nmany\n\n13\nyes\n4\n\n/back\n8\nno\n\n3\n2\n2\n1\n")
	if err != nil {
		t.Fatal(err, notes)
	}
	for _, want := range []string{
		"┌ Your party\n│ Tell us who comes.\n├ Guests\n│   Up to 12", "! Guests: This is not a number.", "! Guests: This is required.",
		"├ Children come (may be left out)\n│   yes or no", "├ Age of the youngest", "└ [enter] Continue", "! We seat 12.",
		"│   enter keeps 13", "┌ When? · /back", "│   2  Six · by the window", "This cannot be meant here. a number or words",
		"└ [enter] Book  No card · free\n└ [2] House rules", "│ To open: https://example.test/rules",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("nothing says %q:\n%s", want, notes)
		}
	}
	if notes, err = run("/press 1 guests=8 slot=six\n"); err != nil {
		t.Errorf("in one line: %v\n%s", err, notes)
	}
	if notes, err = run("/press 1 guests=none slot=six\n"); err == nil || !strings.Contains(notes, "guests: This is not a number.") {
		t.Errorf("a wrong value in one line: %v\n%s", err, notes)
	}
	if notes, err = run("/press 1\n/cancel\n"); err != nil || !strings.Contains(notes, "The form is left.") {
		t.Errorf("left: %v\n%s", err, notes)
	}
	if notes, err = run("/press 1\n8\n"); err == nil || !strings.Contains(notes, "The form was not finished.") {
		t.Errorf("not finished: %v\n%s", err, notes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := strings.Count(strings.Join(s.raw, "\n"), booked); n != 2 {
		t.Errorf("%d answers in %q", n, s.raw)
	}
}

// desk opens the flow of the tests for the screen.
type desk struct{}

func (desk) Flow(context.Context, frame.FlowRequest) ([]byte, error) { return []byte(party), nil }

func (desk) FlowStep(_ context.Context, f frame.FlowStep) (a frame.FlowAnswer, err error) {
	if strings.Contains(string(f.Data), "13") {
		return a, frame.Refuse(frame.ErrFlowFailed, "Something went wrong. Try again later.")
	}
	return a, json.Unmarshal([]byte(slots), &a)
}

// opened opens flows of a fake phone.
type opened struct{ f *fakePhone }

func (o opened) OpenFlow(ctx context.Context, id string, n int) (*device.OfferedFlow, *document.Session, error) {
	m, _ := o.f.Message(id)
	offer, err := m.Flow(n)
	if err != nil {
		return nil, nil, err
	}
	s, err := offer.Open(ctx, desk{})
	return offer, s, err
}

func (opened) PickFile(_ context.Context, a device.Attachment) (map[string]any, error) {
	f := document.File{Name: a.Filename, MIME: a.MIME, Size: int64(len(a.Data)), Blob: map[string]any{"id": "b"}}
	return f.Value(), nil
}

func TestAFlowOnTheScreen(t *testing.T) {
	t.Parallel()
	f := &fakePhone{names: map[string]string{market: "Jasper's Market"}}
	offer := f.add(device.Message{Chat: market, Direction: device.In, Type: "interactive", Raw: []byte("{" + granted + "}")})
	m := screenOf(t, f, 70, 24)
	m.flows = opened{f}
	form, err := (&commander{flows: m.flows, chat: market}).flow(t.Context(), offer.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.Update(saidMsg{form: form})
	enter := func(keys ...string) string {
		t.Helper()
		for _, k := range keys {
			press(m, k)
		}
		if cmd := press(m, "enter"); cmd != nil {
			show(t, m) // while it works
			m.Update(cmd())
		}
		return show(t, m)
	}
	see := func(screen string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(screen, p) {
				t.Errorf("no %q on\n%s", p, screen)
			}
		}
	}
	see(show(t, m), "Your party", "Tell us who comes.", "› Guests *", "Up to 12", "· Children come", "esc leave the form")
	see(enter("x"), "! Guests: This is not a number.")
	see(enter("13"), "✓ Guests: 13", "› Children come", "yes or no")
	see(enter("no"), "✓ Children come: no", "[enter] Continue")
	see(enter(), "! Something went wrong. Try again later.")
	see(enter("/back"), "› Guests *")
	enter("8")
	enter()
	see(enter(), "When?", "› Slot *", "1  Noon", "2  Six · by the window")
	see(enter("down", "down"), "✓ Slot: Six", "[enter] Book", "[2] House rules")
	see(enter("2"), "To open: https://example.test/rules")
	enter()
	if m.dialog.kind != noDialog || len(f.sent) != 1 || !strings.Contains(f.sent[0], booked) || !strings.Contains(f.sent[0], offer.ID) {
		t.Errorf("sent %q", f.sent)
	}
	see(show(t, m), "The form is sent.")
	golden(t, "form", func() string {
		again, err := (&commander{flows: m.flows, chat: market}).flow(t.Context(), offer.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		m.openForm(again)
		return show(t, m)
	}())
	press(m, "esc")
	if m.dialog.kind != noDialog {
		t.Error("esc does not leave the form")
	}
}
