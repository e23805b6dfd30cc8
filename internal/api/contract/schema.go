package contract

import (
	"maps"
	"slices"
)

// Schema is the part of JSON Schema 2020-12 that the surface needs. Schemas are shared and never changed once made.
type Schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Type        any                `json:"type,omitempty"` // a name, or a list of names
	Format      string             `json:"format,omitempty"`
	Description string             `json:"description,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	MaxLength   int                `json:"maxLength,omitempty"`
	MaxItems    int                `json:"maxItems,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`

	word string // what people read instead of the type: "id", "time"
}

// Member is a parameter, a header or a member of an object.
type Member struct {
	Name     string
	Type     *Schema
	Required bool
	Says     string
	In       string // "" as the method has it: in the query of GET and DELETE, else in the body; "header"
}

func must(name string, t *Schema, says string) Member { return Member{name, t, true, says, ""} }
func may(name string, t *Schema, says string) Member  { return Member{name, t, false, says, ""} }
func header(name, says string) Member                 { return Member{name, text, true, says, "header"} }

// The simple types. Parameters arrive as text too, so ids and numbers of requests may be written as either.
var (
	text    = &Schema{Type: "string"}
	flag    = &Schema{Type: "boolean"}
	whole   = &Schema{Type: "integer"}
	decimal = &Schema{Type: "number"}
	anyID   = &Schema{Type: []string{"string", "integer"}, word: "id"}
	id      = &Schema{Type: "string", Pattern: "^[0-9]+$", word: "id"}
	moment  = &Schema{Type: "string", Description: "A moment, like 2026-11-27T12:00:00+0000; Unix seconds with date_format=U.", word: "time"}
	unix    = &Schema{Type: "integer", Description: "Unix seconds.", word: "Unix seconds"}
	anyTime = &Schema{Type: []string{"string", "integer"}, Description: "Unix seconds, or a date.", word: "time"}
	link    = &Schema{Type: "string", word: "URL"}
	file    = &Schema{Type: "string", Format: "binary", word: "file"}
	free    = &Schema{Type: "object"}
	product = enum("whatsapp")
	success = object(must("success", flag, ""))
	created = object(must("id", id, ""))
	texts   = list(text)
)

func enum(values ...string) *Schema { return &Schema{Type: "string", Enum: values} }

func list(of *Schema) *Schema { return &Schema{Type: "array", Items: of} }

// listOr is a list that clients may also write as one text, joined with commas.
func listOr(of *Schema) *Schema {
	return &Schema{AnyOf: []*Schema{list(of), {Type: []string{"string", "integer"}}}, word: "list of " + of.name()}
}

func ref(name string) *Schema { return &Schema{Ref: "#/components/schemas/" + name} }

func upTo(length int) *Schema { return &Schema{Type: "string", MaxLength: length} }

// data is {"data":[…]} without paging.
func data(of *Schema) *Schema { return object(must("data", list(of), "")) }

func object(members ...Member) *Schema {
	s := &Schema{Type: "object", Properties: map[string]*Schema{}}
	for _, m := range members {
		s.Properties[m.Name] = m.schema()
		if m.Required {
			s.Required = append(s.Required, m.Name)
		}
	}
	slices.Sort(s.Required)
	return s
}

// schema is the type of a member with what is said about it.
func (m Member) schema() *Schema {
	if m.Says == "" {
		return m.Type
	}
	s := *m.Type
	if s.Description != "" {
		s.Description = m.Says + " " + s.Description
	} else {
		s.Description = m.Says
	}
	return &s
}

// name is the type in a table for people.
func (s *Schema) name() string {
	switch {
	case s.word != "":
		return s.word
	case s.Ref != "":
		return s.Ref[len("#/components/schemas/"):]
	case s.Items != nil:
		return "list of " + s.Items.name()
	}
	t, _ := s.Type.(string)
	return t
}

func sorted(m map[string]*Schema) []string { return slices.Sorted(maps.Keys(m)) }
