package template

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// passcode checks what is special about authentication templates: the code stands in the body and in the button, and is
// nothing but a code. Source: spec/messages.md section 11.4.
func (w *work) passcode(given []Filling) error {
	if w.t.Category != Authentication {
		return nil
	}
	body := find(given, "body").params()
	if len(body) != 1 {
		return nil // a template of fixed text
	}
	code := body[0].Text
	switch {
	case utf8.RuneCountInString(code) > maxPasscode:
		return wa.ErrTemplateTooLong.Withf("body: hydrated text too long, a code has at most %d characters", maxPasscode)
	case strings.Contains(code, "://") || strings.HasPrefix(code, "www.") || strings.ContainsFunc(code, pictograph):
		return wa.ErrTemplatePolicy.With("Param text of an authentication template cannot have URLs or emojis")
	}
	for i := range w.out.Buttons {
		if b := &w.out.Buttons[i]; b.Type == OTPButton && b.Code != code {
			return wa.ErrTemplateFormat.With("buttons: the code of the button does not match the code of the body")
		}
	}
	return nil
}

// pictograph reports whether r is shown as an emoji.
func pictograph(r rune) bool {
	switch {
	case r == 0xfe0f || r == 0x20e3 || r == 0x200d: // what makes an emoji of something else
		return true
	case r < 0x2190:
		return r == 0x203c || r == 0x2049 || r == 0x2122 || r == 0x2139 // ‼ ⁉ ™ ℹ
	case r < 0x1f000:
		return r >= 0x2600 && r <= 0x27bf || r >= 0x231a && r <= 0x23ff && unicode.Is(unicode.So, r) ||
			r >= 0x2b05 && r <= 0x2b55 && unicode.Is(unicode.So, r)
	}
	return r <= 0x1faff || r >= 0xe0020 && r <= 0xe007f
}

func (w *work) offer(given *Filling) error {
	c := w.t.Component(LimitedOffer)
	params := given.params()
	if c == nil || c.Offer == nil {
		if len(params) > 0 {
			return w.miscounted("limited_time_offer", len(params), 0)
		}
		return nil
	}
	out := &RenderedOffer{Text: c.Offer.Text}
	switch {
	case !c.Offer.Expiration && len(params) == 0:
	case len(params) != 1:
		return w.miscounted("limited_time_offer", len(params), 1)
	case params[0].Type != "limited_time_offer":
		return wa.ErrTemplateFormat.Withf("limited_time_offer: Format mismatch, expected LIMITED_TIME_OFFER, received %s",
			strings.ToUpper(params[0].Type))
	default:
		out.Expires = params[0].Number
	}
	w.out.Offer = out
	return nil
}

// carousel fills in the cards: exactly those of the template, except that a template with product cards has two and any
// number is sent. Source: spec/messages.md section 11.4, spec/templates.md section 6.6.
func (w *work) carousel(given *Filling) error {
	var cards []Card
	if c := w.t.Component(Carousel); c != nil {
		cards = c.Cards
	}
	var fill []CardFilling
	if given != nil {
		fill = given.Cards
	}
	product := len(cards) > 0 && productCard(&cards[0])
	if product && (len(fill) < minCards || len(fill) > maxCards) || !product && len(fill) != len(cards) {
		return wa.ErrTemplateParamCount.Withf("carousel: number of cards (%d) does not match the expected number of cards (%d)",
			len(fill), len(cards))
	}
	w.out.Cards = make([]Bubble, len(fill))
	for i := range fill {
		card := &cards[min(i, len(cards)-1)]
		cw := work{t: w.t, out: w.out, where: cardPrefix(i), bodyLimit: maxCardBody}
		if err := once(fill[i].Components); err != nil {
			return err
		}
		if err := cw.bubble(&w.out.Cards[i], card.Components, fill[i].Components); err != nil {
			return err
		}
	}
	return nil
}

const minCards = 2

func cardPrefix(i int) string { return "carousel: card " + string(rune('0'+i)) + ": " } // at most ten cards

func productCard(c *Card) bool {
	h := component(c.Components, Header)
	return h != nil && h.Format == HeaderProduct
}

// extras are components of a send that need nothing in the template.
func (w *work) extras(given []Filling) error {
	for i := range given {
		f := &given[i]
		kind := f.Type
		if kind != "order_status" && kind != "tap_target_configuration" {
			continue
		}
		if len(f.Params) != 1 {
			return w.miscounted(kind, len(f.Params), 1)
		}
		p := &f.Params[0]
		if p.Type != kind {
			return wa.ErrTemplateFormat.Withf("%s: Format mismatch, expected %s, received %s", kind, strings.ToUpper(kind), strings.ToUpper(p.Type))
		}
		if kind == "order_status" {
			w.out.Order = p.Order
		} else {
			w.out.Target = &p.Targets[0]
		}
	}
	if w.out.Order == nil && (w.t.SubCategory == "ORDER_STATUS" || w.t.SubCategory == "RICH_ORDER_STATUS") {
		return w.miscounted("order_status", 0, 1)
	}
	return nil
}
