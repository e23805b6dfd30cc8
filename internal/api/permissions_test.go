package api

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/access"
)

var updatePages = flag.Bool("update", false, "write the table of docs/permissions.md")

// The page of permissions ends with the endpoint table as the program has it.
func TestPermissionsPage(t *testing.T) {
	t.Parallel()
	const page, mark = "../../docs/permissions.md", "-update writes it. -->\n\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, shown, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has lost the line before its table", page)
	}
	table := permissionsTable()
	if *updatePages {
		if err := os.WriteFile(page, []byte(head+mark+table), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != table {
		t.Errorf("the table of %s is not that of the program; run go test ./internal/api -run TestPermissionsPage -update", page)
	}
}

// place is an object or an edge, with the rights of its methods.
type place struct {
	kind, edge string
}

func (p place) String() string {
	s := "/{" + map[string]string{kindNumber: "phone-number", kindSystemUser: "system-user", kindTemplateGroup: "template-group", kindPreverified: "preverified-number"}[p.kind]
	if s == "/{" {
		s += p.kind
	}
	s += "-id}"
	if p.edge != "" {
		s += "/" + p.edge
	}
	return s
}

func permissionsTable() string {
	kinds := []string{
		kindBusiness, kindWABA, kindNumber, kindTemplate, kindTemplateGroup, kindMedia, kindUpload, kindApp, kindSystemUser, kindPerson, kindPreverified,
	}
	places := map[place]bool{}
	for e := range rights {
		if !slices.Contains(kinds, e.kind) {
			kinds = append(kinds, e.kind)
		}
		places[place{e.kind, e.edge}] = true
	}
	slices.Sort(kinds[11:])
	sorted := slices.SortedFunc(maps.Keys(places), func(a, b place) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)), cmp.Compare(a.edge, b.edge))
	})
	var b strings.Builder
	b.WriteString("| call | GET | POST | DELETE | task |\n|---|---|---|---|---|\n")
	for _, p := range sorted {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", p, needed(get, p), needed(post, p), needed(remove, p), tasks(p))
	}
	return b.String()
}

func needed(method string, p place) string {
	e := endpoint{method, p.kind, p.edge}
	r, ok := rights[e]
	switch {
	case !ok:
		return "–"
	case len(r.scopes) == 0:
		return "own rule"
	}
	letters := map[access.Scope]string{access.Management: "M", access.Messaging: "S", access.BusinessManagement: "B"}
	var s []string
	for _, scope := range r.scopes {
		s = append(s, cmp.Or(letters[scope], string(scope)))
	}
	if p.kind == kindPreverified || slices.Contains([]string{edgePreverified, edgeAddNumbers, edgeSharePre}, p.edge) {
		return "M and B" // both, see enterPreverified
	}
	if adminOnly[e] {
		s = append(s, "(admin)")
	}
	return strings.Join(s, " ")
}

func tasks(p place) string {
	var list []string
	for _, method := range []string{get, post, remove} {
		if task := string(rights[endpoint{method, p.kind, p.edge}].task); task != "" && !slices.Contains(list, "`"+task+"`") {
			list = append(list, "`"+task+"`")
		}
	}
	return strings.Join(list, ", ")
}
