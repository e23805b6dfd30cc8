package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/wa"
)

const cedar, wabaCedar = "500600700800902", "220110330440560"

// solution makes a solution of Aozora and Birch that waits for Birch, and an intent to move an account to another one.
func (w *world) solution() (solution, intent string) {
	w.t.Helper()
	side := func(app, b string, tasks ...string) business.Party {
		return business.Party{App: wa.AppID(app), Business: wa.BusinessID(b), Tasks: tasks}
	}
	make := func(name string) string {
		x, err := w.business.CreateSolution(w.t.Context(), business.Solution{Name: name, Owner: side(appA, aozora, "MESSAGING"), Partner: side(appB, birch)})
		if err != nil {
			w.t.Fatal(err)
		}
		return x.ID
	}
	active := make("Active")
	if _, err := w.business.AnswerSolution(w.t.Context(), active, appB, true, nil); err != nil {
		w.t.Fatal(err)
	}
	i, err := w.business.MoveTo(w.t.Context(), wabaA, appA, active)
	if err != nil {
		w.t.Fatal(err)
	}
	return make("Waits"), i.ID
}

// idIn is the member of an answer that is an id.
func idIn(t *testing.T, r reply, member string) string {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(r.body), &o); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	id, _ := o[member].(string)
	return id
}

// notices are the values that the room owes about a field, by the id that their entry has.
func (w *world) notices(field string, n int) []string {
	w.t.Helper()
	var out []string
	ctx, stop := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer stop()
	_ = w.business.Run(ctx, told(func(x *business.Notice) {
		if x.Field == field {
			out = append(out, x.Entry+" "+string(x.Value))
		}
		if len(out) == n {
			stop()
		}
	}))
	return out
}

