package template

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Draft is what a business asks for when it creates a template. Source: spec/templates.md section 5.
type Draft struct {
	Name, Language string
	Category       Category
	Components     []Component
	Settings
	FromLibrary *LibraryInputs // nil: not from the library

	fault error // the first fault of the components; it is answered after what concerns the account
}

// Settings are members of a template beside its components. A nil pointer was not given.
type Settings struct {
	Format        Format // empty: not given
	TTL           *int
	SubCategory   string
	DisplayFormat string
	UntrackedLink *bool
	PrimaryOnly   *bool
	Specs         map[string][]byte
	App           wa.AppID // that asks: it uploaded the samples
	SupportedApps bool     // since v21.0 apps stand in supported_apps and nowhere else
	NoFlows       error    // why the caller may make no flow by flow_json; nil: it may
}

// Edit is what a business changes of a template. Source: spec/templates.md section 4.3.
type Edit struct {
	Category   Category // empty: not given
	Passcodes  bool     // the account may have authentication templates
	Components func(c Category, f Format) ([]Component, error)
	Settings
}

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	subCategories = []string{"ORDER_DETAILS", "ORDER_STATUS", "RICH_ORDER_STATUS", "CUSTOM"}
	specNames     = []string{"bid_spec", "degrees_of_freedom_spec", "creative_sourcing_spec"}
)

// ParseDraft reads the parameters of a create call: steps 1 and 2 of spec/templates.md section 19. Faults of the
// components are kept for [Service.Submit]. Unknown parameters are ignored, as everywhere at the top of a call.
func ParseDraft[V Value[V]](v V) (*Draft, error) {
	d := &Draft{}
	var err error
	if d.Name, err = v.Get("name").Str(); err != nil {
		return nil, err
	}
	code, err := v.Get("language").Str()
	if err != nil {
		return nil, err
	}
	if d.Category, err = parseCategory(v.Get("category")); err != nil {
		return nil, err
	}
	if d.Settings, err = parseSettings(v); err != nil {
		return nil, err
	}
	components := v.Get("components")
	ready := v.Get("library_template_name").Present()
	if !ready {
		if _, err = components.List(); err != nil {
			return nil, err
		}
	}
	if !namePattern.MatchString(d.Name) {
		return nil, wa.ErrTemplateName
	}
	var ok bool
	if d.Language, ok = ParseLanguage(code); !ok {
		return nil, wa.ErrTemplateLanguage
	}
	if ready && components.Present() {
		return nil, wa.ErrParamType.Fill("components", "absent when library_template_name is given")
	}
	if err = d.checkTTL(d.Category); err != nil {
		return nil, err
	}
	if ready {
		d.FromLibrary, err = parseLibrary(v)
		return d, err
	}
	d.Components, d.fault = parseComponents(components, d.Category, d.Language, d.Format)
	return d, nil
}

