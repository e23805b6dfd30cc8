package postman_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/test/postman"
)

const files = "../../postman/files"

// Every collection runs from its first request to its last on a platform of its own, as newman does, and every answer is
// what /openapi.json promises.
func TestCollectionsRun(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a platform for each collection")
	}
	book := open(t)
	for _, c := range postman.All() {
		t.Run(c.File, func(t *testing.T) {
			t.Parallel()
			r := start(t, book)
			for _, f := range c.Folders {
				for _, i := range f.Items {
					r.play(f.Name+": "+i.Name, i)
				}
			}
		})
	}
}

// book is the OpenAPI document, by route.
type book map[string]*openapi3.Operation

func open(t *testing.T) book {
	t.Helper()
	b, err := api.Document()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.Describe()
	if err != nil {
		t.Fatal(err)
	}
	out := book{}
	for _, call := range c.Calls {
		out[call.Route] = doc.Paths.Value(c.Path(call)).GetOperation(call.Method)
	}
	return out
}

// runner plays requests.
type runner struct {
	t      *testing.T
	book   book
	client *http.Client
	vars   map[string]string
}

func start(t *testing.T, b book) *runner {
	t.Helper()
	a := app.New(app.Options{
		Data: t.TempDir(), Listen: "127.0.0.1:0", Control: "127.0.0.1:0", Sandbox: true, NoPreviews: true,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge"))
	}))
	t.Cleanup(receiver.Close)
	photo, err := os.Stat(files + "/photo.png")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	r := &runner{t: t, book: b, vars: map[string]string{
		"Callback-URL": receiver.URL, "Photo-Length": fmt.Sprint(photo.Size()), "Redirect-URI": "https://app.example.com/back",
		"Scope": "whatsapp_business_management,whatsapp_business_messaging,business_management",
		"Now":   fmt.Sprint(now.Unix()), "Week-Ago": fmt.Sprint(now.AddDate(0, 0, -7).Unix()), "App-Token": "{{App-ID}}|{{App-Secret}}",
	}}
	r.client = &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	env := map[string]string{}
	for _, v := range a.Plan().Variables() {
		env[v.Key] = v.Value
	}
	for _, v := range postman.Environment {
		if value, ok := env[v.Says]; ok {
			r.vars[v.Key] = value
		}
	}
	r.vars["Recipient-Digits"] = strings.TrimPrefix(r.vars["Recipient-Phone-Number"], "+")
	return r
}

var variable = regexp.MustCompile(`\{\{([A-Za-z][A-Za-z-]*)\}\}`)

// fill replaces variables.
func (r *runner) fill(s string) string {
	for range 3 {
		s = variable.ReplaceAllStringFunc(s, func(v string) string {
			value, ok := r.vars[strings.Trim(v, "{}")]
			if !ok {
				r.t.Errorf("nothing has set %s", v)
			}
			return value
		})
	}
	return s
}

func (r *runner) play(name string, i *postman.Item) {
	r.t.Helper()
	if i.Proof {
		m := hmac.New(sha256.New, []byte(r.vars["App-Secret"]))
		m.Write([]byte(r.vars["User-Access-Token"]))
		r.vars["App-Proof"] = hex.EncodeToString(m.Sum(nil))
	}
	req := r.request(i)
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Errorf("%s: %v", name, err)
		return
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Errorf("%s: %v", name, err)
	}
	ok := res.StatusCode/100 == 2
	if i.Status != 0 {
		ok = res.StatusCode == i.Status
	}
	if i.Code != 0 {
		ok = res.StatusCode/100 == 4 && strings.Contains(string(b), fmt.Sprintf(`"code":%d`, i.Code))
	}
	if !ok {
		r.t.Errorf("%s: %s %s answers %d\n%s", name, req.Method, req.URL.Path, res.StatusCode, b)
		return
	}
	r.check(name, i, b)
	for _, k := range i.Keeps {
		value := find(k.From, res.Header, b)
		if value == "" {
			r.t.Errorf("%s: no %s in %s", name, k.From, b)
		}
		r.vars[k.Variable] = value
	}
}

