package postman

import (
	"cmp"
	"strings"
)

// Item is one request.
type Item struct {
	Name, Says string
	Method     string
	URL        string // behind the version, or absolute when it begins with {{
	Body       string // JSON
	Parts      []Part // multipart/form-data
	Form       []Part // application/x-www-form-urlencoded
	File       string // the body is this file
	Headers    []Part
	Token      string // name of a variable; "none"; "" is the collection's User-Access-Token
	Proof      bool   // App-Proof is computed before: HMAC of the token under the app's secret
	Keeps      []Keep
	Status     int // 0: any 2xx
	Code       int // the documented error it answers
}

// Part is a part of a form, or a header; a file when Value begins with @.
type Part struct{ Name, Value string }

// Keep takes a variable from an answer: by a path into JSON ("data.0.id"), from a header's query parameter ("Location?code"),
// or by the first group of a regular expression ("~…") from the body.
type Keep struct{ Variable, From string }

// Folder groups items.
type Folder struct {
	Name, Says string
	Items      []*Item
}

// Collection is one file.
type Collection struct {
	File, Name, Says string
	Folders          []Folder
}

func folder(name, says string, items ...*Item) Folder { return Folder{name, says, items} }

func get(name, url string) *Item { return &Item{Name: name, Method: "GET", URL: url} }
func post(name, url, body string) *Item {
	return &Item{Name: name, Method: "POST", URL: url, Body: body}
}

func remove(name, url, body string) *Item {
	return &Item{Name: name, Method: "DELETE", URL: url, Body: body}
}

func (i *Item) keep(variable, from string) *Item {
	i.Keeps = append(i.Keeps, Keep{variable, from})
	return i
}

func (i *Item) as(token string) *Item {
	i.Token = token
	return i
}

func (i *Item) says(text string) *Item {
	i.Says = text
	return i
}

func (i *Item) fails(code int) *Item {
	i.Code = code
	return i
}

// control is a call to the sandbox's control API: what a person, a clock or an operator would do.
func control(name, path, body string) *Item {
	i := &Item{Name: name, Method: "POST", URL: "{{Control-URL}}/control/v1/" + path, Body: body, Token: "none"}
	if body == "" {
		i.Method = "GET"
	}
	return i
}

// Variable of the environment.
type Variable struct{ Key, Value, Says string }

// Environment are the variables that requests use. hikyaku env has the values of a running sandbox under the names in Says.
var Environment = []Variable{
	{"Base-URL", "http://127.0.0.1:8080", "BASE_URL"},
	{"Control-URL", "http://127.0.0.1:8081", "CONTROL_URL"},
	{"Callback-URL", "http://127.0.0.1:9000/", "where hikyaku echo listens"},
	{"Version", "v23.0", "GRAPH_VERSION"},
	{"User-Access-Token", "", "TOKEN"},
	{"App-ID", "", "APP_ID"},
	{"App-Secret", "", "APP_SECRET"},
	{"Verify-Token", "", "VERIFY_TOKEN"},
	{"Business-ID", "", "BUSINESS_ID"},
	{"WABA-ID", "", "WABA_ID"},
	{"Phone-Number-ID", "", "PHONE_NUMBER_ID"},
	{"Recipient-Phone-Number", "", "USER_PHONE"},
	{"Media-ID", "", "set by the requests, as all that follow"},
	{"Media-URL", "", ""},
	{"Upload-ID", "", ""},
}

// kinds says what the ids in URLs are.
var kinds = map[string]string{
	"Phone-Number-ID": "phone_number", "New-Phone-Number-ID": "phone_number", "WABA-ID": "waba", "New-WABA-ID": "waba",
	"Business-ID": "business", "App-ID": "app", "Media-ID": "media", "Template-ID": "template", "Group-ID": "template_group",
	"System-User-ID": "system_user", "Preverified-ID": "preverified_number", "Credit-ID": "credit_line", "Solution-ID": "solution", "Intent-ID": "migration_intent", "Partner-ID": "business", "Partner-App-ID": "app", "Allocation-ID": "credit_allocation", "Upload-ID": "upload", "Person-ID": "user", "Document-ID": "media", "Offer-ID": "template", "Flow-ID": "flow", "Draft-ID": "flow", "History-ID": "message_history",
}

// Route is the call that an item makes, as the platform counts it; "" when it is none of the Graph surface.
func (i *Item) Route() string {
	if strings.HasPrefix(i.URL, "{{Control-URL}}") || strings.HasPrefix(i.URL, "{{Base-URL}}") || i.URL == "{{Media-URL}}" {
		return ""
	}
	path, _, _ := strings.Cut(i.URL, "?")
	if path == "" {
		return i.Method + " /"
	}
	first, rest, deeper := strings.Cut(strings.TrimSuffix(path, "/"), "/")
	name := strings.Trim(first, "{}")
	kind, ok := kinds[name]
	switch {
	case name == "me":
		kind = cmp.Or(map[string]string{"Person-Token": "user"}[i.Token], "system_user")
	case name == "app":
		kind = "app"
	case !ok:
		return i.Method + " " + path
	}
	route := i.Method + " " + kind
	if deeper {
		edge, sub, more := strings.Cut(rest, "/")
		route += "/" + edge
		if more && sub != "" {
			route += "/{sub}"
		}
	}
	return route
}
