package api_test

import (
	"encoding/json"
	"strings"
)

// mayWith says whether a set of scopes is enough: for one of the letters, or all of them when a plus sign joins them.
func mayWith(set, any string) bool {
	if before, after, both := strings.Cut(any, "+"); both {
		return strings.Contains(set, before) && strings.Contains(set, after)
	}
	return any == "" || strings.ContainsAny(set, any)
}

// callOf is a line of the matrix as the description of the API names it. Ids that are not listed are of flows.
func callOf(method, path string, kinds map[string]string) string {
	path, _, _ = strings.Cut(path, "?")
	id, edge, _ := strings.Cut(path, "/")
	edge, _, _ = strings.Cut(edge, "/")
	kind := kinds[id]
	if kind == "" {
		kind = "flow"
	}
	return strings.TrimSpace(method + " " + kind + " " + edge)
}

// group makes a template group of Aozora's account.
func (w *world) group() string {
	w.t.Helper()
	r := w.call("admin", "POST /v23.0/"+wabaA+"/template_groups", `{"name":"g","description":"d","whatsapp_business_templates":["`+tplOrder+`"]}`)
	return w.idIn(r)
}

// preverified puts a number into Aozora's pool.
func (w *world) preverified() string {
	w.t.Helper()
	return w.idIn(w.call("admin", "POST /v23.0/"+aozora+"/add_phone_numbers", `{"phone_number":"+815055550177"}`))
}

// credit opens a credit line of Aozora and shares it.
func (w *world) credit() (line, allocation string) {
	w.t.Helper()
	p, err := w.business.OpenCredit(w.t.Context(), aozora, "Aozora KK")
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.business.ShareCredit(w.t.Context(), p.Credit.ID, birch)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Credit.ID, a.ID
}

func (w *world) idIn(r reply) string {
	w.t.Helper()
	var out struct{ ID string }
	if err := json.Unmarshal([]byte(r.body), &out); err != nil || r.status != 200 {
		w.t.Fatalf("%d %s", r.status, r.body)
	}
	return out.ID
}

// withQuery adds a parameter that no endpoint takes.
func withQuery(path string) string {
	if strings.Contains(path, "?") {
		return path + "&pin=x"
	}
	return path + "?pin=x"
}
