package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/store"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/vault"
	"github.com/hikyaku/hikyaku/internal/vault/vaulttest"
	"github.com/hikyaku/hikyaku/internal/wa"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

// foreignText stores what one dialect would refuse: it comes back unchanged, and is found again.
func foreignText(t *testing.T, s *store.Store) {
	for i, odd := range []string{
		"a\x00b", "\x00", "\xff\xfe", "ok", "🙂 é", "\uf8ffhex:00", "\uf8ffhex:zz", strings.Repeat("x", 100_000), "'; DROP TABLE messages; --", "?", "$1",
	} {
		m := &pipeline.Message{
			ID: wa.MessageID(fmt.Sprintf("%d%.10s", i, odd)), Number: "1", WABA: wa.WABAID(odd), User: wa.WaID(odd), State: pipeline.StateReceived, Type: odd,
			Category: odd, PricingType: odd, IdentityHash: odd, Device: wa.DeviceID(odd), ClientID: odd, Content: []byte(odd), Opaque: []byte(odd),
		}
		session := pipeline.Session{Number: "1", Device: wa.NewDeviceID(wa.WaID(odd), 1), State: []byte(odd)}
		must(t, s.Apply(t.Context(), &pipeline.Batch{
			Position: uint64(i + 1), Insert: []*pipeline.Message{m}, Sessions: []pipeline.Session{session},
			Items: []*pipeline.MailboxItem{{Device: wa.DeviceID(odd), Seq: 1, ID: m.ID, Event: []byte(odd)}},
		}))
		same(t, fmt.Sprintf("%.20q", odd), *row(t, s, m.ID), *m)
		got, err := s.ByClientID(t.Context(), m.Device, odd)
		must(t, err)
		if got == nil || got.ID != m.ID {
			t.Errorf("%.20q: not found by client id: %v", odd, got)
		}
		items, err := s.MailboxAfter(t.Context(), m.Device, 0, 2)
		must(t, err)
		if len(items) != 1 || string(items[0].Event) != odd {
			t.Errorf("%.20q: mailbox: %v", odd, items)
		}
		ps, err := s.Peers(t.Context(), []pipeline.PeerKey{{Number: "1", User: wa.WaID(odd)}})
		must(t, err)
		if len(ps) != 1 || len(ps[0].Sessions) != 1 || string(ps[0].Sessions[0].State) != odd {
			t.Errorf("%.20q: pair: %+v", odd, ps)
		}
		must(t, s.SaveBusiness(t.Context(), &business.Set{WABAs: []*business.WABA{{ID: wa.WABAID(odd), Name: odd}}}))
	}
	set, err := s.LoadBusiness(t.Context())
	must(t, err)
	if len(set.WABAs) != 11 {
		t.Errorf("%d documents, want 11", len(set.WABAs))
	}
}

func keys(t *testing.T, s *store.Store) {
	if k, err := s.NumberKeys(t.Context(), "1"); k != nil || err != nil {
		t.Errorf("keys of nobody: %x, %v", k, err)
	}
	for _, k := range [][]byte{{0, 1, 2}, {0xff, 0}} {
		must(t, s.SaveNumberKeys(t.Context(), "1", k))
		got, err := s.NumberKeys(t.Context(), "1")
		must(t, err)
		sameBytes(t, "keys", got, k)
	}
	if k, err := s.OneTime(t.Context(), "1", 7); k != nil || err != nil {
		t.Errorf("unknown prekey: %x, %v", k, err)
	}
	for id := range uint32(3) {
		must(t, s.SaveOneTime(t.Context(), "1", 4_294_967_295-id, []byte{byte(id), 0}, noon.Add(time.Duration(id)*time.Hour)))
	}
	got, err := s.OneTime(t.Context(), "1", 4_294_967_294)
	must(t, err)
	sameBytes(t, "prekey", got, []byte{1, 0})
	must(t, s.Apply(t.Context(), &pipeline.Batch{Position: 1, OneTime: []pipeline.OneTimeRef{{Number: "1", ID: 4_294_967_294}, {Number: "2", ID: 4_294_967_295}}}))
	if k, err := s.OneTime(t.Context(), "1", 4_294_967_294); k != nil || err != nil {
		t.Errorf("used prekey: %x, %v", k, err)
	}
	if n, err := s.DeleteOneTime(t.Context(), noon.Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("old prekeys: %d, %v", n, err)
	}
	if k, err := s.OneTime(t.Context(), "1", 4_294_967_293); len(k) == 0 || err != nil {
		t.Errorf("young prekey: %x, %v", k, err)
	}
}