func (r *runner) request(i *postman.Item) *http.Request {
	r.t.Helper()
	target := r.fill(i.Address())
	var body io.Reader = http.NoBody
	kind := ""
	switch {
	case i.Parts != nil:
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, p := range i.Parts {
			r.part(w, p)
		}
		if err := w.Close(); err != nil {
			r.t.Fatal(err)
		}
		body, kind = &b, w.FormDataContentType()
	case i.Form != nil:
		form := url.Values{}
		for _, p := range i.Form {
			form.Set(p.Name, r.fill(p.Value))
		}
		body, kind = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	case i.File != "":
		b, err := os.ReadFile(files + "/" + i.File)
		if err != nil {
			r.t.Fatal(err)
		}
		body, kind = bytes.NewReader(b), "application/octet-stream"
	case i.Body != "":
		body, kind = strings.NewReader(r.fill(i.Body)), "application/json"
	}
	req, err := http.NewRequestWithContext(r.t.Context(), i.Method, target, body)
	if err != nil {
		r.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	switch i.Token {
	case "none":
	case "":
		req.Header.Set("Authorization", "Bearer "+r.vars["User-Access-Token"])
	default:
		req.Header.Set("Authorization", "Bearer "+r.fill("{{"+i.Token+"}}"))
	}
	for _, h := range i.Headers {
		req.Header.Set(h.Name, r.fill(h.Value))
	}
	return req
}

func (r *runner) part(w *multipart.Writer, p postman.Part) {
	r.t.Helper()
	name, isFile := strings.CutPrefix(p.Value, "@")
	if !isFile {
		if err := w.WriteField(p.Name, r.fill(p.Value)); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	content, err := os.ReadFile(files + "/" + name)
	if err != nil {
		r.t.Fatal(err)
	}
	h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, p.Name, name)}}
	h.Set("Content-Type", map[bool]string{true: "image/png", false: "text/plain"}[strings.HasSuffix(name, ".png")])
	out, err := w.CreatePart(h)
	if err == nil {
		_, err = out.Write(content)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// check holds a request and its answer to the document.
func (r *runner) check(name string, i *postman.Item, answer []byte) {
	r.t.Helper()
	route := i.Route()
	if route == "" {
		return // no call of the Graph surface
	}
	op := r.book[route]
	if op == nil && i.Code != 0 {
		return // what is not served answers an error
	}
	if op == nil {
		r.t.Errorf("%s: the document knows no %s", name, route)
		return
	}
	status := "200"
	if i.Code != 0 {
		status = "default"
	}
	if err := valid(op.Responses.Value(status).Value.Content.Get("application/json").Schema, answer); err != nil {
		r.t.Errorf("%s: the answer is not what the document says: %v\n%s", name, err, answer)
	}
	if i.Body == "" || op.RequestBody == nil {
		return
	}
	if err := valid(op.RequestBody.Value.Content.Get("application/json").Schema, []byte(r.fill(i.Body))); err != nil {
		r.t.Errorf("%s: the request is not what the document says: %v", name, err)
	}
}

func valid(s *openapi3.SchemaRef, b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return s.Value.VisitJSON(v, openapi3.EnableJSONSchema2020())
}

// find evaluates where a variable is kept from.
func find(from string, h http.Header, b []byte) string {
	if pattern, ok := strings.CutPrefix(from, "~"); ok {
		if m := regexp.MustCompile(pattern).FindSubmatch(b); m != nil {
			return strings.ReplaceAll(string(m[1]), "&#43;", "+")
		}
		return ""
	}
	if header, query, ok := strings.Cut(from, "?"); ok {
		u, err := url.Parse(h.Get(header))
		if err != nil {
			return ""
		}
		return u.Query().Get(query)
	}
	var v any
	if json.Unmarshal(b, &v) != nil {
		return ""
	}
	for step := range strings.SplitSeq(from, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n >= len(x) {
				return ""
			}
			v = x[n]
		}
	}
	s, _ := v.(string)
	return s
}
