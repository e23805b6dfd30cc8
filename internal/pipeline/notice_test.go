package pipeline_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/journal/record"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestNotifyIsDurableAndSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := []*pipeline.Notice{
		{WABA: "waba-1", Field: "account_update", Entry: "portfolio-1", Value: []byte(` { "event" : "PARTNER_ADDED" } `)},
		{WABA: "waba-1", Number: shop, Field: "user_preferences", Value: []byte(`{"user_preferences":[]}`)},
	}
	for _, n := range list {
		w.check(w.p.Notify(t.Context(), n))
	}
	w.kill()
	w.start()
	got := of[*record.Notice](w.records())
	if len(got) != len(list) {
		t.Fatalf("%d notices after a crash, want %d", len(got), len(list))
	}
	for _, r := range got {
		if r.Value != nil {
			t.Errorf("the value is in clear on disk: %s", r.Value)
		}
		i := 0
		if r.Number != "" {
			i = 1
		}
		want := strings.ReplaceAll(string(list[i].Value), " ", "")
		value, err := w.vault.Open(r.AD(), r.SealedValue)
		if err != nil || string(value) != want || r.Field != list[i].Field || r.Entry != list[i].Entry || r.At != epoch.UnixMilli() {
			t.Errorf("got %+v with %s, %v", r, value, err)
		}
	}
}

func TestNotifyRefusesWhatIsNoObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, v := range []string{"", "[]", `{"a":1`, `{"a":1}{}`, `"x"`, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`} {
		err := w.p.Notify(t.Context(), &pipeline.Notice{WABA: "waba-1", Field: "flows", Value: []byte(v)})
		if !errors.Is(err, wa.ErrInvalidParameter) {
			t.Errorf("%.20s: %v", v, err)
		}
	}
	if got := of[*record.Notice](w.records()); len(got) != 0 {
		t.Errorf("%d notices were recorded", len(got))
	}
}
