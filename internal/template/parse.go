package template

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limits of a template in code points. Source: spec/templates.md section 3.
const (
	maxFooter      = 60
	maxButtonText  = 25
	maxPhone       = 20
	maxCopyCode    = 15
	maxOfferText   = 16
	maxOfferBody   = 600
	maxSingleBody  = 160
	maxComponents  = 16 // of one list, ours: each type may be there once
	maxExampleText = 1024
)

// parseComponents reads and checks the components of a new or edited template: steps 5 and 6 of spec/templates.md section
// 19. Authentication templates get the texts of the language; "" leaves that to the caller.
func parseComponents[V Value[V]](v V, c Category, language string, f Format) ([]Component, error) {
	if f == "" {
		f = Positional
	}
	r := &reading{category: c, format: f}
	list, err := parseList(v, r, false)
	if err != nil {
		return nil, err
	}
	if err := compose(list, c, v.Path()); err != nil {
		return nil, err
	}
	if c == Authentication {
		if language != "" {
			list = localise(list, language)
		}
		return list, nil
	}
	if err := checkVariables(list, f, v.Path()); err != nil {
		return nil, err
	}
	return list, r.sample
}

// reading is what holds for every component of a list.
type reading struct {
	category Category
	format   Format
	sample   error // the first fault of a sample: what the variables are called and where they stand is looked at before
}

// late keeps a fault of a sample.
func (r *reading) late(err error) {
	if r.sample == nil {
		r.sample = err
	}
}

func parseList[V Value[V]](v V, r *reading, card bool) ([]Component, error) {
	raw, err := v.List()
	if err != nil {
		return nil, err
	}
	if len(raw) > maxComponents {
		return nil, wa.ErrParamType.Fill(v.Path(), "an array of at most 16 components")
	}
	out := make([]Component, len(raw))
	for i, e := range raw {
		o, err := e.Object()
		if err != nil {
			return nil, err
		}
		if err := parseComponent(&out[i], o, r, card); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out[:i], func(o Component) bool { return o.Type == out[i].Type }) {
			return nil, wa.ErrParamType.Fill(v.Path(), "a list with at most one component of type "+string(out[i].Type))
		}
	}
	slices.SortStableFunc(out, func(a, b Component) int {
		return slices.Index(componentOrder, a.Type) - slices.Index(componentOrder, b.Type)
	})
	return out, nil
}

// keysOf are the members of each component type besides type.
var keysOf = map[ComponentType][]string{
	Header: {"format", "text", "example"}, Body: {"text", "example"}, Footer: {"text"}, Buttons: {"buttons"},
	Carousel: {"cards"}, LimitedOffer: {"limited_time_offer"}, CallPermission: {},
}

// passcodeKeys are those of authentication templates, whose text is fixed.
var passcodeKeys = map[ComponentType][]string{
	Body: {"add_security_recommendation"}, Footer: {"code_expiration_minutes"}, Buttons: {"buttons"},
}

func parseComponent[V Value[V]](c *Component, o V, r *reading, card bool) error {
	kind, err := o.Get("type").Enum(typeNames(card)...)
	if err != nil {
		return err
	}
	c.Type = ComponentType(kind)
	keys, passcode := keysOf[c.Type], r.category == Authentication
	if passcode {
		if keys = passcodeKeys[c.Type]; keys == nil {
			return wa.ErrParamType.Fill(o.Path(), "BODY, FOOTER or BUTTONS: authentication templates have no "+kind)
		}
	}
	if err := expected(o, kind, append([]string{"type"}, keys...)); err != nil {
		return err
	}
	switch c.Type {
	case Header:
		return parseHeader(c, o, r)
	case Body:
		if passcode {
			if s := o.Get("add_security_recommendation"); s.Present() {
				yes, err := s.Bool()
				c.Security = &yes
				return err
			}
			return nil
		}
		return parseBody(c, o, r, card)
	case Footer:
		if passcode {
			return parseExpiry(c, o)
		}
		return parseFooter(c, o)
	case Buttons:
		return parseButtons(c, o.Get("buttons"), r)
	case Carousel:
		return parseCarousel(c, o.Get("cards"), r)
	case LimitedOffer:
		return parseOffer(c, o.Get("limited_time_offer"))
	case CallPermission:
	}
	return nil
}

func typeNames(card bool) []string {
	if card {
		return []string{string(Header), string(Body), string(Buttons)}
	}
	out := make([]string, len(componentOrder))
	for i, t := range componentOrder {
		out[i] = string(t)
	}
	return out
}

