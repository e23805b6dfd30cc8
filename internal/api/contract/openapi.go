package contract

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/graph"
)

type (
	document struct {
		OpenAPI    string                           `json:"openapi"`
		Info       info                             `json:"info"`
		Servers    []server                         `json:"servers"`
		Security   []map[string][]string            `json:"security"`
		Tags       []tag                            `json:"tags"`
		Paths      map[string]map[string]*operation `json:"paths"`
		Components components                       `json:"components"`
	}
	info struct {
		Title       string            `json:"title"`
		Version     string            `json:"version"`
		Description string            `json:"description"`
		License     map[string]string `json:"license"`
	}
	server struct {
		URL         string              `json:"url"`
		Description string              `json:"description"`
		Variables   map[string]variable `json:"variables"`
	}
	variable struct {
		Enum    []string `json:"enum"`
		Default string   `json:"default"`
	}
	tag struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	components struct {
		Schemas         map[string]*Schema        `json:"schemas"`
		Parameters      map[string]*parameter     `json:"parameters"`
		Responses       map[string]*response      `json:"responses"`
		SecuritySchemes map[string]map[string]any `json:"securitySchemes"`
	}
	operation struct {
		Tags        []string               `json:"tags"`
		Summary     string                 `json:"summary"`
		Description string                 `json:"description,omitempty"`
		ID          string                 `json:"operationId"`
		Parameters  []*parameter           `json:"parameters,omitempty"`
		Body        *body                  `json:"requestBody,omitempty"`
		Responses   map[string]*response   `json:"responses"`
		Security    *[]map[string][]string `json:"security,omitempty"`
		Errors      []string               `json:"x-errors,omitempty"`
		Permission  string                 `json:"x-permission,omitempty"`
	}
	parameter struct {
		Ref         string  `json:"$ref,omitempty"`
		Name        string  `json:"name,omitempty"`
		In          string  `json:"in,omitempty"`
		Description string  `json:"description,omitempty"`
		Required    bool    `json:"required,omitempty"`
		Schema      *Schema `json:"schema,omitempty"`
	}
	body struct {
		Required bool             `json:"required,omitempty"`
		Content  map[string]media `json:"content"`
	}
	media struct {
		Schema  *Schema         `json:"schema,omitempty"`
		Example json.RawMessage `json:"example,omitempty"`
	}
	response struct {
		Ref         string           `json:"$ref,omitempty"`
		Description string           `json:"description,omitempty"`
		Content     map[string]media `json:"content,omitempty"`
	}
)

// OpenAPI is the surface as an OpenAPI 3.1 document: the same bytes for the same contract. latest is the version that clients
// should use, versions are all live ones.
//
// In the Graph API the kind of an id decides what a path means. OpenAPI cannot say that: /{waba_id} and /{phone_number_id} are
// one path to it. So calls that share a path share an operation, which tells the kinds apart in words and by anyOf.
func (c *Contract) OpenAPI(latest string, versions []string) ([]byte, error) {
	d := document{
		OpenAPI: "3.1.0",
		Info: info{
			Title: "Hikyaku", Version: strings.TrimPrefix(latest, "v"), License: map[string]string{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			Description: "The Graph API of a self-hosted business messaging platform. Parameters may travel in the query, as a form or as JSON. " +
				"Every call takes `appsecret_proof`. Errors: docs/errors.md.",
		},
		Servers: []server{{
			URL: "/{version}", Description: "This server.",
			Variables: map[string]variable{"version": {Enum: versions, Default: latest}},
		}},
		Security:   []map[string][]string{{"token": {}}},
		Paths:      map[string]map[string]*operation{},
		Components: c.components(),
	}
	for _, g := range groups {
		d.Tags = append(d.Tags, tag{g.title, g.about})
	}
	byPath := map[string][]Call{}
	var order []string
	for _, call := range c.Calls {
		key := call.Method + " " + c.Path(call)
		if byPath[key] == nil {
			order = append(order, key)
		}
		byPath[key] = append(byPath[key], call)
	}
	for _, key := range order {
		method, path, _ := strings.Cut(key, " ")
		if d.Paths[path] == nil {
			d.Paths[path] = map[string]*operation{}
		}
		d.Paths[path][strings.ToLower(method)] = operate(path, byPath[key])
	}
	out, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	return append(out, '\n'), nil
}

// Path is where the document has a call, behind the version.
func (c *Contract) Path(call Call) string {
	if call.Kind == "" {
		return "/" + strings.TrimPrefix(call.Path, "/")
	}
	name := idOf(call.Kind)
	for _, o := range c.Calls {
		if o.Path == call.Path && o.Kind != call.Kind && o.Kind != "" {
			name = "id" // another kind has this path
		}
	}
	p := "/{" + name + "}"
	if call.Path != "" {
		p += "/" + call.Path
	}
	if call.Sub {
		p += "/{" + subOf(call.Path) + "}"
	}
	return p
}

// idOf is the name of an id in paths.
func idOf(kind string) string { return kind + "_id" }

// subOf is the name of what follows an edge.
func subOf(edge string) string {
	switch edge {
	case "message_qrdls":
		return "code"
	case "permissions":
		return "permission"
	case "message_templates":
		return "action"
	}
	return "item"
}

// operate joins the calls that share a method and a path.
func operate(path string, calls []Call) *operation {
	o := &operation{Responses: map[string]*response{"default": {Ref: "#/components/responses/Error"}}}
	var does, permissions []string
	var bodies, answers []*Schema
	var example, answered json.RawMessage
	form, stream := false, false
	for _, c := range calls {
		if name := groupOf(c.Endpoint).title; !slices.Contains(o.Tags, name) {
			o.Tags = append(o.Tags, name)
		}
		does = append(does, sentence(c))
		if p := c.String(); p != "" {
			permissions = append(permissions, lead(calls, c)+p)
		}
		for _, e := range c.Errors {
			if line := errorLine(e); !slices.Contains(o.Errors, line) {
				o.Errors = append(o.Errors, line)
			}
		}
		o.Parameters = join(o.Parameters, parameters(c), len(calls) > 1)
		if s := bodyOf(c); s != nil {
			bodies = append(bodies, s)
		}
		form, stream = form || c.Form, stream || c.Stream
		if c.Example != "" {
			example, answered = json.RawMessage(c.Example), json.RawMessage(c.Answers)
		}
		if !c.Fails {
			answers = append(answers, answerOf(c))
		}
		if c.Access == graph.TokenIgnored {
			o.Security = &[]map[string][]string{}
		}
	}
	o.Summary, o.Permission = calls[0].Does, strings.Join(permissions, "; ")
	o.ID = operationID(calls)
	o.Description = strings.Join(does, "\n\n")
	if len(calls) > 1 {
		o.Summary = fmt.Sprintf("%s of %d kinds of objects, told apart by the id.", calls[0].Method, len(calls))
	}
	for _, part := range slices.Backward(strings.Split(path, "/")) {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			p := &parameter{Name: strings.TrimSuffix(name, "}"), In: "path", Required: true, Schema: text}
			o.Parameters = append([]*parameter{p}, o.Parameters...)
		}
	}
	o.Body = requestBody(bodies, example, form, stream)
	if s := either(answers); s != nil {
		o.Responses["200"] = &response{Description: "Done.", Content: map[string]media{"application/json": {Schema: s, Example: answered}}}
	}
	return o
}

