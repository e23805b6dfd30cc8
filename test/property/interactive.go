package property

import (
	"fmt"
	"strconv"
)

// Source: spec/messages.md section 10.
func interactiveKinds() []Kind {
	list := []Kind{{Name: "address_message", Draw: drawn(addressMessage), India: true}}
	for _, k := range []struct {
		name string
		make func(d *draw) (string, any)
	}{
		{"button", buttonMessage},
		{"list", listMessage},
		{"cta_url", ctaMessage},
		{"location_request_message", locationRequest},
		{"flow", flowMessage},
		{"product", productMessage},
		{"product_list", productList},
		{"catalog_message", catalogMessage},
		{"carousel", carousel},
		{"carousel of products", productCarousel},
		{"call_permission_request", callRequest},
		{"voice_call", voiceCall},
		{"request_contact_info", contactRequest},
		{"order_details", orderDetails},
		{"order_status", orderStatus},
	} {
		list = append(list, Kind{Name: k.name, Draw: drawn(k.make)})
	}
	for i := range list {
		list[i].Name = "interactive " + list[i].Name
	}
	return list
}

// interactive is the object around an action.
func interactive(kind string, action object) object { return object{"type": kind, "action": action} }

// body and footer; what has a footer may have none.
func (d *draw) around(o object, body int, footer bool) (string, any) {
	o["body"] = object{"text": d.prose("body", body)}
	if footer {
		d.some(o, "footer", func() any { return object{"text": d.label("footer", 60)} })
	}
	return "interactive", o
}

// header adds one of the kinds, or none.
func (d *draw) header(o object, kinds ...string) {
	kind := pick(d, "header", append(kinds, "")...)
	switch kind {
	case "":
		return
	case "text":
		o["header"] = object{"type": "text", "text": d.label("header text", 60)}
		return
	}
	o["header"] = object{"type": kind, kind: d.named(kind)}
}

// named is a file of a header.
func (d *draw) named(kind string) object {
	f := d.file(kind)
	if kind == "document" {
		d.some(f, "filename", func() any { return d.name("filename") + ".pdf" })
	}
	return f
}

var allHeaders = []string{"text", "image", "video", "document"}

func buttonMessage(d *draw) (string, any) {
	n := d.between("buttons", 1, 3)
	ids, titles := d.keys("button id", n, 256), d.labels("button title", n, 20)
	buttons := make([]any, n)
	for i := range buttons {
		buttons[i] = object{"type": "reply", "reply": object{"id": ids[i], "title": titles[i]}}
	}
	o := interactive("button", object{"buttons": buttons})
	d.header(o, allHeaders...)
	return d.around(o, 1024, true)
}

func listMessage(d *draw) (string, any) {
	rows := d.between("rows", 1, 10)
	parts := d.between("sections", 1, rows)
	ids := d.keys("row id", rows, 200)
	sections := make([]any, parts)
	for i := range sections {
		var in []any
		for j := i; j < rows; j += parts {
			r := object{"id": ids[j], "title": d.label("row title", 24)}
			d.some(r, "description", func() any { return d.label("description", 72) })
			in = append(in, r)
		}
		s := object{"rows": in}
		if parts > 1 || d.perhaps("title of the section") {
			s["title"] = d.label("section title", 24)
		}
		sections[i] = s
	}
	o := interactive("list", object{"button": d.write("button", 20, labelRunes), "sections": sections})
	d.header(o, "text")
	return d.around(o, 4096, true)
}

func (d *draw) cta() object {
	return object{"name": "cta_url", "parameters": object{"display_text": d.label("display text", 20), "url": d.web("url")}}
}

func ctaMessage(d *draw) (string, any) {
	o := interactive("cta_url", d.cta())
	d.header(o, allHeaders...)
	return d.around(o, 1024, true)
}

func request(kind, action string) func(d *draw) (string, any) {
	return func(d *draw) (string, any) { return d.around(interactive(kind, object{"name": action}), 1024, false) }
}

var (
	locationRequest = request("location_request_message", "send_location")
	callRequest     = request("call_permission_request", "call_permission_request")
	contactRequest  = request("request_contact_info", "request_contact_info")
)

func flowMessage(d *draw) (string, any) {
	p := object{"flow_message_version": "3", "flow_cta": d.caption("flow cta", 30)}
	if d.perhaps("by name") {
		p["flow_name"] = d.w.Name
	} else {
		p["flow_id"] = d.w.Flow
	}
	d.some(p, "flow_token", func() any { return d.key("flow token", 60) })
	d.some(p, "mode", func() any { return "published" })
	if d.perhaps("with a payload") {
		in := object{"screen": d.w.Entry}
		d.some(in, "data", func() any {
			if d.perhaps("data as text") {
				return `{"max": 12}`
			}
			return object{"max": 12, "blob": "#0"}
		})
		p["flow_action"], p["flow_action_payload"] = "navigate", in
	}
	o := interactive("flow", object{"name": "flow", "parameters": p})
	d.header(o, allHeaders...)
	return d.around(o, 1024, true)
}

func productMessage(d *draw) (string, any) {
	o := interactive("product", object{"catalog_id": "700220033", "product_retailer_id": d.name("product")})
	d.some(o, "body", func() any { return object{"text": d.prose("body", 1024)} })
	d.some(o, "footer", func() any { return object{"text": d.label("footer", 60)} })
	return "interactive", o
}

// sections of products.
func (d *draw) shelves() (list []any) {
	products := d.labels("product", d.between("products", 1, 30), 20)
	parts := d.between("sections", 1, min(10, len(products)))
	for i := range parts {
		var items []any
		for j := i; j < len(products); j += parts {
			items = append(items, object{"product_retailer_id": products[j]})
		}
		list = append(list, object{"title": d.label("section title", 24), "product_items": items})
	}
	return list
}

