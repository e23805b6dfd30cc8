package postman

func profileFolder() Folder {
	return folder(
		"Profile and shop", "What people see of a number.",
		post("Change the profile", "{{Phone-Number-ID}}/whatsapp_business_profile", `{"messaging_product":"whatsapp","about":"Parcels, day and night","address":"1 Rue d’essai","description":"We bring what you ordered.","email":"help@example.com","vertical":"RETAIL","websites":["https://example.com/"],"profile_picture_handle":"{{Upload-Handle}}"}`),
		get("Read the profile", "{{Phone-Number-ID}}/whatsapp_business_profile?fields=about,address,description,email,profile_picture_url,websites,vertical"),
		post("Greet people", "{{Phone-Number-ID}}/conversational_automation", `{"enable_welcome_message":true,"prompts":["Where is my parcel?","Change my slot"],"commands":[{"command_name":"track","command_description":"Where is my parcel?"}]}`),
		get("How are people greeted?", "{{Phone-Number-ID}}/conversational_automation"),
		post("Make a short link", "{{Phone-Number-ID}}/message_qrdls", `{"prefilled_message":"Where is my parcel?","generate_qr_image":"PNG"}`).keep("QR-Code", "code"),
		get("List short links", "{{Phone-Number-ID}}/message_qrdls?fields=code,prefilled_message,deep_link_url,qr_image_url.format(SVG)"),
		get("Read the short link", "{{Phone-Number-ID}}/message_qrdls/{{QR-Code}}"),
		post("Change its message", "{{Phone-Number-ID}}/message_qrdls", `{"code":"{{QR-Code}}","prefilled_message":"I am at home now."}`),
		remove("Delete the short link", "{{Phone-Number-ID}}/message_qrdls/{{QR-Code}}", ""),
		post("Show cart and catalog", "{{Phone-Number-ID}}/whatsapp_commerce_settings?is_cart_enabled=true&is_catalog_visible=true", ""),
		get("Are they shown?", "{{Phone-Number-ID}}/whatsapp_commerce_settings"),
		post("Say who is responsible", "{{Phone-Number-ID}}/business_compliance_info", `{"messaging_product":"whatsapp","entity_name":"Parcel Shop","entity_type":"PARTNERSHIP","is_registered":true,"grievance_officer_details":{"name":"Chandra Roy","email":"roy@example.com","mobile_number":"+919876543210"},"customer_care_details":{"email":"help@example.com","mobile_number":"+919876543210"}}`),
		get("Who is responsible?", "{{Phone-Number-ID}}/business_compliance_info"),
	)
}

func numberFolder() Folder {
	return folder(
		"Number settings", "",
		post("Refuse changed identities", "{{Phone-Number-ID}}/settings", `{"user_identity_change":{"enable_identity_key_check":true}}`),
		get("What is switched on?", "{{Phone-Number-ID}}/settings"),
		post("Accept them again", "{{Phone-Number-ID}}/settings", `{"user_identity_change":{"enable_identity_key_check":false}}`),
		post("Set the key for flows", "{{Phone-Number-ID}}/whatsapp_business_encryption", `{"business_public_key":"`+publicKey+`"}`),
		get("Read the key", "{{Phone-Number-ID}}/whatsapp_business_encryption"),
		post("Set the PIN", "{{Phone-Number-ID}}", `{"pin":"580173"}`),
		post("Send an encrypted message", "{{Phone-Number-ID}}/messages_encrypted", `{"messaging_product":"whatsapp","encrypted_contents":"eyJhbGciOiJSU0EtT0FFUCJ9.aaaa.bbbb.cccc.dddd"}`).fails(200).says("No number is set up for this: the documented error."),
		post("Call somebody", "{{Phone-Number-ID}}/calls", `{"messaging_product":"whatsapp","to":"{{Recipient-Digits}}","action":"connect"}`).fails(138000).says("There are no calls: the documented error."),
		get("May I call?", "{{Phone-Number-ID}}/call_permissions?user_wa_id={{Recipient-Digits}}").fails(138000).says("The same."),
		get("List groups", "{{Phone-Number-ID}}/groups").fails(131215).says("There are no groups: the documented error."),
		post("Make a group", "{{Phone-Number-ID}}/groups", `{"messaging_product":"whatsapp","subject":"Parcels"}`).fails(131215).says("The same."),
		control("Somebody opens the chat (sandbox)", "users/{{Recipient-Digits}}/messages", `{"type":"text","text":{"body":"Hello again"}}`),
		get("Whom may a test number write to?", "{{Phone-Number-ID}}/allowed_recipients"),
		post("Send a person a code", "{{Phone-Number-ID}}/allowed_recipients", `{"phone_number":"+12025550147"}`),
		control("Which code? (sandbox)", "codes?phone=12025550147", "").keep("Recipient-Code", "data.0.code"),
		post("Confirm the person", "{{Phone-Number-ID}}/allowed_recipients", `{"phone_number":"+12025550147","code":"{{Recipient-Code}}"}`),
	)
}

