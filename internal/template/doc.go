// Package template owns message templates: their components, the rules by which they are made, reviewed, changed and
// removed, their registry by account, name and language, and how one is filled in for a message.
//
// Templates live in the store and, as immutable snapshots per account, in memory; looking one up and rendering it reads no
// SQL and takes no lock. A change is durable before it is visible, and what it tells the business (a Notice) is saved with
// it: a crash may repeat a notice and never loses one. What happens by the clock (review, the end of a pause, archival) is
// done by [Service.Run]. The package must not know HTTP, SQL or how a message is delivered. Sources: spec/templates.md,
// spec/messages.md section 11, spec/errors.md sections 9 and 10.
//
//	          create                 review
//	(nothing) ──────▶ PENDING ─────────────────▶ APPROVED ⇄ PAUSED (twice) ─▶ DISABLED
//	                    ▲  └──────▶ REJECTED ◀──────┤
//	                    └─ edit ────┘ │  ▲          └──⇄ ARCHIVED ─▶ deleted after 28 days
//	                                  ▼  │ appeal
//	                               IN_APPEAL ─▶ APPROVED
//
// What a device shows is the JSON of [Rendered.AppendJSON]. Every member but body is optional:
//
//	{"header":{"type":"text","text":"…"}
//	        | {"type":"image","image":{FILE}} | {"type":"video","video":{FILE}} | {"type":"gif","gif":{FILE}}
//	        | {"type":"document","document":{"filename":"…",FILE}}
//	        | {"type":"location","location":{"latitude":48.8589,"longitude":2.32,"name":"…","address":"…"}}
//	        | {"type":"product","product":{"product_retailer_id":"…","catalog_id":"…"}},
//	 "body":{"text":"…"},"footer":{"text":"…"},
//	 "buttons":[{"type":"quick_reply","text":"…","payload":"…"}, {"type":"url","text":"…","url":"…"},
//	            {"type":"phone_number","text":"…","phone_number":"…"}, {"type":"copy_code","text":"…","code":"…"},
//	            {"type":"otp","text":"…","code":"…","otp_type":"copy_code|one_tap|zero_tap","autofill_text":"…",
//	             "supported_apps":[{"package_name":"…","signature_hash":"…"}]},
//	            {"type":"flow","text":"…","flow_id":"…","flow_token":"…","flow_action":"navigate",
//	             "flow_action_payload":{"screen":"…","data":{…}}},
//	            {"type":"catalog","text":"…","thumbnail_product_retailer_id":"…"}, {"type":"spm","text":"…"},
//	            {"type":"mpm","text":"…","thumbnail_product_retailer_id":"…",
//	             "sections":[{"title":"…","product_items":[{"product_retailer_id":"…"}]}]},
//	            {"type":"voice_call","text":"…","ttl_minutes":10080,"payload":"…"},
//	            {"type":"order_details","text":"…","order_details":{…}}, {"type":"app","text":"…","app_deep_link":{…}},
//	            {"type":"request_contact_info","text":"…"}],
//	 "limited_time_offer":{"text":"…","expiration_time_ms":1783670400000},
//	 "carousel":{"cards":[{"card_index":0,"header":{…},"body":{…},"buttons":[…]}]},
//	 "order_status":{"reference_id":"…","order":{"status":"shipped","description":"…"}},
//	 "tap_target":{"url":"…","title":"…"},"call_permission_request":true}
//
// FILE is the member "blob":"#n", which stands for file n of [Rendered.Media] until the file is described.
package template
