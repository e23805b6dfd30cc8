package contract

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Right is what a call asks of its caller besides seeing the object.
type Right struct {
	Scopes []string // any of
	All    bool     // all of Scopes instead
	Task   string   // on the account
	Admin  bool     // the role ADMIN in the portfolio
	Own    string   // another rule, in words
}

// Words are what no table says about a call.
type Words struct {
	Does    string   // one sentence
	More    string   // what else one must know
	Params  []Member // besides those of the grammar: fields, limit, after, before, …
	Answer  *Schema  // of calls that answer neither a node nor a list; nil is {"success":true}
	Errors  []*wa.Error
	Example string // JSON of a request
	Answers string // JSON of the answer to Example
	Form    bool   // the body is multipart/form-data
	Ours    bool   // the real service has no such call
	Fails   bool   // it always answers an error
}

// Call is a served call with its words.
type Call struct {
	graph.Endpoint
	Words
	Right
}

// Type is a served type with words for its fields.
type Type struct {
	graph.Type
	About  string
	Fields []Field
}

// Field is a field of a type with its words.
type Field struct {
	graph.TypeField
	Type *Schema
	Says string
}

// Contract is all that the surface serves, in words.
type Contract struct {
	Calls []Call
	Types []Type
}

// New joins what is served with the words for it. It fails when either misses the other, and names each of them.
func New(d graph.Description, right func(graph.Endpoint) Right) (*Contract, error) {
	c := &Contract{}
	var errs []error
	used := map[string]bool{}
	for _, e := range d.Endpoints {
		w, ok := calls[e.Route]
		if !ok {
			errs = append(errs, fmt.Errorf("call %q has no words: add them to internal/api/contract, then go generate ./internal/api", e.Route))
		}
		used[e.Route] = true
		c.Calls = append(c.Calls, Call{e, w, right(e)})
	}
	for _, route := range slices.Sorted(maps.Keys(calls)) {
		if !used[route] {
			errs = append(errs, fmt.Errorf("words for %q, which is not served", route))
		}
	}
	for _, t := range d.Types {
		typ, err := describe(t)
		errs = append(errs, err)
		c.Types = append(c.Types, typ)
	}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if !slices.ContainsFunc(d.Types, func(t graph.Type) bool { return t.Name == name }) {
			errs = append(errs, fmt.Errorf("words for type %q, which is not served", name))
		}
	}
	return c, errors.Join(errs...)
}

func describe(t graph.Type) (Type, error) {
	w, ok := types[t.Name]
	if !ok {
		return Type{}, fmt.Errorf("type %q has no words: add them to internal/api/contract", t.Name)
	}
	out := Type{Type: t, About: w.about}
	var errs []error
	for _, f := range t.Fields {
		at := slices.IndexFunc(w.fields, func(m Member) bool { return m.Name == f.Name })
		switch {
		case f.Edge && at >= 0:
			out.Fields = append(out.Fields, Field{f, w.fields[at].Type, w.fields[at].Says})
		case f.Edge:
			out.Fields = append(out.Fields, Field{f, edgeType(f), "The edge of this name."})
		case at < 0:
			errs = append(errs, fmt.Errorf("field %s.%s has no words: add them to internal/api/contract", t.Name, f.Name))
		default:
			out.Fields = append(out.Fields, Field{f, w.fields[at].Type, w.fields[at].Says})
		}
	}
	for _, m := range w.fields {
		if !slices.ContainsFunc(t.Fields, func(f graph.TypeField) bool { return f.Name == m.Name }) {
			errs = append(errs, fmt.Errorf("words for field %s.%s, which is not served", t.Name, m.Name))
		}
	}
	return out, errors.Join(errs...)
}

// edgeType is the value of an edge that is read as a field.
func edgeType(f graph.TypeField) *Schema {
	if f.Type == "" {
		return free
	}
	return page(f.Type)
}

// page is a list with its cursors.
func page(item string) *Schema {
	return object(must("data", list(ref(item)), ""), may("paging", ref("Paging"), ""), may("summary", free, "Counts, when asked for."))
}

// typeWords are the words for a type.
type typeWords struct {
	about  string
	fields []Member
}

// calls and types are filled by the files of words.
var (
	calls = merge(grammarCalls, accessCalls, businessCalls, partnerCalls, wabaCalls, numberCalls, messageCalls, templateCalls, mediaCalls, flowCalls)
	types = merge(accessTypes, businessTypes, numberTypes, templateTypes, mediaTypes, flowTypes)
)

func merge[V any](tables ...map[string]V) map[string]V {
	out := map[string]V{}
	for _, t := range tables {
		maps.Copy(out, t)
	}
	return out
}
