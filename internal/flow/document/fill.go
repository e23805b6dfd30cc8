package document

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrStuck reports a screen that cannot be left with the values given.
var ErrStuck = errors.New("the flow does not go on from here")

// Fill goes through the flow from the screen shown to its end: it sets the values that have the name of a field on the
// screen, and taps its Footer. A list of entries is answered by the value of its name. With sample, fields that are needed
// and have no value get one. Texts stand for what a person would type, see [Element.Read]; ids of options come first. Without sample, values that no screen asked for are an error: a misspelt one would be a wrong test.
// Errors: those of [Session.Set] and [Session.Tap], [ErrStuck], [ErrElement].
func (s *Session) Fill(ctx context.Context, values map[string]any, sample bool) (map[string]any, error) {
	used := map[string]bool{}
	for range maxVisits {
		if err := ctx.Err(); err != nil {
			return nil, err //nolint:wrapcheck // the caller's own
		}
		if r, ok := s.Response(); ok {
			for _, name := range sorted(values) {
				if !used[name] && !sample {
					return nil, fmt.Errorf("no screen asked for %q: %w", short(name), ErrElement)
				}
			}
			return r, nil
		}
		if err := s.fillScreen(ctx, values, used, sample); err != nil {
			return nil, err
		}
		before := s.View()
		if err := s.leave(ctx, &before, values, used, sample); err != nil {
			return nil, fmt.Errorf("screen %s: %w", before.ID, err)
		}
		if after := s.View(); after.ID == before.ID && s.response == nil {
			return nil, fmt.Errorf("screen %s: %s: %w", before.ID, or(after.Note, "it stays"), ErrStuck)
		}
	}
	return nil, ErrStuck
}

