package postman

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The members of a collection in the format v2.1.0.
type (
	collection struct {
		Info  info       `json:"info"`
		Auth  *auth      `json:"auth"`
		Event []event    `json:"event"`
		Vars  []variable `json:"variable"`
		Item  []group    `json:"item"`
	}
	info struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Schema      string `json:"schema"`
	}
	group struct {
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
		Item        []item `json:"item"`
	}
	item struct {
		Name     string    `json:"name"`
		Event    []event   `json:"event"`
		Profile  *behave   `json:"protocolProfileBehavior,omitempty"`
		Request  request   `json:"request"`
		Response []example `json:"response"`
	}
	behave struct {
		FollowRedirects bool `json:"followRedirects"`
	}
	example struct{}
	request struct {
		Method      string   `json:"method"`
		Description string   `json:"description,omitempty"`
		Auth        *auth    `json:"auth,omitempty"`
		Header      []header `json:"header"`
		Body        *body    `json:"body,omitempty"`
		URL         string   `json:"url"`
	}
	header struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	body struct {
		Mode       string         `json:"mode"`
		Raw        string         `json:"raw,omitempty"`
		Formdata   []part         `json:"formdata,omitempty"`
		Urlencoded []part         `json:"urlencoded,omitempty"`
		File       *source        `json:"file,omitempty"`
		Options    map[string]any `json:"options,omitempty"`
	}
	part struct {
		Key   string `json:"key"`
		Value string `json:"value,omitempty"`
		Type  string `json:"type"`
		Src   string `json:"src,omitempty"`
	}
	source struct {
		Src string `json:"src"`
	}
	auth struct {
		Type   string     `json:"type"`
		Bearer []variable `json:"bearer,omitempty"`
	}
	variable struct {
		Key   string `json:"key"`
		Value string `json:"value"`
		Type  string `json:"type,omitempty"`
	}
	event struct {
		Listen string `json:"listen"`
		Script script `json:"script"`
	}
	script struct {
		Type string   `json:"type"`
		Exec []string `json:"exec"`
	}
)

const schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

// before runs in front of every request.
var before = []string{
	`const day = 86400, now = Math.floor(Date.now() / 1000);`,
	`const set = (name, value) => pm.collectionVariables.set(name, value);`,
	`set("Now", String(now));`,
	`set("Week-Ago", String(now - 7 * day));`,
	`set("Recipient-Digits", (pm.variables.get("Recipient-Phone-Number") || "").replace(/\D/g, ""));`,
	`set("App-Token", pm.variables.get("App-ID") + "|" + pm.variables.get("App-Secret"));`,
}

// JSON is the collection as a file; photo is the size of files/photo.png.
func (c *Collection) JSON(photo int) ([]byte, error) {
	out := collection{
		Info: info{c.Name, c.Says, schema}, Auth: bearer("User-Access-Token"), Event: []event{{"prerequest", script{"text/javascript", before}}},
		Vars: []variable{
			{Key: "Photo-Length", Value: fmt.Sprint(photo)},
			{Key: "Redirect-URI", Value: "https://app.example.com/back"},
			{Key: "Scope", Value: "whatsapp_business_management,whatsapp_business_messaging,business_management"},
		},
	}
	for _, f := range c.Folders {
		g := group{f.Name, f.Says, nil}
		for _, i := range f.Items {
			g.Item = append(g.Item, i.file())
		}
		out.Item = append(out.Item, g)
	}
	return encode(out)
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	err := e.Encode(v)
	return b.Bytes(), err
}

func bearer(name string) *auth {
	return &auth{Type: "bearer", Bearer: []variable{{Key: "token", Value: "{{" + name + "}}", Type: "string"}}}
}

