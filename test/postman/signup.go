package postman

// SignUp is the collection for apps that act for other businesses.
func SignUp() *Collection {
	return &Collection{
		File: "embedded-sign-up.postman_collection.json", Name: "Hikyaku: Embedded sign-up",
		Says: "How a person lets an app act for them, and what partners do. It ends with deleting the portfolio: use a fresh sandbox.",
		Folders: []Folder{
			folder("A person logs in", "The dialog is a page; these requests fill it in as a browser would.",
				control("Make a person (sandbox)", "people", `{"name":"Ana Ito","email":"ana@example.com","password":"correct horse battery","role":"ADMIN","business_id":"{{Business-ID}}"}`).keep("Person-ID", "id"),
				control("Where the app may be returned to (sandbox)", "apps/{{App-ID}}", `{"redirect_uris":["{{Redirect-URI}}"]}`),
				(&Item{Name: "Open the dialog", Method: "GET", Token: "none", URL: "{{Base-URL}}/{{Version}}/dialog/oauth?client_id={{App-ID}}&redirect_uri={{Redirect-URI}}&state=postman&scope={{Scope}}"}),
				dialogOf("", "Log in", Part{"email", "ana@example.com"}, Part{"password", "correct horse battery"}, Part{"answer", "login"}).keep("Ticket", `~name="ticket" value="([^"]+)"`),
				allow(dialogOf("", "Allow", Part{"ticket", "{{Ticket}}"}, Part{"answer", "allow"})),
				get("Exchange the code", "oauth/access_token?client_id={{App-ID}}&client_secret={{App-Secret}}&redirect_uri={{Redirect-URI}}&code={{Code}}").as("none").keep("Person-Token", "access_token"),
				get("Make the token long-lived", "oauth/access_token?client_id={{App-ID}}&client_secret={{App-Secret}}&grant_type=fb_exchange_token&fb_exchange_token={{Person-Token}}").as("none").keep("Person-Token", "access_token"),
				get("Who am I?", "me?fields=id,name").as("Person-Token"),
				get("What may I?", "me/permissions").as("Person-Token"),
				get("Which portfolios?", "me/businesses").as("Person-Token"),
				get("Which accounts?", "me/assigned_whatsapp_business_accounts").as("Person-Token"),
			),
			folder("A client signs up", "With a configuration the dialog asks for an account and shares it.",
				dialogOf("signup", "Log in", Part{"email", "ana@example.com"}, Part{"password", "correct horse battery"}, Part{"answer", "login"}).keep("Ticket", `~name="ticket" value="([^"]+)"`),
				allow(dialogOf("signup", "Share the account", Part{"ticket", "{{Ticket}}"}, Part{"waba", "{{WABA-ID}}"}, Part{"answer", "allow"})),
				get("Exchange the code", "oauth/access_token?client_id={{App-ID}}&client_secret={{App-Secret}}&redirect_uri={{Redirect-URI}}&code={{Code}}").as("none").keep("Client-Token", "access_token"),
				get("Look at the token", "debug_token?input_token={{Client-Token}}").as("App-Token"),
				post("Get the account's webhooks", "{{WABA-ID}}/subscribed_apps", "").as("Client-Token"),
				get("The client's numbers", "{{WABA-ID}}/phone_numbers").as("Client-Token"),
			),
			folder("Partners", "",
				post("Create a portfolio", "me/businesses", `{"name":"Delivery Partner","vertical":"TRAVEL"}`).as("Person-Token").keep("Partner-ID", "id"),
				control("Make its app (sandbox)", "apps", `{"name":"Delivery","business_id":"{{Partner-ID}}"}`).keep("Partner-App-ID", "id").keep("Partner-Token", "access_token"),
				control("Let it act for others (sandbox)", "apps/{{Partner-App-ID}}", `{"advanced_access":["whatsapp_business_management","whatsapp_business_messaging","business_management"]}`),
				post("Share the account with it", "{{WABA-ID}}/agencies", `{"business":"{{Partner-ID}}","tasks":["MESSAGING","VIEW_TEMPLATES"]}`),
				get("Who are the partners?", "{{WABA-ID}}/agencies"),
				post("Certify the client", "{{Partner-ID}}/self_certify_whatsapp_business", `{"end_business_id":"{{Business-ID}}","business_vertical":"RETAIL"}`).as("Partner-Token").keep("Submission-ID", "id"),
				get("What became of it?", "{{Partner-ID}}/self_certified_whatsapp_business_submissions").as("Partner-Token"),
				control("Decide over it (sandbox)", "certifications/{{Submission-ID}}", `{"decision":"APPROVED"}`),
				remove("End the share", "{{WABA-ID}}/agencies?business={{Partner-ID}}", ""),
				remove("End all shares with the partner", "{{Business-ID}}/agencies?business={{Partner-ID}}", ""),
				remove("Give a client's accounts back", "{{Business-ID}}/clients?business={{Partner-ID}}", ""),
				post("Add a pre-verified number", "{{Business-ID}}/add_phone_numbers", `{"phone_number":"+12025550189"}`).keep("Preverified-ID", "id"),
				post("Share it", "{{Business-ID}}/share_preverified_numbers", `{"preverified_id":"{{Preverified-ID}}","partner_business_id":"{{Partner-ID}}"}`),
				remove("End that", "{{Business-ID}}/share_preverified_numbers?preverified_id={{Preverified-ID}}&partner_business_id={{Partner-ID}}", ""),
				remove("Delete it", "{{Preverified-ID}}", ""),
			),
			folder("Multi-partner solutions", "Two businesses serve clients together. A client signs up with the solution by the dialog's extras.",
				post("Offer one", "{{App-ID}}/whatsapp_business_solution", `{"solution_name":"Parcels and chat","owner_permissions":["MESSAGING"],"partner_app_id":"{{Partner-App-ID}}","partner_permissions":[]}`).keep("Solution-ID", "solution_id"),
				post("Accept it", "{{Solution-ID}}/accept", "").as("Partner-Token"),
				get("Read it", "{{Solution-ID}}?fields=name,status,status_for_pending_request,owner_app,owner_permissions,partners"),
				get("Which are mine?", "{{App-ID}}/whatsapp_business_solutions?role=OWNER"),
				get("Whose apps do I serve?", "{{App-ID}}/connected_client_businesses"),
				post("Move an account there", "{{WABA-ID}}/set_solution_migration_intent", `{"app_id":"{{App-ID}}","solution_id":"{{Solution-ID}}"}`).keep("Intent-ID", "id"),
				get("Has it moved?", "{{Intent-ID}}"),
				get("A client's token", "{{Solution-ID}}/access_token?business_id={{Partner-ID}}").fails(100).says("Nobody signed up with the solution yet: the documented error."),
				post("Ask to end it", "{{Solution-ID}}/send_deactivation_request", "").as("Partner-Token"),
				post("Keep it", "{{Solution-ID}}/reject_deactivation_request", ""),
				post("Ask again", "{{Solution-ID}}/send_deactivation_request", "").as("Partner-Token"),
				post("End it", "{{Solution-ID}}/accept_deactivation_request", ""),
				post("Offer another", "{{App-ID}}/whatsapp_business_solution", `{"solution_name":"Once more","owner_permissions":["MESSAGING"],"partner_app_id":"{{Partner-App-ID}}","partner_permissions":[]}`).keep("Solution-ID", "solution_id"),
				post("Reject it", "{{Solution-ID}}/reject", "").as("Partner-Token"),
				post("Bring clients of partners to the marketing API", "{{Business-ID}}/onboard_partners_to_mm_lite", ""),
				get("Requests to own the account", "{{WABA-ID}}/in_progress_onbehalf_request"),
				get("Moves of accounts of others", "{{WABA-ID}}/obo_mobility_intent"),
				post("Move an account of others", "{{WABA-ID}}/set_obo_mobility_intent", "").fails(100).says("Every account belongs to its business: the documented error."),
			),
			folder("Leave", "What the person gave is taken back, then the test resources go.",
				remove("Take a permission back", "me/permissions/ads_read", "").as("Person-Token"),
				remove("Take everything back", "me/permissions", "").as("Person-Token"),
				remove("Delete the portfolio", "{{Business-ID}}", ""),
			),
		},
	}
}

// dialogOf fills in a form of the log-in dialog; with a configuration it is a sign-up.
func dialogOf(config, name string, more ...Part) *Item {
	form := []Part{{"client_id", "{{App-ID}}"}, {"redirect_uri", "{{Redirect-URI}}"}, {"state", "postman"}, {"scope", "{{Scope}}"}}
	if config != "" {
		form = append(form, Part{"config_id", config})
	}
	return &Item{Name: name, Method: "POST", URL: "{{Base-URL}}/{{Version}}/dialog/oauth", Form: append(form, more...), Token: "none"}
}

// allow expects to be sent back to the app, which these requests do not follow.
func allow(i *Item) *Item {
	i.Status = 303
	return i.keep("Code", "Location?code")
}
