package manager_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// receiver answers challenges that come with the verify token "meadow".
func receiver(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("hub.verify_token") != "meadow" {
			http.Error(w, "who are you?", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, r.FormValue("hub.challenge"))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

var tokenField = regexp.MustCompile(`<input[^>]*name="verify_token"[^>]*>`)

// C1 and MC7 of spec/manager.md: what is saved is verified before, and an app whose callback is saved on the page of an account hears of
// that account.
func TestCallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	url := receiver(t)
	waba := w.business.WABAs(w.home.ID)[0].ID
	at := "/apps/" + string(w.app.ID) + "/whatsapp-business/wa-settings/"
	q := "?business_id=" + string(w.home.ID)
	linked := func(id wa.WABAID) bool {
		return len(w.webhooks.Links(id)) == 1 && w.webhooks.Links(id)[0].App == w.app.ID
	}

	a := b.post(at+"callback"+q, "callback_url", url, "verify_token", "heath")
	a.want(t, "wrong token", 400, "403", "who are you?", `value="heath"`, url)
	if _, ok := w.webhooks.Subscription(w.app.ID); ok || linked(waba) {
		t.Error("a callback that failed is saved")
	}
	b.post(at+"callback"+q, "callback_url", url, "verify_token", "meadow").want(t, "right token", 200, "saved=1", `value="meadow"`)
	if s, ok := w.webhooks.Subscription(w.app.ID); !ok || s.CallbackURL != url {
		t.Errorf("saved: %v %+v", ok, s)
	}
	if linked(waba) {
		t.Error("the app hears of an account that nobody named")
	}
	for range 2 { // the second time nothing is left to do
		b.post(at+"callback"+q+"&waba_id="+string(waba), "callback_url", url, "verify_token", "meadow").want(t, "of an account", 200)
		if !linked(waba) {
			t.Errorf("links: %v", w.webhooks.Links(waba))
		}
	}

	other, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{Name: "Birch"})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := w.business.CreateWABA(t.Context(), business.WABA{Owner: other.ID, Name: "Shared"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		task access.Task
		want bool
	}{{access.ViewTemplates, false}, {access.Develop, true}} {
		if _, err := w.business.ShareWABA(t.Context(), shared.ID, business.Share{Business: w.home.ID, Tasks: []string{string(c.task)}}); err != nil {
			t.Fatal(err)
		}
		b.post(at+"callback"+q+"&waba_id="+string(shared.ID), "callback_url", url, "verify_token", "meadow")
		if linked(shared.ID) != c.want {
			t.Errorf("an account shared with %s: the app hears of it: %v", c.task, !c.want)
		}
	}
}

// The verify token is shown to those who can change it, and to nobody else.
func TestVerifyTokenField(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	b := w.admin()
	clerk := w.person("clerk@example.com", access.Membership{Business: w.home.ID, Role: access.Employee})
	if err := w.access.Assign(t.Context(), clerk.id, w.business.WABAs(w.home.ID)[0].ID, []access.Task{access.Develop}); err != nil {
		t.Fatal(err)
	}
	at := "/apps/" + string(w.app.ID) + "/whatsapp-business/wa-settings/"
	first, err := w.access.VerifyToken(w.app.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{first.Reveal(), "meadow"} {
		if token == "meadow" {
			b.post(at+"callback", "callback_url", receiver(t), "verify_token", token).want(t, "save", 200)
		}
		field := tokenField.FindString(b.get(at).body)
		if !strings.Contains(field, `type="password"`) || !strings.Contains(field, `value="`+token+`"`) || strings.Contains(field, "disabled") {
			t.Errorf("the administrator's field: %s", field)
		}
		a := clerk.get(at)
		field = tokenField.FindString(a.body)
		if strings.Contains(a.body, token) || strings.Contains(field, "value=") || !strings.Contains(field, "disabled") {
			t.Errorf("the employee's field: %s", field)
		}
	}
	clerk.post(at+"callback", "callback_url", receiver(t), "verify_token", "meadow").want(t, "an employee saves", 403, string(access.Admin))
}

// C7: what is asked for of the deliveries.
func TestFiltersOfDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	sent := webhook.Delivery{Payload: []byte(`{"entry":[{"id":"1","changes":[{"value":"wamid.A"}]}]}`), State: webhook.StateDelivered}
	sent.Endpoint.App = w.app.ID
	waits, foreign := sent, sent
	waits.State = webhook.StateRetrying
	foreign.Endpoint.App = "42"
	for query, want := range map[string][3]bool{ // sent, waits, of another app
		"":                      {true, true, false},
		"show=failed":           {false, true, false},
		"show=all":              {true, true, false},
		"q=wamid.A":             {true, true, false},
		"q=wamid.B":             {false, false, false},
		"q=wamid.A&show=failed": {false, true, false},
		"q=WAMID":               {false, false, false},
	} {
		for i, d := range []webhook.Delivery{sent, waits, foreign} {
			if got := w.manager.Asks(w.app, query, &d); got != want[i] {
				t.Errorf("%q: delivery %d is shown: %v", query, i, got)
			}
		}
	}
}
