package message

import "strings"

// Limits of buttons and lists, in characters where they bound a text. Source: spec/messages.md sections 10.2 to 10.4.
const (
	maxButtons     = 3
	maxButtonID    = 256
	maxButtonTitle = 20
	maxSections    = 10
	maxRows        = 10
	maxRowID       = 200
	maxRowTitle    = 24
	maxRowText     = 72
)

// unique finds repeated texts.
type unique map[string]bool

// again reports whether s came before.
func (u unique) again(s string) bool {
	if u[s] {
		return true
	}
	u[s] = true
	return false
}

var (
	buttonKeys = []string{"type", "reply"}
	replyKeys  = []string{"id", "title"}
)

func (f *form[V]) replyButtons(a V) {
	list := f.elements(a, "buttons")
	if len(list) > maxButtons || len(list) == 0 && a.Get("buttons").Present() {
		f.count("buttons", 1, maxButtons)
	}
	ids, titles := unique{}, unique{}
	f.list("buttons", func() {
		for _, b := range list {
			f.within(b, buttonKeys, func(b V) {
				f.object("", func() {
					f.enum(b, "type", "", "reply")
					f.put("type", "reply")
					f.part(b, "reply", replyKeys, func(r V) {
						f.object("reply", func() { f.choice(r, ids, titles) })
					})
				})
			})
		}
	})
}

// choice reads the id and title of a button that answers.
func (f *form[V]) choice(r V, ids, titles unique) {
	id := f.label(r, "id", "Button id", maxButtonID)
	title := f.label(r, "title", "Button title", maxButtonTitle)
	switch {
	case id != strings.TrimSpace(id):
		f.wrong("Button ids must not start or end with a space.")
	case ids.again(id):
		f.wrong("Button ids must be unique.")
	case titles.again(title):
		f.wrong("Button titles must be unique.")
	}
	f.put("id", id)
	f.put("title", title)
}

var (
	sectionKeys = []string{"title", "rows"}
	rowKeys     = []string{"id", "title", "description"}
)

func (f *form[V]) listAction(a V) {
	f.put("button", f.label(a, "button", "Button label", maxButtonTitle))
	rows, ids := 0, unique{}
	f.sections(a, sectionKeys, func(s V) {
		list := f.elements(s, "rows")
		if len(list) == 0 && s.Get("rows").Present() {
			f.count("rows", 1, maxRows)
		}
		rows += len(list)
		f.list("rows", func() {
			for _, r := range list {
				f.within(r, rowKeys, func(r V) { f.row(r, ids) })
			}
		})
	})
	if rows > maxRows {
		f.wrong("Total row count exceed max allowed count: 10")
	}
}

func (f *form[V]) row(r V, ids unique) {
	f.object("", func() {
		id := f.label(r, "id", "Row id", maxRowID)
		if ids.again(id) {
			f.wrong("Row ids must be unique.")
		}
		f.put("id", id)
		f.put("title", f.label(r, "title", "Row title", maxRowTitle))
		f.putSome("description", f.option(r, "description", "Row description", maxRowText))
	})
}

// sections reads 1 to 10 sections, which need titles when there are several.
func (f *form[V]) sections(a V, keys []string, read func(s V)) {
	list := f.elements(a, "sections")
	if len(list) > maxSections || len(list) == 0 && a.Get("sections").Present() {
		f.count("sections", 1, maxSections)
	}
	f.list("sections", func() {
		for _, s := range list {
			f.within(s, keys, func(s V) {
				f.object("", func() {
					title := f.option(s, "title", "Section title", maxRowTitle)
					if title == "" && len(list) > 1 {
						f.missing("title")
					}
					f.putSome("title", title)
					read(s)
				})
			})
		}
	})
}

var ctaKeys = []string{"display_text", "url"}

func (f *form[V]) ctaParameters(a V) {
	f.part(a, "parameters", ctaKeys, func(p V) {
		f.object("parameters", func() {
			f.put("display_text", f.label(p, "display_text", "Display text", maxButtonTitle))
			f.put("url", f.webURL(p, "url"))
		})
	})
}