// expected refuses members that a component does not have. Source: spec/errors.md section 10, 2388042.
func expected[V Value[V]](o V, kind string, allowed []string) error {
	var foreign []string
	for _, k := range o.Keys() {
		if !slices.Contains(allowed, k) && o.Get(k).Present() {
			foreign = append(foreign, clip(k))
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	slices.Sort(foreign)
	return wa.ErrTemplateUnexpectedField.FillMsg(kind, strings.Join(foreign[:min(len(foreign), 10)], ", "))
}

func missing(kind ComponentType, field string) error {
	return wa.ErrTemplateMissingField.FillMsg(string(kind), field)
}

func tooLong(field string, text string, limit int) error {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return nil
	}
	return wa.ErrTemplateCharacterLimit.FillMsg(field, limit)
}

func parseHeader[V Value[V]](c *Component, o V, r *reading) error {
	format, err := o.Get("format").EnumOr("", "TEXT", "IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION", "PRODUCT")
	if err != nil {
		return err
	}
	if c.Format = HeaderFormat(format); c.Format == "" {
		return missing(Header, "format")
	}
	if c.Format != HeaderText {
		if o.Get("text").Present() {
			return wa.ErrTemplateUnexpectedField.FillMsg("HEADER", "text")
		}
		if c.Format.media() {
			return parseHandle(c, o.Get("example"))
		}
		return nil
	}
	if c.Text, err = o.Get("text").StrOr(""); err != nil {
		return err
	}
	switch {
	case c.Text == "":
		return missing(Header, "text")
	case strings.ContainsAny(c.Text, "\n\r\t*~`") || strings.ContainsFunc(c.Text, pictograph) || len(Variables(c.Text)) > 1:
		return wa.ErrTemplateHeader
	}
	if err = tooLong("header text", c.Text, maxHeader); err != nil {
		return err
	}
	c.Example, err = parseTexts(o.Get("example"), c, "header_text", r.format)
	r.late(err)
	return nil
}

func parseBody[V Value[V]](c *Component, o V, r *reading, card bool) (err error) {
	if c.Text, err = o.Get("text").StrOr(""); err != nil {
		return err
	}
	limit, field := maxBody, "body text"
	if card {
		limit, field = maxCardBody, "body text of a card"
	}
	if strings.TrimSpace(c.Text) == "" {
		return missing(Body, "text")
	}
	if err = tooLong(field, c.Text, limit); err != nil {
		return err
	}
	breaks := strings.ReplaceAll(c.Text, "\r\n", "\n")
	if strings.Contains(breaks, "\n\n\n") || strings.Contains(c.Text, "\t") || strings.Contains(c.Text, "     ") {
		return wa.ErrTemplateBody.User("Message body format is incorrect",
			"Message body can't have more than two consecutive newlines, tabs, or more than four consecutive spaces.")
	}
	c.Example, err = parseTexts(o.Get("example"), c, "body_text", r.format)
	r.late(err)
	return nil
}

func parseFooter[V Value[V]](c *Component, o V) (err error) {
	if c.Text, err = o.Get("text").StrOr(""); err != nil {
		return err
	}
	if c.Text == "" {
		return missing(Footer, "text")
	}
	lower := strings.ToLower(c.Text)
	if strings.Contains(c.Text, "{{") || strings.ContainsAny(c.Text, "\n\r") || strings.ContainsFunc(c.Text, pictograph) ||
		strings.Contains(lower, "://") || strings.Contains(lower, "www.") {
		return wa.ErrTemplateFooter.User("Message footer format is incorrect", "Message footer can't have any variables, newlines, links or emojis.")
	}
	return tooLong("footer text", c.Text, maxFooter)
}

// maxExpiry is the most a code can be said to live, in minutes. Source: spec/templates.md section 9.1.
const maxExpiry = 90

func parseExpiry[V Value[V]](c *Component, o V) error {
	v := o.Get("code_expiration_minutes")
	if !v.Present() {
		return missing(Footer, "code_expiration_minutes")
	}
	n, err := v.Int()
	if err == nil && (n < 1 || n > maxExpiry) {
		err = wa.ErrParamType.Fill(v.Path(), "between 1 and 90")
	}
	c.Expiry = int(min(max(n, 0), maxExpiry))
	return err
}

func parseOffer[V Value[V]](c *Component, v V) error {
	if !v.Present() {
		return missing(LimitedOffer, "limited_time_offer")
	}
	o, err := v.Object()
	if err != nil {
		return err
	}
	if err = expected(o, "LIMITED_TIME_OFFER", []string{"text", "has_expiration"}); err != nil {
		return err
	}
	c.Offer = &Offer{}
	if c.Offer.Text, err = o.Get("text").StrOr(""); err != nil {
		return err
	}
	if c.Offer.Text == "" {
		return missing(LimitedOffer, "text")
	}
	if c.Offer.Expiration, err = o.Get("has_expiration").BoolOr(false); err != nil {
		return err
	}
	return tooLong("limited-time offer text", c.Offer.Text, maxOfferText)
}

func parseCarousel[V Value[V]](c *Component, v V, r *reading) error {
	if !v.Present() {
		return missing(Carousel, "cards")
	}
	list, err := v.List()
	if err != nil {
		return err
	}
	if len(list) < minCards || len(list) > maxCards {
		return wa.ErrParamType.Fill(v.Path(), "an array of 2 to 10 cards")
	}
	c.Cards = make([]Card, len(list))
	for i, e := range list {
		o, err := e.Object()
		if err != nil {
			return err
		}
		if err = expected(o, "CAROUSEL", []string{"components"}); err != nil {
			return err
		}
		if c.Cards[i].Components, err = parseList(o.Get("components"), r, true); err != nil {
			return err
		}
	}
	return nil
}
