package message

import (
	"math"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Limits of orders. Source: spec/messages.md section 10.13; those of texts and lists are ours.
const (
	maxReference = 60
	maxItems     = 999
	maxOrderText = 1024
	maxSettings  = 16
)

const currencyOffset = 100

var orderKeys = []string{
	"reference_id", "type", "payment_settings", "payment_type", "payment_configuration", "currency", "total_amount", "order",
}

func (f *form[V]) orderParameters(a V) {
	f.part(a, "parameters", orderKeys, func(p V) {
		f.object("parameters", func() {
			f.put("reference_id", f.reference(p))
			f.put("type", f.enum(p, "type", "", "digital-goods", "physical-goods"))
			f.payment(p)
			f.put("currency", f.enum(p, "currency", "", "INR", "BRL"))
			total := f.amount(p, "total_amount", true)
			f.part(p, "order", []string{"status", "items", "subtotal", "tax", "shipping", "discount", "expiration", "catalog_id"}, func(o V) {
				f.object("order", func() { f.order(o, total) })
			})
		})
	})
}

// reference reads reference_id: 1 to 60 letters, digits, underscores, dots and dashes.
func (f *form[V]) reference(p V) string {
	s := f.label(p, "reference_id", "Reference id", maxReference)
	if strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '.' && r != '-'
	}) {
		f.wrong("Parameter 'reference_id' may only have letters, digits, underscores, dots and dashes.")
	}
	return s
}

var settingTypes = []string{"payment_gateway", "pix_dynamic_code", "payment_link", "boleto", "offsite_card_pay", "upi_intent_link"}

// payment is how the order can be paid: the settings of a market, which are passed on as they came, or the name of a
// configuration.
func (f *form[V]) payment(p V) {
	kind, name := f.option(p, "payment_type", "Payment type", maxOrderText), f.option(p, "payment_configuration", "Payment configuration", maxOrderText)
	f.putSome("payment_type", kind)
	f.putSome("payment_configuration", name)
	if !p.Get("payment_settings").Present() {
		if kind == "" || name == "" {
			f.missing("payment_settings")
		}
		return
	}
	list := f.elements(p, "payment_settings")
	if len(list) == 0 || len(list) > maxSettings {
		f.count("payment settings", 1, maxSettings)
	}
	f.list("payment_settings", func() {
		for _, s := range list {
			o, err := s.Object()
			if f.keep(err); f.err != nil {
				return
			}
			f.enum(o, "type", "", settingTypes...)
			f.copy("", o)
		}
	})
}

// copy passes a value on as it came.
func (f *form[V]) copy(name string, v V) {
	f.key(name)
	raw := jsontext.Value(v.AppendJSON(nil))
	if raw.Compact() == nil {
		f.b = append(f.b, raw...)
	}
}

var amountKeys = []string{"value", "offset"}

// amount reads {value, offset} in hundredths; what only names the offset or a description may have more members.
func (f *form[V]) amount(o V, name string, needed bool, more ...string) (value int64) {
	v := o.Get(name)
	if !v.Present() {
		if needed {
			f.missing(name)
		}
		return 0
	}
	f.within(v, append(more, amountKeys...), func(a V) {
		if !a.Get("value").Present() {
			f.missing("value")
		}
		value = f.whole(a, "value", 0, 0, math.MaxInt32)
		if f.whole(a, "offset", 0, 0, math.MaxInt32) != currencyOffset {
			f.wrong("Parameter 'offset' must be 100.")
		}
		f.object(name, func() {
			f.putInt("value", value)
			f.putInt("offset", currencyOffset)
			for _, m := range more {
				f.putSome(m, f.option(a, m, "Description", maxOrderText))
			}
		})
	})
	return value
}

func (f *form[V]) order(o V, total int64) {
	f.enum(o, "status", "", "pending")
	f.put("status", "pending")
	f.putSome("catalog_id", f.id(o.Get("catalog_id")))
	f.items(o)
	sum := f.amount(o, "subtotal", true)
	sum += f.amount(o, "tax", true, "description")
	sum += f.amount(o, "shipping", false, "description")
	sum -= f.amount(o, "discount", false, "description", "discount_program_name")
	if sum != total {
		f.wrong("Parameter 'total_amount' must be subtotal plus tax plus shipping minus discount.")
	}
	if e := o.Get("expiration"); e.Present() {
		f.within(e, []string{"timestamp", "description"}, func(e V) {
			at := f.whole(e, "timestamp", 0, 1, math.MaxInt32)
			f.o.expiration = at
			f.object("expiration", func() {
				f.putInt("timestamp", at)
				f.putSome("description", f.option(e, "description", "Description", maxOrderText))
			})
		})
	}
}

var orderItemKeys = []string{
	"retailer_id", "name", "image", "amount", "quantity", "sale_amount", "country_of_origin", "importer_name", "importer_address",
}

func (f *form[V]) items(o V) {
	list := f.elements(o, "items")
	if o.Get("items").Present() && (len(list) == 0 || len(list) > maxItems) {
		f.count("items", 1, maxItems)
	}
	f.list("items", func() {
		for _, i := range list {
			f.within(i, orderItemKeys, func(i V) {
				f.object("", func() {
					f.putSome("retailer_id", f.id(i.Get("retailer_id")))
					f.put("name", f.label(i, "name", "Item name", maxOrderText))
					f.amount(i, "amount", true)
					if !i.Get("quantity").Present() {
						f.missing("quantity")
					}
					f.putInt("quantity", f.whole(i, "quantity", 1, 1, math.MaxInt32))
					f.amount(i, "sale_amount", false)
					for _, m := range []string{"country_of_origin", "importer_name"} {
						f.putSome(m, f.option(i, m, "Importer", maxOrderText))
					}
					if a := i.Get("importer_address"); a.Present() {
						f.copy("importer_address", a)
					}
				})
			})
		}
	})
}

var (
	orderStates   = []string{"pending", "processing", "partially_shipped", "shipped", "completed", "canceled"}
	paymentStates = []string{"pending", "captured", "failed"}
)

func (f *form[V]) orderStatusParameters(a V) {
	f.part(a, "parameters", []string{"reference_id", "order", "payment"}, func(p V) {
		f.object("parameters", func() {
			f.put("reference_id", f.reference(p))
			f.part(p, "order", []string{"status", "description"}, func(o V) {
				f.object("order", func() {
					f.put("status", f.enum(o, "status", "", orderStates...))
					f.putSome("description", f.option(o, "description", "Description", maxOrderText))
				})
			})
			if v := p.Get("payment"); v.Present() {
				f.within(v, []string{"status", "timestamp"}, func(o V) {
					f.object("payment", func() {
						f.put("status", f.enum(o, "status", "", paymentStates...))
						f.putInt("timestamp", f.whole(o, "timestamp", 0, 0, math.MaxInt32))
					})
				})
			}
		})
	})
}

// minExpiration is how far ahead an order's expiration must be, in seconds. Source: spec/messages.md section 10.13.
const minExpiration = 300

// Expires reports the error of an order that expires too soon; now is in Unix seconds. It belongs to gate 8, as Check,
// which has no clock.
func (o *Outbound) Expires(now int64) error {
	if o.expiration != 0 && o.expiration < now+minExpiration {
		return wa.ErrValue.With("Parameter 'timestamp' of 'expiration' must be at least 300 seconds ahead.")
	}
	return nil
}