func productList(d *draw) (string, any) {
	o := interactive("product_list", object{"catalog_id": "700220033", "sections": d.shelves()})
	o["header"] = object{"type": "text", "text": d.label("header text", 60)}
	return d.around(o, 1024, true)
}

func catalogMessage(d *draw) (string, any) {
	a := object{"name": "catalog_message"}
	d.some(a, "parameters", func() any { return object{"thumbnail_product_retailer_id": "HAMP-S"} })
	return d.around(interactive("catalog_message", a), 1024, true)
}

func carousel(d *draw) (string, any) {
	n := d.between("cards", 2, 10)
	header := pick(d, "headers", "image", "video")
	replies := d.between("quick replies", 0, 3) // none: a link
	ids := d.keys("reply id", n*replies, 256)
	cards := make([]any, n)
	for i := range cards {
		c := object{"card_index": i, "type": "cta_url", "header": object{"type": header, header: d.file(header)}}
		d.some(c, "body", func() any { return object{"text": d.label("card body", 160)} })
		if replies == 0 {
			c["action"] = d.cta()
		} else {
			titles := d.labels("reply title", replies, 20)
			buttons := make([]any, replies)
			for j := range buttons {
				buttons[j] = object{"type": "quick_reply", "quick_reply": object{"id": ids[i*replies+j], "title": titles[j]}}
			}
			c["action"] = object{"buttons": buttons}
		}
		cards[i] = c
	}
	return d.around(interactive("carousel", object{"cards": cards}), 1024, false)
}

func productCarousel(d *draw) (string, any) {
	cards := make([]any, d.between("cards", 2, 10))
	for i := range cards {
		cards[i] = object{"card_index": i, "type": "product", "action": object{"product_retailer_id": d.name("product"), "catalog_id": "700220033"}}
	}
	return d.around(interactive("carousel", object{"cards": cards}), 1024, false)
}

func addressMessage(d *draw) (string, any) {
	values := func() object {
		o := object{"name": d.write("name", 60, labelRunes)}
		d.some(o, "in_pin_code", func() any { return "400063" })
		d.some(o, "city", func() any { return "Mumbai" })
		return o
	}
	p := object{"country": "IN"}
	d.some(p, "values", func() any { return values() })
	d.some(p, "saved_addresses", func() any { return []any{object{"id": d.key("address id", 60), "value": values()}} })
	d.some(p, "validation_errors", func() any { return object{"city": "Not served"} })
	o := interactive("address_message", object{"name": "address_message", "parameters": p})
	d.header(o, allHeaders...)
	return d.around(o, 1024, true)
}

func voiceCall(d *draw) (string, any) {
	a := object{"name": "voice_call"}
	d.some(a, "parameters", func() any {
		return object{"display_text": d.label("display text", 20), "ttl_minutes": pick(d, "minutes", 1, 43_200), "payload": d.key("payload", 512)}
	})
	return d.around(interactive("voice_call", a), 1024, false)
}

func amount(value int) object { return object{"value": value, "offset": 100} }

// order is what is paid for; its sum is right. Source: spec/messages.md section 10.13.
func (d *draw) order() object {
	subtotal, tax, shipping, discount := d.between("subtotal", 100, 1_000_000), d.between("tax", 0, 10_000), d.between("shipping", 0, 10_000), d.between("discount", 0, 100)
	total := subtotal + tax + shipping - discount
	o := object{
		"status":   "pending",
		"items":    []any{object{"retailer_id": "1", "name": d.write("item", 60, labelRunes), "amount": amount(subtotal), "quantity": 1}},
		"subtotal": amount(subtotal), "tax": amount(tax), "shipping": amount(shipping), "discount": amount(discount),
	}
	d.some(o, "expiration", func() any {
		return object{"timestamp": strconv.FormatInt(d.w.Now.Unix()+3600, 10), "description": "until then"}
	})
	return object{
		"reference_id": d.reference(), "type": pick(d, "goods", "digital-goods", "physical-goods"),
		"payment_settings": []any{pick(d, "payment",
			object{"type": "payment_gateway", "payment_gateway": object{"type": "razorpay", "configuration_name": "main"}},
			object{"type": "pix_dynamic_code", "pix_dynamic_code": object{"code": "00020101", "merchant_name": "Bistro", "key": "k", "key_type": "EMAIL"}},
		)},
		"currency": d.shown(pick(d, "currency", "INR", "BRL")), "total_amount": amount(total), "order": o,
		// What a person pays is what they must see.
	}
}

// total is the sum of an order as people read it.
func total(order object) string {
	sum, _ := order["total_amount"].(object)["value"].(int)
	return fmt.Sprintf("%.2f", float64(sum)/100)
}

func orderDetails(d *draw) (string, any) {
	p := d.order()
	d.shown(total(p))
	o := interactive("order_details", object{"name": "review_and_pay", "parameters": p})
	d.header(o, "image", "document")
	return d.around(o, 1024, true)
}

func (d *draw) news() object {
	o := object{"status": pick(d, "status", "pending", "processing", "partially_shipped", "shipped", "completed", "canceled")}
	d.words = append(d.words, o["status"].(string))
	d.some(o, "description", func() any { return d.label("description", 60) })
	return o
}

func orderStatus(d *draw) (string, any) {
	p := object{"reference_id": d.reference(), "order": d.news()}
	d.some(p, "payment", func() any { return object{"status": "captured", "timestamp": 1783065600} })
	return d.around(interactive("order_status", object{"name": "review_order", "parameters": p}), 1024, true)
}