// Source: spec/access.md section 13, spec/webhooks.md section 37.
func TestLifeOfASolution(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	offer := func(body string) reply {
		return w.direct("admin", "POST /v23.0/"+appA+"/whatsapp_business_solution", body)
	}
	for body, want := range map[string]string{
		`{}`: "solution_name", `{"solution_name":"x"}`: "partner_app_id",
		`{"solution_name":"x","partner_app_id":"` + appB + `","owner_permissions":["MESSAGING"],"partner_permissions":[]}`:           "2 to 75",
		`{"solution_name":"Tea","partner_app_id":"` + appB + `","owner_permissions":["MESSAGING"]}`:                                  "partner_permissions",
		`{"solution_name":"Tea","partner_app_id":"` + appB + `","owner_permissions":[],"partner_permissions":[]}`:                    "Exactly one",
		`{"solution_name":"Tea","partner_app_id":"` + appB + `","owner_permissions":["MESSAGING"],"partner_permissions":["MANAGE"]}`: "Exactly one",
		`{"solution_name":"Tea","partner_app_id":"1","owner_permissions":["MESSAGING"],"partner_permissions":[]}`:                    "another business",
		`{"solution_name":"Tea","partner_app_id":"` + appPartner + `","owner_permissions":["MESSAGING"],"partner_permissions":[]}`:   "another business",
	} {
		if r := offer(body); r.status != 400 || !strings.Contains(r.body, `"code":100`) || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
	id := idIn(t, offer(`{"solution_name":"Tea","partner_app_id":"`+appB+`","owner_permissions":["MESSAGING"],"partner_permissions":["MANAGE_EXTENSIONS"]}`), "solution_id")
	node := "GET /v23.0/" + id
	w.direct("birch", node, "").want(t, 200, `{"id":"`+id+`","name":"Tea","status":"INITIATED","status_for_pending_request":"PENDING_ACTIVATION"}`)
	w.direct("admin", node+"?fields=owner_app,owner_permissions,partners", "").want(t, 200, `{"owner_app":{"id":"`+appA+`","name":"A `+appA+`"},"owner_permissions":["MESSAGING"],`+
		`"partners":[{"partner_app":{"id":"`+appB+`","name":"A `+appB+`"},"partner_permissions":["MANAGE_EXTENSIONS"]}],"id":"`+id+`"}`)
	w.direct("birch", "GET /v23.0/"+appB+"/whatsapp_business_solutions?fields=id", "").want(t, 200, `{"data":[{"id":"`+id+`"}],"paging":`+cursors(t, w, "birch", appB)+`}`)
	w.direct("birch", "GET /v23.0/"+appB+"/whatsapp_business_solutions?role=OWNER", "").want(t, 200, `{"data":[]}`)
	for _, step := range []struct{ token, action, want string }{
		{"admin", "accept", "Only the partner's app"},
		{"birch", "send_deactivation_request", "not active"},
		{"birch", "accept_deactivation_request", "Nobody asked"},
		{"partner", "accept", `"code":10,`}, // another app of the owner
		{"birch", "accept", ""},
		{"birch", "accept", "waits for no answer"},
		{"birch", "send_deactivation_request", ""},
		{"admin", "send_deactivation_request", "already"},
		{"birch", "accept_deactivation_request", "other app"},
		{"admin", "reject_deactivation_request", ""},
		{"admin", "send_deactivation_request", ""},
		{"birch", "accept_deactivation_request", ""},
	} {
		r := w.direct(step.token, "POST /v23.0/"+id+"/"+step.action, "")
		if step.want == "" && r.body != done || step.want != "" && (r.status < 400 || !strings.Contains(r.body, step.want)) {
			t.Errorf("%s by %s: %d %s", step.action, step.token, r.status, r.body)
		}
	}
	w.direct("birch", node+"?fields=status,status_for_pending_request", "").want(t, 200, `{"status":"DEACTIVATED","status_for_pending_request":"NONE","id":"`+id+`"}`)
	no := idIn(t, offer(`{"solution_name":"No","partner_app_id":"`+appB+`","owner_permissions":["MESSAGING"],"partner_permissions":[]}`), "solution_id")
	w.direct("birch", "POST /v23.0/"+no+"/reject?fields=status", "").want(t, 200, `{"status":"REJECTED","id":"`+no+`"}`)
	var want []string
	for _, e := range []string{"CREATED INITIATED", "UPDATED ACTIVE", "UPDATED PENDING_DEACTIVATION", "UPDATED ACTIVE", "UPDATED PENDING_DEACTIVATION", "UPDATED DEACTIVATED"} {
		event, status, _ := strings.Cut(e, " ")
		for _, b := range []string{aozora, birch} {
			want = append(want, b+` {"event":"SOLUTION_`+event+`","solution_id":"`+id+`","solution_status":"`+status+`"}`)
		}
	}
	if got := w.notices(business.FieldSolutions, 16); len(got) != 16 || !slices.Equal(got[:12], want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// cursors are those of a page with a single item.
func cursors(t *testing.T, w *world, token, app string) string {
	t.Helper()
	r := w.direct(token, "GET /v23.0/"+app+"/whatsapp_business_solutions?fields=id", "")
	_, after, _ := strings.Cut(r.body, `"paging":`)
	return strings.TrimSuffix(after, "}")
}

// thirdParty makes a third business with an account, and lets the person of the world administer it.
func (w *world) thirdParty() {
	w.t.Helper()
	ctx := w.t.Context()
	_, err := w.business.CreatePortfolio(ctx, business.Portfolio{ID: cedar, Name: "P " + cedar})
	if err == nil {
		_, err = w.business.CreateWABA(ctx, business.WABA{ID: wabaCedar, Owner: cedar, Name: "W " + wabaCedar})
	}
	if err == nil {
		_, err = w.access.UpdatePerson(ctx, personA, func(p *access.Person) error {
			p.Member = append(slices.Clone(p.Member), access.Membership{Business: cedar, Role: access.Admin})
			return nil
		})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// A client signs up with a solution: both sides reach its account, each by a token of its own. Source: spec/access.md sections
// 12 and 13.
func TestClientsOfASolution(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.thirdParty()
	solution, _ := w.solution()
	h, q := pages(t, w, appB)
	q = with(q, "config_id", "1", "scope", "", "extras", `{"setup":{"solutionID":"`+solution+`"}}`)
	if rec := open(h, with(q, "answer", "login")); rec.Code != 400 || !strings.Contains(rec.Body.String(), "not an active one") {
		t.Errorf("a solution that nobody accepted: %d %s", rec.Code, rec.Body)
	}
	if rec := open(h, with(q, "extras", "{", "answer", "login")); rec.Code != 400 {
		t.Errorf("extras that are none: %d", rec.Code)
	}
	w.direct("birch", "POST /v23.0/"+solution+"/accept", "").want(t, 200, done)
	signUp := func(q url.Values) {
		t.Helper()
		m := ticketField.FindStringSubmatch(open(h, with(q, "answer", "login", "email", "mio@aozora.example", "password", password)).Body.String())
		if m == nil {
			t.Fatal("no ticket")
		}
		if rec := open(h, with(q, "answer", "allow", "ticket", m[1], "waba", wabaCedar)); rec.Code != 303 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	}
	signUp(q)
	for token, app := range map[string]string{"admin": appA, "birch": appB} {
		if _, err := w.access.UpdateApp(t.Context(), wa.AppID(app), func(a *access.App) error { a.Advanced = all; return nil }); err != nil {
			t.Fatal(err)
		}
		r := w.direct(token, "GET /v23.0/"+solution+"/access_token?business_id="+cedar, "")
		w.tokens["of "+token] = idIn(t, r, "access_token")
		if !strings.Contains(r.body, `"expires_at":`) {
			t.Errorf("%s", r.body)
		}
		if r := w.direct("of "+token, "GET /v23.0/"+wabaCedar+"/solutions?fields=name", ""); r.status != 200 || !strings.Contains(r.body, `"name":"Waits"`) {
			t.Errorf("%s: %d %s", token, r.status, r.body)
		}
		w.direct("of "+token, "GET /v23.0/"+wabaB, "").want(t, 400, missing("get", wabaB))
		w.direct(token, "GET /v23.0/"+solution+"/access_token?business_id="+birch, "").want(t, 400, graphError("(#100) Param business_id must be the id of a client of the solution.", `"code":100`))
		if r := w.direct(token, "GET /v23.0/"+app+"/connected_client_businesses", ""); !strings.Contains(r.body, `{"data":[{"id":"`+cedar+`","name":"P `+cedar+`"}]`) {
			t.Errorf("%s: %s", token, r.body)
		}
	}
	for token, allowed := range map[string]bool{"of admin": true, "of birch": false} { // who holds MESSAGING
		c, err := w.access.Authenticate(t.Context(), w.tokens[token])
		if err != nil {
			t.Fatal(err)
		}
		x, _ := w.business.WABA(wabaCedar)
		a := access.Asset{WABA: x.ID, Owner: x.Owner}
		if got := c.May(a, access.MessagingTask, scopeS) == access.Allowed; got != allowed {
			t.Errorf("%s may send: %v", token, got)
		}
	}
	// What the client narrows, the partner does not get back by asking for another token.
	robot, err := w.access.Authenticate(t.Context(), w.tokens["of admin"])
	if err != nil {
		t.Fatal(err)
	}
	id := wa.SystemUserID(robot.Token.Actor)
	if err := w.access.Assign(t.Context(), string(id), wabaCedar, []access.Task{access.ViewTemplates}); err != nil {
		t.Fatal(err)
	}
	if r := w.direct("admin", "GET /v23.0/"+solution+"/access_token?business_id="+cedar, ""); r.status != 200 {
		t.Errorf("another token: %d %s", r.status, r.body)
	}
	if u, _ := w.access.SystemUser(id); len(u.Assigned) != 1 || !slices.Equal(u.Assigned[0].Tasks, []access.Task{access.ViewTemplates}) {
		t.Errorf("assigned again: %+v", u.Assigned)
	}
	info := ` {"event":"PARTNER_ADDED","waba_info":{"waba_id":"` + wabaCedar + `","owner_business_id":"` + cedar + `","solution_id":"` + solution +
		`","solution_partner_business_ids":["` + aozora + `","` + birch + `"]}}`
	if got := w.notices(business.FieldAccount, 2); len(got) < 2 || !slices.Equal(got[:2], []string{aozora + info, birch + info}) {
		t.Errorf("told %s", strings.Join(got, "\n"))
	}
	// It moves to another solution when a partner wishes it and the client signs up again.
	other, err := w.business.CreateSolution(t.Context(), business.Solution{Name: "Other", Owner: business.Party{App: appB, Business: birch, Tasks: []string{"MESSAGING"}}, Partner: business.Party{App: appA, Business: aozora}})
	if err == nil {
		_, err = w.business.AnswerSolution(t.Context(), other.ID, appA, true, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	move := "POST /v23.0/" + wabaCedar + "/set_solution_migration_intent?solution_id=" + other.ID
	first := idIn(t, w.direct("of birch", move, ""), "id")
	second := idIn(t, w.direct("of birch", move+"&app_id="+appB, ""), "id")
	w.direct("of birch", "GET /v23.0/"+first, "").want(t, 200, `{"id":"`+first+`","status":"REJECTED"}`)
	w.direct("of birch", "GET /v23.0/"+second, "").want(t, 200, `{"id":"`+second+`","status":"INITIATED"}`)
	signUp(with(q, "extras", `{"setup":{"solutionID":"`+other.ID+`"}}`))
	w.direct("of birch", "GET /v23.0/"+second, "").want(t, 200, `{"id":"`+second+`","status":"COMPLETED"}`)
	w.direct("of birch", "POST /v23.0/"+wabaCedar+"/set_obo_mobility_intent", "").want(t, 400, userError("Nothing to move", "The WhatsApp Business Account belongs to its own business: nobody owns it on behalf of another."))
	// A partner who loses the account by another sign-up hears no more of it.
	dora, err := w.business.CreatePortfolio(t.Context(), business.Portfolio{Name: "Dora"})
	if err != nil {
		t.Fatal(err)
	}
	app, err := w.access.CreateApp(t.Context(), access.NewApp{Name: "Dora", Business: dora.ID})
	if err != nil {
		t.Fatal(err)
	}
	last, err := w.business.CreateSolution(t.Context(), business.Solution{Name: "Last", Owner: business.Party{App: appB, Business: birch, Tasks: []string{"MESSAGING"}}, Partner: business.Party{App: app.ID, Business: dora.ID}})
	if err == nil {
		_, err = w.business.AnswerSolution(t.Context(), last.ID, app.ID, true, nil)
	}
	for _, id := range []wa.AppID{appA, appB, app.ID, "999"} {
		err = errors.Join(err, w.webhooks.Link(t.Context(), id, wabaCedar, "", ""))
	}
	if err != nil {
		t.Fatal(err)
	}
	linked := func(apps ...wa.AppID) {
		t.Helper()
		var got []wa.AppID
		for _, l := range w.webhooks.Links(wabaCedar) {
			got = append(got, l.App)
		}
		slices.Sort(got)
		if slices.Sort(apps); !slices.Equal(got, apps) {
			t.Errorf("subscribed: %v, want %v", got, apps)
		}
	}
	linked(appA, appB, app.ID, "999")
	signUp(with(q, "extras", `{"setup":{"solutionID":"`+last.ID+`"}}`))
	linked(appB, app.ID, "999")
	// A start ends what a crash left: subscriptions of apps that were removed, or that nobody knows.
	if _, err := w.access.UpdateApp(t.Context(), app.ID, func(a *access.App) error { a.Removed = w.clock.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := api.Dismiss(t.Context(), w.webhooks, w.access); err != nil {
		t.Fatal(err)
	}
	linked(appB)
}

func userError(title, text string) string {
	return graphError("Invalid parameter", `"code":100,"is_transient":false,"error_user_title":"`+title+`","error_user_msg":"`+text+`"`)
}

// Ten new clients in seven days, however many sign up at once, 200 once the business is verified. Source: spec/access.md
// section 12.2.
func TestNewClientsOfAPartner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	admit := func(client wa.BusinessID, verified bool) error {
		_, err := w.access.AdmitClient(t.Context(), appB, client, personA, verified)
		return err
	}
	var taken atomic.Int32
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			if err := admit(wa.BusinessID(strconv.Itoa(500600700800910+i)), false); err == nil {
				taken.Add(1)
			} else if !errors.Is(err, access.ErrManyClients) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if taken.Load() != 10 {
		t.Errorf("%d new clients", taken.Load())
	}
	if err := admit(cedar, false); !errors.Is(err, access.ErrManyClients) {
		t.Errorf("the eleventh: %v", err)
	}
	if err := admit(birch, false); err != nil {
		t.Errorf("the business itself: %v", err)
	}
	if err := errors.Join(admit(cedar, true), admit(cedar, false)); err != nil {
		t.Errorf("a verified business, and then a client that it has: %v", err)
	}
	w.clock.Advance(7 * 24 * time.Hour)
	if err := admit("500600700800999", false); err != nil {
		t.Errorf("a week later: %v", err)
	}
}

// Source: spec/business.md sections 2.3 and 3.
func TestPartnersCertifyClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	post := "POST /v23.0/" + aozora + "/self_certify_whatsapp_business"
	list := "GET /v23.0/" + aozora + "/self_certified_whatsapp_business_submissions?fields=verification_status,rejection_reasons"
	w.direct("admin", post, `{"end_business_id":"`+cedar+`"}`).want(t, 400, graphError("(#100) Param end_business_id must be the id of a client business.", `"code":100`))
	for claim, want := range map[string]string{
		`"business_documents":["` + strings.Repeat("4", 1025) + `"]`:                                              "at most 1024 characters",
		`"average_monthly_revenue_spend_with_partner":{"amount":1,"currency":"` + strings.Repeat("E", 999) + `"}`: "must be a currency code of ISO 4217",
	} {
		if r := w.direct("admin", post, `{"end_business_id":"`+birch+`",`+claim+`}`); r.status != 400 || !strings.Contains(r.body, want) {
			t.Errorf("%.60s: %d %s", claim, r.status, r.body)
		}
	}
	first := idIn(t, w.direct("admin", post, `{"end_business_id":"`+birch+`","business_vertical":"retail","average_monthly_revenue_spend_with_partner":{"amount":12.5,"currency":"EUR"},"num_billing_cycles_with_partner":3}`), "id")
	id := idIn(t, w.direct("admin", post, `{"end_business_id":"`+birch+`"}`), "id")
	w.direct("birch", "GET /v23.0/"+birch+"?fields=verification_status", "").want(t, 200, `{"verification_status":"pending","id":"`+birch+`"}`)
	if _, err := w.business.DecideCertification(t.Context(), first, business.CertificationApproved, nil); err == nil {
		t.Error("a discarded submission was approved")
	}
	if _, err := w.business.DecideCertification(t.Context(), id, business.CertificationFailed, []string{"MALFORMED_DOCUMENTS"}); err != nil {
		t.Fatal(err)
	}
	r := w.direct("admin", list, "")
	for _, s := range []string{
		`{"verification_status":"DISCARDED","rejection_reasons":["NONE"],"id":"` + first + `"}`, `{"verification_status":"FAILED","rejection_reasons":["MALFORMED_DOCUMENTS"],"id":"` + id + `"}`,
	} {
		if !strings.Contains(r.body, s) {
			t.Errorf("%s\nlacks %s", r.body, s)
		}
	}
	third := idIn(t, w.direct("admin", post, `{"end_business_id":"`+birch+`"}`), "id")
	if _, err := w.business.DecideCertification(t.Context(), third, business.CertificationApproved, nil); err != nil {
		t.Fatal(err)
	}
	w.direct("birch", "GET /v23.0/"+birch+"?fields=verification_status,whatsapp_business_manager_messaging_limit", "").want(t, 200, `{"verification_status":"verified","whatsapp_business_manager_messaging_limit":"TIER_2K","id":"`+birch+`"}`)
	if r := w.direct("admin", post, `{"end_business_id":"`+birch+`"}`); r.status != 400 || !strings.Contains(r.body, "verified already") {
		t.Errorf("%d %s", r.status, r.body)
	}
	told := w.notices(business.FieldAccount, 6)
	if want := ` {"event":"PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE","partner_client_certification_info":{"client_business_id":"` + birch + `","status":"FAILED","rejection_reasons":["MALFORMED_DOCUMENTS"]}}`; !slices.Contains(told, want) {
		t.Errorf("told\n%s", strings.Join(told, "\n"))
	}
	onboard := "POST /v23.0/" + aozora + "/onboard_partners_to_mm_lite"
	if idIn(t, w.direct("admin", onboard, ""), "request_id") == "" {
		t.Error("no request")
	}
	w.direct("admin", onboard, "").want(t, 400, cloudError("(#1752041) Duplicate Request", "1752041", "Duplicate Request is thrown when a client has already been invited to onboard by any partner."))
}

// Whoever logs in with the invited address joins. Source: spec/access.md section 8.1.
func TestInvitations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	pages(t, w, appA) // gives the person an address and a password
	invite := "POST /v23.0/" + birch + "/business_users"
	w.direct("birch", invite, `{"email":"nobody","role":"EMPLOYEE"}`).want(t, 400, graphError("(#100) Param email must be an e-mail address.", `"code":100`))
	w.direct("birch", invite, `{"email":"a@b.example","role":"KING"}`).want(t, 400, graphError(`(#100) Param role must be one of {ADMIN, EMPLOYEE} - got \"KING\".`, `"code":100`))
	id := idIn(t, w.direct("birch", invite, `{"email":"MIO@aozora.example","role":"EMPLOYEE"}`), "id")
	if again := idIn(t, w.direct("birch", invite, `{"email":"mio@aozora.example","role":"ADMIN"}`), "id"); again != id {
		t.Errorf("invited twice: %s and %s", id, again)
	}
	if r := w.direct("birch", "GET /v23.0/"+birch+"/pending_users", ""); !strings.Contains(r.body, `{"data":[{"id":"`+id+`","email":"mio@aozora.example","role":"ADMIN","status":"PENDING"}]`) {
		t.Errorf("%s", r.body)
	}
	w.direct("admin", "GET /v23.0/"+birch+"/pending_users", "").want(t, 400, missing("get", birch))
	if _, err := w.access.Login(t.Context(), "mio@aozora.example", "wrong password", "peer"); err == nil {
		t.Error("logged in")
	}
	p, err := w.access.Login(t.Context(), "mio@aozora.example", password, "peer")
	if err != nil || len(p.Member) != 2 || p.Member[1].Business != birch || p.Member[1].Role != access.Admin || p.Member[1].Since.IsZero() {
		t.Errorf("%+v %v", p, err)
	}
	w.direct("birch", "GET /v23.0/"+birch+"/pending_users", "").want(t, 200, `{"data":[]}`)
	if r := w.direct("birch", invite, `{"email":"mio@aozora.example","role":"ADMIN"}`); r.status != 400 || !strings.Contains(r.body, "belongs to the business already") {
		t.Errorf("%d %s", r.status, r.body)
	}
	idIn(t, w.direct("birch", invite, `{"email":"late@b.example","role":"ADMIN"}`), "id")
	w.clock.Advance(30 * 24 * time.Hour)
	w.direct("birch", "GET /v23.0/"+birch+"/pending_users", "").want(t, 200, `{"data":[]}`)
}
