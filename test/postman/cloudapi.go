package postman

// send is a message to the recipient.
func send(name, message string) *Item {
	return post(name, "{{Phone-Number-ID}}/messages", `{"messaging_product":"whatsapp","recipient_type":"individual","to":"{{Recipient-Phone-Number}}",`+message+`}`)
}

// CloudAPI is the collection for sending and receiving.
func CloudAPI() *Collection {
	return &Collection{
		File: "cloud-api.postman_collection.json", Name: "Hikyaku: Cloud API",
		Says: "Messages, media, templates and phone numbers. Run it in order: what one request makes, the next ones use.",
		Folders: []Folder{
			startFolder(), textFolder(), interactiveFolder(), mediaFolder(), uploadFolder(), templateFolder(), templateManagementFolder(), peopleFolder(),
			profileFolder(), numberFolder(), newNumberFolder(), leaveFolder(),
		},
	}
}

func startFolder() Folder {
	return folder(
		"Get started", "Is the token good, and what does it reach?",
		get("Who am I?", "me?fields=id,name"),
		get("Which app is this?", "app"),
		get("Look at the token", "debug_token?input_token={{User-Access-Token}}").as("App-Token"),
		get("Numbers of the account", "{{WABA-ID}}/phone_numbers"),
		get("The number", "{{Phone-Number-ID}}?fields=id,display_phone_number,verified_name,quality_rating,throughput,health_status,conversational_automation"),
		post("Get the account's webhooks", "{{WABA-ID}}/subscribed_apps", ""),
		get("Who gets the account's webhooks?", "{{WABA-ID}}/subscribed_apps"),
	)
}

func textFolder() Folder {
	return folder(
		"Messages", "The recipient of a sandbox has written, so free text is allowed.",
		send("Text", `"type":"text","text":{"body":"Your parcel is here."}`).keep("Message-ID", "messages.0.id"),
		send("Text with a link preview", `"type":"text","text":{"preview_url":true,"body":"Track it: https://example.com/parcels/8841"}`),
		send("Answer to a message", `"context":{"message_id":"{{Message-ID}}"},"type":"text","text":{"body":"It waits until Friday."}`),
		send("Reaction", `"type":"reaction","reaction":{"message_id":"{{Message-ID}}","emoji":"📦"}`),
		send("Location", `"type":"location","location":{"latitude":"48.8589","longitude":"2.32","name":"Parcel shop","address":"1 Rue d’essai"}`),
		send("Contact card", `"type":"contacts","contacts":[{"name":{"formatted_name":"Ana Ito","first_name":"Ana"},"phones":[{"phone":"+15550177788","type":"WORK"}]}]`),
		control("The person answers (sandbox)", "users/{{Recipient-Digits}}/messages", `{"type":"text","text":{"body":"Thank you!"}}`),
		control("Wait until it has arrived (sandbox)", "idle", `{"timeout":"10s"}`),
		control("What has the person written? (sandbox)", "users/{{Recipient-Digits}}/messages", "").keep("Inbound-ID", "data.0.id"),
		post("Mark it as read", "{{Phone-Number-ID}}/messages", `{"messaging_product":"whatsapp","status":"read","message_id":"{{Inbound-ID}}"}`),
		post("Mark it as read and show typing", "{{Phone-Number-ID}}/messages", `{"messaging_product":"whatsapp","status":"read","message_id":"{{Inbound-ID}}","typing_indicator":{"type":"text"}}`),
		get("What became of the first message?", "{{Phone-Number-ID}}/message_history?message_id={{Message-ID}}").keep("History-ID", "data.0.id"),
		get("Its entry in the history", "{{History-ID}}"),
		get("The steps of the entry", "{{History-ID}}/events"),
	)
}

