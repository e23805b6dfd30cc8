package graph_test

import (
	"encoding/json"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/graph"
)

func TestBatch(t *testing.T) {
	t.Parallel()
	const noHeaders = `"include_headers":false,`
	for _, tc := range []struct {
		name, batch string
		want        string
	}{
		{
			"two reads, one refused, still 200", `[{"method":"GET","relative_url":"v23.0/101?fields=id"},{"method":"get","relative_url":"/200"}]`,
			`[{"code":200,"body":"{\"id\":\"101\"}"},{"code":400,"body":` + quote(bad33("get", "200")) + `}]`,
		},
		{"form body", `[{"method":"POST","relative_url":"100/phone_numbers","body":"cc=81"}]`, `[{"code":200,"body":"{\"id\":\"399\",\"cc\":\"81\"}"}]`},
		{"JSON body", `[{"method":"POST","relative_url":"100/phone_numbers","body":"{\"cc\":1}","headers":["Content-Type: application/json"]}]`, `[{"code":200,"body":"{\"id\":\"399\",\"cc\":\"1\"}"}]`},
		{"outer version", `[{"method":"GET","relative_url":"100?fields=tier"}]`, `[{"code":200,"body":"{\"tier\":\"TIER_1K\",\"id\":\"100\"}"}]`},
		{"own version", `[{"method":"GET","relative_url":"v23.0/100?fields=tier"}]`, `[{"code":400,"body":` + quote(bad100("Tried accessing nonexisting field (tier) on node type (WhatsAppBusinessAccount)")) + `}]`},
		{
			"reference, named success left out", `[{"method":"GET","name":"t","relative_url":"100/phone_numbers?fields=id"},{"method":"GET","relative_url":"?ids={result=t:$.data.*.id}&fields=id"}]`,
			`[null,{"code":200,"body":"{\"301\":{\"id\":\"301\"},\"302\":{\"id\":\"302\"}}"}]`,
		},
		{
			"named success kept", `[{"method":"GET","name":"t","omit_response_on_success":false,"relative_url":"101?fields=id"},{"method":"GET","depends_on":"t","relative_url":"{result=t:$['id']}?fields=id"}]`,
			`[{"code":200,"body":"{\"id\":\"101\"}"},{"code":200,"body":"{\"id\":\"101\"}"}]`,
		},
		{"own token is a token in the body", `[{"method":"GET","relative_url":"101?fields=id","access_token":"good"}]`, `[{"code":400,"body":` + quote(bad("104", "An access token is required to request this resource.")) + `}]`},
		{"no batch in a batch", `[{"method":"POST","relative_url":"/","body":"batch=[]"}]`, `[{"code":400,"body":` + quote(`{"error":{"message":"A batch must not contain a batch","type":"GraphBatchException","code":100,"fbtrace_id":"`+trace+`"}}`) + `}]`},
	} {
		w := newRig(t, nil).do("POST /v24.0/", `{`+noHeaders+`"batch":`+tc.batch+`}`)
		if w.Code != 200 || w.Body.String() != tc.want {
			t.Errorf("%s\n got %d %s\nwant %s", tc.name, w.Code, w.Body, tc.want)
		}
		form := url.Values{"batch": {tc.batch}, "include_headers": {"false"}}.Encode()
		if w := newRig(t, nil).do("POST /v24.0", form, "Content-Type: application/x-www-form-urlencoded"); w.Body.String() != tc.want {
			t.Errorf("%s, as form: got %d %s", tc.name, w.Code, w.Body)
		}
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestBatchFailures(t *testing.T) {
	t.Parallel()
	one := `{"method":"GET","relative_url":"101"}`
	for name, batch := range map[string]string{
		"51 items":       `[` + strings.Repeat(one+",", 50) + one + `]`,
		"none":           `[]`,
		"no list":        `{}`,
		"no method":      `[{"relative_url":"101"}]`,
		"no url":         `[{"method":"GET"}]`,
		"body an object": `[{"method":"POST","relative_url":"101","body":{"a":1}}]`,
		"51 files":       `[{"method":"POST","relative_url":"101","attached_files":"f` + strings.Repeat(",f", 50) + `"}]`,
		"many refs":      `[{"method":"GET","relative_url":"` + strings.Repeat("{result=a:$}", 51) + `"}]`,
	} {
		if w := newRig(t, nil).do("POST /", `{"batch":`+batch+`}`); w.Code != 400 || !strings.Contains(w.Body.String(), `"code":100`) {
			t.Errorf("%s: %d %.200s", name, w.Code, w.Body)
		}
	}
	if w := newRig(t, nil).do("POST /", `{"batch":[`+one+`]}`, "Authorization: Bearer x"); w.Code != 401 {
		t.Errorf("bad outer token: %d", w.Code)
	}
	if w := newRig(t, nil).do("POST /", `{"batch":[`+one+`]}`, "Authorization:"); w.Code != 200 || !strings.Contains(w.Body.String(), `104`) {
		t.Errorf("no outer token: %d %s", w.Code, w.Body)
	}
	w := newRig(t, nil).do("POST /", `{"batch":[{"method":"GET","name":"a","relative_url":"999"},{"method":"GET","depends_on":["a"],"relative_url":"101"},{"method":"GET","depends_on":["z"],"relative_url":"101"}]}`)
	var items []struct {
		Code int
		Body string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &items); err != nil || len(items) != 3 || items[1].Code != 400 || !strings.Contains(items[1].Body, "on which it depends, failed") || items[2].Code != 400 {
		t.Errorf("dependency: %s", w.Body)
	}
}

func TestBatchHeadersAndItemTokens(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *graph.Options) { o.Carriers.Form = true })
	w := r.do("POST /v23.0/", `{"batch":[{"method":"GET","relative_url":"101?fields=id"},{"method":"GET","relative_url":"me","access_token":"app"}]}`)
	var items []struct {
		Code    int
		Headers []struct{ Name, Value string }
		Body    string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &items); err != nil || len(items) != 2 {
		t.Fatalf("%v %s", err, w.Body)
	}
	found := map[string]string{}
	for _, h := range items[0].Headers {
		found[h.Name] = h.Value
	}
	if found["Content-Type"] != "text/javascript; charset=UTF-8" || found["Etag"] == "" || found["Facebook-Api-Version"] != "v23.0" {
		t.Errorf("headers %v", found)
	}
	if items[1].Code != 400 || !strings.Contains(items[1].Body, "current user") {
		t.Errorf("the item's own token was not used: %s", items[1].Body)
	}
	if got := strings.Join(r.counter.routes, ","); got != "GET account 200,unknown 400,POST batch 200" {
		t.Errorf("observed %s", got)
	}
}

