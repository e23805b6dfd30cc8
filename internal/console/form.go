package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/flow/document"
	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// opener opens the flows of messages. A device.Link does.
type opener interface {
	OpenFlow(ctx context.Context, id string, n int) (*device.OfferedFlow, *document.Session, error)
	// PickFile uploads a file that a form asks for.
	PickFile(ctx context.Context, a device.Attachment) (map[string]any, error)
}

// form is a flow that is open: the fields of a screen are asked one after another, then its buttons.
type form struct {
	offer *device.OfferedFlow
	s     *document.Session
	phone opener
	view  document.View
	asked map[string]bool // fields of the screen that have been asked
	wrong string          // why the last line was not taken
	said  string          // what it did, if that cannot be seen
	done  []byte          // the answer for the business, once the flow has ended
}

func newForm(offer *device.OfferedFlow, s *document.Session, phone opener) *form {
	f := &form{offer: offer, s: s, phone: phone, asked: map[string]bool{}}
	s.Use(f)
	f.sync()
	return f
}

// sync takes over what the session shows.
func (f *form) sync() {
	before := f.view.ID
	f.view = f.s.View()
	if f.view.ID != before {
		f.asked = map[string]bool{}
	}
	if r, ok := f.s.Response(); ok {
		done, err := f.offer.Content(r)
		if err != nil {
			f.said = flowReason(err)
		}
		f.done = done
	}
}

// next is the field that is asked now; nil when the buttons are.
func (f *form) next() *document.Element {
	for i := range f.view.Elements {
		e := &f.view.Elements[i]
		if e.Field && e.Enabled && !f.asked[e.Name] {
			return e
		}
	}
	return nil
}

// tap is something to press on a screen.
type tap struct{ id, title, note string }

// taps are the buttons of the screen, the one that enter presses first.
func (f *form) taps() (list []tap) {
	if b := f.view.Footer(); b != nil && b.Enabled {
		list = append(list, tap{b.ID, b.Text, strings.Join(b.Captions, " · ")})
	}
	for i := range f.view.Elements {
		e := &f.view.Elements[i]
		switch {
		case e.Type == "NavigationList":
			for _, o := range e.Options {
				list = append(list, tap{e.ID + ":" + o.ID, o.Title, o.Description})
			}
		case e.Action != "" && e.Type != "Footer":
			list = append(list, tap{e.ID, e.Text, e.URL})
		}
	}
	return list
}

// answer takes a line that the person typed. What is wrong with it is in f.wrong; it never fails.
func (f *form) answer(ctx context.Context, typed string) {
	f.wrong, f.said = "", ""
	typed = strings.TrimSpace(typed)
	var err error
	switch e := f.next(); {
	case typed == "/back":
		err = f.back(ctx)
	case e != nil:
		err = f.fill(ctx, e, typed)
	default:
		err = f.tap(ctx, typed)
	}
	f.sync()
	if fields, ok := errors.AsType[document.FieldErrors](err); ok {
		for name := range fields {
			delete(f.asked, name) // asked again
		}
		f.wrong = "Something is missing."
		if e := f.next(); e != nil && fields[e.Name] != "" {
			f.wrong = e.Text + ": " + fields[e.Name]
		}
	} else if err != nil {
		f.wrong = flowReason(err)
	}
}

func (f *form) back(ctx context.Context) error {
	if len(f.asked) > 0 {
		f.asked = map[string]bool{} // first to the beginning of the screen
		return nil
	}
	ok, err := f.s.Back(ctx)
	if err == nil && !ok {
		f.said = "This is the first screen; /cancel leaves the form."
	}
	return err
}

func (f *form) fill(ctx context.Context, e *document.Element, typed string) error {
	if typed == "" { // what is there stays
		if why := e.Check(); why != "" {
			return document.FieldErrors{e.Name: why}
		}
		f.asked[e.Name] = true
		return nil
	}
	v, ok := e.Read(typed)
	if e.Picks() {
		list, err := f.Pick(ctx, e, typed)
		if err != nil {
			return document.FieldErrors{e.Name: flowReason(err)}
		}
		v, ok = list, true
	}
	if !ok {
		return document.FieldErrors{e.Name: "This cannot be meant here. " + hint(e)}
	}
	tried := *e
	tried.Value = v
	if why := tried.Check(); why != "" {
		return document.FieldErrors{e.Name: why}
	}
	f.asked[e.Name] = true
	return f.s.Set(ctx, e.Name, v)
}

