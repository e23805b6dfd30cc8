package document

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// Bounds of what an action sends: references can multiply a value.
const (
	maxPayload = 256 << 10 // bytes of JSON
	maxSent    = 1 << 20   // weight of what its references stand for
	maxKept    = 8 << 20   // weight of a screen's data after update_data
)

// Set gives a field of the screen a value, which may change what is shown and ask the endpoint. Errors: [ErrElement],
// [FieldErrors] for a value of another kind (what a value must be like is looked at when the screen is sent), and those of
// the endpoint: then the value is kept.
func (s *Session) Set(ctx context.Context, name string, v any) error {
	_, visit, err := s.here()
	if err != nil {
		return err
	}
	view := s.View()
	e := view.Field(name)
	if e == nil || !e.Enabled {
		return fmt.Errorf("%q: %w", short(name), ErrElement)
	}
	v, ok := e.accept(v)
	if !ok {
		return FieldErrors{e.Name: "This value is of another kind."}
	}
	before := visit.Form[e.Name]
	visit.Form[e.Name] = v
	delete(s.wrong, e.Name)
	for _, a := range e.selected(before, v) {
		if _, err := s.act(ctx, a, nil); err != nil {
			return err
		}
	}
	return nil
}

// accept takes a value if it is of the field's kind.
func (e *Element) accept(v any) (any, bool) {
	switch e.Type {
	case "OptIn":
		yes, ok := v.(bool)
		return yes, ok || v == nil
	case "CheckboxGroup", "ChipsSelector":
		switch x := v.(type) {
		case nil:
			return []any{}, true
		case string:
			return []any{x}, true
		case []any:
			for _, it := range x {
				if _, ok := it.(string); !ok {
					return nil, false
				}
			}
			return append([]any{}, x...), len(x) <= maxSelected
		}
		return nil, false
	case "PhotoPicker", "DocumentPicker":
		return takeFiles(v)
	case "CalendarPicker":
		if m, ok := v.(map[string]any); ok && e.Input == "range" {
			return map[string]any{"start-date": Text(m["start-date"]), "end-date": Text(m["end-date"])}, true
		}
	}
	switch x := v.(type) {
	case nil, string, float64:
		text := Text(x)
		return text, len(text) <= maxText
	}
	return nil, false
}

// Bounds of values, before the field's own are looked at.
const (
	maxSelected = 200
	maxText     = 64 << 10 // bytes
)

// selected are the actions that a change of a value starts.
func (e *Element) selected(before, after any) (list []*value) {
	if same(before, after) {
		return nil
	}
	on, off := e.comp.props.get("on-select-action"), e.comp.props.get("on-unselect-action")
	switch {
	case truth(after) && on != nil:
		list = append(list, on)
	case !truth(after) && off != nil:
		list = append(list, off)
	}
	data := e.comp.props.get("data-source")
	if !data.is(kindArray) {
		return list
	}
	for _, it := range data.items { // options can have actions of their own
		id := it.get("id").str()
		was, is := chosen(before, id), chosen(after, id)
		a := it.get("on-select-action")
		if was {
			a = it.get("on-unselect-action")
		}
		if was != is && a != nil {
			list = append(list, a)
		}
	}
	return list
}

// chosen reports whether an option is part of a value.
func chosen(v any, id string) bool {
	switch x := v.(type) {
	case string:
		return x == id && id != ""
	case []any:
		for _, it := range x {
			if it == id {
				return true
			}
		}
	}
	return false
}

// Tap presses a button, a link, or an entry of a list ("id:entry"). It returns the URL to open when that is what it does.
// Errors: [ErrElement], [FieldErrors] when the screen is not filled in as it must be, [ErrOver], [ErrNoEndpoint],
// [ErrAnswer], those of the endpoint.
func (s *Session) Tap(ctx context.Context, id string) (url string, err error) {
	if _, _, err := s.here(); err != nil {
		return "", err
	}
	view := s.View()
	whole, entry, isEntry := strings.Cut(id, ":")
	e := view.first(func(e *Element) bool { return e.ID == whole })
	if e == nil || !e.Enabled {
		return "", fmt.Errorf("%q: %w", short(id), ErrElement)
	}
	action := e.comp.props.get("on-click-action")
	var chosen map[string]any
	if isEntry {
		if action, chosen, err = e.entry(entry, action); err != nil {
			return "", err
		}
	}
	if action == nil {
		return "", fmt.Errorf("%q: %w", short(id), ErrElement)
	}
	if e.Type == "Footer" {
		if wrong := s.check(&view); len(wrong) > 0 {
			s.wrong = maps.Clone(wrong)
			return "", wrong
		}
	}
	return s.act(ctx, action, chosen)
}

// entry finds the action of an entry of a NavigationList.
func (e *Element) entry(id string, whole *value) (action *value, chosen map[string]any, err error) {
	for i := range e.Options {
		if e.Type != "NavigationList" || e.Options[i].ID != id {
			continue
		}
		if whole != nil {
			return whole, e.Options[i].raw, nil
		}
		items := e.comp.props.get("list-items")
		if items.is(kindArray) && i < len(items.items) {
			return items.items[i].get("on-click-action"), e.Options[i].raw, nil
		}
		if own, ok := e.Options[i].raw["on-click-action"].(map[string]any); ok { // the entries came as data
			return literal(own), e.Options[i].raw, nil
		}
	}
	return nil, nil, fmt.Errorf("entry %q: %w", short(id), ErrElement)
}

// literal makes source of data, so that both are acted on alike.
func literal(v any) *value {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	parsed, err := read(b)
	if err != nil {
		return nil
	}
	return parsed
}

// act does what an action says. chosen is the entry of a list that was tapped: its id goes with the payload.
func (s *Session) act(ctx context.Context, a *value, chosen map[string]any) (url string, err error) {
	at, visit, err := s.here()
	if err != nil {
		return "", err
	}
	of := s.scope()
	of.left = maxSent
	payload, _ := resolve(a.get("payload"), of, s.doc.Version).(map[string]any)
	if chosen != nil {
		payload = maps.Clone(payload)
		if payload == nil {
			payload = map[string]any{}
		}
		if _, taken := payload["id"]; !taken {
			payload["id"] = chosen["id"]
		}
	}
	if b, err := json.Marshal(payload); err != nil || of.over || len(b) > maxPayload {
		return "", fmt.Errorf("what the screen sends is too long: %w", ErrElement)
	}
	switch a.get("name").str() {
	case "navigate":
		name := a.get("next").get("name").str()
		to := s.doc.Screen(name)
		if to == nil {
			return "", fmt.Errorf("%q: %w", short(name), ErrScreen)
		}
		return "", s.enter(to, payload)
	case "data_exchange":
		return "", s.ask(ctx, Question{Action: "data_exchange", Screen: at.ID, Data: payload})
	case "update_data":
		data := maps.Clone(visit.Data)
		maps.Copy(data, payload)
		if weigh(data, maxKept) > maxKept {
			return "", fmt.Errorf("the screen holds too much: %w", ErrElement)
		}
		visit.Data = data
		s.forget(at, visit)
		return "", nil
	case "complete":
		s.complete(payload)
		return "", nil
	case "open_url":
		url := Text(resolve(a.get("url"), s.scope(), s.doc.Version))
		if !strings.HasPrefix(url, "https://") {
			return "", fmt.Errorf("no https address: %w", ErrElement)
		}
		return url, nil
	}
	return "", ErrElement
}