// Files travel with the batch; the item that names one gets it as its file. Source: spec/graph.md 8.
func TestBatchAttachments(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	m := multipart.NewWriter(&b)
	m.WriteField("include_headers", "false")
	m.WriteField("batch", `[{"method":"POST","relative_url":"301/media","body":"messaging_product=whatsapp","attached_files":"cat"},`+
		`{"method":"GET","relative_url":"101?fields=id"},{"method":"POST","relative_url":"301/media","attached_files":"dog"},`+
		`{"method":"POST","relative_url":"301/media","body":"messaging_product=whatsapp","attached_files":"cat, bird"}]`)
	for name, data := range map[string]string{"cat": "miaow", "bird": "tweet"} {
		p, err := m.CreateFormFile(name, name+".png")
		if err != nil {
			t.Fatal(err)
		}
		p.Write([]byte(data))
	}
	m.Close()
	w := newRig(t, nil).do("POST /v24.0/", b.String(), "Content-Type: "+m.FormDataContentType())
	for _, want := range []string{`{"code":200,"body":"{\"id\":\"101\"}"}`, `names \\\"dog\\\", which is not part of the request`, `must not have more than one file`, `{"code":200,"body":"{\"id\":\"5\",\"type\":\"application/octet-stream\",\"name\":\"cat.png\"}"}`} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d %s\nlacks %s", w.Code, w.Body, want)
		}
	}
	if strings.Contains(w.Body.String(), "tweet") {
		t.Error("a file went where nobody named it")
	}
}

// Source: spec/graph.md 9.2 and 9.3.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := newRig(t, nil).do("GET /v24.0/101?fields=id&metadata=1", "")
	if !strings.Contains(w.Body.String(), `{"id":"101","metadata":{"fields":[{"name":`) || !strings.Contains(w.Body.String(), `"connections":{"`) && !strings.Contains(w.Body.String(), `"type":"`) {
		t.Errorf("metadata: %s", w.Body)
	}
	if w := newRig(t, nil).do("GET /v24.0/101?fields=id&debug=all", ""); w.Body.String() != `{"id":"101","__debug__":{"messages":[]}}` {
		t.Errorf("debug: %s", w.Body)
	}
	if w := newRig(t, nil).do("GET /v24.0/101?fields=id&debug=maybe&metadata=0", ""); w.Body.String() != `{"id":"101"}` {
		t.Errorf("neither: %s", w.Body)
	}
}
