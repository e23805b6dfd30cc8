package manager

import (
	"encoding/json"
	"io/fs"
	"path"
	"strings"

	"github.com/hikyaku/hikyaku/internal/manager/html"
	"github.com/hikyaku/hikyaku/internal/manager/kit"
)

// Files that are made for the person, and where the others stand in Options.Files.
const (
	fileEnvironment = "hikyaku.postman_environment.json"
	fileVariables   = "hikyaku.env"
	postmanDir      = "postman/"
)

// downloads are the files that go as they are. Source: spec/manager.md D7.
var downloads = map[string]string{
	"cloud-api.postman_collection.json":           postmanDir + "cloud-api.postman_collection.json",
	"business-management.postman_collection.json": postmanDir + "business-management.postman_collection.json",
	"embedded-sign-up.postman_collection.json":    postmanDir + "embedded-sign-up.postman_collection.json",
	"flows.postman_collection.json":               postmanDir + "flows.postman_collection.json",
	"webhook-echo.go":                             "examples/webhook-echo/main.go",
	"webhook-echo.mjs":                            "examples/webhook-echo-node/server.mjs",
}

// fileLinks are C7's and D7's downloads.
func (v *visit) fileLinks() html.Node {
	link := func(name, text string) html.Node {
		return html.Li(html.A(html.Href(v.at(partDownload+name)), html.Text(text)))
	}
	return html.Ul(html.Class("links"),
		link("cloud-api.postman_collection.json", "Postman: Cloud API"), link("business-management.postman_collection.json", "Postman: Business Management"),
		link("flows.postman_collection.json", "Postman: Flows"), link("embedded-sign-up.postman_collection.json", "Postman: Embedded Signup"),
		link(fileEnvironment, v.t("apps.environment")), link(fileVariables, v.t("apps.variables")),
		link("webhook-echo.go", v.t("apps.sample", "language", "Go")), link("webhook-echo.mjs", v.t("apps.sample", "language", "Node.js")),
		html.Li(html.A(html.Href("/openapi.json"), html.Text("OpenAPI"))))
}

func (v *visit) filesCard() html.Node {
	return kit.Card(kit.Head{Title: v.t("apps.downloads")}, v.fileLinks())
}

// variables are what a client needs, by the names that `hikyaku env` has.
func (v *visit) variables() (map[string]string, error) {
	s, err := v.readSetup()
	if err != nil {
		return nil, err
	}
	out := map[string]string{
		"BASE_URL": v.base(), "TOKEN": s.token, "GRAPH_VERSION": v.version(), "APP_ID": string(v.app.ID), "BUSINESS_ID": string(v.portfolio.ID),
		"WABA_ID": string(v.waba.ID), "PHONE_NUMBER_ID": "", "VERIFY_TOKEN": "", "USER_PHONE": plus(s.to),
	}
	if s.from != nil {
		out["PHONE_NUMBER_ID"] = string(s.from.ID)
	}
	if token, err := v.m.o.Access.VerifyToken(v.app.ID); err == nil && v.administers() {
		out["VERIFY_TOKEN"] = token.Reveal()
	}
	return out, nil
}

func (v *visit) download() error {
	name := v.r.PathValue("file")
	var body []byte
	var err error
	switch at, ok := downloads[name]; {
	case name == fileEnvironment:
		body, err = v.environment()
	case name == fileVariables:
		body, err = v.variablesFile()
	case ok && v.m.o.Files != nil:
		body, err = fs.ReadFile(v.m.o.Files, at)
	default:
		return errMissing
	}
	if err != nil {
		return err
	}
	kind := "text/plain; charset=utf-8"
	if path.Ext(name) == ".json" {
		kind = "application/json"
	}
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = v.w.Write(body) // the browser may have gone
	return nil
}

// environment is that of the Postman collections with the person's own ids. App secret stays out: it is shown after the password.
func (v *visit) environment() ([]byte, error) {
	values, err := v.variables()
	if err != nil {
		return nil, err
	}
	if v.m.o.Files == nil {
		return nil, errMissing
	}
	raw, err := fs.ReadFile(v.m.o.Files, postmanDir+fileEnvironment)
	if err != nil {
		return nil, err
	}
	var env struct {
		Name   string           `json:"name"`
		Values []map[string]any `json:"values"`
		Scope  string           `json:"_postman_variable_scope"`
	}
	if err := json.Unmarshal(raw, &env); err != nil {
		return nil, err
	}
	env.Name = "Hikyaku · " + v.app.Name
	for _, x := range env.Values {
		key, _ := x["description"].(string)
		if value := values[key]; value != "" {
			x["value"] = value
		}
	}
	return json.MarshalIndent(env, "", "\t")
}

func (v *visit) variablesFile() ([]byte, error) {
	values, err := v.variables()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, key := range []string{"BASE_URL", "TOKEN", "GRAPH_VERSION", "APP_ID", "VERIFY_TOKEN", "BUSINESS_ID", "WABA_ID", "PHONE_NUMBER_ID", "USER_PHONE"} {
		b.WriteString(key + "='" + strings.ReplaceAll(values[key], "'", `'\''`) + "'\n")
	}
	return []byte(b.String()), nil
}