func or(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// fillScreen sets values until no more of them change what is shown.
func (s *Session) fillScreen(ctx context.Context, values map[string]any, used map[string]bool, sample bool) error {
	at := s.View().ID
	done := map[string]bool{}
	for again := true; again; {
		if err := ctx.Err(); err != nil {
			return err //nolint:wrapcheck // the caller's own
		}
		again = false
		view := s.View()
		if view.ID != at {
			return nil // a choice led on
		}
		for i := range view.Elements {
			e := &view.Elements[i]
			v, given := values[e.Name]
			if !e.Field || !e.Enabled || done[e.Name] || (!given && (!sample || !e.Required || e.Check() == "")) {
				continue
			}
			done[e.Name], used[e.Name] = true, true
			v, err := s.choose(ctx, e, v, given)
			if err != nil {
				return fmt.Errorf("screen %s, field %s: %w", at, e.Name, err)
			}
			if err := s.Set(ctx, e.Name, v); err != nil {
				return fmt.Errorf("screen %s, field %s: %w", at, e.Name, err)
			}
			again = true
			break
		}
	}
	return nil
}

// choose makes the value of a field of what Fill was given for it, or of nothing.
func (s *Session) choose(ctx context.Context, e *Element, v any, given bool) (any, error) {
	switch {
	case e.Picks() && s.picker != nil:
		return s.picker.Pick(ctx, e, v) //nolint:wrapcheck // the caller's own
	case !given:
		return e.Sample(), nil
	}
	if typed, ok := v.(string); ok && !e.offers(typed) {
		if read, ok := e.Read(typed); ok {
			return read, nil
		}
	}
	return v, nil
}

// leave taps what leads on.
func (s *Session) leave(ctx context.Context, v *View, values map[string]any, used map[string]bool, sample bool) error {
	for i := range v.Elements {
		e := &v.Elements[i]
		if e.Type != "NavigationList" || len(e.Options) == 0 {
			continue
		}
		id, given := values[e.Name]
		if given {
			used[e.Name] = true
		} else if sample {
			id = e.Options[0].ID
		}
		if given || sample {
			_, err := s.Tap(ctx, e.ID+":"+Text(id))
			return err
		}
	}
	f := v.Footer()
	if f == nil {
		return ErrStuck
	}
	_, err := s.Tap(ctx, f.ID)
	return err
}

// Sample is a value that the field accepts, as far as that can be told.
func (e *Element) Sample() any {
	switch e.Type {
	case "OptIn":
		return true
	case "CheckboxGroup", "ChipsSelector":
		list := []any{}
		for i := range e.Options {
			if e.Options[i].Enabled && len(list) < max(1, e.Min) {
				list = append(list, e.Options[i].ID)
			}
		}
		return list
	case "RadioButtonsGroup", "Dropdown":
		if i := slices.IndexFunc(e.Options, func(o Option) bool { return o.Enabled }); i >= 0 {
			return e.Options[i].ID
		}
		return ""
	case "DatePicker", "CalendarPicker":
		return e.sampleDate()
	case "TextInput", "TextArea":
		return e.sampleText()
	}
	return nil
}

func (e *Element) sampleText() string {
	switch e.Input {
	case "number", "passcode":
		return strings.Repeat("4", min(max(e.Min, 1), e.Max, maxText))
	case "email":
		return "sample@example.com"
	case "phone":
		return "+15550100123"
	}
	s := "Sample"
	if n := e.Min - len(s); n > 0 {
		s += strings.Repeat("s", min(n, maxText-len(s)))
	}
	return s[:min(len(s), max(e.Max, 1))]
}

// sampleDate is the first day that is free.
func (e *Element) sampleDate() any {
	old := e.Dates.Min != "" && !strings.Contains(e.Dates.Min, "-")
	first, ok := readDate(e.Dates.Min, 0)
	if !ok {
		first = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
		if last, ok := readDate(e.Dates.Max, 0); ok && first.After(last) {
			first = last
		}
	}
	for range 366 {
		if _, why := e.checkDate(first.Format(time.DateOnly)); why == "" {
			break
		}
		first = first.AddDate(0, 0, 1)
	}
	day := first.Format(time.DateOnly)
	if old {
		day = strconv.FormatInt(first.UnixMilli(), 10)
	}
	if e.Input == "range" {
		return map[string]any{"start-date": day, "end-date": first.AddDate(0, 0, max(e.Dates.MinDays-1, 0)).Format(time.DateOnly)}
	}
	return day
}

// Read makes a value of what a person typed: options by number (from 1), id or title, several with commas between them; yes
// or no; two dates with a space between them. Nothing typed is no value. It is false for what cannot be meant.
func (e *Element) Read(typed string) (v any, ok bool) {
	typed = strings.TrimSpace(typed)
	switch e.Type {
	case "OptIn":
		switch strings.ToLower(typed) {
		case "", "n", "no", "false", "0":
			return false, true
		case "y", "yes", "true", "1":
			return true, true
		}
		return nil, false
	case "CheckboxGroup", "ChipsSelector":
		list := []any{}
		for part := range strings.SplitSeq(typed, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			id, ok := e.option(part)
			if !ok {
				return nil, false
			}
			list = append(list, id)
		}
		return list, true
	case "RadioButtonsGroup", "Dropdown", "NavigationList":
		if typed == "" {
			return "", true
		}
		return e.option(typed)
	case "CalendarPicker":
		if e.Input == "range" && typed != "" {
			from, to, ok := strings.Cut(typed, " ")
			return map[string]any{"start-date": from, "end-date": strings.TrimSpace(to)}, ok
		}
	case "PhotoPicker", "DocumentPicker":
		return []any{}, typed == ""
	}
	return typed, true
}

// offers reports whether an option has this id.
func (e *Element) offers(id string) bool {
	return slices.ContainsFunc(e.Options, func(o Option) bool { return o.ID == id })
}

func (e *Element) option(typed string) (any, bool) {
	if n, err := strconv.Atoi(typed); err == nil && n >= 1 && n <= len(e.Options) {
		return e.Options[n-1].ID, true
	}
	for i := range e.Options {
		if o := &e.Options[i]; o.ID == typed || strings.EqualFold(o.Title, typed) {
			return o.ID, true
		}
	}
	return nil, false
}
