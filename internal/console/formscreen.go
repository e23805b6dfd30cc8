package console

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/flow/document"
)

// formMsg is a form whose last line was worked on; it may have asked the business.
type formMsg struct{ form *form }

// openForm shows a flow.
func (m *model) openForm(f *form) { m.dialog = dialog{kind: formDialog, form: f} }

// submit hands the line to the form. The work is done on a copy, so that the screen can go on showing the form.
func (m *model) submit() tea.Cmd {
	d := &m.dialog
	if d.busy {
		return nil
	}
	typed := strings.TrimSpace(d.in.value())
	d.in.set("")
	if typed == "/cancel" {
		m.dialog = dialog{}
		return nil
	}
	if e := d.form.next(); typed == "" && e != nil && d.at > 0 && d.at <= len(e.Options) {
		typed = fmt.Sprint(d.at) // the one that the arrows chose
	}
	d.busy, d.at = true, 0
	next := *d.form
	next.asked = maps.Clone(next.asked)
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(m.ctx, answerTime)
		defer cancel()
		next.answer(ctx, typed)
		return formMsg{&next}
	}
}

// worked takes a form back; one that was left meanwhile is dropped.
func (m *model) worked(msg formMsg) {
	d := &m.dialog
	if d.kind != formDialog || d.form.s != msg.form.s {
		return
	}
	d.busy, d.form = false, msg.form
	if d.form.done == nil {
		return
	}
	if m.tell(m.phone.Send(d.form.offer.Chat, d.form.done)) {
		m.dialog = dialog{}
		m.told = "The form is sent."
		m.toEnd()
	}
}

// formKey is what the arrows do: they choose an option.
func (m *model) formKey(key string) bool {
	d := &m.dialog
	e := d.form.next()
	if e == nil || len(e.Options) == 0 {
		return false
	}
	switch key {
	case "up":
		d.at = max(1, d.at-1)
	case "down":
		d.at = min(len(e.Options), d.at+1)
	default:
		return false
	}
	return true
}

// formRows draw a form: what the screen says, the fields with their values, and the one that is asked.
func (m *model) formRows(w, h int) []string {
	t, d := &m.theme, &m.dialog
	f := d.form
	var rows []string
	add := func(s string, style lipgloss.Style, before, then string) {
		for i, l := range wrap(clean(s), max(8, w-lipgloss.Width(before))) {
			if i > 0 {
				before = then
			}
			rows = append(rows, style.Render(before+l))
		}
	}
	add(f.view.Title, t.title, "", "")
	rows = append(rows, t.line.Render(strings.Repeat("─", w)))
	focus := 0
	current := f.next()
	for i := range f.view.Elements {
		e := &f.view.Elements[i]
		switch {
		case e == current:
			focus = len(rows) + 2 + len(e.Options)
			add(e.Text+required(e), t.accent.Bold(true), "› ", "  ")
			for _, s := range []string{e.Title, e.Description, e.Helper, hint(e)} {
				if s != "" {
					add(s, t.dim, "    ", "    ")
				}
			}
			for n := range e.Options {
				style, before := lipgloss.NewStyle(), "    "
				if d.at == n+1 {
					style, before = t.item, "  › "
				}
				add(option(n+1, &e.Options[n]), style, before, "       ")
			}
		case e.Field:
			before, value := "· ", ""
			if f.asked[e.Name] {
				before, value = "✓ ", shown(e)
			}
			add(strings.TrimSuffix(e.Text+": "+value, ": "), t.dim, before, "  ")
		case len(e.Images) > 0:
			for _, p := range e.Images {
				add("[picture] "+p.Alt, t.faint, "", "")
			}
		case e.Type == "TextHeading", e.Type == "TextSubheading":
			add(e.Text, t.title, "", "")
		case e.Type != "Footer" && e.Type != "NavigationList" && e.Action == "":
			add(e.Text, lipgloss.NewStyle(), "", "")
		}
	}
	if current == nil {
		rows = append(rows, "")
		for i, p := range f.taps() {
			key := fmt.Sprint(i + 1)
			if i == 0 && f.view.Footer() != nil {
				key = "enter"
			}
			add(strings.TrimSpace(p.title+"  "+p.note), t.accent.Bold(true), "["+key+"] ", "    ")
		}
		focus = len(rows)
	}
	for _, s := range []string{f.view.Note, f.wrong} {
		if s != "" {
			add(s, t.bad, "! ", "  ")
			focus = len(rows)
		}
	}
	if f.said != "" {
		add(f.said, t.note, "", "")
		focus = len(rows)
	}
	if d.busy {
		rows = append(rows, t.dim.Render("…"))
	}
	if over := min(len(rows)-h, focus-h+2); over > 0 {
		rows = rows[over:]
	}
	return rows[:min(len(rows), h)]
}

func required(e *document.Element) string {
	if e.Required {
		return " *"
	}
	return ""
}

// shown is the value of a field as its screen would show it: titles instead of ids, nothing of secrets.
func shown(e *document.Element) string {
	v := e.Value
	if e.Input == "password" || e.Input == "passcode" {
		return strings.Repeat("•", min(8, len(document.Text(v))))
	}
	if yes, ok := v.(bool); ok {
		return map[bool]string{true: "yes", false: "no"}[yes]
	}
	if e.Picks() {
		return oneLine(document.FileNames(v))
	}
	list, many := v.([]any)
	if !many {
		list = []any{v}
	}
	var words []string
	for _, id := range list {
		word := document.Text(id)
		for _, o := range e.Options {
			if o.ID == word {
				word = o.Title
			}
		}
		words = append(words, oneLine(word))
	}
	return strings.Join(words, ", ")
}

// flow opens the form behind a choice. It is nil, without an error, for a flow that this device cannot open: its answer is
// what the person says.
func (c *commander) flow(ctx context.Context, id string, n int) (*form, error) {
	if c.flows == nil {
		return nil, nil
	}
	offer, s, err := c.flows.OpenFlow(ctx, id, n)
	switch {
	case errors.Is(err, device.ErrNoFlow):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return newForm(offer, s, c.flows), nil
}
