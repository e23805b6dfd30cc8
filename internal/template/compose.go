package template

import (
	"slices"
	"strings"
	"unicode"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// compose checks what may stand together. path is that of the list. Source: spec/templates.md sections 6 and 8.
func compose(list []Component, c Category, path string) error {
	bad := func(text string) error { return wa.ErrParamType.Fill(path, text) }
	has := func(t ComponentType) bool { return component(list, t) != nil }
	if !has(Body) {
		return missing(Body, "text")
	}
	if c == Authentication {
		if !has(Buttons) {
			return missing(Buttons, "buttons")
		}
		return nil
	}
	h := component(list, Header)
	switch {
	case has(CallPermission) && has(Buttons):
		return bad("a list without BUTTONS beside CALL_PERMISSION_REQUEST")
	case has(Carousel) && (h != nil || has(Footer) || has(Buttons) || has(LimitedOffer)):
		return bad("BODY and CAROUSEL: a carousel has its headers and buttons in the cards")
	case has(LimitedOffer):
		return composeOffer(list, bad)
	case has(Carousel):
		return composeCards(component(list, Carousel).Cards, bad)
	}
	kinds := func(t ButtonType) bool {
		return slices.ContainsFunc(buttons(list), func(b Button) bool { return b.Type == t })
	}
	switch product := h != nil && h.Format == HeaderProduct; {
	case kinds(SingleProduct) != product:
		return bad("a PRODUCT header together with an SPM button")
	case product:
		return tooLong("body text of a single-product template", component(list, Body).Text, maxSingleBody)
	case kinds(MultiProduct) && (h == nil || h.Format != HeaderText):
		return bad("a TEXT header together with an MPM button")
	}
	return nil
}

func composeOffer(list []Component, bad func(string) error) error {
	if h := component(list, Header); h != nil && h.Format != HeaderImage && h.Format != HeaderVideo {
		return bad("a list whose header is an IMAGE or VIDEO beside LIMITED_TIME_OFFER")
	}
	if component(list, Footer) != nil {
		return bad("a list without FOOTER beside LIMITED_TIME_OFFER")
	}
	code := component(list, LimitedOffer).Offer.Expiration
	for i, b := range buttons(list) {
		if b.Type == CopyCode && i == 0 {
			code = false
		} else if b.Type != URLButton {
			return bad("a list whose buttons are COPY_CODE first and URL second beside LIMITED_TIME_OFFER")
		}
	}
	if code {
		return bad("a list with a COPY_CODE button for an offer that has an expiration")
	}
	return tooLong("body text of a limited-time offer", component(list, Body).Text, maxOfferBody)
}

func composeCards(cards []Card, bad func(string) error) error {
	first := shapeOf(&cards[0])
	for i := range cards {
		if !slices.Equal(shapeOf(&cards[i]), first) {
			return bad("a carousel whose cards all have the same components")
		}
	}
	h, list := component(cards[0].Components, Header), buttons(cards[0].Components)
	switch {
	case h == nil || h.Format != HeaderImage && h.Format != HeaderVideo && h.Format != HeaderProduct:
		return bad("a carousel whose cards have an IMAGE, VIDEO or PRODUCT header")
	case len(list) == 0:
		return bad("a carousel whose cards have buttons")
	}
	allowed := []ButtonType{QuickReply, URLButton, PhoneButton}
	most := 3
	if h.Format == HeaderProduct {
		if allowed, most = []ButtonType{SingleProduct, URLButton}, 1; component(cards[0].Components, Body) != nil || len(cards) != minCards {
			return bad("a carousel with two cards without body for products")
		}
	}
	if len(list) > most || slices.ContainsFunc(list, func(b Button) bool { return !slices.Contains(allowed, b.Type) }) {
		return bad("a carousel whose cards have up to three quick reply, URL and phone buttons, or one SPM or URL button for a product")
	}
	return nil
}

// shapeOf lists what a card is made of.
func shapeOf(c *Card) (out []string) {
	for i := range c.Components {
		p := &c.Components[i]
		out = append(out, string(p.Type)+string(p.Format))
		for _, b := range p.Buttons {
			out = append(out, string(b.Type))
		}
	}
	return out
}

// marketingOnly reports whether the components make a template that is promotional whatever it says. Source:
// spec/templates.md section 8.
func marketingOnly(list []Component) bool {
	if component(list, Carousel) != nil || component(list, LimitedOffer) != nil {
		return true
	}
	return slices.ContainsFunc(buttons(list), func(b Button) bool {
		return b.Type == CopyCode || b.Type == Catalog || b.Type == MultiProduct || b.Type == SingleProduct
	})
}

// payable holds templates about orders to their category and members. Source: spec/templates.md section 8.
func (t *Template) payable() error {
	asks := slices.ContainsFunc(buttons(t.Components), func(b Button) bool { return b.Type == OrderDetails })
	details := t.SubCategory == "ORDER_DETAILS" || t.DisplayFormat == "ORDER_DETAILS"
	switch about := asks || details || t.SubCategory == "ORDER_STATUS" || t.SubCategory == "RICH_ORDER_STATUS"; {
	case about && t.Category != Utility && t.Previous != Utility: // review may have made it a promotion
		return wa.ErrParamType.Fill("category", "UTILITY for a template about an order")
	case asks && !details:
		return wa.ErrParamType.Fill("sub_category", "ORDER_DETAILS beside an ORDER_DETAILS button")
	case details && !asks:
		return wa.ErrParamType.Fill("components", "a list with an ORDER_DETAILS button for sub_category ORDER_DETAILS")
	}
	return nil
}

// catalog refuses a second template with a catalog; its other languages are none. Source: spec/errors.md section 10, 2388027.
func (v *view) catalog(t *Template) error {
	shows := func(t *Template) bool {
		return slices.ContainsFunc(buttons(t.Components), func(b Button) bool { return b.Type == Catalog })
	}
	if shows(t) && slices.ContainsFunc(v.live, func(o *Template) bool { return o.Name != t.Name && o.Status != PendingDeletion && shows(o) }) {
		return wa.ErrCatalogTemplateLimit
	}
	return nil
}

// checkVariables holds the texts to the rules for variables: step 6 of spec/templates.md section 19.
func checkVariables(list []Component, f Format, path string) error {
	for i := range list {
		c := &list[i]
		for j := range c.Cards {
			if err := checkVariables(c.Cards[j].Components, f, path); err != nil {
				return err
			}
		}
		if c.Type != Header && c.Type != Body {
			continue
		}
		if err := sequence(c.Text, f, path); err != nil {
			return err
		}
		if c.Type == Body {
			if err := placed(c.Text); err != nil {
				return err
			}
		}
	}
	return nil
}

// sequence checks the names of the variables. Source: spec/templates.md section 7.
func sequence(text string, f Format, path string) error {
	names := Variables(text)
	if opened := strings.Count(text, "{{"); opened != strings.Count(text, "}}") || opened != occurrences(text) {
		return wa.ErrParamType.Fill(path, "a list whose variables look like {{1}} or {{first_name}}")
	}
	for _, n := range names {
		digit := n[0] >= '0' && n[0] <= '9'
		if digit != (f != Named) || n[0] == '_' || f != Named && strings.Trim(n, "0123456789") != "" {
			return wa.ErrParamType.Fill(path, "a list whose variables all are as parameter_format says")
		}
	}
	if f == Named || len(names) == 0 {
		return nil
	}
	for i := range names {
		if !slices.Contains(names, itoa(i+1)) {
			return wa.ErrTemplateVariables
		}
	}
	if names[0] != "1" {
		return wa.ErrTemplateVariables
	}
	return nil
}

func occurrences(text string) (n int) {
	eachVariable(text, func(_, _ int, _ string) { n++ })
	return n
}

// placed checks that no variable stands at an edge, and that there is enough text around them. Sources: spec/templates.md
// section 7; spec/README.md: punctuation behind a last variable does not help.
func placed(text string) error {
	vars := 0
	first, last := -1, -1
	var plain strings.Builder
	at := 0
	eachVariable(text, func(from, to int, _ string) {
		if vars++; first < 0 {
			first = from
		}
		last = to
		plain.WriteString(text[at:from])
		at = to
	})
	if vars == 0 {
		return nil
	}
	plain.WriteString(text[at:])
	if strings.TrimSpace(text[:first]) == "" || !strings.ContainsFunc(text[last:], wordly) {
		return wa.ErrTemplateEdges
	}
	words := 0
	for w := range strings.FieldsSeq(plain.String()) {
		if strings.ContainsFunc(w, wordly) {
			words++
		}
	}
	if text := plain.String(); words < 2*vars+1 && (!unspaced(text) || letters(text) < 2*(2*vars+1)) {
		return wa.ErrTemplateDensity
	}
	return nil
}

func wordly(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// unspaced reports whether a text is written without spaces between words: there two letters count as a word (ours).
func unspaced(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao)
	})
}

func letters(s string) (n int) {
	for _, r := range s {
		if wordly(r) {
			n++
		}
	}
	return n
}
