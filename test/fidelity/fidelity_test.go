package fidelity

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/hikyaku/hikyaku/test/child"
	"github.com/hikyaku/hikyaku/test/scenario"
)

// TestScenarios compares all that the scenarios record with the published description.
func TestScenarios(t *testing.T) {
	t.Parallel()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if s == nil {
		t.Skip(Variable + " does not name the published OpenAPI file, which is not part of this repository")
	}
	files, err := filepath.Glob("../scenario/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files: %v", err)
	}
	c := &check{spec: s, found: map[string]string{}, covered: map[string]int{}}
	for _, path := range files {
		f, err := scenario.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.file(f); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	for _, d := range slices.Sorted(maps.Keys(c.found)) {
		listed := false
		for _, k := range s.known {
			if k.fits.MatchString(d) {
				listed, k.seen = true, true
			}
		}
		if !listed {
			t.Errorf("unknown deviation, first seen in %s:\n\t%s", c.found[d], d)
		}
	}
	for _, k := range s.known {
		if !k.seen {
			t.Errorf("%s lists a deviation that does not occur any more:\n\t%s", deviationsFile, k.text)
		}
	}
	t.Logf("%d calls and webhooks compared, %d operations", c.compared, len(c.covered))
}

// check walks through scenarios.
type check struct {
	spec     *Spec
	found    map[string]string // deviation to where it was seen first
	covered  map[string]int
	compared int
	objects  map[string]string // id to kind
}

// makers are the edges that make objects.
var makers = map[string]string{
	"media": "media", "phone_numbers": "number", "message_templates": "template", "owned_whatsapp_business_accounts": "account",
	"message_qrdls": "code", "system_users": "user",
}

func (c *check) file(f *scenario.File) error {
	d := child.Declared()
	c.objects = map[string]string{d.Number: "number", d.WABA: "account", d.Business: "business", d.App: "app", d.SystemUser: "user"}
	for _, step := range f.Steps {
		if step.Request != nil && step.Answer != nil && !step.Request.Control() {
			if err := c.call(f, step); err != nil {
				return err
			}
		}
		for _, p := range step.Webhooks {
			c.webhook(f.Name, p.Body)
		}
	}
	return nil
}

func (c *check) call(f *scenario.File, step *scenario.Step) error {
	resolve := func(text string) (string, error) { return f.Resolve(text, step.Request.Times) }
	path, err := resolve(step.Request.Path)
	if err != nil {
		return err
	}
	u, err := url.Parse(path)
	if err != nil {
		return err
	}
	c.learn(u.Path, step.Answer)
	r, err := c.spec.find(step.Request.Method, u.Path, func(id string) string { return c.objects[id] })
	if r == nil || err != nil {
		return err
	}
	c.covered[r.String()]++
	c.compared++
	body, err := resolve(step.Request.Body)
	if err != nil {
		return err
	}
	// What was refused need not be right. Forms are written down in an own way.
	kind := step.Request.Header.Get("Content-Type")
	if step.Answer.Status < http.StatusBadRequest && (kind == "" || kind == "application/json") {
		c.parameters(f.Name, r, u.Query())
		c.body(f.Name, r.String()+" request", r.op.RequestBody, body)
	}
	c.answer(f.Name, r, step.Answer)
	return nil
}

// parameters compares those of path and query.
func (c *check) parameters(where string, r *route, query url.Values) {
	for _, list := range []openapi3.Parameters{r.item.Parameters, r.op.Parameters} {
		for _, p := range list {
			var text string
			switch p.Value.In {
			case openapi3.ParameterInPath:
				text = r.params[p.Value.Name]
			case openapi3.ParameterInQuery:
				text = query.Get(p.Value.Name)
				if p.Value.Required && !query.Has(p.Value.Name) {
					c.note(where, r.String()+" ?"+p.Value.Name, []string{"is required"})
				}
			}
			if s := p.Value.Schema; text != "" && s != nil && s.Value.Type.Is(openapi3.TypeString) {
				c.note(where, r.String()+" ?"+p.Value.Name, deviate(s.Value, text))
			}
		}
	}
}

func (c *check) body(where, op string, b *openapi3.RequestBodyRef, body string) {
	if b == nil || body == "" {
		return
	}
	m := b.Value.Content.Get("application/json")
	if m == nil {
		c.note(where, op, []string{"takes no JSON"})
		return
	}
	c.json(where, op, m, body)
}

func (c *check) json(where, op string, m *openapi3.MediaType, body string) {
	var v any
	if m == nil || m.Schema == nil {
		return
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		c.note(where, op, []string{err.Error()})
		return
	}
	c.note(where, op, deviate(m.Schema.Value, v))
}

// learn remembers what an id that was answered names.
func (c *check) learn(path string, a *scenario.Answer) {
	edge := path[strings.LastIndexByte(path, '/')+1:]
	kind := makers[edge]
	if kind == "" || a.Status != http.StatusOK {
		return
	}
	for _, m := range regexp.MustCompile(`"(?:id|code)":"([A-Za-z0-9]+)"`).FindAllStringSubmatch(a.Body, -1) {
		if c.objects[m[1]] == "" {
			c.objects[m[1]] = kind
		}
	}
}

// answer compares an answer with the schema of its status or, since the file is not reliable on statuses, with that of
// another status of the same class.
func (c *check) answer(where string, r *route, a *scenario.Answer) {
	found := r.op.Responses.Status(a.Status)
	for _, other := range slices.Sorted(maps.Keys(r.op.Responses.Map())) {
		if found == nil && other[0] == strconv.Itoa(a.Status)[0] {
			found = r.op.Responses.Value(other)
		}
	}
	if found == nil {
		return // this class of answers is not described
	}
	c.json(where, r.String()+" "+strconv.Itoa(a.Status/100)+"xx", found.Value.Content.Get("application/json"), a.Body)
}

// webhook compares a webhook of messages, the only ones that the file describes.
func (c *check) webhook(where, body string) {
	list, ok := c.spec.webhook(body)
	if ok {
		c.compared++
		c.covered[webhookRoute]++
		c.note(where, webhookRoute, list)
	}
}

// note keeps deviations: operation, place and rule. Values are left out, so that one reason covers all.
func (c *check) note(where, op string, list []string) {
	for _, text := range list {
		d := op + " " + anywhere(text)
		if _, ok := c.found[d]; !ok {
			c.found[d] = where
		}
	}
}