func (i *Item) file() item {
	r := request{Method: i.Method, Description: i.Says, Header: []header{}, URL: i.Address()}
	switch i.Token {
	case "":
	case "none":
		r.Auth = &auth{Type: "noauth"}
	default:
		r.Auth = bearer(i.Token)
	}
	for _, h := range i.Headers {
		r.Header = append(r.Header, header{h.Name, h.Value})
	}
	switch {
	case i.Parts != nil:
		r.Body = &body{Mode: "formdata"}
		for _, p := range i.Parts {
			if name, ok := strings.CutPrefix(p.Value, "@"); ok {
				r.Body.Formdata = append(r.Body.Formdata, part{Key: p.Name, Type: "file", Src: "files/" + name})
				continue
			}
			r.Body.Formdata = append(r.Body.Formdata, part{Key: p.Name, Value: p.Value, Type: "text"})
		}
	case i.Form != nil:
		r.Body = &body{Mode: "urlencoded"}
		for _, p := range i.Form {
			r.Body.Urlencoded = append(r.Body.Urlencoded, part{Key: p.Name, Value: p.Value, Type: "text"})
		}
	case i.File != "":
		r.Body = &body{Mode: "file", File: &source{"files/" + i.File}}
	case i.Body != "":
		r.Header = append(r.Header, header{"Content-Type", "application/json"})
		r.Body = &body{Mode: "raw", Raw: pretty(i.Body), Options: map[string]any{"raw": map[string]string{"language": "json"}}}
	}
	out := item{Name: i.Name, Request: r, Response: []example{}, Event: []event{{"test", script{"text/javascript", i.tests()}}}}
	if i.Proof {
		out.Event = append([]event{{"prerequest", script{"text/javascript", []string{
			`const token = pm.variables.get("User-Access-Token"), secret = pm.variables.get("App-Secret");`,
			`pm.collectionVariables.set("App-Proof", CryptoJS.HmacSHA256(token, secret).toString());`,
		}}}}, out.Event...)
	}
	if i.Status == 303 {
		out.Profile = &behave{}
	}
	return out
}

func pretty(s string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		panic(err) // a body of this package that is no JSON
	}
	return b.String()
}

// Address is the whole URL.
func (i *Item) Address() string {
	if strings.HasPrefix(i.URL, "{{Control-URL}}") || strings.HasPrefix(i.URL, "{{Base-URL}}") || i.URL == "{{Media-URL}}" {
		return i.URL
	}
	return "{{Base-URL}}/{{Version}}/" + i.URL
}

// tests is the script behind a request: the status, and what later requests need.
func (i *Item) tests() []string {
	var out []string
	switch {
	case i.Code != 0:
		out = append(out,
			`pm.test("the documented error", () => {`,
			`	pm.expect(pm.response.code).to.be.within(400, 499);`,
			fmt.Sprintf(`	pm.expect(pm.response.json().error.code).to.eql(%d);`, i.Code),
			`});`)
	case i.Status != 0:
		out = append(out, fmt.Sprintf(`pm.test("status %d", () => pm.response.to.have.status(%d));`, i.Status, i.Status))
	default:
		out = append(out, `pm.test("status 2xx", () => pm.expect(pm.response.code).to.be.within(200, 299));`)
	}
	for _, k := range i.Keeps {
		value := ""
		header, query, located := strings.Cut(k.From, "?")
		switch {
		case strings.HasPrefix(k.From, "~"):
			value = `pm.response.text().match(/` + strings.TrimPrefix(k.From, "~") + `/)[1].replace(/&#43;/g, "+")`
		case located:
			value = fmt.Sprintf(`decodeURIComponent(pm.response.headers.get(%q).match(/[?&]%s=([^&]*)/)[1])`, header, query)
		default:
			value = `pm.response.json()`
			for step := range strings.SplitSeq(k.From, ".") {
				if strings.Trim(step, "0123456789") == "" {
					value += "[" + step + "]"
				} else {
					value += "." + step
				}
			}
		}
		out = append(out, fmt.Sprintf(`pm.environment.set(%q, %s);`, k.Variable, value))
	}
	return out
}

// EnvironmentJSON is the environment as a file.
func EnvironmentJSON() ([]byte, error) {
	type value struct {
		Key         string `json:"key"`
		Value       string `json:"value"`
		Type        string `json:"type"`
		Description string `json:"description,omitempty"`
		Enabled     bool   `json:"enabled"`
	}
	out := struct {
		Name   string  `json:"name"`
		Values []value `json:"values"`
		Scope  string  `json:"_postman_variable_scope"`
	}{Name: "Hikyaku sandbox", Scope: "environment"}
	for _, v := range Environment {
		kind := "default"
		if strings.HasSuffix(v.Key, "Token") || v.Key == "App-Secret" {
			kind = "secret"
		}
		out.Values = append(out.Values, value{v.Key, v.Value, kind, v.Says, true})
	}
	return encode(out)
}

// All are the collections.
func All() []*Collection { return []*Collection{CloudAPI(), Business(), Flows(), SignUp()} }

// EnvironmentFile is the name of the environment's file.
const EnvironmentFile = "hikyaku.postman_environment.json"

// Files are all Postman files by name; uploads is the folder of what requests upload.
func Files(uploads string) (map[string][]byte, error) {
	photo, err := os.Stat(filepath.Join(uploads, "photo.png"))
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, c := range All() {
		if out[c.File], err = c.JSON(int(photo.Size())); err != nil {
			return nil, err
		}
	}
	out[EnvironmentFile], err = EnvironmentJSON()
	return out, err
}
