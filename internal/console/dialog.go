package console

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

type dialogKind uint8

const (
	noDialog dialogKind = iota
	findDialog
	safetyDialog
	helpDialog
	formDialog
)

// dialog is what covers the thread.
type dialog struct {
	kind   dialogKind
	in     input
	asked  string // search on its way, or answered
	done   bool   // the answer has come
	found  []frame.Business
	at     int    // chosen line
	digits string // safety number
	form   *form  // a flow that is open
	busy   bool   // the form works on what was typed last
}

func (d *dialog) answered(list []frame.Business) { d.found, d.done, d.at = list, true, 0 }

func (m *model) openFind() { m.dialog = dialog{kind: findDialog} }

func (m *model) openSafety() {
	if m.open == "" {
		return
	}
	s, err := m.phone.SafetyNumber(m.open)
	if err != nil {
		m.flash = "The key of this business is not known before the first message."
		return
	}
	m.dialog = dialog{kind: safetyDialog, digits: s}
}

// search is what enter does in the find dialog: the first one asks, the next one opens what was found.
func (m *model) search() {
	d := &m.dialog
	q := strings.TrimSpace(d.in.value())
	switch {
	case d.done && q == d.asked && d.at < len(d.found):
		chat := d.found[d.at].WaID
		m.dialog = dialog{}
		m.enter(chat)
		return
	case q == "":
		return
	}
	if err := m.phone.Find(q); err != nil {
		m.flash = reasonOf(err)
		return
	}
	m.finds = append(m.finds, q)
	d.asked, d.done, d.found = q, false, nil
}

// dialogLines draws the dialog into a pane.
func (m *model) dialogLines(w, h int) []string {
	t, inner := &m.theme, min(w-6, 60)
	var rows []string
	add := func(s string, style lipgloss.Style) {
		for _, l := range wrap(s, inner) {
			rows = append(rows, style.Render(l))
		}
	}
	switch m.dialog.kind {
	case findDialog:
		rows = append(rows, t.title.Render("New chat"), "")
		add("Name or number of a business:", t.dim)
		rows = append(rows, "")
		rows = append(rows, m.foundRows(inner, h)...)
	case safetyDialog:
		rows = append(rows, t.title.Render(fit("Safety number with "+m.name(m.open), inner)), "")
		for i := 0; i+20 <= len(m.dialog.digits); i += 20 {
			s := m.dialog.digits[i : i+20]
			rows = append(rows, t.accent.Bold(true).Render("  "+s[:5]+"  "+s[5:10]+"  "+s[10:15]+"  "+s[15:]))
		}
		rows = append(rows, "")
		add("The platform shows the same 60 digits for this number. If they differ, somebody else holds the keys.", lipgloss.NewStyle())
		rows = append(rows, "")
		add(protection, t.note)
	case helpDialog:
		rows = m.helpRows(w-4, h)
	case formDialog:
		rows = m.formRows(max(10, w-4), h)
	case noDialog:
	}
	out := make([]string, 0, h)
	for range max(0, min(2, (h-len(rows))/2)) {
		out = append(out, "")
	}
	for _, r := range rows {
		out = append(out, "  "+r)
	}
	for len(out) < h {
		out = append(out, "")
	}
	return out[:h]
}

// scroll moves through the commands.
func (d *dialog) scroll(key string) {
	switch key {
	case "up":
		d.at = max(0, d.at-1)
	case "down":
		d.at++
	case "pgup":
		d.at = max(0, d.at-10)
	case "pgdown":
		d.at += 10
	case "enter":
		*d = dialog{}
	}
}

// helpRows are the commands, as many as fit.
func (m *model) helpRows(w, h int) (rows []string) {
	t := &m.theme
	for _, c := range commands() {
		name := strings.TrimSpace("/" + c.name + " " + c.args)
		if w >= 84 {
			rows = append(rows, t.accent.Render(pad(fit(name, 40), 41))+t.dim.Render(fit(c.does, w-42)))
			continue
		}
		rows = append(rows, t.accent.Render(fit(name, w)))
		for _, l := range wrap(c.does, w-2) {
			rows = append(rows, "  "+t.dim.Render(l))
		}
	}
	for _, l := range wrap("#N is the number of a message, shown while it is chosen; without it the chosen one is meant, or the newest that fits. "+
		"//text sends /text.", w) {
		rows = append(rows, t.dim.Render(l))
	}
	m.dialog.at = max(0, min(m.dialog.at, len(rows)-h))
	rows = rows[m.dialog.at:]
	return rows[:min(len(rows), h)]
}

func (m *model) foundRows(inner, h int) (rows []string) {
	t, d := &m.theme, &m.dialog
	switch {
	case d.asked == "":
		return []string{t.faint.Render("enter searches")}
	case !d.done:
		return []string{t.dim.Render("Searching…")}
	case len(d.found) == 0:
		return []string{t.dim.Render(fit("Nothing found for “"+oneLine(d.asked)+"”.", inner))}
	}
	room := max(1, (h-8)/2)
	first := max(0, d.at-room+1)
	for i := first; i < len(d.found) && i < first+room; i++ {
		b := &d.found[i]
		name := oneLine(b.Name)
		if b.Verified {
			name += " ✔"
		}
		style, dim, sign := lipgloss.NewStyle(), t.dim, "  "
		if i == d.at {
			style, dim, sign = t.item, t.itemDim, "› "
		}
		top := ends(fit(name, inner-20), number(b.WaID)+" ", inner-2)
		rows = append(rows, style.Render(sign+top), fill(dim.Render("  "+fit(oneLine(b.About), inner-4)), inner, dim))
	}
	return rows
}