func vaultTable(t *testing.T, s *store.Store) {
	list := func() string {
		ks, err := s.DataKeys(t.Context())
		must(t, err)
		var out strings.Builder
		for _, k := range ks {
			fmt.Fprintf(&out, "%d:%s ", k.ID, k.Wrapped)
		}
		return out.String()
	}
	a := vault.DataKey{ID: 4_294_967_295, Class: vault.ClassContent, Scope: "s", Begins: 1, Ends: 2, Created: 5, Wrapped: []byte("a")}
	b := vault.DataKey{ID: 3, Class: vault.ClassSecret, Created: 4, Wrapped: []byte("b")}
	must(t, s.AddDataKey(t.Context(), a))
	must(t, s.AddDataKey(t.Context(), b))
	if err := s.AddDataKey(t.Context(), vault.DataKey{ID: 3, Wrapped: []byte("other")}); !errors.Is(err, vault.ErrKeyExists) {
		t.Errorf("id taken: %v", err)
	}
	same(t, "oldest first", list(), "3:b 4294967295:a ")
	got, err := s.DataKey(t.Context(), a.ID)
	must(t, err)
	same(t, "row", *got, a)
	if got, err := s.DataKey(t.Context(), 99); got != nil || err != nil {
		t.Errorf("unknown: %v, %v", got, err)
	}
	must(t, s.DestroyDataKeys(t.Context(), []uint32{3, 99}))
	same(t, "destroyed", list(), "3: 4294967295:a ")
	must(t, s.RewrapDataKeys(t.Context(), []vault.DataKey{{ID: a.ID, Wrapped: []byte("c")}, {ID: 3, Wrapped: []byte("d")}}))
	same(t, "wrapped again", list(), "3: 4294967295:c ")
}

