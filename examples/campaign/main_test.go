package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/clock"
)

// hurry moves the platform's time on instead of waiting.
type hurry struct {
	clock *clock.Controlled
	mu    sync.Mutex
	waits int
}

func (h *hurry) Sleep(_ context.Context, d time.Duration) error {
	h.mu.Lock()
	h.waits++
	h.mu.Unlock()
	h.clock.Advance(d)
	return nil
}

func TestEverybodyGetsTheTemplateOnce(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	a := app.New(app.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Sandbox: true, Clock: now})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	people, results := filepath.Join(dir, "people.csv"), filepath.Join(dir, "results.csv")
	var list strings.Builder
	for i := range 120 { // more than a number may send in a second
		fmt.Fprintf(&list, "+1 415 555 %04d\n", i+100)
	}
	list.WriteString("+14155550100\n+1 415 555 0999,too,many\n") // once more; and one that the template does not fit
	if err := os.WriteFile(people, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &hurry{clock: now}
	plan := a.Plan()
	c := campaign{
		BaseURL: a.PublicURL(), Token: plan.Token, Number: string(plan.NumberID), Template: "hello_world", Language: "en_US",
		Parallel: 8, Sleeper: h,
	}
	for range 2 { // the second time there is nothing left to do
		if err := run(t.Context(), &c, results, people); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := read(results, false)
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for _, row := range rows {
		switch {
		case row[0] == "14155550999":
			if !strings.Contains(row[2], "132000") {
				t.Errorf("the misfit is %v", row)
			}
		case !strings.HasPrefix(row[1], "wamid.") || row[2] != "":
			t.Errorf("not accepted: %v", row)
		default:
			accepted++
		}
	}
	if len(rows) != 121 || accepted != 120 {
		t.Errorf("%d rows, %d accepted", len(rows), accepted)
	}
	if h.waits == 0 {
		t.Error("120 messages within a second were never refused")
	}
	res, err := http.Post(a.ControlURL()+"/control/v1/idle", "application/json", strings.NewReader(`{"timeout":"20s"}`))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("idle: %v %v", res, err)
	}
	res.Body.Close()
}
