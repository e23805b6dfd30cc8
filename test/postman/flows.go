package postman

// Flows is the collection for flows.
func Flows() *Collection {
	return &Collection{
		File: "flows.postman_collection.json", Name: "Hikyaku: Flows", Says: "Forms of several screens: from a draft to the end, and how one is sent.",
		Folders: []Folder{
			folder(
				"Make a flow", "",
				post("Create it", "{{WABA-ID}}/flows", `{"name":"Choose a slot","categories":["APPOINTMENT_BOOKING"]}`).keep("Flow-ID", "id"),
				&Item{Name: "Upload its JSON", Method: "POST", URL: "{{Flow-ID}}/assets", Parts: []Part{{"name", "flow.json"}, {"asset_type", "FLOW_JSON"}, {"file", "@flow.json"}}},
				get("Read it", "{{Flow-ID}}?fields=id,name,status,categories,validation_errors,json_version,preview,health_status"),
				post("Change it", "{{Flow-ID}}", `{"name":"Choose your slot","categories":["APPOINTMENT_BOOKING","OTHER"]}`),
				get("Where is its JSON?", "{{Flow-ID}}/assets"),
				get("List flows", "{{WABA-ID}}/flows"),
				post("Make a second from it", "{{WABA-ID}}/flows", `{"name":"Choose another slot","categories":["OTHER"],"clone_flow_id":"{{Flow-ID}}"}`).keep("Draft-ID", "id"),
				remove("Delete the draft", "{{Draft-ID}}", ""),
			),
			folder(
				"Send it", "",
				post("Publish it", "{{Flow-ID}}/publish", ""),
				send("Send it", `"type":"interactive","interactive":{"type":"flow","header":{"type":"text","text":"Delivery"},"body":{"text":"When shall we come?"},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_token":"order-8841","flow_id":"{{Flow-ID}}","flow_cta":"Choose","flow_action":"navigate","flow_action_payload":{"screen":"SLOT"}}}}`),
				get("How did it go?", "{{Flow-ID}}?fields=status,health_status.phone_number({{Phone-Number-ID}})"),
				post("Deprecate it", "{{Flow-ID}}/deprecate", ""),
			),
			folder(
				"Copy flows", "To another account of the same portfolio.",
				post("Another account", "{{Business-ID}}/owned_whatsapp_business_accounts", `{"name":"Second desk","currency":"EUR","timezone_id":"24"}`).keep("New-WABA-ID", "id"),
				post("Copy", "{{New-WABA-ID}}/migrate_flows", `{"source_waba_id":"{{WABA-ID}}","source_flow_names":["Choose your slot"]}`),
			),
		},
	}
}