func interactiveFolder() Folder {
	return folder(
		"Interactive messages", "Messages with something to press.",
		send("Reply buttons", `"type":"interactive","interactive":{"type":"button","body":{"text":"When are you at home?"},"action":{"buttons":[{"type":"reply","reply":{"id":"am","title":"Morning"}},{"type":"reply","reply":{"id":"pm","title":"Afternoon"}}]}}`),
		send("List", `"type":"interactive","interactive":{"type":"list","header":{"type":"text","text":"Slots"},"body":{"text":"Pick a time."},"footer":{"text":"All times are local."},"action":{"button":"Times","sections":[{"title":"Tomorrow","rows":[{"id":"t-09","title":"09:00","description":"At the door"},{"id":"t-14","title":"14:00"}]}]}}`),
		send("Link button", `"type":"interactive","interactive":{"type":"cta_url","body":{"text":"Your invoice is ready."},"action":{"name":"cta_url","parameters":{"display_text":"Open it","url":"https://example.com/invoices/8841"}}}`),
		send("Ask for a location", `"type":"interactive","interactive":{"type":"location_request_message","body":{"text":"Where shall we bring it?"},"action":{"name":"send_location"}}`),
		send("One product", `"type":"interactive","interactive":{"type":"product","body":{"text":"Is it this one?"},"action":{"catalog_id":"700220033","product_retailer_id":"HAMP-S"}}`),
		send("Several products", `"type":"interactive","interactive":{"type":"product_list","header":{"type":"text","text":"Hampers"},"body":{"text":"Have a look."},"action":{"catalog_id":"700220033","sections":[{"title":"Small","product_items":[{"product_retailer_id":"HAMP-S"}]},{"title":"Large","product_items":[{"product_retailer_id":"HAMP-L"}]}]}}`),
		send("The whole catalog", `"type":"interactive","interactive":{"type":"catalog_message","body":{"text":"All we have."},"action":{"name":"catalog_message","parameters":{"thumbnail_product_retailer_id":"HAMP-S"}}}`),
	)
}

func mediaFolder() Folder {
	upload := &Item{Name: "Upload a picture", Method: "POST", URL: "{{Phone-Number-ID}}/media", Parts: []Part{
		{"messaging_product", "whatsapp"}, {"type", "image/png"}, {"file", "@photo.png"},
	}}
	document := &Item{Name: "Upload a document", Method: "POST", URL: "{{Phone-Number-ID}}/media", Parts: []Part{
		{"messaging_product", "whatsapp"}, {"type", "text/plain"}, {"file", "@note.txt"},
	}}
	return folder(
		"Media", "Files are uploaded once and sent by their id.",
		upload.keep("Media-ID", "id"),
		document.keep("Document-ID", "id"),
		get("Where is it?", "{{Media-ID}}").keep("Media-URL", "url"),
		get("Download it", "{{Media-URL}}"),
		send("Send a picture", `"type":"image","image":{"id":"{{Media-ID}}","caption":"Left at the door."}`),
		send("Send a document", `"type":"document","document":{"id":"{{Document-ID}}","filename":"note.txt","caption":"The delivery note"}`),
		send("Send a picture by link", `"type":"image","image":{"link":"https://example.com/photo.png"}`).says("Accepted at once; a link that cannot be fetched ends in a `failed` status."),
		remove("Delete the document", "{{Document-ID}}", ""),
		remove("Delete the picture", "{{Media-ID}}", ""),
	)
}

func uploadFolder() Folder {
	return folder(
		"Resumable uploads", "For profile photos and samples of templates.",
		post("Begin", "{{App-ID}}/uploads?file_name=photo.png&file_length={{Photo-Length}}&file_type=image/png", "").keep("Upload-ID", "id"),
		get("How far is it?", "{{Upload-ID}}"),
		(&Item{Name: "Send the file", Method: "POST", URL: "{{Upload-ID}}", File: "photo.png", Headers: []Part{{"file_offset", "0"}}}).keep("Upload-Handle", "h"),
	)
}

func templateFolder() Folder {
	return folder(
		"Template messages", "What may be sent to somebody who has not written.",
		send("Without parameters", `"type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}`),
		post("Create a template", "{{WABA-ID}}/message_templates", `{"name":"parcel_update","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"Hello {{1}}, your parcel {{2}} has left our house today.","example":{"body_text":[["Ana","8841"]]}},{"type":"FOOTER","text":"Your parcel shop"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop updates"},{"type":"URL","text":"Track it","url":"https://example.com/parcels/{{1}}","example":["8841"]}]}]}`).keep("Template-ID", "id"),
		post("Create one for marketing", "{{WABA-ID}}/message_templates", `{"name":"spring_offer","language":"en_US","category":"MARKETING","components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["{{Upload-Handle}}"]}},{"type":"BODY","text":"Our spring offers are in the shop until Sunday."}]}`).keep("Offer-ID", "id"),
		post("One-time passcodes, in two languages", "{{WABA-ID}}/upsert_message_templates", `{"name":"login_code","languages":["en_US","ja"],"category":"AUTHENTICATION","components":[{"type":"BODY","add_security_recommendation":true},{"type":"FOOTER","code_expiration_minutes":5},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}]}`),
		control("Let eleven minutes pass (sandbox)", "clock", `{"advance":"11m"}`),
		control("Wait until the reviews are done (sandbox)", "idle", `{"timeout":"10s"}`),
		get("Is it approved?", "{{Template-ID}}?fields=name,status,category,quality_score,health_status"),
		send("With parameters", `"type":"template","template":{"name":"parcel_update","language":{"code":"en_US"},"components":[{"type":"body","parameters":[{"type":"text","text":"Ana"},{"type":"text","text":"8841"}]},{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"8841"}]}]}`),
		send("A one-time passcode", `"type":"template","template":{"name":"login_code","language":{"code":"en_US"},"components":[{"type":"body","parameters":[{"type":"text","text":"482913"}]},{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"482913"}]}]}`),
		(&Item{Name: "Upload its picture", Method: "POST", URL: "{{Phone-Number-ID}}/media", Parts: []Part{{"messaging_product", "whatsapp"}, {"type", "image/png"}, {"file", "@photo.png"}}}).keep("Media-ID", "id"),
		post("By the marketing API", "{{Phone-Number-ID}}/marketing_messages", `{"messaging_product":"whatsapp","to":"{{Recipient-Phone-Number}}","type":"template","template":{"name":"spring_offer","language":{"code":"en_US"},"components":[{"type":"header","parameters":[{"type":"image","image":{"id":"{{Media-ID}}"}}]}]}}`),
	)
}

