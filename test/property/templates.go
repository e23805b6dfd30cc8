package property

// templates has one of every kind. Sources: spec/messages.md section 11, spec/templates.md sections 6 and 9.
func templates(handles map[string]string, flow string) []made {
	return append(append(append(plainTemplates(handles), passcodes()...), offers(handles)...), doing(flow)...)
}

func plainTemplates(handles map[string]string) []made {
	list := []made{
		{
			name: "parcel", category: "UTILITY", more: object{"message_send_ttl_seconds": 3600},
			components: []any{
				part("HEADER", object{"format": "TEXT", "text": "Parcel for {{1}}", "example": object{"header_text": []string{"Mio"}}}),
				bodyOf("Hello {{1}}, your parcel {{2}} is ready for pick-up today.", "Mio", "A-2210"),
				part("FOOTER", object{"text": "Bistro Aozora"}),
				buttonsOf(quick("Later"), link, object{"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550783881"}),
			},
			shows: []string{"Parcel for", "Hello", "is ready for pick-up today", "Bistro Aozora", "Later", "Track", "Call 15550783881"},
			fill: func(d *draw) []any {
				c := []any{
					given("HEADER", textParam(d.value("header", 40))), given("body", d.localizable("name"), d.localizable("parcel")), d.suffix(),
				}
				if d.perhaps("with a payload") {
					c = append(c, d.pressed("quick_reply", 0, object{"type": "payload", "payload": d.key("payload", 128)}))
				}
				return c
			},
		},
		{
			name: "named", category: "UTILITY", more: object{"parameter_format": "NAMED"},
			components: []any{part("BODY", object{
				"text":    "Hello {{first_name}}, your order {{order_no}} has left our kitchen just now.",
				"example": object{"body_text_named_params": []any{object{"param_name": "first_name", "example": "Mio"}, object{"param_name": "order_no", "example": "7"}}},
			})},
			shows: []string{"Hello", "has left our kitchen just now"},
			fill: func(d *draw) []any {
				a := object{"type": "text", "parameter_name": "first_name", "text": d.value("name", 60)}
				b := object{"type": "text", "parameter_name": "order_no", "text": d.value("number", 60)}
				return []any{given("body", pick(d, "order", []any{a, b}, []any{b, a})...)}
			},
		},
		{
			name: "place", category: "UTILITY",
			components: []any{headerOf("LOCATION", ""), bodyOf("Your order is waiting for you there.")},
			shows:      []string{"Your order is waiting for you there"},
			fill: func(d *draw) []any {
				return []any{given("header", object{"type": "location", "location": object{
					"latitude": d.degrees("latitude", 90), "longitude": d.degrees("longitude", 180), "name": d.label("name", 60), "address": d.label("address", 60),
				}})}
			},
		},
		{
			name: "plain", category: "UTILITY", components: []any{bodyOf("Your table is ready.")},
			shows: []string{"Your table is ready"}, fill: nothing,
		},
		{
			name: "news", category: "UTILITY", components: []any{bodyOf("There is news of your order.")},
			shows: []string{"There is news of your order"},
			fill: func(d *draw) []any {
				return []any{given("order_status", object{"type": "order_status", "order_status": object{"reference_id": d.reference(), "order": d.news()}})}
			},
		},
		{
			name: "tapped", category: "MARKETING", components: []any{bodyOf("Our autumn menu is out.")},
			shows: []string{"Our autumn menu is out"},
			fill: func(d *draw) []any {
				return []any{given("tap_target_configuration", object{"type": "tap_target_configuration", "tap_target_configuration": []any{
					object{"url": d.web("url"), "title": d.label("title", 60)},
				}})}
			},
		},
	}
	for _, kind := range []string{"image", "video", "document"} {
		format := map[string]string{"image": "IMAGE", "video": "VIDEO", "document": "DOCUMENT"}[kind]
		list = append(list, made{
			name: "with_" + kind, category: "UTILITY",
			components: []any{headerOf(format, handles[kind]), bodyOf("Dear {{1}}, here is the "+kind+" you asked us for.", "Mio")},
			shows:      []string{"Dear", "here is the " + kind + " you asked us for"},
			fill: func(d *draw) []any {
				return []any{d.fileHeader(kind), given("body", textParam(d.value("name", 60)))}
			},
		})
	}
	return list
}

