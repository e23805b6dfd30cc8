package template_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"pgregory.net/rapid"
)

func parcel(format template.Format, header, body string, buttons ...template.Button) *template.Template {
	t := &template.Template{Name: "parcel", Language: "en", Category: template.Utility, Status: template.Approved, Format: format}
	if header != "" {
		t.Components = append(t.Components, template.Component{Type: template.Header, Format: template.HeaderText, Text: header})
	}
	t.Components = append(t.Components, template.Component{Type: template.Body, Text: body})
	if len(buttons) > 0 {
		t.Components = append(t.Components, template.Component{Type: template.Buttons, Buttons: buttons})
	}
	return t
}

const (
	countTitle  = "(#132000) Number of parameters does not match the expected number of params | "
	formatTitle = "(#132012) Parameter format does not match format in the created template | "
)

// Source: spec/errors.md section 9, spec/messages.md section 11.1.
func TestRender(t *testing.T) {
	t.Parallel()
	positional := parcel(template.Positional, "News for {{1}}", "Hello {{1}}, parcel {{2}} is ready. {{1}}!")
	named := parcel(template.Named, "", "Hello {{first_name}}, parcel {{parcel_no}} is ready.")
	plain := parcel(template.Positional, "", "Hello.")
	long := parcel(template.Positional, "", "{{1}}")
	image := &template.Template{Components: []template.Component{{Type: template.Header, Format: template.HeaderImage}, {Type: template.Body, Text: "x"}}}
	buttons := parcel(template.Positional, "", "Hello.",
		template.Button{Type: template.QuickReply, Text: "Later"},
		template.Button{Type: template.URLButton, Text: "Track", URL: "https://shop.example/t/{{1}}"},
		template.Button{Type: template.PhoneButton, Text: "Call", Phone: "+15550100123"},
		template.Button{Type: template.CopyCode, Text: "Copy offer code"})
	header := `{"type":"header","parameters":[{"type":"text","text":"Ana"}]}`
	two := `{"type":"body","parameters":[{"type":"text","text":"Ana"},{"type":"text","text":"A-1"}]}`
	url := `{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"abc"}]}`
	code := `{"type":"button","sub_type":"COPY_CODE","index":3,"parameters":[{"type":"coupon_code","coupon_code":"AUTUMN25"}]}`
	text := func(s string) string { return `{"type":"body","parameters":[{"type":"text","text":"` + s + `"}]}` }
	for _, c := range []struct {
		name       string
		t          *template.Template
		components string
		want       string // the object, or the error
	}{
		{
			"positional", positional, header + "," + two,
			`{"header":{"type":"text","text":"News for Ana"},"body":{"text":"Hello Ana, parcel A-1 is ready. Ana!"}}`,
		},
		{
			"named, in any order", named,
			`{"type":"BODY","parameters":[{"type":"text","parameter_name":"parcel_no","text":"A-1"},{"type":"text","parameter_name":"first_name","text":"Ana"}]}`,
			`{"body":{"text":"Hello Ana, parcel A-1 is ready."}}`,
		},
		{"a value that looks like a variable stays text", long, text("{{1}} {{2}}"), `{"body":{"text":"{{1}} {{2}}"}}`},
		{"one of two", positional, header + `,` + text("Ana"), countTitle + "body: number of localizable_params (1) does not match the expected number of params (2)"},
		{"none of two", positional, header, countTitle + "body: number of localizable_params (0) does not match the expected number of params (2)"},
		{"three of two", named, `{"type":"body","parameters":[{"type":"text","parameter_name":"a","text":"a"},{"type":"text","parameter_name":"b","text":"b"},{"type":"text","parameter_name":"c","text":"c"}]}`, countTitle + "body: number of localizable_params (3) does not match the expected number of params (2)"},
		{"some for none", plain, text("Ana"), countTitle + "body: number of localizable_params (1) does not match the expected number of params (0)"},
		{"a header the template lacks", plain, header, countTitle + "header: number of localizable_params (1) does not match the expected number of params (0)"},
		{"the header comes first", positional, two, countTitle + "header: number of localizable_params (0) does not match the expected number of params (1)"},
		{"empty components are fine", plain, `{"type":"header","parameters":[]},{"type":"body"}`, `{"body":{"text":"Hello."}}`},
		{"another name", named, `{"type":"body","parameters":[{"type":"text","parameter_name":"first_name","text":"a"},{"type":"text","parameter_name":"x","text":"b"}]}`, countTitle + "body: the parameter (parcel_no) is missing"},
		{"the same name twice", named, `{"type":"body","parameters":[{"type":"text","parameter_name":"first_name","text":"a"},{"type":"text","parameter_name":"first_name","text":"b"}]}`, countTitle + "body: the parameter (parcel_no) is missing"},
		{"named without names", named, two, "(#100) Invalid parameter | Parameter name is missing or empty"},
		{"positional with names", long, `{"type":"body","parameters":[{"type":"text","parameter_name":"a","text":"a"}]}`, "(#100) Invalid parameter | body: parameter_name is only allowed for templates with named parameters"},
		{"image for text", long, `{"type":"body","parameters":[{"type":"image","image":{"id":"1"}}]}`, formatTitle + "body: Format mismatch, expected TEXT, received IMAGE"},
		{"text header for image", positional, `{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]},` + two, formatTitle + "header: Format mismatch, expected TEXT, received IMAGE"},
		{"image header, none sent", image, ``, formatTitle + "header: Format mismatch, expected IMAGE, received UNKNOWN"},
		{"image header, text sent", image, header, formatTitle + "header: Format mismatch, expected IMAGE, received TEXT"},
		{"image header, image sent", image, `{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]}`, `{"header":{"type":"image","image":{"blob":"#0"}},"body":{"text":"x"}}`},
		{"currency", long, `{"type":"body","parameters":[{"type":"currency","currency":{"fallback_value":"$1","code":"USD","amount_1000":1000}}]}`, `{"body":{"text":"$1"}}`},
		{"date", long, `{"type":"body","parameters":[{"type":"date_time","date_time":{"fallback_value":"May 4","day_of_week":5,"calendar":"GREGORIAN"}}]}`, `{"body":{"text":"May 4"}}`},
		{"currency in a header", positional, `{"type":"header","parameters":[{"type":"currency","currency":{"fallback_value":"$1","code":"USD","amount_1000":1000}}]},` + two, formatTitle + "header: Format mismatch, expected TEXT, received CURRENCY"},
		{"cards for a template without", plain, `{"type":"carousel","cards":[{"card_index":0,"components":[]}]}`, countTitle + "carousel: number of cards (1) does not match the expected number of cards (0)"},
		{"line break", long, text(`a\nb`), "(#132007) Template format character policy violated | Param text cannot have new-line/tab characters or more than 4 consecutive spaces"},
		{"tab", long, text(`a\tb`), "(#132007) Template format character policy violated | Param text cannot have new-line/tab characters or more than 4 consecutive spaces"},
		{"five spaces", long, text(`a     b`), "(#132007) Template format character policy violated | Param text cannot have new-line/tab characters or more than 4 consecutive spaces"},
		{"four spaces", long, text(`a    b`), `{"body":{"text":"a    b"}}`},
		{"body alone: 4096 characters", long, text(strings.Repeat("é", 4096)), `{"body":{"text":"` + strings.Repeat("é", 4096) + `"}}`},
		{"body alone: 4097 characters", long, text(strings.Repeat("é", 4097)), "(#132005) Template hydrated text too long | body: hydrated text too long, at most 4096 characters are allowed"},
		{"body beside a header: 1025 characters", positional, header + `,{"type":"body","parameters":[{"type":"text","text":"` + strings.Repeat("a", 500) + `"},{"type":"text","text":"b"}]}`, "(#132005) Template hydrated text too long | body: hydrated text too long, at most 1024 characters are allowed"},
		{"header of 61 characters", positional, `{"type":"header","parameters":[{"type":"text","text":"` + strings.Repeat("a", 52) + `"}]},` + two, "(#132005) Template hydrated text too long | header: hydrated text too long, at most 60 characters are allowed"},
		{"body twice", long, text("a") + "," + text("b"), "(#131009) Parameter value is not valid | template['components'][1]: the same component is given twice"},
		{
			"buttons", buttons, url + "," + code,
			`{"body":{"text":"Hello."},"buttons":[{"type":"quick_reply","text":"Later","payload":"Later"},{"type":"url","text":"Track","url":"https://shop.example/t/abc"},{"type":"phone_number","text":"Call","phone_number":"+15550100123"},{"type":"copy_code","text":"Copy offer code","code":"AUTUMN25"}]}`,
		},
		{
			"quick reply with payload", parcel(template.Positional, "", "Hello.", template.Button{Type: template.QuickReply, Text: "Later"}),
			`{"type":"button","sub_type":"quick_reply","index":0,"parameters":[{"type":"payload","payload":"p-1"}]}`,
			`{"body":{"text":"Hello."},"buttons":[{"type":"quick_reply","text":"Later","payload":"p-1"}]}`,
		},
		{"url without its parameter", buttons, code, "(#131008) Required parameter is missing | buttons: Button at index 1 of type Url requires a parameter"},
		{"no such button", buttons, url + "," + code + `,{"type":"button","sub_type":"url","index":4}`, "(#131009) Parameter value is not valid | buttons: there is no button at index 4"},
		{"another kind of button", buttons, code + `,{"type":"button","sub_type":"url","index":0}`, formatTitle + "buttons: Format mismatch, expected QUICK_REPLY, received URL"},
		{"payload for a url", buttons, code + `,{"type":"button","sub_type":"url","index":1,"parameters":[{"type":"payload","payload":"x"}]}`, formatTitle + "buttons: Format mismatch, expected TEXT, received PAYLOAD"},
		{"a parameter for a phone button", buttons, url + "," + code + `,{"type":"button","sub_type":"phone_number","index":2,"parameters":[{"type":"text","text":"x"}]}`, countTitle + "buttons: number of localizable_params (1) does not match the expected number of params (0)"},
		{"code of 21 characters", buttons, url + `,{"type":"button","sub_type":"copy_code","index":3,"parameters":[{"type":"coupon_code","coupon_code":"` + strings.Repeat("A", 21) + `"}]}`, "(#131009) Parameter value is not valid | buttons: coupon_code length invalid. Min length: 1, Max length: 20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := request(t, `{"name":"parcel","language":{"code":"en"},"components":[`+c.components+`]}`)
			if err != nil {
				t.Fatal(message(err))
			}
			if err = r.Check(); err != nil {
				t.Fatal(message(err))
			}
			out, err := template.Render(c.t, r)
			got := message(err)
			if err == nil {
				got = string(out.AppendJSON(nil))
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "",
		"{{1}} and {{2}}":        "1,2",
		"{{2}} {{1}} {{2}}":      "2,1",
		"{{ first_name }}":       "first_name",
		"{{First}} {{}} {{a-b}}": "",
		"{{{1}}}":                "1",
		"{{1":                    "",
		"{{a {{b}}":              "b",
		"}}{{1}}{{":              "1",
	} {
		if got := strings.Join(template.Variables(text), ","); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		t    template.Template
		want time.Duration
	}{
		{template.Template{Category: template.Authentication}, 10 * time.Minute},
		{template.Template{Category: template.Authentication, TTL: -1}, 30 * 24 * time.Hour},
		{template.Template{Category: template.Authentication, TTL: 30}, 30 * time.Second},
		{template.Template{Category: template.Utility}, 30 * 24 * time.Hour},
		{template.Template{Category: template.Utility, TTL: 43200}, 12 * time.Hour},
	} {
		if got := c.t.Life(); got != c.want {
			t.Errorf("%s %d: %v", c.t.Category, c.t.TTL, got)
		}
	}
}

func TestEveryVariableIsFilled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(r, "variables")
		body, want := "start", "start"
		var params []template.Param
		for i := range n {
			value := rapid.StringMatching(`[a-z{}1-9]{1,10}`).Draw(r, "value")
			fixed := rapid.SampledFrom([]string{" ", " x ", "é", "{", "} "}).Draw(r, "fixed")
			if strings.HasSuffix(fixed, "{") {
				fixed += " "
			}
			body += fixed + "{{" + string(rune('1'+i)) + "}}"
			want += fixed + value
			params = append(params, template.Param{Type: "text", Text: value})
		}
		out, err := template.Render(parcel(template.Positional, "", body), &template.Request{Components: []template.Filling{{Type: "body", Params: params}}})
		if err != nil || out.Body != want {
			r.Fatalf("%q: %v, %+v", body, err, out)
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	f.Add(`{"name":"x","language":{"code":"en"},"components":[{"type":"body","parameters":[{"type":"text","text":"a"}]}]}`)
	f.Add(`{"name":"x","language":{"code":"en"},"components":[{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"payload","payload":"x"}]}]}`)
	t := parcel(template.Positional, "{{1}}", "{{1}}", template.Button{Type: template.URLButton, URL: "https://x/{{1}}"})
	f.Fuzz(func(tt *testing.T, text string) {
		r, err := request(tt, text)
		if err != nil || r.Check() != nil {
			return
		}
		if out, err := template.Render(t, r); err == nil {
			out.AppendJSON(nil)
		}
	})
}

// Source: spec/messages.md section 11. Clients of other people send an empty policy.
func TestPolicyOfALanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ policy, want string }{
		{`,"policy":"deterministic"`, ""},
		{``, ""},
		{`,"policy":""`, ""},
		{`,"policy":"fallback"`, `(#100) Param language['policy'] must be one of {DETERMINISTIC} - got "fallback".`},
		{`,"policy":1`, `(#100) Param language['policy'] must be one of {DETERMINISTIC} - got "1".`},
	} {
		r, err := template.ParseRequest(graph.Text("", `{"name":"a","language":{"code":"en_US"`+c.policy+`}}`))
		if got := said(err); err == nil && (c.want != "" || r.Language != "en_US") || err != nil && got != c.want {
			t.Errorf("%s: %v %q", c.policy, r, got)
		}
	}
}
