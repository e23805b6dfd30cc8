package html

import "strings"

// Address is where a link, a form or a picture may lead: http, https, mailto, tel, or a path of this site; a picture also to data of
// its own. Whatever else somebody wrote down becomes an address that opens nothing.
func Address(s string) string {
	end := strings.IndexAny(s, ":/?#")
	if end < 0 || s[end] != ':' {
		return s
	}
	switch strings.ToLower(s[:end]) {
	case "http", "https", "mailto", "tel":
		return s
	}
	return "about:invalid"
}

// Attributes that hold an address.

// Href is where a link leads.
func Href(to string) Node { return attribute{name: "href", value: Address(to)} }

// Src is where a picture or script is.
func Src(at string) Node { return attribute{name: "src", value: Address(at)} }

// Action is where a form is posted.
func Action(to string) Node { return attribute{name: "action", value: Address(to)} }

// FormAction is where a button posts its form instead.
func FormAction(to string) Node { return attribute{name: "formaction", value: Address(to)} }

// Class is the class names, without the empty ones.
func Class(names ...string) Node {
	kept := names[:0:0]
	for _, n := range names {
		if n != "" {
			kept = append(kept, n)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return attribute{name: "class", value: strings.Join(kept, " ")}
}

// Data is the attribute data-name.
func Data(name, value string) Node { return attribute{name: "data-" + name, value: value} }

// Aria is the attribute aria-name.
func Aria(name, value string) Node { return attribute{name: "aria-" + name, value: value} }

// Var sets the style variable --name for charts and bars. Anything but a plain number, length or word becomes nothing.
func Var(name, value string) Node {
	for _, r := range value {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && r != '.' && r != '%' && r != '-' {
			return nil
		}
	}
	return attribute{name: "style", value: "--" + name + ":" + value}
}

// The other attributes with a value.

// ID is the attribute id.
func ID(v string) Node { return attribute{name: "id", value: v} }

// Lang is the attribute lang.
func Lang(v string) Node { return attribute{name: "lang", value: v} }

// Dir is the attribute dir.
func Dir(v string) Node { return attribute{name: "dir", value: v} }

// Role is the attribute role.
func Role(v string) Node { return attribute{name: "role", value: v} }

// TitleAttr is the attribute title.
func TitleAttr(v string) Node { return attribute{name: "title", value: v} }

// Name is the attribute name.
func Name(v string) Node { return attribute{name: "name", value: v} }

// Value is the attribute value.
func Value(v string) Node { return attribute{name: "value", value: v} }

// Type is the attribute type.
func Type(v string) Node { return attribute{name: "type", value: v} }

// Method is the attribute method.
func Method(v string) Node { return attribute{name: "method", value: v} }

// EncType is the attribute enctype.
func EncType(v string) Node { return attribute{name: "enctype", value: v} }

// For is the attribute for.
func For(v string) Node { return attribute{name: "for", value: v} }

// Placeholder is the attribute placeholder.
func Placeholder(v string) Node { return attribute{name: "placeholder", value: v} }

// Autocomplete is the attribute autocomplete.
func Autocomplete(v string) Node { return attribute{name: "autocomplete", value: v} }

// InputMode is the attribute inputmode.
func InputMode(v string) Node { return attribute{name: "inputmode", value: v} }

// PatternAttr is the attribute pattern.
func PatternAttr(v string) Node { return attribute{name: "pattern", value: v} }

// Min is the attribute min.
func Min(v string) Node { return attribute{name: "min", value: v} }

// Max is the attribute max.
func Max(v string) Node { return attribute{name: "max", value: v} }

// Step is the attribute step.
func Step(v string) Node { return attribute{name: "step", value: v} }

// MaxLength is the attribute maxlength.
func MaxLength(v string) Node { return attribute{name: "maxlength", value: v} }

// MinLength is the attribute minlength.
func MinLength(v string) Node { return attribute{name: "minlength", value: v} }

// Rows is the attribute rows.
func Rows(v string) Node { return attribute{name: "rows", value: v} }

// Alt is the attribute alt.
func Alt(v string) Node { return attribute{name: "alt", value: v} }

// Width is the attribute width.
func Width(v string) Node { return attribute{name: "width", value: v} }

// Height is the attribute height.
func Height(v string) Node { return attribute{name: "height", value: v} }

// Rel is the attribute rel.
func Rel(v string) Node { return attribute{name: "rel", value: v} }

// Target is the attribute target.
func Target(v string) Node { return attribute{name: "target", value: v} }

// Charset is the attribute charset.
func Charset(v string) Node { return attribute{name: "charset", value: v} }

// Content is the attribute content.
func Content(v string) Node { return attribute{name: "content", value: v} }

// DateTime is the attribute datetime.
func DateTime(v string) Node { return attribute{name: "datetime", value: v} }

// ColSpan is the attribute colspan.
func ColSpan(v string) Node { return attribute{name: "colspan", value: v} }

// ScopeAttr is the attribute scope.
func ScopeAttr(v string) Node { return attribute{name: "scope", value: v} }

// TabIndex is the attribute tabindex.
func TabIndex(v string) Node { return attribute{name: "tabindex", value: v} }

// PopoverTarget is the attribute popovertarget.
func PopoverTarget(v string) Node { return attribute{name: "popovertarget", value: v} }

// PopoverAction is the attribute popovertargetaction.
func PopoverAction(v string) Node { return attribute{name: "popovertargetaction", value: v} }

// FormID is the attribute form.
func FormID(v string) Node { return attribute{name: "form", value: v} }

// Accept is the attribute accept.
func Accept(v string) Node { return attribute{name: "accept", value: v} }

// ViewBox is the attribute viewBox.
func ViewBox(v string) Node { return attribute{name: "viewBox", value: v} }

// D is the attribute d.
func D(v string) Node { return attribute{name: "d", value: v} }

// X is the attribute x.
func X(v string) Node { return attribute{name: "x", value: v} }

// Y is the attribute y.
func Y(v string) Node { return attribute{name: "y", value: v} }

// X1 is the attribute x1.
func X1(v string) Node { return attribute{name: "x1", value: v} }

// X2 is the attribute x2.
func X2(v string) Node { return attribute{name: "x2", value: v} }

// Y1 is the attribute y1.
func Y1(v string) Node { return attribute{name: "y1", value: v} }

// Y2 is the attribute y2.
func Y2(v string) Node { return attribute{name: "y2", value: v} }

// CX is the attribute cx.
func CX(v string) Node { return attribute{name: "cx", value: v} }

// CY is the attribute cy.
func CY(v string) Node { return attribute{name: "cy", value: v} }

// R is the attribute r.
func R(v string) Node { return attribute{name: "r", value: v} }

// Points is the attribute points.
func Points(v string) Node { return attribute{name: "points", value: v} }

// PreserveAspectRatio is the attribute preserveAspectRatio.
func PreserveAspectRatio(v string) Node { return attribute{name: "preserveAspectRatio", value: v} }

// EnterKeyHint is the attribute enterkeyhint.
func EnterKeyHint(v string) Node { return attribute{name: "enterkeyhint", value: v} }

// Spellcheck is the attribute spellcheck.
func Spellcheck(v string) Node { return attribute{name: "spellcheck", value: v} }

// Autocapitalize is the attribute autocapitalize.
func Autocapitalize(v string) Node { return attribute{name: "autocapitalize", value: v} }

// Media is the attribute media.
func Media(v string) Node { return attribute{name: "media", value: v} }

// As is the attribute as.
func As(v string) Node { return attribute{name: "as", value: v} }

// Attributes that are there or not.

// Checked is the attribute checked, when so.
func Checked(so bool) Node { return flag("checked", so) }

// Selected is the attribute selected, when so.
func Selected(so bool) Node { return flag("selected", so) }

// Disabled is the attribute disabled, when so.
func Disabled(so bool) Node { return flag("disabled", so) }

// Required is the attribute required, when so.
func Required(so bool) Node { return flag("required", so) }

// Autofocus is the attribute autofocus, when so.
func Autofocus(so bool) Node { return flag("autofocus", so) }

// ReadOnly is the attribute readonly, when so.
func ReadOnly(so bool) Node { return flag("readonly", so) }

// Hidden is the attribute hidden, when so.
func Hidden(so bool) Node { return flag("hidden", so) }

// Multiple is the attribute multiple, when so.
func Multiple(so bool) Node { return flag("multiple", so) }

// Open is the attribute open, when so.
func Open(so bool) Node { return flag("open", so) }

// Popover is the attribute popover, when so.
func Popover(so bool) Node { return flag("popover", so) }

// NoValidate is the attribute novalidate, when so.
func NoValidate(so bool) Node { return flag("novalidate", so) }

// Download is the attribute download, when so.
func Download(so bool) Node { return flag("download", so) }

func flag(name string, so bool) Node {
	if !so {
		return nil
	}
	return attribute{name: name, bare: true}
}
