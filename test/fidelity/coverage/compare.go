package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/api/contract"
	"github.com/hikyaku/hikyaku/internal/graph"
)

// kinds says what the ids in their paths are here.
var kinds = map[string]string{
	"Application-ID": "app", "Business-ID": "business", "Phone-Number-ID": "phone_number", "WhatsApp-Account-Number-ID": "phone_number",
	"WABA-ID": "waba", "WhatsApp-Business-Account-ID": "waba", "TEMPLATE_ID": "template", "Media-ID": "media", "User-ID": "user",
	"Pre-Verified-Phone-Number-ID": "preverified_number", "Flow-ID": "flow", "Message-History-ID": "message_history",
	"Solution-ID": "solution", "Migration-Intent-ID": "migration_intent",
}

// elsewhere are calls that are served, but not by the tables of nodes.
var elsewhere = map[string]string{
	"GET /{Media-URL}":        "the address that a media object names, below `/media/` of this server",
	"POST /whatsapp/webhooks": "a call that the platform makes: see [webhooks](webhooks.md)",
}

// reasons say why something is not here, by part of a path; the first that fits.
var reasons = []struct{ part, why string }{
	{"group", "no groups"},
	{"call", "no calls"},
	{"obo_mobility", "no accounts on behalf of others"},
	{"OBO-Mobility", "no accounts on behalf of others"},
	{"Bot-ID", "no bots of accounts as objects"},
	{"schedules", "no scheduled sends"},
	{"Profile-ID", "the profile is read and changed on its number"},
}

type verdict int

const (
	same verdict = iota
	differs
	refuses
	missing
)

var verdicts = []string{"served", "served with differences", "answers a clear error", "not served"}

type row struct {
	method, path string
	verdict      verdict
	says         string
}

// compare reads their file and makes the page.
func compare(file string) ([]byte, error) {
	loader := openapi3.NewLoader()
	theirs, err := loader.LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("read their file: %w", err)
	}
	ours, err := api.Describe()
	if err != nil {
		return nil, err
	}
	var rows []row
	for path, item := range theirs.Paths.Map() {
		for method, op := range item.Operations() {
			rows = append(rows, judge(ours, method, strings.TrimPrefix(path, "/{Version}"), op))
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method)) })
	return write(ours, rows), nil
}

func judge(ours *contract.Contract, method, path string, op *openapi3.Operation) row {
	r := row{method: method, path: path}
	if says, ok := elsewhere[method+" "+path]; ok {
		r.says = says
		return r
	}
	call := find(ours, method, path)
	switch {
	case call == nil:
		r.verdict, r.says = absent(method, path)
	case call.Fails:
		r.verdict = refuses
		for i, e := range call.Errors {
			if i > 0 {
				r.says += ", "
			}
			r.says += fmt.Sprintf("%d %s", e.Code, e.Title)
		}
	default:
		if less := lacks(ours, call, op); less != "" {
			r.verdict, r.says = differs, less
		}
	}
	return r
}

// find is our call for one of theirs, nil when there is none.
func find(ours *contract.Contract, method, path string) *contract.Call {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	kind, ok := kinds[strings.Trim(parts[0], "{}")]
	if !ok {
		return nil
	}
	edge, sub := "", len(parts) > 2
	if len(parts) > 1 {
		edge = parts[1]
	}
	for i := range ours.Calls {
		if c := &ours.Calls[i]; c.Method == method && c.Kind == kind && c.Path == edge && c.Sub == sub {
			return c
		}
	}
	return nil
}

// absent says what a call answers that is not served, and why it is not.
func absent(method, path string) (verdict, string) {
	why := ""
	for _, r := range reasons {
		if strings.Contains(path, r.part) {
			why = ": " + r.why
			break
		}
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch _, known := kinds[strings.Trim(parts[0], "{}")]; {
	case !known, method != "GET":
		return missing, "100/33" + why
	case len(parts) > 2:
		return missing, "2500" + why
	}
	return missing, "100, nonexisting field" + why
}

// lacks names what theirs takes or answers and ours does not.
func lacks(ours *contract.Contract, call *contract.Call, op *openapi3.Operation) string {
	var out []string
	params := map[string]bool{"fields": true, "limit": true, "after": true, "before": true, "access_token": true, "summary": true}
	for _, p := range call.Params {
		params[p.Name] = true
	}
	if call.Path == "" && call.Method == "GET" {
		params["phone_number_id"] = true
	}
	asked := map[string]bool{}
	for _, p := range op.Parameters {
		if p.Value != nil && p.Value.In == "query" {
			asked[p.Value.Name] = true
		}
	}
	if op.RequestBody != nil && op.RequestBody.Value != nil {
		for _, m := range op.RequestBody.Value.Content {
			members(m.Schema, asked, 0)
		}
	}
	if some := without(asked, params); some != nil {
		out = append(out, "not read: "+strings.Join(some, ", "))
	}
	if call.Item != "" && call.Endpoint.Answer == graph.AnswerNode {
		fields, answered := map[string]bool{}, map[string]bool{}
		for _, t := range ours.Types {
			if t.Name == call.Item {
				for _, f := range t.Fields {
					fields[f.Name] = true
				}
			}
		}
		if ok := op.Responses.Value("200"); ok != nil && ok.Value != nil {
			for _, m := range ok.Value.Content {
				members(m.Schema, answered, 0)
			}
		}
		if some := without(answered, fields); some != nil {
			out = append(out, "no fields: "+strings.Join(some, ", "))
		}
	}
	return strings.Join(out, "; ")
}

// members collects the names of an object's members, through the ways to combine schemas.
func members(s *openapi3.SchemaRef, into map[string]bool, depth int) {
	if s == nil || s.Value == nil || depth > 4 {
		return
	}
	for name := range s.Value.Properties {
		into[name] = true
	}
	for _, list := range []openapi3.SchemaRefs{s.Value.AllOf, s.Value.AnyOf, s.Value.OneOf} {
		for _, o := range list {
			members(o, into, depth+1)
		}
	}
}

func without(all, known map[string]bool) (some []string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !known[name] {
			some = append(some, "`"+name+"`")
		}
	}
	return some
}

const head = `# Coverage

*対応状況*

<!-- Generated by test/fidelity/coverage from Meta's OpenAPI file for v23.0, which is not part of this repository. Do not edit. -->

Every call in Meta's published OpenAPI description of the platform (v23.0), and what becomes of it here. *Served with differences*
names parameters and fields that their description has and this server does not read or answer: unknown parameters are ignored, as the real
service does. What is not served answers the error that anything unknown gets, never a made-up success. Calls that their description leaves out
(tokens, batches, analytics, uploads, …) are in the [API reference](api.md).

`

func write(ours *contract.Contract, rows []row) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	count := map[verdict]int{}
	for _, r := range rows {
		count[r.verdict]++
	}
	b.WriteString("| | calls |\n|---|---|\n")
	for v, name := range verdicts {
		fmt.Fprintf(&b, "| %s | %d |\n", name, count[verdict(v)])
	}
	fmt.Fprintf(&b, "| together | %d |\n| served here in all | %d |\n", len(rows), len(ours.Calls))
	b.WriteString("\n| call | | |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| `%s %s` | %s | %s |\n", r.method, r.path, verdicts[r.verdict], r.says)
	}
	return b.Bytes()
}
