package flowpage

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"iter"
	"net/http"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// page is what the template page is given.
type page struct {
	Name, Version     string
	Problems          []document.Problem
	CSS               template.CSS
	JS                template.JS
	Interactive       bool
	Here, Live, Still string

	Screens iter.Seq[*phone] // of the overview

	Phone *phone // of the walk
	State string
	Debug bool
	Log   []entry
}

// phone is one screen.
type phone struct {
	View     document.View
	Elements []element
	Footer   *document.Element
	Live     bool   // it can be used
	Response string // the flow has ended
	Failure  string // there is no screen
	Wrong    string // the last step did not go well
	Open     string // URL of open_url
	Again    string
}

// element is an element with what only a page needs.
type element struct {
	*document.Element
	HTML     template.HTML // of Markdown
	Pictures []picture
	Wide     bool
	Choices  []choice
	On       bool   // of an OptIn
	Typed    string // value of an input
	Until    string // end of a range
	Kind     string // type of an input
}

type picture struct {
	Src    template.URL // a data URL; empty for bytes that are no picture
	Alt    string
	Height int
}

type choice struct {
	*document.Option
	Picture template.URL
	On      bool
}

func (v *visit) phone(s *document.Session, live bool) *phone {
	p := &phone{View: s.View(), Live: live}
	if r, ok := s.Response(); ok {
		b, err := json.MarshalIndent(r, "", "  ")
		if err == nil {
			p.Response = string(b)
		}
		v.note("Completed", r)
		return p
	}
	for i := range p.View.Elements {
		if e := &p.View.Elements[i]; e.Type != "Footer" {
			p.Elements = append(p.Elements, v.show(e))
		}
	}
	p.Footer = p.View.Footer()
	return p
}

// inputKinds are the types of inputs in HTML.
var inputKinds = map[string]string{"number": "text", "email": "email", "password": "password", "passcode": "password", "phone": "tel", "text": "text"}

func (v *visit) show(e *document.Element) element {
	x := element{Element: e, Wide: e.Ratio > 1.6, Typed: document.Text(e.Value), Kind: inputKinds[e.Input]}
	if e.Markdown {
		x.HTML = v.markdown(e.Text)
	}
	for _, p := range e.Images {
		x.Pictures = append(x.Pictures, picture{dataURL(p.Data), p.Alt, p.Height})
	}
	list, _ := e.Value.([]any)
	for i := range e.Options {
		o := &e.Options[i]
		c := choice{Option: o, Picture: dataURL(o.Image), On: o.ID == x.Typed && !e.Multiple}
		for _, id := range list {
			c.On = c.On || id == o.ID
		}
		x.Choices = append(x.Choices, c)
	}
	switch v := e.Value.(type) {
	case bool:
		x.On = v
	case map[string]any:
		x.Typed, x.Until = document.Text(v["start-date"]), document.Text(v["end-date"])
	}
	return x
}

// dataURL makes a picture of base64, if it is one.
func dataURL(b64 string) template.URL {
	head := b64[:min(len(b64), 64)]
	raw, err := base64.StdEncoding.DecodeString(head[:len(head)/4*4])
	if err != nil || len(raw) == 0 || strings.Trim(b64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "" {
		return ""
	}
	switch kind := http.DetectContentType(raw); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return template.URL("data:" + kind + ";base64," + b64) //nolint:gosec // nothing but base64 of a picture
	}
	return ""
}

// prose reads Markdown. Raw HTML is left out and links are kept harmless, which goldmark does unless told otherwise.
var prose = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough))

// Bounds of Markdown. The time that the worst of it takes grows with the square of its length. What is beyond stands as it was
// written.
const (
	maxProse    = 16 << 10                // bytes of an element
	maxAllProse = 4 * maxProse * maxProse // sum of the squares of a page
)

func (v *visit) markdown(s string) template.HTML {
	var b bytes.Buffer
	if len(s) > maxProse || v.prose+len(s)*len(s) > maxAllProse {
		template.HTMLEscape(&b, []byte(s))
	} else if v.prose += len(s) * len(s); prose.Convert([]byte(s), &b) != nil {
		return ""
	}
	return template.HTML(b.String()) //nolint:gosec // made of Markdown by goldmark, without raw HTML, or escaped
}