func newNumberFolder() Folder {
	return folder(
		"A new number", "From nothing to registered.",
		post("Add it", "{{WABA-ID}}/phone_numbers", `{"cc":"81","phone_number":"5055550142","verified_name":"Aozora Store"}`).keep("New-Phone-Number-ID", "id"),
		post("Send its code", "{{New-Phone-Number-ID}}/request_code", `{"code_method":"SMS","language":"en_US"}`),
		control("Which code? (sandbox)", "codes?phone=815055550142", "").keep("Number-Code", "data.0.code"),
		post("Verify it", "{{New-Phone-Number-ID}}/verify_code", `{"code":"{{Number-Code}}"}`),
		post("Register it", "{{New-Phone-Number-ID}}/register", `{"messaging_product":"whatsapp","pin":"580173"}`),
		get("Suggest usernames", "{{New-Phone-Number-ID}}/username_suggestions"),
		post("Take a username", "{{New-Phone-Number-ID}}/username", `{"username":"aozora.parcels"}`),
		get("Read the username", "{{New-Phone-Number-ID}}/username"),
		remove("Give it back", "{{New-Phone-Number-ID}}/username", ""),
		control("Verify the business (sandbox)", "portfolios/{{Business-ID}}", `{"verification":"verified"}`),
		get("Has it the badge?", "{{New-Phone-Number-ID}}/official_business_account"),
		post("Ask for the badge", "{{New-Phone-Number-ID}}/official_business_account", `{"business_website_url":"https://example.com/","primary_country_of_operation":"JP","primary_language":"ja","supporting_links":["https://news.example.com/aozora-1","https://news.example.com/aozora-2","https://news.example.com/aozora-3"]}`),
		post("Deregister it", "{{New-Phone-Number-ID}}/deregister", ""),
	)
}

func leaveFolder() Folder {
	return folder(
		"Several calls at once", "",
		get("Several objects", "?ids={{Phone-Number-ID}},{{WABA-ID}}&fields=id"),
		post("A batch", "", `{"batch":[{"method":"GET","relative_url":"{{Phone-Number-ID}}?fields=display_phone_number"},{"method":"GET","relative_url":"{{WABA-ID}}?fields=name"}]}`),
		remove("No more webhooks of the account", "{{WABA-ID}}/subscribed_apps", ""),
	)
}

// publicKey is the public half of an RSA key whose other half nobody has.
const publicKey = `-----BEGIN PUBLIC KEY-----\n` +
	`MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA49GngZLfn6u4yKkZL8Iz\n` +
	`6DFht9qkzBj9sQGdFea1QRnLh9pdjFEZmP/cuHfTDufYc/hsHu9RjIcmi5brwKMN\n` +
	`0lRYXOdI7aMHLxF/cKIn61JqIGgssIiHg3Euz+guPwoobf0w2NhYfCZay6yz003/\n` +
	`PbolR//nwtjY6DUkFQsnyuqm4WhEMpj1duUHJPS1alXyAioUdHuMscYfSUfk+tVW\n` +
	`VrmfjsvlzYvWhhDOrAiMFDi0PQbxeAdAX5IQwb4agdbc2agv9vWVQuvs3I3HwLkm\n` +
	`viwEaP/WmnpNxD/nrs8kOXKe/W2eMisKDLH09bM2v4picub/V4MhJ2MRzlCMfQY2\n` +
	`jwIDAQAB\n` +
	`-----END PUBLIC KEY-----\n`
