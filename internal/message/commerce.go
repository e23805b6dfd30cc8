package message

import (
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limits of products and carousels. Source: spec/messages.md sections 10.7 and 10.8.
const (
	maxProducts  = 30
	minCards     = 2
	maxCards     = 10
	maxCardText  = 160
	maxCardLines = 2
	maxProductID = 256 // of catalogs and products too, in characters; ours
)

// product reads a required id of a product or a catalog.
func (f *form[V]) product(o V, name string) string {
	id := f.id(o.Get(name))
	switch {
	case id == "":
		f.missing(name)
	case longer(id, maxProductID):
		f.length("Parameter '"+name+"'", maxProductID)
	}
	return id
}

func (f *form[V]) productAction(a V) {
	f.put("catalog_id", f.product(a, "catalog_id"))
	f.put("product_retailer_id", f.product(a, "product_retailer_id"))
}

var (
	itemsKeys = []string{"title", "product_items"}
	itemKeys  = []string{"product_retailer_id"}
)

func (f *form[V]) productListAction(a V) {
	f.put("catalog_id", f.product(a, "catalog_id"))
	n := 0
	f.sections(a, itemsKeys, func(s V) {
		list := f.elements(s, "product_items")
		n += len(list)
		f.list("product_items", func() {
			for _, p := range list {
				f.within(p, itemKeys, func(p V) {
					f.object("", func() { f.put("product_retailer_id", f.product(p, "product_retailer_id")) })
				})
			}
		})
	})
	if n == 0 || n > maxProducts {
		f.count("products", 1, maxProducts)
	}
}

var thumbnailKeys = []string{"thumbnail_product_retailer_id"}

func (f *form[V]) catalogParameters(a V) {
	if p := a.Get("parameters"); p.Present() {
		f.within(p, thumbnailKeys, func(p V) {
			if id := f.id(p.Get(thumbnailKeys[0])); id != "" {
				f.object("parameters", func() { f.put(thumbnailKeys[0], id) })
			}
		})
	}
}

var (
	cardObjectKeys = []string{"card_index", "type", "header", "body", "action"}
	cardHeaders    = []string{TypeImage, TypeVideo}
)

// carousel is what the cards of a carousel have in common.
type carousel struct {
	kind    string // product or cta_url
	buttons string // what the cards have: the name of the call to action, or how many quick replies
	catalog string
	ids     unique
}

func (f *form[V]) carouselAction(a V) {
	list := f.elements(a, "cards")
	if a.Get("cards").Present() && (len(list) < minCards || len(list) > maxCards) {
		f.count("cards", minCards, maxCards)
	}
	c := carousel{ids: unique{}}
	f.list("cards", func() {
		for i, card := range list {
			f.within(card, cardObjectKeys, func(o V) {
				f.object("", func() { f.carouselCard(o, i, &c) })
			})
		}
	})
}

func (f *form[V]) carouselCard(o V, i int, c *carousel) {
	if !o.Get("card_index").Present() {
		f.missing("card_index")
	}
	n, err := o.Get("card_index").IntOr(int64(i))
	if f.keep(err); n != int64(i) {
		f.wrong("Card indexes must count the cards, starting with 0.")
	}
	kind := f.enum(o, "type", "", kindCTA, kindProduct)
	if c.kind == "" {
		c.kind = kind
	} else if c.kind != kind {
		f.wrong("All cards must have the same type.")
	}
	f.putInt("card_index", int64(i))
	f.put("type", kind)
	if kind == kindProduct {
		f.productCard(o, c)
		return
	}
	f.part(o, "header", headerKeys, func(h V) { f.headerOf(h, cardHeaders, kindCarousel) })
	f.cardBody(o)
	f.part(o, "action", []string{"name", "parameters", "buttons"}, func(a V) {
		f.object("action", func() { f.cardAction(a, c) })
	})
}

func (f *form[V]) productCard(o V, c *carousel) {
	for _, name := range []string{"header", "body"} {
		if o.Get(name).Present() {
			f.wrong("Parameter '" + name + "' is not supported for cards of type 'product'.")
		}
	}
	f.part(o, "action", []string{"catalog_id", "product_retailer_id"}, func(a V) {
		id := f.product(a, "catalog_id")
		if c.catalog == "" {
			c.catalog = id
		} else if c.catalog != id {
			f.wrong("All cards must have the same catalog_id.")
		}
		f.object("action", func() { f.productAction(a) })
	})
}

func (f *form[V]) cardBody(o V) {
	f.words(o, "body", maxCardText, false, "Card body text")
	if s, err := o.Get("body").Get("text").StrOr(""); err == nil && strings.Count(s, "\n") > maxCardLines {
		f.flaw(wa.ErrValue.Withf("Card body text must not have more than %d line breaks.", maxCardLines))
	}
}

// cardAction is a call to action or quick replies: the same kind and number on every card.
func (f *form[V]) cardAction(a V, c *carousel) {
	have := kindCTA
	if a.Get("buttons").Present() {
		list := f.elements(a, "buttons")
		have = strings.Repeat("reply ", len(list))
		if len(list) == 0 || len(list) > maxButtons {
			f.count("buttons", 1, maxButtons)
		}
		titles := unique{}
		f.list("buttons", func() {
			for _, b := range list {
				f.within(b, []string{"type", "quick_reply"}, func(b V) { f.quickReply(b, c, titles) })
			}
		})
	} else {
		f.enum(a, "name", "", kindCTA)
		f.put("name", kindCTA)
		f.ctaParameters(a)
	}
	if c.buttons == "" {
		c.buttons = have
	} else if c.buttons != have {
		f.wrong("All cards must have the same kind and number of buttons.")
	}
}

func (f *form[V]) quickReply(b V, c *carousel, titles unique) {
	f.object("", func() {
		f.enum(b, "type", "", "quick_reply")
		f.put("type", "quick_reply")
		f.part(b, "quick_reply", replyKeys, func(r V) {
			f.object("quick_reply", func() { f.choice(r, c.ids, titles) })
		})
	})
}
