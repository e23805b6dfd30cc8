package api_test

import (
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/business"
)

// Source: spec/business.md section 7.
func TestCreditLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	p, err := w.business.OpenCredit(t.Context(), birch, "Birch Ltd")
	if err != nil {
		t.Fatal(err)
	}
	line := p.Credit.ID
	w.direct("admin", "GET /v23.0/"+aozora+"/extendedcredits", "").want(t, 200, `{"data":[]}`)
	w.direct("birch", "GET /v23.0/"+birch+"/extendedcredits?fields=id,legal_entity_name", "").want(t, 200, `{"data":[{"id":"`+line+`","legal_entity_name":"Birch Ltd"}]}`)
	w.direct("birch", "GET /v23.0/"+line, "").want(t, 200, `{"id":"`+line+`","legal_entity_name":"Birch Ltd"}`)
	for _, line := range []string{"GET /v23.0/" + line, "POST /v23.0/" + line + "/whatsapp_credit_attach"} {
		method, _, _ := strings.Cut(line, " ")
		w.direct("admin", line, "").want(t, 400, missing(strings.ToLower(method), p.Credit.ID))
	}
	attach := "POST /v23.0/" + line + "/whatsapp_credit_sharing_and_attach"
	w.direct("birch", attach, `{"waba_currency":"EUR"}`).want(t, 400, graphError("(#100) The parameter waba_id is required.", `"code":100`))
	w.direct("birch", attach, `{"waba_id":"`+wabaA+`","waba_currency":"EUR"}`).want(t, 400, graphError("(#100) Param waba_id must be the id of a WhatsApp Business Account.", `"code":100`))
	r := w.direct("birch", attach, `{"waba_id":"`+wabaShared+`","waba_currency":"EUR"}`)
	id, ok := strings.CutPrefix(r.body, `{"allocation_config_id":"`)
	if id, _, _ = strings.Cut(id, `"`); !ok {
		t.Fatalf("%d %s", r.status, r.body)
	}
	r.want(t, 200, `{"allocation_config_id":"`+id+`","waba_id":"`+wabaShared+`"}`)
	w.direct("birch", "POST /v23.0/"+line+"/whatsapp_credit_attach", `{"waba_id":"`+wabaB+`","waba_currency":"EUR"}`).want(t, 200, `{"allocation_config_id":"`+id+`","waba_id":"`+wabaB+`"}`)
	_, a, _ := w.business.Allocation(id)
	w.direct("birch", "GET /v23.0/"+id+"?fields=receiving_credential,receiving_business,owning_credential,owning_business,request_status", "").want(t, 200,
		`{"receiving_credential":{"id":"`+a.Credential+`"},"receiving_business":{"name":"P `+birch+`","id":"`+birch+`"},"owning_credential":{"id":"`+line+
			`"},"owning_business":{"name":"P `+birch+`","id":"`+birch+`"},"request_status":"APPROVED","id":"`+id+`"}`)
	w.direct("birch", "GET /v23.0/"+wabaShared+"?fields=primary_funding_id,currency", "").want(t, 200,
		`{"primary_funding_id":"`+a.Credential+`","currency":"EUR","id":"`+wabaShared+`"}`)
	list := "GET /v23.0/" + line + "/owning_credit_allocation_configs?fields=id"
	if r := w.direct("birch", list+"&receiving_business_id="+birch, ""); !strings.HasPrefix(r.body, `{"data":[{"id":"`+id+`"}],`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.direct("birch", list+"&receiving_business_id="+aozora, "").want(t, 200, `{"data":[]}`)
	r = w.direct("birch", "POST /v23.0/"+line+"/whatsapp_credit_sharing", `{"receiving_business_id":"`+aozora+`"}`)
	if r.status != 200 || strings.Contains(r.body, id) {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.direct("admin", "DELETE /v23.0/"+id, "").want(t, 400, missing("delete", id))
	w.direct("birch", "DELETE /v23.0/"+id, "").want(t, 200, done)
	w.direct("birch", "GET /v23.0/"+id+"?fields=request_status", "").want(t, 200, `{"request_status":"DELETED","id":"`+id+`"}`)
	w.direct("birch", "GET /v23.0/"+wabaShared+"?fields=primary_funding_id", "").want(t, 200, `{"id":"`+wabaShared+`"}`)
}

// Whoever attaches a credit line manages the billing of the account, and who reads about one administers its portfolio. Source:
// spec/access.md section 9.2.
func TestCreditLinesAskForBilling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	line, id := w.credit()
	for _, call := range []string{"GET /v23.0/" + aozora + "/extendedcredits", "GET /v23.0/" + line, "GET /v23.0/" + line + "/owning_credit_allocation_configs", "GET /v23.0/" + id} {
		if r := w.direct("clerk", call, ""); r.status != 403 {
			t.Errorf("an employee: %s: %d %s", call, r.status, r.body)
		}
		if r := w.direct("admin", call, ""); r.status != 200 {
			t.Errorf("an administrator: %s: %d %s", call, r.status, r.body)
		}
	}
	for _, c := range []struct {
		task string
		want int
	}{{"VIEW_COST", 403}, {"MANAGE_BILLING", 200}} {
		if _, err := w.business.UpdateWABA(t.Context(), wabaShared, func(x *business.WABA) error {
			x.Shared = []business.Share{{Business: aozora, Tasks: []string{c.task}}}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		r := w.direct("partner", "POST /v23.0/"+line+"/whatsapp_credit_attach", `{"waba_id":"`+wabaShared+`","waba_currency":"EUR"}`)
		if x, _ := w.business.WABA(wabaShared); r.status != c.want || (x.FundingID != "") != (c.want == 200) {
			t.Errorf("with %s: %d %s, account %+v", c.task, r.status, r.body, x)
		}
	}
}