// vaultEnd runs a vault on the store: over a restart, and to the end of retention.
func vaultEnd(t *testing.T, s *store.Store) {
	c := clock.NewFake(noon)
	openVault := func() *vault.Vault {
		v, err := vault.Open(t.Context(), vault.Options{Root: vaulttest.Root(t, 1), Store: s, Clock: c})
		must(t, err)
		return v
	}
	v := openVault()
	sealed, err := v.Seal(vault.ClassContent, "", []byte("ad"), []byte("text"))
	must(t, err)
	if got, err := openVault().Open([]byte("ad"), sealed); err != nil || string(got) != "text" {
		t.Errorf("after restart: %q, %v", got, err)
	}
	if n, err := v.DestroyContent(t.Context(), noon.Add(2*time.Hour)); n != 1 || err != nil {
		t.Errorf("destroyed %d, %v", n, err)
	}
	for _, v := range []*vault.Vault{v, openVault()} {
		if _, err := v.Open([]byte("ad"), sealed); !errors.Is(err, vault.ErrDestroyed) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// documents saves, replaces and loads the objects that rooms keep in memory.
func documents(t *testing.T, s *store.Store) {
	equal := func(what string, got, want any) {
		t.Helper()
		g, err := json.Marshal(got)
		must(t, err)
		w, err := json.Marshal(want)
		must(t, err)
		if !bytes.Equal(g, w) {
			t.Errorf("%s:\n got %s\nwant %s", what, g, w)
		}
	}
	b := &business.Set{
		Portfolios: []*business.Portfolio{{ID: "1", Name: "A\x00\"é", Created: noon}, {ID: "2"}},
		WABAs:      []*business.WABA{{ID: "3", Owner: "1", Shared: []business.Share{{Business: "2", Tasks: []string{"MANAGE"}}}}},
		Numbers:    []*business.Number{{ID: "4", WaID: "15550142233", PIN: business.PIN{Salt: []byte{0, 255}, Last: noon}, Created: noon}},

		QRCodes:     []*business.QRCode{{Code: "ABCDEFGHIJKLMN", Number: "4", Text: "a\x00b", Created: noon}},
		Preverified: []*business.Preverified{{ID: "5", Owner: "1", WaID: "15550142234", Partners: []wa.BusinessID{"2"}}},
		Solutions:   []*business.Solution{{ID: "6", Owner: business.Party{App: "1", Tasks: []string{"MANAGE"}}, Created: noon}},
		Intents:     []*business.Intent{{ID: "7", WABA: "3", Solution: "6", Created: noon}},
		Budgets:     []*business.Budget{{WaID: "15550142234", Requests: []time.Time{noon}, Blocked: noon}},
		Notices:     []*business.Notice{{ID: "1", WABA: "3", Field: "security", At: noon, Value: []byte(`{"a":1}`)}},

		Certifications: []*business.Certification{{ID: "8", Client: "2", Reasons: []string{"MALFORMED_DOCUMENTS"}, Created: noon}},
	}
	a := &access.Set{
		Apps:        []*access.App{{ID: "1", Secret: []byte{1, 0}, Created: noon}},
		SystemUsers: []*access.SystemUser{{ID: "2", Installed: []wa.AppID{"1"}}},
		People:      []*access.Person{{ID: "3", Email: "a@example.com"}},
		Tokens:      []*access.Token{{Hash: [32]byte{1, 2, 255}, App: "1", Issued: noon}, {Hash: [32]byte{2}}},
		Invitations: []*access.Invitation{{ID: "4", Business: "1", Email: "b@example.com", Role: access.Employee, Created: noon}},
		Sessions:    []*access.Session{{Hash: [32]byte{1, 255}, Person: "3", Began: noon, Ends: noon}, {Hash: [32]byte{2}, Setup: true, Member: []access.Membership{{Business: "1", Role: "ADMIN"}}}},
	}
	ts := []*template.Template{{ID: "1", Name: "hello_world", Components: []template.Component{{Type: template.Body, Text: "Hi", Example: []byte("{}")}}}}
	for range 2 { // the second time replaces
		must(t, s.SaveBusiness(t.Context(), b))
		must(t, s.SaveAccess(t.Context(), a))
		must(t, s.SaveTemplates(t.Context(), ts))
		gotB, err := s.LoadBusiness(t.Context())
		must(t, err)
		equal("business", gotB, b)
		gotA, err := s.LoadAccess(t.Context())
		must(t, err)
		equal("access", gotA, a)
		gotT, err := s.LoadTemplates(t.Context())
		must(t, err)
		equal("templates", gotT, ts)
		b.Numbers[0].Display, a.Tokens[0].Revoked, ts[0].Status = "+1 555-014-2233", noon, template.Approved
	}
	gone := *a.Sessions[0]
	gone.Ended = true
	must(t, s.SaveAccess(t.Context(), &access.Set{Sessions: []*access.Session{&gone}}))
	if got, err := s.LoadAccess(t.Context()); err != nil || len(got.Sessions) != 1 || got.Sessions[0].Hash != a.Sessions[1].Hash {
		t.Errorf("an ended session is left: %v, %v", got, err)
	}
	must(t, s.SaveBusiness(t.Context(), &business.Set{
		QRCodes: []*business.QRCode{{Code: b.QRCodes[0].Code, Deleted: true}}, Preverified: []*business.Preverified{{ID: "5", Removed: true}},
		Budgets: []*business.Budget{{WaID: "15550142234", Gone: true}}, Solutions: []*business.Solution{{ID: "6", Gone: true}},
		Intents: []*business.Intent{{ID: "7", Gone: true}}, Certifications: []*business.Certification{{ID: "8", Gone: true}},
	}))
	left, err := s.LoadBusiness(t.Context())
	must(t, err)
	equal("what is left", left, &business.Set{Portfolios: b.Portfolios, WABAs: b.WABAs, Numbers: b.Numbers, Notices: b.Notices})
	must(t, s.ForgetTemplates(t.Context(), []wa.TemplateID{"1", "2"}))
	if got, err := s.LoadTemplates(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("forgotten templates: %v, %v", got, err)
	}
	g := &template.Group{ID: "7", WABA: "3", Name: "a", Templates: []wa.TemplateID{"1"}, Created: noon}
	for range 2 {
		must(t, s.SaveTemplateGroup(t.Context(), g))
		got, err := s.LoadTemplateGroups(t.Context())
		must(t, err)
		equal("groups", got, []*template.Group{g})
		g.Name = "b"
	}
	must(t, s.DeleteTemplateGroup(t.Context(), "7"))
	if got, err := s.LoadTemplateGroups(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("deleted groups: %v, %v", got, err)
	}
}

// accounts keeps what goes away again, and the history.
func accounts(t *testing.T, s *store.Store) {
	q := &business.QRCode{Code: "ABCDEFGHIJKLMN", Number: "4"}
	n := &business.Notice{ID: "1", WABA: "3", Value: []byte("{}")}
	must(t, s.SaveBusiness(t.Context(), &business.Set{QRCodes: []*business.QRCode{q}, Notices: []*business.Notice{n}}))
	must(t, s.SaveBusiness(t.Context(), &business.Set{
		Preverified: []*business.Preverified{{ID: "5"}}, Budgets: []*business.Budget{{WaID: "1"}},
	}))
	must(t, s.SaveBusiness(t.Context(), &business.Set{
		Preverified: []*business.Preverified{{ID: "5", Removed: true}}, Budgets: []*business.Budget{{WaID: "1", Gone: true}},
	}))
	gone := *q
	gone.Deleted = true
	must(t, s.SaveBusiness(t.Context(), &business.Set{QRCodes: []*business.QRCode{&gone}, Delivered: []string{"1", "unknown"}}))
	set, err := s.LoadBusiness(t.Context())
	must(t, err)
	if len(set.QRCodes)+len(set.Notices)+len(set.Preverified)+len(set.Budgets) != 0 {
		t.Errorf("left behind: %v %v", set.QRCodes, set.Notices)
	}
	var all []*business.Activity
	for i := range 6 {
		all = append(all, &business.Activity{
			ID: fmt.Sprint(i), WABA: wa.WABAID("3"), Type: business.ActUpdated, At: noon.Add(time.Duration(i) * time.Hour), Actor: business.Actor{ID: "9\x00"},
		})
	}
	all[2].WABA, all[3].Type = "4", business.ActCreated
	for range 2 { // the second time changes nothing
		must(t, s.SaveBusiness(t.Context(), &business.Set{Activities: all}))
	}
	for want, q := range map[string]business.ActivityQuery{
		"5431": {Limit: 4},
		"54":   {Limit: 2},
		"31":   {Limit: 2, Before: "4"},
		"10":   {Limit: 9, Before: "3"},
		"43":   {Limit: 2, After: "1"},
		"3":    {Limit: 9, Types: []business.ActivityType{business.ActCreated, business.ActGranted}},
		"41":   {Limit: 9, Types: []business.ActivityType{business.ActUpdated}, Since: noon.Add(time.Hour), Until: noon.Add(4 * time.Hour)},
	} {
		q.WABA = "3"
		list, err := s.Activities(t.Context(), q)
		must(t, err)
		var got strings.Builder
		for _, a := range list {
			got.WriteString(a.ID)
		}
		if got.String() != want {
			t.Errorf("%+v: %s, want %s", q, got.String(), want)
		}
	}
	must(t, s.DeleteActivities(t.Context(), noon.Add(4*time.Hour)))
	list, err := s.Activities(t.Context(), business.ActivityQuery{WABA: "3", Limit: 9})
	must(t, err)
	if len(list) != 2 || list[1].ID != "4" {
		t.Errorf("after deletion: %v", list)
	}
}
