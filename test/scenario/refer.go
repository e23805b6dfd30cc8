package scenario

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var reference = regexp.MustCompile(`\$\{([a-z][a-z0-9_]*)\.([A-Za-z0-9_.]+)\}`)

// Resolve replaces references to earlier steps: ${upload.id} is the member of the answer to the step labelled upload,
// ${send.messages.0.id} one further in, ${reply.wamid} the id of the first message in the step's webhooks, and
// ${reply.webhook.contacts.0.wa_id} a member of the value of the first. ${dialog.input.ticket} is what a form of the page has in its
// input named ticket, and ${allow.location.code} a parameter of the address that an answer sends the browser to. ${n} counts calls that are made several times: 0001.
func (f *File) Resolve(text string, n int) (_ string, err error) {
	text = strings.ReplaceAll(text, "${n}", fmt.Sprintf("%04d", n))
	out := reference.ReplaceAllStringFunc(text, func(ref string) string {
		m := reference.FindStringSubmatch(ref)
		v, e := f.lookup(m[1], m[2])
		if e != nil && err == nil {
			err = fmt.Errorf("%s: %w", ref, e)
		}
		return v
	})
	return out, err
}

func (f *File) lookup(label, path string) (string, error) {
	i := slices.IndexFunc(f.Steps, func(s *Step) bool { return s.Label == label })
	if i < 0 {
		return "", fmt.Errorf("no earlier step has this label")
	}
	s := f.Steps[i]
	if path == "wamid" {
		return s.wamid()
	}
	if in, ok := strings.CutPrefix(path, "webhook."); ok && len(s.Webhooks) > 0 {
		return member(s.Webhooks[0].Body, "entry.0.changes.0.value."+in)
	}
	if s.Answer == nil {
		return "", fmt.Errorf("the step has no answer in the file")
	}
	if name, ok := strings.CutPrefix(path, "input."); ok {
		return s.Answer.input(name)
	}
	if name, ok := strings.CutPrefix(path, "location."); ok {
		return s.Answer.location(name)
	}
	return member(s.Answer.Body, path)
}

// input is the value of an input of the page.
func (a *Answer) input(name string) (string, error) {
	m := regexp.MustCompile(`<input\b[^>]* name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(a.Body)
	if m == nil {
		return "", fmt.Errorf("the page has no such input")
	}
	return html.UnescapeString(m[1]), nil
}

// location is a parameter of the address in the header Location, which may stand behind # instead of ?.
func (a *Answer) location(name string) (string, error) {
	for _, h := range a.Header {
		if h[0] != "Location" {
			continue
		}
		u, err := url.Parse(h[1])
		if err != nil {
			return "", err
		}
		values := u.Query()
		if more, err := url.ParseQuery(u.EscapedFragment()); err == nil && !values.Has(name) {
			values = more
		}
		if values.Has(name) {
			return values.Get(name), nil
		}
	}
	return "", fmt.Errorf("it does not go to an address with this parameter")
}

// wamid is the id of the first message or status among the webhooks of a step.
func (s *Step) wamid() (string, error) {
	for _, p := range s.Webhooks {
		for _, path := range []string{"messages", "statuses"} {
			if id, err := member(p.Body, "entry.0.changes.0.value."+path+".0.id"); err == nil {
				return id, nil
			}
		}
	}
	return "", fmt.Errorf("no webhook of the step has a message")
}

// member walks into JSON by names and positions.
func member(body, path string) (string, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(in) {
				return "", fmt.Errorf("there is no element %s", name)
			}
			v = in[i]
		default:
			v = nil
		}
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	}
	return "", fmt.Errorf("there is no such text in %.200s", body)
}
