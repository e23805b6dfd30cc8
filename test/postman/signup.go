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
				post("Share the account with it", "{{WABA-ID}}/agencies", `{"business":"{{Partner-ID}}","tasks":["MESSAGING","VIEW_TEMPLATES"]}`),
				get("Who are the partners?", "{{WABA-ID}}/agencies"),
				remove("End the share", "{{WABA-ID}}/agencies?business={{Partner-ID}}", ""),
				remove("End all shares with the partner", "{{Business-ID}}/agencies?business={{Partner-ID}}", ""),
				remove("Give a client's accounts back", "{{Business-ID}}/clients?business={{Partner-ID}}", ""),
				post("Add a pre-verified number", "{{Business-ID}}/add_phone_numbers", `{"phone_number":"+12025550189"}`).keep("Preverified-ID", "id"),
				post("Share it", "{{Business-ID}}/share_preverified_numbers", `{"preverified_id":"{{Preverified-ID}}","partner_business_id":"{{Partner-ID}}"}`),
				remove("End that", "{{Business-ID}}/share_preverified_numbers?preverified_id={{Preverified-ID}}&partner_business_id={{Partner-ID}}", ""),
				remove("Delete it", "{{Preverified-ID}}", ""),
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
