package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// number changes a number, as the operator does.
func (w *world) number(id string, change func(n *business.Number)) {
	w.t.Helper()
	_, err := w.business.UpdateNumber(w.t.Context(), wa.PhoneNumberID(id), func(n *business.Number) error { change(n); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

// A number whose operator allows it may be without storage. Source: spec/security.md section A5, spec/phone_numbers.md section 9.
func TestNoStorage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const none, off = `{"status":"NO_STORAGE_ENABLED","retention_minutes":60}`, `{"status":"IN_COUNTRY_STORAGE_DISABLED"}`
	set := func(body string) reply {
		return w.direct("admin", "POST /v23.0/"+numPending+"/settings", `{"storage_configuration":`+body+`}`)
	}
	shows := func(want string) {
		t.Helper()
		if r := w.direct("admin", "GET /v23.0/"+numPending+"/settings", ""); !strings.Contains(r.body, `"storage_configuration":`+want) {
			t.Errorf("%s, want %s", r.body, want)
		}
	}
	refused := graphError("(#100) The phone number may not be without storage: the operator of this server has not granted it.", `"code":100`)
	set(none).want(t, 400, refused)
	shows(`{"status":"DEFAULT"}`)
	w.number(numPending, func(n *business.Number) { n.NoStorageGranted = true })
	set(none).want(t, 200, done)
	shows(none)
	for _, other := range []string{off, `{"status":"IN_COUNTRY_STORAGE_ENABLED","data_localization_region":"JP"}`} {
		set(other).want(t, 200, done)
		set(none).want(t, 200, done)
	}
	w.direct("admin", "POST /v23.0/"+numPending+"/register", `{"messaging_product":"whatsapp","pin":"123456"}`).want(t, 200, done)
	set(none).want(t, 200, done)
	if r := set(off); r.status != 400 || !strings.Contains(r.body, "while the phone number is not registered") {
		t.Errorf("%d %s", r.status, r.body)
	}
	shows(none)
	w.direct("admin", "POST /v23.0/"+numPending+"/deregister", "").want(t, 200, done)
	shows(`{"status":"DEFAULT"}`)
}

// Versions before v21.0 ask for it at the registration. Source: spec/phone_numbers.md section 4.4.
func TestNoStorageByTheRegistration(t *testing.T) {
	t.Parallel()
	alive, err := graph.ParseRelease("v20.0", "2024-05-21", "2030-01-01")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *api.Options) {
		o.Versions, err = graph.NewRegistry(false, append(graph.DefaultReleases(), alive)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	register := func(version, more string) reply {
		return w.direct("admin", "POST /"+version+"/"+numPending+"/register", `{"messaging_product":"whatsapp","pin":"123456"`+more+`}`)
	}
	const minutes = `,"meta_store_retention_minutes":60`
	for _, c := range [][3]string{
		{"v23.0", minutes, "since v21.0"},
		{"v20.0", `,"meta_store_retention_minutes":30`, "must be 60"},
		{"v20.0", minutes + `,"data_localization_region":"JP"`, "Only one of"},
		{"v20.0", minutes, "has not granted it"},
	} {
		if r := register(c[0], c[1]); r.status != 400 || !strings.Contains(r.body, `"code":100`) || !strings.Contains(r.body, c[2]) {
			t.Errorf("%s: %d %s", c[1], r.status, r.body)
		}
	}
	w.number(numPending, func(n *business.Number) { n.NoStorageGranted = true })
	register("v20.0", minutes).want(t, 200, done)
	if n, _ := w.business.Number(wa.PhoneNumberID(numPending)); !n.NoStorage() || !n.Registered {
		t.Errorf("registered %v, without storage %v", n.Registered, n.NoStorage())
	}
}

// Source: spec/media.md sections 3, 7 and 17.
func TestFilesOfANumberWithoutStorage(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	upload := func(minutes string) reply {
		return g.form("admin", "/v23.0/"+numLive+"/media", product, file("image/png", string(mediatest.PNG(4, 4))), part{name: "ttl_minutes", body: minutes})
	}
	upload("60").want(t, 400, graphError("(#100) Param ttl_minutes is for phone numbers without storage: files of others live for 30 days.", `"code":100`))
	g.number(numLive, func(n *business.Number) { n.NoStorageFrom = g.clock.Now() })
	for _, minutes := range []string{"59", "43201", "0", "-60", "long", ""} {
		if r := upload(minutes); r.status != 400 || !strings.Contains(r.body, `"code":100`) || !strings.Contains(r.body, "ttl_minutes") {
			t.Errorf("%q: %d %s", minutes, r.status, r.body)
		}
	}
	ids := map[string]time.Duration{g.upload(numLive, "image/png", mediatest.PNG(4, 4)): time.Hour}
	for minutes, life := range map[string]time.Duration{"60": time.Hour, "61": 61 * time.Minute, "43200": 30 * 24 * time.Hour} {
		var v struct{ ID string }
		if r := upload(minutes); json.Unmarshal([]byte(r.body), &v) != nil || v.ID == "" {
			t.Fatalf("%s: %d %s", minutes, r.status, r.body)
		}
		ids[v.ID] = life
	}
	for id, life := range ids {
		m, err := g.media.Describe(t.Context(), id)
		if err != nil || !m.Brief || time.UnixMilli(m.Expires).Sub(g.clock.Now()) != life {
			t.Errorf("%+v, %v, want %s", m, err, life)
		}
		// Another number's messages would keep it.
		const image = `{"messaging_product":"whatsapp","to":"+16505555555","type":"image","image":{"id":"`
		if r := g.direct("admin", "POST /v23.0/"+numLive+"/messages", image+id+`"}}`); r.status != 200 {
			t.Errorf("sent: %d %s", r.status, r.body)
		}
		if r := g.direct("admin", "POST /v23.0/"+numTest+"/messages", image+id+`"}}`); r.status != 400 || !strings.Contains(r.body, `"code":131009`) {
			t.Errorf("of another number: %d %s", r.status, r.body)
		}
	}
}
