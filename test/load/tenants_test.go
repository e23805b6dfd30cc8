//go:build load && linux

package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Bounds of the real service that decide how many people and portfolios so many accounts need.
const (
	portfoliosOf = 2  // of a person
	accountsOf   = 20 // of a portfolio
	redirect     = "http://localhost:3000/cb"
	password     = "a long password"
	scopes       = "business_management,whatsapp_business_management,whatsapp_business_messaging"
)

// tenants makes accounts the way their owners do: a person logs in at the app's dialog, creates portfolios and accounts, gives
// each account a template and a number that is verified by code and registered, and points its webhooks at a URL of its own.
// What only the operator decides, app review, verification and the messaging limit, comes through the control API.
type tenants struct {
	s         *stage
	owner     string // token
	portfolio string
	people    int    // who logged in so far
	owned     int    // portfolios of the last one
	accounts  int    // of the last portfolio
	waba      string // the last account
	made      []sender
}

func (t *tenants) grow(to int) []sender {
	t.s.t.Helper()
	for len(t.made) < to {
		t.made = append(t.made, t.account(len(t.made)))
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		a, err := t.s.place.Graph(t.s.t.Context(), "GET", "v23.0/"+t.waba+"/message_templates?fields=status", t.owner, nil)
		if err == nil && strings.Contains(string(a.Body), `"APPROVED"`) {
			return t.made // the last one to be reviewed
		}
	}
	t.s.t.Fatal("the template was not approved in time")
	return nil
}

// room makes sure that there is a portfolio with room for an account.
func (t *tenants) room() {
	if t.portfolio != "" && t.accounts < accountsOf {
		return
	}
	s := t.s
	if t.owner == "" || t.owned == portfoliosOf {
		var err error
		if t.owner, err = t.login(); err != nil {
			s.t.Fatal(err)
		}
		t.people++
		t.owned = 0
	}
	t.portfolio = s.graph("POST", "me/businesses", t.owner, map[string]any{"name": "Shops", "vertical": "RETAIL"})
	t.owned++
	t.accounts = 0
	s.control("POST", "portfolios/"+t.portfolio, map[string]any{"verification": "verified"})
	s.control("POST", "portfolios/"+t.portfolio+"/limit", map[string]any{"tier": "TIER_UNLIMITED"})
}

func (t *tenants) account(i int) sender {
	s := t.s
	s.t.Helper()
	t.room()
	t.accounts++
	waba := s.graph("POST", t.portfolio+"/owned_whatsapp_business_accounts", t.owner, map[string]any{
		"name": fmt.Sprint("Shop ", i), "currency": "USD", "timezone_id": "1",
	})
	t.waba = waba
	s.graph("POST", waba+"/message_templates", t.owner, map[string]any{
		"name": "order_ready", "language": "en_US", "category": "UTILITY",
		"components": []any{map[string]any{"type": "BODY", "text": "Your order is ready."}},
	})
	local := fmt.Sprintf("202556%04d", i)
	number := s.graph("POST", waba+"/phone_numbers", t.owner, map[string]any{"cc": "1", "phone_number": local, "verified_name": "Shop"})
	s.graph("POST", number+"/request_code", t.owner, map[string]any{"code_method": "SMS", "language": "en_US"})
	var codes struct{ Data []struct{ Code string } }
	if err := json.Unmarshal(s.control("GET", "codes?phone=1"+local, nil), &codes); err != nil || len(codes.Data) == 0 {
		s.t.Fatalf("no code for %s: %v", local, err)
	}
	s.graph("POST", number+"/verify_code", t.owner, map[string]any{"code": codes.Data[len(codes.Data)-1].Code})
	s.graph("POST", number+"/register", t.owner, map[string]any{"messaging_product": "whatsapp", "pin": "212834"})
	s.graph("POST", waba+"/subscribed_apps", t.owner, map[string]any{
		"override_callback_uri": s.receiver.URL() + "/" + waba, "verify_token": s.start.Verify,
	})
	return sender{number, t.owner, "order_ready"}
}

var ticket = regexp.MustCompile(`name="ticket" value="([^"]+)"`)

// login is a person at the log-in dialog, and the app that takes the code.
func (t *tenants) login() (token string, err error) {
	s := t.s
	mail := fmt.Sprintf("owner%d@example.com", t.people)
	s.control("POST", "apps/"+s.start.App, map[string]any{ // after app review: other portfolios' accounts, too
		"redirect_uris": []string{redirect}, "advanced_access": strings.Split(scopes, ","),
	})
	s.control("POST", "people", map[string]any{"name": "Owner", "email": mail, "password": password})
	form := url.Values{
		"client_id": {s.start.App}, "redirect_uri": {redirect}, "state": {"x"}, "scope": {scopes}, "email": {mail}, "password": {password}, "answer": {"login"},
	}
	_, page, err := t.dialog(form)
	if err != nil {
		return "", err
	}
	found := ticket.FindStringSubmatch(page)
	if found == nil {
		return "", fmt.Errorf("the dialog shows no ticket: %s", page)
	}
	form.Del("email")
	form.Del("password")
	form.Set("ticket", found[1])
	form.Set("answer", "allow")
	to, page, err := t.dialog(form)
	if err != nil {
		return "", err
	}
	back, err := url.Parse(to)
	if err != nil || back.Query().Get("code") == "" {
		return "", fmt.Errorf("the dialog gave no code: %q %v %s", to, err, page)
	}
	q := url.Values{"client_id": {s.start.App}, "client_secret": {s.start.Secret}, "redirect_uri": {redirect}, "code": {back.Query().Get("code")}}
	a, err := s.place.Graph(s.t.Context(), "GET", "v23.0/oauth/access_token?"+q.Encode(), "", nil)
	if err != nil {
		return "", err
	}
	var v struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(a.Body, &v); err != nil || v.Token == "" {
		return "", errors.New("no token: " + string(a.Body))
	}
	return v.Token, nil
}

func (t *tenants) dialog(form url.Values) (location, page string, err error) {
	req, err := http.NewRequestWithContext(t.s.t.Context(), "POST", t.s.place.URL()+"/v23.0/dialog/oauth", strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	stay := *t.s.place.HTTP
	stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := stay.Do(req)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.Header.Get("Location"), string(b), err
}
