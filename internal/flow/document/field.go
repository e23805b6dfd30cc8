package document

// The bounds of text fields that say nothing of their own. Source: Flow JSON reference, "TextInput", "TextArea".
const (
	defaultChars = 80
	defaultArea  = 600
)

// shape makes of what a flow, or a path from elsewhere, says a value of the kind the field holds. Names are unique only on one
// branch: two fields of different kinds can share what is held under a name.
func shape(c *Component, v any) any {
	switch c.Type {
	case "OptIn":
		yes, _ := v.(bool)
		return yes
	case "CheckboxGroup", "ChipsSelector":
		return ids(v)
	case "PhotoPicker", "DocumentPicker":
		list, _ := v.([]any)
		return append([]any{}, list[:min(len(list), maxSelected)]...) // never nil: it is [] in JSON
	case "CalendarPicker":
		if m, ok := v.(map[string]any); ok {
			return map[string]any{"start-date": Text(m["start-date"]), "end-date": Text(m["end-date"])}
		}
	}
	if s := Text(v); len(s) <= maxText {
		return s
	}
	return ""
}

// ids are the options that a list names, as [Option] writes them.
func ids(v any) []any {
	chosen := []any{}
	list, _ := v.([]any)
	for _, it := range list[:min(len(list), maxSelected)] {
		switch it.(type) {
		case string, float64:
			chosen = append(chosen, Text(it))
		}
	}
	return chosen
}

// field adds what takes a value.
func (r *renderer) field(c *Component, e *Element, errs formErrors) {
	e.Required = truth(r.prop(c, "required"))
	if m, ok := r.prop(c, "required").(map[string]any); ok { // a calendar of a range
		e.Required = truth(m["start-date"]) || truth(m["end-date"])
	}
	if e.Helper == "" {
		e.Helper = r.text(c, "helper-text")
	}
	e.Value = shape(c, r.visit.Form[c.Name])
	e.Wrong = r.s.wrong[c.Name]
	if e.Wrong == "" {
		if own := r.prop(c, "error-message"); own != nil {
			e.Wrong = Text(own)
		} else {
			e.Wrong = Text(errs[c.Name])
		}
	}
	switch c.Type {
	case "TextInput":
		e.Input, e.Pattern = r.text(c, "input-type"), r.text(c, "pattern")
		if e.Input == "" {
			e.Input = "text"
		}
		e.Min, e.Max = whole(r.prop(c, "min-chars")), whole(r.prop(c, "max-chars"))
		if e.Max == 0 {
			e.Max = defaultChars
		}
	case "TextArea":
		if e.Max = whole(r.prop(c, "max-length")); e.Max == 0 {
			e.Max = defaultArea
		}
	case "CheckboxGroup", "ChipsSelector":
		e.Multiple = true
		e.Min, e.Max = whole(r.prop(c, "min-selected-items")), whole(r.prop(c, "max-selected-items"))
	case "PhotoPicker":
		e.Input, e.Min, e.Max = r.text(c, "photo-source"), whole(r.prop(c, "min-uploaded-photos")), whole(r.prop(c, "max-uploaded-photos"))
	case "DocumentPicker":
		e.Min, e.Max = whole(r.prop(c, "min-uploaded-documents")), whole(r.prop(c, "max-uploaded-documents"))
		e.MIMEs = textsOf(r.prop(c, "allowed-mime-types"))
	case "DatePicker", "CalendarPicker":
		e.Dates = Dates{
			Min: r.text(c, "min-date"), Max: r.text(c, "max-date"), Unavailable: textsOf(r.prop(c, "unavailable-dates")),
			Days: textsOf(r.prop(c, "include-days")), MinDays: whole(r.prop(c, "min-days")), MaxDays: whole(r.prop(c, "max-days")),
		}
	}
	if c.Type == "PhotoPicker" || c.Type == "DocumentPicker" {
		e.files(whole(r.prop(c, "max-file-size-kb")))
	}
	if ds := r.prop(c, "data-source"); ds != nil {
		e.Options = options(ds)
	}
}

// The bounds of pickers that say nothing of their own. Source: Flow JSON reference, "Media upload".
const (
	defaultFiles  = 30
	defaultFileKB = 25 << 10
)

func (e *Element) files(kb int) {
	if e.Max == 0 {
		e.Max = defaultFiles
	}
	if kb == 0 {
		kb = defaultFileKB
	}
	e.MaxBytes, e.Required = int64(kb)<<10, e.Min > 0
}

func textsOf(v any) (list []string) {
	items, _ := v.([]any)
	for _, it := range items {
		list = append(list, Text(it))
	}
	return list
}