// passcodes are sent alike, whatever the button does. Source: spec/messages.md section 11.4.
func passcodes() (list []made) {
	apps := []any{object{"package_name": "com.example.app", "signature_hash": "K8a/AINcGX7"}}
	for _, b := range []struct {
		name   string
		button object
	}{
		{"copy_code", object{"type": "OTP", "otp_type": "COPY_CODE"}},
		{"one_tap", object{"type": "OTP", "otp_type": "ONE_TAP", "supported_apps": apps}},
		{"zero_tap", object{"type": "OTP", "otp_type": "ZERO_TAP", "supported_apps": apps, "zero_tap_terms_accepted": true}},
	} {
		list = append(list, made{
			name: b.name, category: "AUTHENTICATION", numbered: true,
			components: []any{
				part("BODY", object{"add_security_recommendation": true}), part("FOOTER", object{"code_expiration_minutes": 5}), buttonsOf(b.button),
			},
			fill: func(d *draw) []any {
				code := textParam(d.shown(d.key("code", 15)))
				o := d.pressed("url", 0, code)
				o["sub_type"] = "url"
				return []any{given("body", code), o}
			},
		})
	}
	return list
}

// offers are promotions.
func offers(handles map[string]string) []made {
	coupon := func(d *draw, index int) object {
		return d.pressed("copy_code", index, object{"type": "coupon_code", "coupon_code": d.shown(d.key("coupon", 20))})
	}
	copyCode := object{"type": "COPY_CODE", "example": "AUTUMN25"}
	card := func(i string) object {
		return object{"components": []any{headerOf("IMAGE", handles["image"]), bodyOf("Room "+i+" is {{1}} and free on that day.", "quiet"), buttonsOf(quick("Book "+i), link)}}
	}
	product := object{"components": []any{headerOf("PRODUCT", ""), buttonsOf(object{"type": "SPM", "text": "View"})}}
	return []made{
		{
			name: "coupon", category: "MARKETING", components: []any{bodyOf("Autumn is here, and so is our offer."), buttonsOf(copyCode)},
			shows: []string{"Autumn is here", "Copy offer code"}, fill: func(d *draw) []any { return []any{coupon(d, 0)} },
		},
		{
			name: "limited", category: "MARKETING",
			components: []any{
				headerOf("IMAGE", handles["image"]), part("LIMITED_TIME_OFFER", object{"limited_time_offer": object{"text": "Expiring soon!", "has_expiration": true}}),
				bodyOf("Good news, {{1}}, there is a fresh cup of tea with us.", "Mio"), buttonsOf(copyCode, link),
			},
			shows: []string{"Expiring soon", "Good news", "there is a fresh cup of tea with us"},
			fill: func(d *draw) []any {
				return []any{
					d.fileHeader("image"), given("body", textParam(d.value("name", 60))), coupon(d, 0), d.suffix(),
					given("limited_time_offer", object{"type": "limited_time_offer", "limited_time_offer": object{"expiration_time_ms": d.w.Now.UnixMilli() + 3_600_000}}),
				}
			},
		},
		{
			name: "rooms", category: "MARKETING",
			components: []any{bodyOf("Dear {{1}}, these rooms are free on Saturday.", "Mio"), part("CAROUSEL", object{"cards": []any{card("A"), card("B")}})},
			shows:      []string{"these rooms are free on Saturday", "Room A", "Room B", "Book A", "Book B"},
			fill: func(d *draw) []any {
				cards := make([]any, 2)
				for i := range cards {
					c := []any{d.fileHeader("image"), given("body", textParam(d.value("quality", 60))), d.suffix()}
					if d.perhaps("with a payload") {
						c = append(c, d.pressed("quick_reply", 0, object{"type": "payload", "payload": d.key("payload", 128)}))
					}
					cards[i] = object{"card_index": i, "components": c}
				}
				return []any{given("body", textParam(d.value("name", 60))), object{"type": "carousel", "cards": cards}}
			},
		},
		{
			name: "hampers", category: "MARKETING",
			components: []any{bodyOf("Our hampers are back for you."), part("CAROUSEL", object{"cards": []any{product, product}})},
			shows:      []string{"Our hampers are back for you", "View"},
			fill: func(d *draw) []any {
				cards := make([]any, d.between("cards", 2, 10))
				for i := range cards {
					cards[i] = object{"card_index": i, "components": []any{d.productHeader()}}
				}
				return []any{object{"type": "carousel", "cards": cards}}
			},
		},
		{
			name: "hamper", category: "MARKETING",
			components: []any{headerOf("PRODUCT", ""), bodyOf("This hamper is back."), buttonsOf(object{"type": "SPM", "text": "View"})},
			shows:      []string{"This hamper is back", "View"},
			fill:       func(d *draw) []any { return []any{d.productHeader()} },
		},
		{
			name: "moving", category: "MARKETING", marketing: true,
			components: []any{headerOf("GIF", handles["video"]), bodyOf("See how it moves.")},
			shows:      []string{"See how it moves"},
			fill: func(d *draw) []any {
				return []any{given("header", object{"type": "gif", "gif": d.file("video")})}
			},
		},
	}
}

