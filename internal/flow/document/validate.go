package document

import (
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// check looks at all fields that are shown.
func (s *Session) check(v *View) FieldErrors {
	wrong := FieldErrors{}
	for i := range v.Elements {
		if e := &v.Elements[i]; e.Field && e.Enabled {
			if why := e.Check(); why != "" {
				wrong[e.Name] = why
			}
		}
	}
	return wrong
}

// Check says in a sentence what is wrong with the element's value; empty when nothing is.
func (e *Element) Check() string {
	if !truth(e.Value) || emptyRange(e.Value) {
		if e.Required {
			return "This is required."
		}
		return ""
	}
	switch e.Type {
	case "TextInput", "TextArea":
		return e.checkText(Text(e.Value))
	case "CheckboxGroup", "ChipsSelector", "RadioButtonsGroup", "Dropdown":
		return e.checkChoice()
	case "DatePicker", "CalendarPicker":
		return e.checkDates()
	case "PhotoPicker", "DocumentPicker":
		return e.checkFiles()
	}
	return ""
}

func emptyRange(v any) bool {
	m, ok := v.(map[string]any)
	return ok && Text(m["start-date"]) == "" && Text(m["end-date"]) == ""
}

func (e *Element) checkText(s string) string {
	n := utf8.RuneCountInString(s)
	if e.Min > 0 && n < e.Min {
		return fmt.Sprintf("At least %d characters are needed.", e.Min)
	}
	if n > e.Max {
		return fmt.Sprintf("At most %d characters are allowed.", e.Max)
	}
	if e.Pattern != "" {
		// A pattern is one of JavaScript. What Go does not understand is not held against the person.
		if p, err := regexp.Compile(`^(?:` + e.Pattern + `)$`); err == nil && !p.MatchString(s) {
			return "This is not of the expected form."
		}
		return ""
	}
	switch e.Input {
	case "number":
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return "This is not a number."
		}
	case "email":
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			return "This is not an e-mail address."
		}
	case "phone":
		if strings.Trim(s, "+0123456789 ()-./") != "" || !strings.ContainsAny(s, "0123456789") {
			return "This is not a phone number."
		}
	}
	return ""
}

func (e *Element) checkChoice() string {
	list, many := e.Value.([]any)
	if !many {
		list = []any{e.Value}
	}
	for _, id := range list {
		if !slices.ContainsFunc(e.Options, func(o Option) bool { return o.Enabled && o.ID == id }) {
			return "This is none of the choices."
		}
	}
	switch {
	case many && len(list) < e.Min:
		return fmt.Sprintf("At least %d must be chosen.", e.Min)
	case many && e.Max > 0 && len(list) > e.Max:
		return fmt.Sprintf("At most %d may be chosen.", e.Max)
	}
	return ""
}

func (e *Element) checkDates() string {
	m, ok := e.Value.(map[string]any)
	if !ok {
		_, why := e.checkDate(Text(e.Value))
		return why
	}
	from, why := e.checkDate(Text(m["start-date"]))
	to, also := e.checkDate(Text(m["end-date"]))
	if why+also != "" {
		return strings.TrimSpace(why)
	}
	days := int(to.Sub(from)/(24*time.Hour)) + 1
	switch {
	case days < 1:
		return "The end is before the start."
	case e.Dates.MinDays > 0 && days < e.Dates.MinDays:
		return fmt.Sprintf("At least %d days must be chosen.", e.Dates.MinDays)
	case e.Dates.MaxDays > 0 && days > e.Dates.MaxDays:
		return fmt.Sprintf("At most %d days may be chosen.", e.Dates.MaxDays)
	}
	return ""
}

// readDate reads YYYY-MM-DD, and Unix milliseconds, which dates were before version 5.0.
func readDate(s string, version Version) (time.Time, bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, true
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || version >= 500 {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC().Truncate(24 * time.Hour), true
}

func (e *Element) checkDate(s string) (t time.Time, why string) {
	t, ok := readDate(s, e.version)
	if !ok {
		return t, "This is not a date like 2026-06-20."
	}
	if first, ok := readDate(e.Dates.Min, e.version); ok && t.Before(first) {
		return t, "This is before " + first.Format(time.DateOnly) + "."
	}
	if last, ok := readDate(e.Dates.Max, e.version); ok && t.After(last) {
		return t, "This is after " + last.Format(time.DateOnly) + "."
	}
	gone := slices.ContainsFunc(e.Dates.Unavailable, func(d string) bool {
		u, ok := readDate(d, e.version)
		return ok && u.Equal(t)
	})
	if gone || (len(e.Dates.Days) > 0 && !slices.Contains(e.Dates.Days, t.Weekday().String()[:3])) {
		return t, "This day is not available."
	}
	return t, ""
}