func (f *form) tap(ctx context.Context, typed string) error {
	list := f.taps()
	n := 0
	if typed != "" {
		n = slices.IndexFunc(list, func(t tap) bool { return strings.EqualFold(t.title, typed) })
		if i, err := strconv.Atoi(typed); n < 0 && err == nil {
			n = i - 1
		}
	}
	if n < 0 || n >= len(list) {
		return fmt.Errorf("press one of the buttons by its number")
	}
	url, err := f.s.Tap(ctx, list[n].id)
	if url != "" {
		f.said = "To open: " + oneLine(url)
	}
	return err
}

// flowReason says in a sentence why a step failed.
func flowReason(err error) string {
	if e, ok := errors.AsType[*frame.Error](err); ok && (e.Code == frame.ErrFlowOver || e.Code == frame.ErrFlowFailed) && e.Text != "" {
		return e.Text // made for people
	}
	switch {
	case errors.Is(err, document.ErrAnswer):
		return "Something went wrong at the business. Try again later."
	case errors.Is(err, document.ErrNoEndpoint):
		return "The business cannot be asked from here."
	}
	return reasonOf(err)
}

// text is the screen in lines: what it says and what there is to choose, without the fields asked already.
func (f *form) text() (lines []string) {
	v := &f.view
	lines = append(lines, "┌ "+strings.TrimSpace(oneLine(v.Title)+" "+steps(v)))
	add := func(s string) {
		for l := range strings.SplitSeq(strings.TrimSpace(clean(s)), "\n") {
			if l = strings.TrimSpace(l); l != "" {
				lines = append(lines, "│ "+l)
			}
		}
	}
	for i := range v.Elements {
		e := &v.Elements[i]
		switch {
		case e.Field, e.Type == "Footer", e.Type == "NavigationList", e.Action != "":
		case len(e.Images) > 0:
			for _, p := range e.Images {
				add("[picture] " + p.Alt)
			}
		default:
			add(e.Text)
		}
	}
	return lines
}

func steps(v *document.View) string {
	if v.CanBack {
		return "· /back"
	}
	return ""
}

// prompt asks for the next line.
func (f *form) prompt() (lines []string) {
	if f.view.Note != "" {
		lines = append(lines, "! "+oneLine(f.view.Note))
	}
	if f.wrong != "" {
		lines = append(lines, "! "+oneLine(f.wrong))
	}
	if f.said != "" {
		lines = append(lines, "│ "+oneLine(f.said))
	}
	e := f.next()
	if e == nil {
		for i, t := range f.taps() {
			key := strconv.Itoa(i + 1)
			if i == 0 && f.view.Footer() != nil {
				key = "enter"
			}
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("└ [%s] %s  %s", key, oneLine(t.title), oneLine(t.note))))
		}
		return lines
	}
	ask := oneLine(e.Text)
	if !e.Required {
		ask += " (may be left out)"
	}
	lines = append(lines, "├ "+ask)
	for _, s := range []string{e.Title, e.Description, e.Helper, hint(e)} {
		if s = oneLine(s); s != "" {
			lines = append(lines, "│   "+s)
		}
	}
	for i, o := range e.Options {
		lines = append(lines, "│   "+option(i+1, &o))
	}
	if now := holding(e); now != "" && e.Type != "OptIn" {
		lines = append(lines, "│   enter keeps "+oneLine(now))
	}
	return lines
}

func option(n int, o *document.Option) string {
	words := []string{fmt.Sprintf("%d  %s", n, oneLine(o.Title))}
	for _, more := range []string{o.Description, o.Metadata} {
		if more != "" {
			words = append(words, oneLine(more))
		}
	}
	if !o.Enabled {
		words = append(words, "not available")
	}
	return strings.Join(words, " · ")
}

// hint says how a field is written; empty for those that take any words.
func hint(e *document.Element) string {
	switch e.Type {
	case "OptIn":
		return "yes or no"
	case "CheckboxGroup", "ChipsSelector":
		return "numbers or words, with commas between them"
	case "RadioButtonsGroup", "Dropdown":
		return "a number or words"
	case "DatePicker":
		return "a date like 2026-06-20"
	case "CalendarPicker":
		if e.Input == "range" {
			return "two dates like 2026-06-20 2026-06-22"
		}
		return "a date like 2026-06-20"
	case "PhotoPicker", "DocumentPicker":
		return "files of this machine, with spaces between their paths"
	}
	return ""
}
