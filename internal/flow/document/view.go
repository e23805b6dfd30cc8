package document

import (
	"strconv"
	"strings"
)

// View is a screen as a person sees it: only what is visible now, references followed.
type View struct {
	ID, Title string
	Terminal  bool
	CanBack   bool
	Note      string // what the endpoint complains of
	Elements  []Element
}

// Element is one thing on a screen. What a type does not have is empty.
type Element struct {
	ID   string // for Tap
	Type string // the component's
	Name string // of fields, for Set

	Text        string // what a text says, what a field asks, what a button is called
	Title       string // of calendars, above everything
	Description string
	Helper      string
	Weight      string // font-weight: bold, italic, bold_italic
	Strike      bool
	Markdown    bool
	Captions    []string // of a Footer: one in the middle, or one left and one right

	Field    bool
	Required bool
	Enabled  bool
	Input    string // input-type of a TextInput; mode of a CalendarPicker
	Min, Max int    // characters, choices or files; Max 0 means no bound
	Pattern  string
	Options  []Option
	Large    bool // pictures of options, or the label of an input, are large
	Multiple bool // several options may be chosen
	Dates    Dates
	MIMEs    []string // of a DocumentPicker; empty for all
	MaxBytes int64    // of one file
	Value    any      // string, bool, list of strings, {"start-date","end-date"}, or list of [File.Value]
	Wrong    string   // why the value was refused

	Images []Image
	Ratio  float64 // width by height; 0 means the picture's own
	Cover  bool    // pictures fill their frame

	Action string // what a tap does; empty when there is nothing to tap
	URL    string // of open_url

	comp    *Component
	version Version
}

// Option is something to choose.
type Option struct {
	ID, Title, Description, Metadata string
	Image, Alt, Color                string // Image is base64
	Enabled                          bool
	Badge                            string
	Tags                             []string
	End                              [3]string // title, description and metadata at the end of an entry of a NavigationList

	raw map[string]any
}

// Image is a picture inside the flow.
type Image struct {
	Data, Alt     string // Data is base64, without a prefix
	Width, Height int    // 0 means its own
}

// Dates are what a date may be, as YYYY-MM-DD.
type Dates struct {
	Min, Max    string
	Unavailable []string
	Days        []string // Mon, Tue, …; empty for all
	MinDays     int      // of a range
	MaxDays     int
}

// The bounds of what is shown. A flow without problems has fewer of its own; options also come as data.
const (
	maxShown   = 200  // elements of a screen
	maxWalked  = 2000 // components, hidden ones too
	maxOptions = 200  // of a field, or entries of a list
)

// View is the screen shown. It is the zero View before the start and after the end.
func (s *Session) View() View {
	at, visit, err := s.here()
	if err != nil {
		return View{}
	}
	r := &renderer{s: s, of: s.scope(), visit: visit, version: s.doc.Version}
	r.list(at.Children, nil)
	return View{at.ID, Text(dynamicValue(at.Title, r.of, r.version)), at.Terminal, len(s.path) > 1, s.note, r.out}
}

// Field finds a field by its name; nil when the screen does not show one.
func (v *View) Field(name string) *Element {
	return v.first(func(e *Element) bool { return e.Field && e.Name == name })
}

func (v *View) first(is func(*Element) bool) *Element {
	for i := range v.Elements {
		if is(&v.Elements[i]) {
			return &v.Elements[i]
		}
	}
	return nil
}

// Footer is the button at the end of the screen; nil when there is none.
func (v *View) Footer() *Element {
	return v.first(func(e *Element) bool { return e.Type == "Footer" })
}

type renderer struct {
	s       *Session
	of      *scope
	visit   *Visit
	version Version
	n       int // components so far, hidden ones too: ids stay the same
	out     []Element
}

// formErrors is what a Form says of its fields, by their names.
type formErrors map[string]any

func (r *renderer) prop(c *Component, name string) any {
	return resolve(c.props.get(name), r.of, r.version)
}

func (r *renderer) text(c *Component, name string) string { return Text(r.prop(c, name)) }

func (r *renderer) list(comps []*Component, errs formErrors) {
	for _, c := range comps {
		if r.n++; r.n > maxWalked {
			return
		}
		r.component(c, errs)
	}
}

// hidden counts what is not shown.
func (r *renderer) hidden(comps []*Component) { each(comps, func(*Component) { r.n++ }) }

func (r *renderer) component(c *Component, errs formErrors) {
	if visible, ok := r.prop(c, "visible").(bool); ok && !visible {
		r.hidden(c.Children)
		return
	}
	switch c.Type {
	case "Form":
		errs, _ = r.prop(c, "error-messages").(map[string]any)
		r.list(c.Children, errs)
	case "If":
		yes := truth(compute(c.props.get("condition").str(), r.of))
		for _, b := range []struct {
			shown bool
			list  []*Component
		}{{yes, c.Children}, {!yes, c.Else}} {
			if b.shown {
				r.list(b.list, errs)
			} else {
				r.hidden(b.list)
			}
		}
	case "Switch":
		is := Text(compute(c.props.get("value").str(), r.of))
		for _, cs := range c.Cases {
			if cs.Value == is {
				r.list(cs.Children, errs)
			} else {
				r.hidden(cs.Children)
			}
		}
	default:
		if _, known := components[c.Type]; known && len(r.out) < maxShown {
			r.out = append(r.out, r.element(c, errs))
		}
	}
}

