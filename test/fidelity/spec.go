package fidelity

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Variable names the file with the published description.
const Variable = "HIKYAKU_META_OPENAPI"

// Spec is the published description of the API, and where it is known to be wrong.
type Spec struct {
	doc   *openapi3.T
	known []*deviation
}

// Open reads the file that the environment names; nil when it names none.
func Open() (*Spec, error) {
	path := os.Getenv(Variable)
	if path == "" {
		return nil, nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, err
	}
	correct(doc)
	known, err := readKnown()
	return &Spec{doc, known}, err
}

// correct lifts a rule by which nothing could be valid: parts of an allOf each forbid the members that the others ask for.
func correct(doc *openapi3.T) {
	for _, s := range doc.Components.Schemas {
		for _, part := range s.Value.AllOf {
			part.Value.AdditionalProperties = openapi3.AdditionalProperties{}
		}
	}
}

const webhookRoute = http.MethodPost + " /whatsapp/webhooks"

// Webhook lists where a webhook differs from the description, but for what is known.
func (s *Spec) Webhook(body string) (unknown []string) {
	list, _ := s.webhook(body)
	for _, text := range list {
		d := webhookRoute + " " + anywhere(text)
		if !slices.ContainsFunc(s.known, func(k *deviation) bool { return k.fits.MatchString(d) }) {
			unknown = append(unknown, d)
		}
	}
	return unknown
}

// webhook compares a webhook of messages; false for others, which are not described.
func (s *Spec) webhook(body string) (list []string, described bool) {
	_, path, _ := strings.Cut(webhookRoute, " ")
	item := s.doc.Paths.Value(path)
	if item == nil || !strings.Contains(body, `"field":"messages"`) {
		return nil, false
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return []string{err.Error()}, true
	}
	return deviate(item.Post.RequestBody.Value.Content.Get("application/json").Schema.Value, v), true
}

const deviationsFile = "deviations.txt"

//go:embed deviations.txt
var deviations string

// deviation is one that is known.
type deviation struct {
	text, why string
	fits      *regexp.Regexp
	seen      bool
}

// readKnown reads the known ones: a line for each, and indented below it the reason.
func readKnown() (list []*deviation, err error) {
	for line := range strings.Lines(deviations) {
		text := strings.TrimSpace(line)
		switch {
		case text == "" || text[0] == '#':
		case line[0] != '\t':
			fits := "^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$"
			list = append(list, &deviation{text: text, fits: regexp.MustCompile(fits)})
		case len(list) == 0:
			return nil, errors.New(deviationsFile + " begins with a reason")
		default:
			list[len(list)-1].why += text
		}
	}
	for _, k := range list {
		if k.why == "" {
			return nil, fmt.Errorf("%s gives no reason for\n\t%s", deviationsFile, k.text)
		}
	}
	return list, nil
}

var positions = regexp.MustCompile(`/\d+`)

// anywhere is a difference without its position in a list, so that one reason covers all.
func anywhere(text string) string { return positions.ReplaceAllString(strings.TrimSpace(text), "/*") }

// deviate tells where and how v differs from the schema.
func deviate(s *openapi3.Schema, v any) []string {
	return flat("", s.VisitJSON(v, openapi3.MultiErrors()))
}

func flat(at string, err error) (list []string) {
	switch e := err.(type) {
	case nil:
		return nil
	case openapi3.MultiError:
		for _, one := range e {
			list = append(list, flat(at, one)...)
		}
		return list
	case *openapi3.SchemaError:
		for _, name := range e.JSONPointer() {
			at += "/" + name
		}
		switch e.SchemaField {
		case "oneOf":
			return nearest(at, e.Schema, e.Schema.OneOf, e.Value)
		case "anyOf":
			return nearest(at, e.Schema, e.Schema.AnyOf, e.Value)
		case "allOf":
			for _, part := range e.Schema.AllOf {
				list = append(list, flat(at, part.Value.VisitJSON(e.Value, openapi3.MultiErrors()))...)
			}
			return list
		}
		return []string{at + " " + e.SchemaField + ": " + e.Reason}
	}
	return []string{at + " " + err.Error()}
}

// nearest is what is wrong with v as the alternative that it comes closest to. That of another type is far away.
func nearest(at string, of *openapi3.Schema, list openapi3.SchemaRefs, v any) (best []string) {
	far := -1
	meant := ""
	if object, ok := v.(map[string]any); ok && of.Discriminator != nil {
		kind, _ := object[of.Discriminator.PropertyName].(string)
		meant = of.Discriminator.Mapping[kind].Ref
	}
	for _, one := range list {
		if meant != "" && one.Ref != meant {
			continue
		}
		errs := flat(at, one.Value.VisitJSON(v, openapi3.MultiErrors()))
		distance := len(errs)
		for _, e := range errs {
			place, rule, _ := strings.Cut(strings.TrimPrefix(e, at), " ")
			if strings.Count(place, "/") <= 1 && !strings.HasPrefix(rule, "type:") || place == "/action/name" {
				distance += 100 // another kind of object
			}
		}
		if far < 0 || distance < far {
			far, best = distance, errs
		}
	}
	return best
}