// ParseUpsert reads the parameters of an upsert: an authentication template and its languages. Source: spec/templates.md
// section 9.5.
func ParseUpsert[V Value[V]](v V) (*Draft, []string, error) {
	d := &Draft{Category: Authentication}
	var err error
	if d.Name, err = v.Get("name").Str(); err != nil {
		return nil, nil, err
	}
	codes, err := v.Get("languages").Strings()
	if err != nil {
		return nil, nil, err
	}
	if _, err = v.Get("category").Enum(string(Authentication)); err != nil {
		return nil, nil, err
	}
	if v.Get("language").Present() {
		return nil, nil, wa.ErrParamType.Fill("language", "absent: give languages")
	}
	if d.Settings, err = parseSettings(v); err != nil {
		return nil, nil, err
	}
	components := v.Get("components")
	if _, err = components.List(); err != nil {
		return nil, nil, err
	}
	if !namePattern.MatchString(d.Name) {
		return nil, nil, wa.ErrTemplateName
	}
	list := make([]string, 0, len(codes))
	for _, c := range codes {
		l, ok := ParseLanguage(c)
		if !ok {
			return nil, nil, wa.ErrTemplateLanguage
		}
		if !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	if len(list) == 0 {
		return nil, nil, wa.ErrParamType.Fill("languages", "a list of languages")
	}
	if err = d.checkTTL(Authentication); err != nil {
		return nil, nil, err
	}
	d.Components, d.fault = parseComponents(components, Authentication, "", "")
	for _, b := range buttons(d.Components) {
		if d.fault == nil && (b.Text != "" || b.OTP.Autofill != "") {
			d.fault = wa.ErrTemplateUnexpectedField.FillMsg("BUTTONS", "text, autofill_text")
		}
	}
	return d, list, nil
}

// ParseEdit reads the parameters of an edit. Components are parsed when the template is known.
func ParseEdit[V Value[V]](v V) (*Edit, error) {
	e := &Edit{}
	var err error
	if c := v.Get("category"); c.Present() {
		if e.Category, err = parseCategory(c); err != nil {
			return nil, err
		}
	}
	if e.Settings, err = parseSettings(v); err != nil {
		return nil, err
	}
	if c := v.Get("components"); c.Present() {
		if _, err = c.List(); err != nil {
			return nil, err
		}
		e.Components = func(cat Category, f Format) ([]Component, error) { return parseComponents(c, cat, "", f) }
	}
	return e, nil
}

func parseCategory[V Value[V]](v V) (Category, error) {
	s, err := v.Enum(string(Authentication), string(Marketing), string(Utility))
	return Category(s), err
}

func parseSettings[V Value[V]](v V) (s Settings, err error) {
	f, err := v.Get("parameter_format").EnumOr("", string(Positional), string(Named))
	if err != nil {
		return s, err
	}
	s.Format = Format(f)
	if t := v.Get("message_send_ttl_seconds"); t.Present() {
		n, err := t.Int()
		if err != nil {
			return s, err
		}
		ttl := int(min(max(n, -2), 1<<30)) // out of every range
		s.TTL = &ttl
	}
	if s.SubCategory, err = v.Get("sub_category").EnumOr("", subCategories...); err != nil {
		return s, err
	}
	if s.DisplayFormat, err = v.Get("display_format").EnumOr("", "ORDER_DETAILS"); err != nil {
		return s, err
	}
	if _, err = v.Get("send_type").EnumOr("", "CAMPAIGN", "DIRECT", "TRIGGER"); err != nil {
		return s, err
	}
	if _, err = v.Get("allow_category_change").BoolOr(false); err != nil {
		return s, err
	}
	for _, m := range [...]struct {
		key string
		to  **bool
	}{{"cta_url_link_tracking_opted_out", &s.UntrackedLink}, {"is_primary_device_delivery_only", &s.PrimaryOnly}} {
		if b := v.Get(m.key); b.Present() {
			yes, err := b.Bool()
			if err != nil {
				return s, err
			}
			*m.to = &yes
		}
	}
	for _, key := range specNames {
		if o := v.Get(key); o.Present() {
			b, err := freeObject(o, maxSpec)
			if err != nil {
				return s, err
			}
			if s.Specs == nil {
				s.Specs = map[string][]byte{}
			}
			s.Specs[key] = b
		}
	}
	return s, nil
}

// checkTTL holds message_send_ttl_seconds to the range of the category. Source: spec/templates.md section 14.
func (s *Settings) checkTTL(c Category) error {
	if s.TTL == nil {
		return nil
	}
	least, most, minus := 30, 43_200, true
	switch c {
	case Authentication:
		most = 900
	case Marketing:
		least, most, minus = 43_200, 2_592_000, false
	case Utility:
	}
	if t := *s.TTL; t >= least && t <= most || t == -1 && minus {
		return nil
	}
	return wa.ErrParamType.Fill("message_send_ttl_seconds", "between "+itoa(least)+" and "+itoa(most)+" for category "+string(c))
}

// checkApps holds OTP buttons to where they may name their apps. Source: spec/graph.md section 2.4.
func (s *Settings) checkApps(list []Component) error {
	for _, b := range buttons(list) {
		if s.SupportedApps && b.OTP != nil && b.OTP.onButton {
			return wa.ErrTemplateUnexpectedField.FillMsg("BUTTONS", "package_name, signature_hash")
		}
	}
	return nil
}

// apply writes what was given into t.
func (s *Settings) apply(t *Template) {
	if s.Format != "" {
		t.Format = s.Format
	}
	if s.TTL != nil {
		t.TTL = *s.TTL
	}
	if s.SubCategory != "" {
		t.SubCategory = s.SubCategory
	}
	if s.DisplayFormat != "" {
		t.DisplayFormat = s.DisplayFormat
	}
	if s.UntrackedLink != nil {
		t.UntrackedLink = *s.UntrackedLink
	}
	if s.PrimaryOnly != nil {
		t.PrimaryOnly = *s.PrimaryOnly
	}
	if s.Specs != nil {
		specs := maps.Clone(t.Specs)
		if specs == nil {
			specs = map[string][]byte{}
		}
		maps.Copy(specs, s.Specs)
		t.Specs = specs
	}
}

// HasLanguage reports whether some supported code is of the language, which has no region: "pt".
func HasLanguage(lang string) bool {
	lang = strings.ToLower(lang)
	for code := range languages {
		if l, _, _ := strings.Cut(code, "_"); l == lang {
			return true
		}
	}
	return false
}

// ParseLanguage is the code of a supported language; "en-us" is read as "en_US". Source: spec/templates.md section 10.
func ParseLanguage(code string) (string, bool) {
	if _, ok := languages[code]; ok {
		return code, true
	}
	lang, region, both := strings.Cut(strings.ReplaceAll(code, "-", "_"), "_")
	code = strings.ToLower(lang)
	if both {
		code += "_" + strings.ToUpper(region)
	}
	_, ok := languages[code]
	return code, ok
}