func templateManagementFolder() Folder {
	return folder(
		"Templates", "Everything else that happens to templates.",
		get("List them", "{{WABA-ID}}/message_templates?fields=name,language,status,category&limit=10"),
		get("Find one", "{{WABA-ID}}/message_templates?name=parcel_update&status=APPROVED"),
		post("Change one", "{{Template-ID}}", `{"components":[{"type":"BODY","text":"Hello {{1}}, your parcel {{2}} is on its way to you.","example":{"body_text":[["Ana","8841"]]}}]}`),
		post("End a pause", "{{Template-ID}}/unpause", ""),
		get("Compare two", "{{Template-ID}}/compare?template_ids=[{{Offer-ID}}]&start={{Week-Ago}}&end={{Now}}").fails(100).says("Both must have been sent a thousand times, so a fresh sandbox answers the error for that."),
		get("Texts of passcodes", "{{WABA-ID}}/message_template_previews?category=AUTHENTICATION&button_types=OTP&languages=en_US,ja"),
		get("The library", "message_template_library?search=order"),
		get("The library of an account", "{{WABA-ID}}/message_template_library?usecase=ORDER_DELAY"),
		get("Estimates of the marketing API", "{{WABA-ID}}/template_performance_metrics"),
		post("Make a group", "{{WABA-ID}}/template_groups", `{"name":"Parcels","description":"All about parcels","whatsapp_business_templates":["{{Template-ID}}"]}`).keep("Group-ID", "id"),
		get("List groups", "{{WABA-ID}}/template_groups"),
		post("Count templates from now on", "{{WABA-ID}}?is_enabled_for_insights=true", ""),
		get("What became of a group", "{{WABA-ID}}/template_group_analytics?start={{Week-Ago}}&end={{Now}}&granularity=DAILY&template_group_ids=[{{Group-ID}}]"),
		get("Read the group", "{{Group-ID}}"),
		post("Change the group", "{{Group-ID}}", `{"add_whatsapp_business_templates":["{{Offer-ID}}"]}`),
		remove("Delete the group", "{{Group-ID}}", ""),
		post("Archive a template", "{{WABA-ID}}/message_templates/archive", `{"hsm_ids":["{{Offer-ID}}"]}`),
		post("Bring it back", "{{WABA-ID}}/message_templates/unarchive", `{"hsm_ids":["{{Offer-ID}}"]}`),
		remove("Delete by name", "{{WABA-ID}}/message_templates?name=spring_offer", ""),
		remove("Delete by name and id", "{{WABA-ID}}/message_templates?name=parcel_update&hsm_id={{Template-ID}}", ""),
	)
}

func peopleFolder() Folder {
	users := `{"messaging_product":"whatsapp","block_users":[{"user":"{{Recipient-Phone-Number}}"}]}`
	return folder(
		"Blocking", "People who wrote within a day can be blocked.",
		control("The person writes (sandbox)", "users/{{Recipient-Digits}}/messages", `{"type":"text","text":{"body":"Are you there?"}}`),
		post("Block", "{{Phone-Number-ID}}/block_users", users),
		get("Who is blocked?", "{{Phone-Number-ID}}/block_users"),
		remove("Unblock", "{{Phone-Number-ID}}/block_users", users),
	)
}
