package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// api refuses the tries of a message with the codes given, one after the other, and then accepts it.
type api struct {
	mu     sync.Mutex
	refuse map[string][]int // by text
	to     map[string]int
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		To   string
		Text struct{ Body string }
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.URL.Path != "/v23.0/106540352242922/messages" {
		http.Error(w, "not here", http.StatusNotFound)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if list := a.refuse[m.Text.Body]; len(list) > 0 {
		a.refuse[m.Text.Body] = list[1:]
		if list[0] == 0 {
			_, _ = io.WriteString(w, "<html>") // whatever that is, it has no id
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"code":%d,"message":"(#%d) no"}}`, list[0], list[0])
		return
	}
	a.to[m.To]++
	fmt.Fprintf(w, `{"messages":[{"id":"wamid.%s"}]}`, m.Text.Body)
}

func TestSend(t *testing.T) {
	t.Parallel()
	a := &api{to: map[string]int{}, refuse: map[string][]int{
		"Message 3": {130429}, "Message 4": {131056, 131056, 130429}, "Message 5": {131047}, "Message 6": {131000, 131000, 131000, 131000, 131000, 131000},
		"Message 7": {0},
	}}
	s := httptest.NewServer(a)
	defer s.Close()
	c := clock.NewFake(start)
	pump(t, c, 1)
	r, err := Send(t.Context(), SendOptions{
		BaseURL: s.URL + "/", Token: "t", NumberID: "106540352242922", To: []string{"+16505551234", "+16505551235"}, Count: 10, MPS: 5, Clock: c,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Asked != 10 || r.Accepted != 7 || r.Retried != 2 || r.Failed != 3 || r.Calls != 19 || r.Answer.Count != 7 || r.Wait.Count != 7 {
		t.Errorf("%+v", r)
	}
	if want := map[int]int64{130429: 2, 131056: 2, 131047: 1, 131000: 6}; !maps.Equal(r.Refused, want) {
		t.Errorf("refused %v", r.Refused)
	}
	if r.Wait.Max < 20_000 { // 1 + 4 + 16 s
		t.Errorf("accepted after %+v", r.Wait)
	}
	if a.to["+16505551234"] != 3 || a.to["+16505551235"] != 4 { // 5 and 7 were given up, 6 too
		t.Errorf("recipients %v", a.to)
	}
	var b strings.Builder
	if err := r.Write(&b); err != nil || r.Passed() || !strings.Contains(b.String(), "2 times (#131056) no") {
		t.Errorf("%v:\n%s", err, b.String())
	}
}

func TestSendRefusesToStart(t *testing.T) {
	t.Parallel()
	good := SendOptions{BaseURL: "http://127.0.0.1:1", Token: "t", NumberID: "1", To: []string{"2"}}
	for _, c := range []struct {
		change func(*SendOptions)
		want   string
	}{
		{func(o *SendOptions) { o.BaseURL = "" }, "BASE_URL"},
		{func(o *SendOptions) { o.BaseURL = "https://graph.example.com" }, "--allow-remote"},
		{func(o *SendOptions) { o.Token = "" }, "TOKEN"},
		{func(o *SendOptions) { o.NumberID = "" }, "PHONE_NUMBER_ID"},
		{func(o *SendOptions) { o.To = nil }, "--to"},
		{func(o *SendOptions) { o.Count = -1 }, "negative"},
	} {
		o := good
		c.change(&o)
		if _, err := Send(t.Context(), o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.want, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Send(ctx, good); err == nil {
		t.Error("sent after the end")
	}
}