func (r *renderer) element(c *Component, errs formErrors) Element {
	e := Element{
		ID: "c" + strconv.Itoa(r.n), Type: c.Type, Name: c.Name, Field: components[c.Type].field, comp: c, version: r.version, Enabled: true,
		Description: r.text(c, "description"), Weight: r.text(c, "font-weight"),
		Strike: truth(r.prop(c, "strikethrough")), Markdown: c.Type == "RichText" || truth(r.prop(c, "markdown")),
	}
	if on, ok := r.prop(c, "enabled").(bool); ok {
		e.Enabled = on
	}
	switch text := r.prop(c, "text").(type) {
	case []any: // one paragraph each
		e.Text = strings.Join(textsOf(text), "\n")
	default:
		e.Text = Text(text)
	}
	if l := r.prop(c, "label"); l != nil {
		e.Text = labels(l)
	}
	if a := c.props.get("on-click-action"); a != nil {
		e.Action = a.get("name").str()
		if e.Action == "open_url" {
			e.URL = Text(resolve(a.get("url"), r.of, r.version))
		}
	}
	r.pictures(c, &e)
	r.details(c, &e)
	if e.Field {
		r.field(c, &e, errs)
	}
	return e
}

// labels is the text of a label: calendars of ranges have two.
func labels(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return Text(v)
	}
	return strings.Trim(Text(m["start-date"])+" – "+Text(m["end-date"]), " –")
}

// details are what particular types have.
func (r *renderer) details(c *Component, e *Element) {
	switch c.Type {
	case "Footer":
		for _, name := range []string{"left-caption", "center-caption", "right-caption"} {
			if t := r.text(c, name); t != "" {
				e.Captions = append(e.Captions, t)
			}
		}
	case "NavigationList":
		e.Options = r.entries(c)
	case "CalendarPicker":
		e.Title, e.Input = r.text(c, "title"), r.text(c, "mode")
		e.Helper = labels(r.prop(c, "helper-text"))
		if e.Input == "" {
			e.Input = "single"
		}
	}
	e.Large = r.text(c, "media-size") == "large" || r.text(c, "label-variant") == "large"
}

// entries are the entries of a NavigationList. They are told as options; a tap on one is [Session.Tap] with "id:entry".
func (r *renderer) entries(c *Component) (list []Option) {
	items, _ := r.prop(c, "list-items").([]any)
	for _, it := range items[:min(len(items), maxOptions)] {
		m, _ := it.(map[string]any)
		main, _ := m["main-content"].(map[string]any)
		start, _ := m["start"].(map[string]any)
		end, _ := m["end"].(map[string]any)
		o := Option{
			ID: Text(m["id"]), Title: Text(main["title"]), Description: Text(main["description"]), Metadata: Text(main["metadata"]),
			Image: base64Of(start["image"]), Alt: Text(start["alt-text"]), Badge: Text(m["badge"]), Enabled: true, raw: m,
			End: [3]string{Text(end["title"]), Text(end["description"]), Text(end["metadata"])},
		}
		tags, _ := m["tags"].([]any)
		for _, t := range tags {
			o.Tags = append(o.Tags, Text(t))
		}
		list = append(list, o)
	}
	return list
}

func (r *renderer) pictures(c *Component, e *Element) {
	switch c.Type {
	case "Image":
		e.Images = []Image{{base64Of(r.prop(c, "src")), r.text(c, "alt-text"), whole(r.prop(c, "width")), whole(r.prop(c, "height"))}}
		e.Ratio, _ = numeric(r.prop(c, "aspect-ratio"))
	case "ImageCarousel":
		list, _ := r.prop(c, "images").([]any)
		for _, it := range list {
			m, _ := it.(map[string]any)
			e.Images = append(e.Images, Image{Data: base64Of(m["src"]), Alt: Text(m["alt-text"])})
		}
		e.Ratio = 4. / 3
		if r.text(c, "aspect-ratio") == "16:9" {
			e.Ratio = 16. / 9
		}
	}
	e.Cover = r.text(c, "scale-type") == "cover"
}

// base64Of takes the prefix of a data URL away.
func base64Of(v any) string {
	s := Text(v)
	if strings.HasPrefix(s, "data:") {
		_, s, _ = strings.Cut(s, ",")
	}
	return s
}

// whole reads a number of anything; 0 when it is none or beyond any screen.
func whole(v any) int {
	n, ok := numeric(v)
	if !ok || n < 0 || n > 1e9 {
		return 0
	}
	return int(n)
}

func options(v any) (list []Option) {
	items, _ := v.([]any)
	for _, it := range items[:min(len(items), maxOptions)] {
		m, ok := it.(map[string]any)
		if !ok {
			continue
		}
		o := Option{
			ID: Text(m["id"]), Title: Text(m["title"]), Description: Text(m["description"]), Metadata: Text(m["metadata"]),
			Image: base64Of(m["image"]), Alt: Text(m["alt-text"]), Color: Text(m["color"]), Enabled: true, raw: m,
		}
		if on, ok := m["enabled"].(bool); ok {
			o.Enabled = on
		}
		list = append(list, o)
	}
	return list
}
