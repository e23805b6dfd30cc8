package kit

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/i18n"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Mono is an id, a code, or a value as the API spells it.
func Mono(s string) html.Node { return html.Code(html.Text(s)) }

// Num is a number with separated thousands.
func Num(n int64) html.Node { return html.Span(html.Class("num"), html.Text(i18n.Thousands(n))) }

// Copy is an id with a button that copies it; what names it ("Phone number ID").
func Copy(l i18n.Lang, what, value string) html.Node {
	return html.Span(html.Class("copy"), html.Code(html.Text(value)), CopyBtn(l, what, value))
}

// CopyBtn copies a value that stands elsewhere, or nowhere.
func CopyBtn(l i18n.Lang, what, value string) html.Node {
	return IconBtn(l.T("kit.copy", "what", what), "copy", html.Data("copy", value), html.Data("done", l.T("kit.copied")))
}

// Curl is a command to paste, with a button that copies it.
func Curl(l i18n.Lang, command string) html.Node {
	return html.Div(html.Class("code"), html.TabIndex("0"), html.Role("group"), html.Aria("label", l.T("kit.command")),
		html.Pre(html.Code(html.Text(command))), CopyBtn(l, l.T("kit.command"), command))
}

// JSON is a document, indented and coloured; what is no JSON is shown as it is.
func JSON(l i18n.Lang, label string, raw []byte) html.Node {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		b.Reset()
		b.Write(raw)
	}
	return html.Div(html.Class("code"), html.TabIndex("0"), html.Role("group"), html.Aria("label", label),
		html.Pre(html.Code(colour(b.String()))), CopyBtn(l, label, b.String()))
}

// colour marks names and strings of a JSON text.
func colour(s string) html.Node {
	var g html.Group
	for s != "" {
		start := strings.IndexByte(s, '"')
		if start < 0 {
			break
		}
		end := closing(s, start)
		class := "str"
		if strings.HasPrefix(s[end:], ":") {
			class = "key"
		}
		g = append(g, html.Text(s[:start]), html.Span(html.Class(class), html.Text(s[start:end])))
		s = s[end:]
	}
	return append(g, html.Text(s))
}

// closing is the end of the string that begins at start.
func closing(s string, start int) int {
	for i := start + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// Time is a moment in a zone, that of the account, with the zone beside it; its title has UTC.
func Time(t time.Time, zone *time.Location) html.Node {
	if t.IsZero() {
		return html.Text("–")
	}
	local := t.In(zone)
	return html.Time(html.DateTime(t.UTC().Format(time.RFC3339)), html.TitleAttr(t.UTC().Format("2006-01-02 15:04:05 UTC")),
		html.Text(local.Format("2006-01-02 15:04")), html.Text(" "), html.Small(html.Text(ZoneName(local))))
}

// ZoneName is the offset of a moment, as "UTC+9".
func ZoneName(t time.Time) string {
	_, seconds := t.Zone()
	if seconds == 0 {
		return "UTC"
	}
	name := t.Format("UTC-07:00")
	name = strings.TrimSuffix(name, ":00")
	return strings.Replace(strings.Replace(name, "+0", "+", 1), "-0", "-", 1)
}

// Ago is how long ago something was, kept true while the page is open; its title has the moment in UTC.
func Ago(l i18n.Lang, t, now time.Time) html.Node {
	if t.IsZero() {
		return html.Text("–")
	}
	return html.Time(html.DateTime(t.UTC().Format(time.RFC3339)), html.TitleAttr(t.UTC().Format("2006-01-02 15:04:05 UTC")),
		html.Data("ago", ""), html.Text(ago(l, now.Sub(t))))
}

func ago(l i18n.Lang, d time.Duration) string {
	switch {
	case d < time.Minute:
		return l.T("kit.just_now")
	case d < time.Hour:
		return l.T("kit.minutes_ago", "n", int(d/time.Minute))
	case d < 48*time.Hour:
		return l.T("kit.hours_ago", "n", int(d/time.Hour))
	default:
		return l.T("kit.days_ago", "n", int(d/(24*time.Hour)))
	}
}

// Phone is a number, given as digits with or without a plus sign, as people write it.
func Phone(number string) html.Node {
	return html.Span(html.Class("num"), html.Dir("ltr"), html.Text(wa.Display(wa.WaID(strings.TrimPrefix(number, "+")))))
}