func operationID(calls []Call) string {
	c := calls[0]
	id := strings.ToLower(c.Method)
	if len(calls) == 1 && c.Kind != "" {
		id += "_" + c.Kind
	}
	if len(calls) > 1 {
		id += "_object"
	}
	id += "_" + strings.ReplaceAll(cmp.Or(c.Path, "self"), "/", "_")
	if c.Sub {
		id += "_" + subOf(c.Path)
	}
	return id
}

// lead names the kind in front of what holds for one of several calls.
func lead(calls []Call, c Call) string {
	if len(calls) == 1 {
		return ""
	}
	return c.Kind + ": "
}

func sentence(c Call) string {
	s := c.Does
	if c.More != "" {
		s += " " + c.More
	}
	if c.Ours {
		s += " An extension: the real service has no such call."
	}
	return s
}

// placed says where a parameter travels.
func placed(c Call, m Member) string {
	switch {
	case m.In != "":
		return m.In
	case c.Method == "POST":
		return "body"
	}
	return "query"
}

func parameters(c Call) []*parameter {
	var out []*parameter
	for _, m := range c.Params {
		if in := placed(c, m); in != "body" {
			out = append(out, &parameter{Name: m.Name, In: in, Description: m.Says, Required: m.Required, Schema: m.Type})
		}
	}
	grammar := func(names ...string) {
		for _, n := range names {
			out = append(out, &parameter{Ref: "#/components/parameters/" + n})
		}
	}
	if c.Method == "GET" && c.Endpoint.Answer != graph.AnswerOwn {
		grammar("fields")
	}
	if c.Paged {
		grammar("limit", "after", "before")
	}
	return out
}

// join adds parameters of another call on the same path; what only some of them need, OpenAPI must call optional.
func join(have, more []*parameter, shared bool) []*parameter {
	for _, p := range more {
		at := slices.IndexFunc(have, func(o *parameter) bool { return o.Name == p.Name && o.In == p.In && o.Ref == p.Ref })
		if at < 0 {
			if shared && p.Ref == "" {
				c := *p
				c.Required = false
				p = &c
			}
			have = append(have, p)
		}
	}
	return have
}

func bodyOf(c Call) *Schema {
	if c.Stream {
		return nil
	}
	var in []Member
	for _, m := range c.Params {
		if placed(c, m) == "body" {
			in = append(in, m)
		}
	}
	if in == nil {
		return nil
	}
	return object(in...)
}

func requestBody(all []*Schema, example json.RawMessage, form, stream bool) *body {
	if stream {
		all = append(all, nil)
	}
	if len(all) == 0 {
		return nil
	}
	b := &body{Content: map[string]media{}}
	if stream {
		b.Content["application/octet-stream"] = media{}
		all = all[:len(all)-1]
	}
	switch s := either(all); {
	case len(all) == 0:
	case form:
		b.Content["multipart/form-data"] = media{Schema: s}
	default:
		b.Content["application/json"] = media{Schema: s, Example: example}
		b.Content["application/x-www-form-urlencoded"] = media{Schema: s}
	}
	return b
}

// either is anyOf, without repetition.
func either(all []*Schema) *Schema {
	var some []*Schema
	for _, s := range all {
		if !slices.ContainsFunc(some, func(o *Schema) bool { return o == s || s.Ref != "" && o.Ref == s.Ref }) {
			some = append(some, s)
		}
	}
	switch len(some) {
	case 0:
		return nil
	case 1:
		return some[0]
	}
	return &Schema{AnyOf: some}
}

func answerOf(c Call) *Schema {
	switch {
	case c.Endpoint.Answer == graph.AnswerNode:
		return ref(c.Item)
	case c.Endpoint.Answer == graph.AnswerList:
		return page(c.Item)
	case c.Words.Answer != nil:
		return c.Words.Answer
	}
	return success
}