func (d *draw) productHeader() object {
	return given("header", object{"type": "product", "product": object{"product_retailer_id": d.name("product"), "catalog_id": "700220033"}})
}

// doing are templates whose buttons do something.
func doing(flow string) []made {
	one := func(name, category, text string, button object, fill func(d *draw) []any) made {
		label, _ := button["text"].(string)
		return made{
			name: name, category: category, components: []any{bodyOf(text), buttonsOf(button)}, shows: []string{text, label}, fill: fill,
		}
	}
	perhaps := func(fill func(d *draw) object) func(d *draw) []any {
		return func(d *draw) []any {
			if d.perhaps("parameters of the button") {
				return []any{fill(d)}
			}
			return nil
		}
	}
	pay := one("pay", "UTILITY", "Your order is ready to be paid.", object{"type": "ORDER_DETAILS", "text": "Review and pay"}, func(d *draw) []any {
		o := d.order()
		d.shown(total(o))
		return []any{d.pressed("order_details", 0, action(object{"order_details": o}))}
	})
	pay.more = object{"sub_category": "ORDER_DETAILS"}
	return []made{
		one("party", "UTILITY", "Please tell us about your party.", object{"type": "FLOW", "text": "Start", "flow_id": flow, "navigate_screen": "GUESTS"},
			perhaps(func(d *draw) object {
				a := object{"flow_action_data": object{"max": 12}}
				d.some(a, "flow_token", func() any { return d.key("flow token", 60) })
				return d.pressed("flow", 0, action(a))
			})),
		one("catalog", "MARKETING", "Our new catalog is here.", object{"type": "CATALOG", "text": "View catalog"},
			perhaps(func(d *draw) object {
				return d.pressed("catalog", 0, action(object{"thumbnail_product_retailer_id": "HAMP-S"}))
			})),
		{
			name: "several", category: "MARKETING",
			components: []any{part("HEADER", object{"format": "TEXT", "text": "Hampers"}), bodyOf("Choose one of these."), buttonsOf(object{"type": "MPM", "text": "View items"})},
			shows:      []string{"Hampers", "Choose one of these", "View items"},
			fill: func(d *draw) []any {
				return []any{d.pressed("mpm", 0, action(object{"thumbnail_product_retailer_id": "HAMP-S", "sections": d.shelves()}))}
			},
		},
		one("call_us", "UTILITY", "We could not reach you.", object{"type": "VOICE_CALL", "text": "Call us"},
			perhaps(func(d *draw) object {
				o := d.pressed("voice_call", 0, object{"type": "ttl_minutes", "ttl_minutes": pick(d, "minutes", 1, 43_200)}, object{"type": "payload", "payload": d.key("payload", 512)})
				if d.perhaps("without index") {
					delete(o, "index")
				}
				return o
			})),
		{
			name: "may_we", category: "UTILITY", components: []any{bodyOf("May we call you about your order?"), part("CALL_PERMISSION_REQUEST", nil)},
			shows: []string{"May we call you about your order"}, fill: nothing,
		},
		pay,
		one("share", "UTILITY", "We need your number for the order.", object{"type": "REQUEST_CONTACT_INFO", "text": "Share it"}, nothing),
	}
}
