package api

import (
	"slices"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// stampLen is the length of a stamp.
const stampLen = 16

// stamp is a moment as part of a sort key: 16 hex digits of its Unix milliseconds, zero for no moment.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "0000000000000000"
	}
	const digits = "0123456789abcdef"
	var out [stampLen]byte
	ms := uint64(t.UnixMilli())
	for i := stampLen - 1; i >= 0; i-- {
		out[i] = digits[ms&0xf]
		ms >>= 4
	}
	return string(out[:])
}

// moment is t, or nil when there is none.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// sliced sorts a collection and takes the page that was asked for.
func sliced[S any](all []S, p graph.Page, key func(S) string, less func(a, b string) bool) graph.Items[S] {
	type keyed struct {
		key  string
		item S
	}
	list := make([]keyed, len(all)) // keys are made once, not at every comparison
	for i, s := range all {
		list[i] = keyed{key(s), s}
	}
	slices.SortFunc(list, func(a, b keyed) int {
		switch {
		case a.key == b.key:
			return 0
		case less(a.key, b.key):
			return -1
		}
		return 1
	})
	page := graph.Slice(list, p, func(k keyed) string { return k.key }, less)
	out := graph.Items[S]{More: page.More, Total: page.Total, Data: make([]S, len(page.Data))}
	for i, k := range page.Data {
		out.Data[i] = k.item
	}
	return out
}

// sortParam reads sort; the first value is the default. Quotes around it occur in published calls (spec/phone_numbers.md
// section 3).
func sortParam(c *graph.Call, allowed ...string) (string, error) {
	v, err := c.Params.Get("sort").StrOr("")
	if err != nil {
		return "", err
	}
	v = strings.Trim(v, `'"`)
	if v == "" {
		return allowed[0], nil
	}
	for _, a := range allowed {
		if strings.EqualFold(a, v) {
			return a, nil
		}
	}
	return "", wa.ErrParamOneOf.Fill("sort", strings.ToUpper(strings.Join(allowed, ", ")), v)
}

// condition is one object of filtering.
type condition struct {
	operator string
	value    graph.Value
}

// conditions reads filtering, {"field","operator","value"} or a list of them, for the one field an edge can filter by.
func conditions(c *graph.Call, field string, operators ...string) ([]condition, error) {
	v := c.Params.Get("filtering")
	if !v.Present() {
		return nil, nil
	}
	objects := []graph.Value{v}
	if _, err := v.Object(); err != nil {
		if objects, err = v.List(); err != nil {
			return nil, err
		}
	}
	out := make([]condition, 0, len(objects))
	for _, o := range objects {
		o, err := o.Object()
		if err != nil {
			return nil, err
		}
		if err := o.Only("field", "operator", "value"); err != nil {
			return nil, err
		}
		if _, err := o.Get("field").Enum(field); err != nil {
			return nil, err
		}
		op, err := o.Get("operator").Enum(operators...)
		if err != nil {
			return nil, err
		}
		if err := o.Get("value").Required(); err != nil {
			return nil, err
		}
		out = append(out, condition{op, o.Get("value")})
	}
	return out, nil
}

// enums reads a list of enumerated values, nil when it is absent.
func enums(v graph.Value, allowed ...string) ([]string, error) {
	elems, err := v.ListOr()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range elems {
		s, err := e.Enum(allowed...)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}
