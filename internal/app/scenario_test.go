package app_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/scenario"
)

var transcripts = flag.Bool("transcripts", false, "print the transcripts of scenarios")

// The scenarios that ship play to their end.
func TestScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of people make their keys: half a minute under the race detector")
	}
	t.Parallel()
	files, err := filepath.Glob("../../examples/scenarios/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			sc, err := scenario.Parse(f)
			if err != nil {
				t.Fatal(err)
			}
			s := run(t, nil)
			var out bytes.Buffer
			if err := scenario.Play(t.Context(), sc, s.playOptions(&out)); err != nil {
				t.Errorf("%v\n%s", err, out.String())
			}
			contains(t, "the transcript", out.String(), "\nok ")
			if strings.Contains(out.String(), "\x1b") {
				t.Error("colours without being asked for them")
			}
			if *transcripts {
				t.Log("\n" + out.String())
			}
		})
	}
}

func (s *stand) playOptions(out *bytes.Buffer) scenario.Options {
	return scenario.Options{
		Target: scenario.Target{
			BaseURL: s.app.PublicURL(), ControlURL: s.app.ControlURL(), Version: version, AppID: s.start.App, AppSecret: s.start.Secret,
			VerifyToken: s.start.Verify, Token: s.start.Token, BusinessID: s.start.Business, WABAID: s.start.WABA,
		},
		Client: s.place.HTTP, Clock: clock.System(), Out: out,
	}
}

// What is not as expected ends the scenario and says so; the clock runs again and the webhooks go where they went.
func TestScenarioFails(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	s.control("POST", "clock", map[string]any{"scale": 2})
	for _, c := range []struct{ steps, says string }{
		{`  - expect: {get: "{app}?fields=id", is: {id: 7}}`, "✗ step 1    id is " + s.start.App + ", want 7"},
		{`  - expect: {webhook: account_update, is: {event: NEVER}}`, "no webhook account_update, event NEVER"},
		{`  - send: {text: hi, to: {prefix: "15550201"}}`, "nobody to send"},
		{"  - number: {name: One}\n" + `  - send: {text: hi, to: {prefix: "15550201"}, then: {delivered: 1}}`, "delivered: 0, want 1"},
		{`  - control: {method: POST, path: evalute}`, "501"},
		{`  - graph: {method: GET, path: "1", error: 190}`, "code 100, want 190"},
	} {
		sc, err := scenario.Parse(strings.NewReader("name: A\nsteps:\n" + c.steps))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := scenario.Play(t.Context(), sc, s.playOptions(&out)); err == nil {
			t.Errorf("%s: passed\n%s", c.steps, out.String())
		}
		contains(t, "the transcript", out.String(), c.says)
	}
	contains(t, "the clock", string(s.control("GET", "clock", nil)), `"scale":2`)
	a, err := s.place.Graph(t.Context(), "GET", version+"/"+s.start.App+"/subscriptions", s.start.App+"|"+s.start.Secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "the subscription", string(a.Body), s.hooks.url)
}
