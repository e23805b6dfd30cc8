package api_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/api"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// managementError is the envelope of a management error.
func managementError(subcode, title, text, blame string) string {
	return `{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_subcode":` + subcode + `,"is_transient":false,"error_user_title":"` +
		title + `","error_user_msg":"` + text + `",` + blame + `"fbtrace_id":"` + trace + `"}}`
}

var anID = regexp.MustCompile(`"id":"(\d{15,16})"`)

// create makes a template and returns its id.
func (w *world) create(body string) string {
	w.t.Helper()
	r := w.call("admin", "POST /v23.0/"+wabaA+"/message_templates", body)
	m := anID.FindStringSubmatch(r.body)
	if r.status != 200 || m == nil {
		w.t.Fatalf("%d %s", r.status, r.body)
	}
	return m[1]
}

const parcelReady = `{"name":"parcel_ready","language":"en_US","category":"UTILITY","parameter_format":"NAMED","message_send_ttl_seconds":"60","components":[
	{"type":"BODY","text":"Hello {{first_name}}, parcel {{parcel_no}} is ready for pick-up today.","example":{"body_text_named_params":[{"param_name":"first_name","example":"Mio"},{"param_name":"parcel_no","example":"A-2210"}]}},
	{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Later"}]}]}`

// Source: spec/templates.md sections 4 and 5.
func TestTemplateLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	edge := "/v23.0/" + wabaA + "/message_templates"
	id := w.create(parcelReady)
	w.call("admin", "GET /v23.0/"+id, "").want(t, 200, `{"name":"parcel_ready","parameter_format":"NAMED","components":[{"type":"BODY","text":"Hello {{first_name}}, parcel {{parcel_no}} is ready for pick-up today.","example":{"body_text_named_params":[{"param_name":"first_name","example":"Mio"},{"param_name":"parcel_no","example":"A-2210"}]}},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Later"}]}],"language":"en_US","status":"PENDING","category":"UTILITY","message_send_ttl_seconds":60,"id":"`+id+`"}`)
	w.call("admin", "POST "+edge, parcelReady).want(t, 400, managementError("2388024", "Content in This Language Already Exists", "There is already English (US) content for this template. You can create a new template and try again.", ""))
	w.call("admin", "POST /v23.0/"+id, `{"components":[{"type":"BODY","text":"Hi."}]}`).want(t, 400, managementError("2388039", "Message template status can't be changed", "The status for this message template can't be changed. You can only delete or add templates.", ""))
	if _, err := w.template.Decide(t.Context(), wa.TemplateID(id), template.Verdict{}); err != nil {
		t.Fatal(err)
	}
	w.call("admin", "POST /v23.0/"+id, `{"category":"UTILITY","cta_url_link_tracking_opted_out":true}`).want(t, 200, `{"success":true}`)
	w.call("admin", "GET /v23.0/"+id+"?fields=status,cta_url_link_tracking_opted_out,correct_category", "").want(t, 200, `{"status":"APPROVED","cta_url_link_tracking_opted_out":true,"id":"`+id+`"}`)
	w.call("admin", "POST /v23.0/"+id+"/unpause", "").want(t, 200, `{"success":false,"reason":"The template is not paused."}`)
	w.call("admin", "POST "+edge+"/archive", `{"hsm_ids":"`+id+`,1"}`).want(t, 200, `{"archived_templates":["`+id+`"],"failed_templates":{"1":"Template does not exist"}}`)
	w.call("admin", "POST /"+wabaA+"/message_templates/unarchive", `{"hsm_ids":["`+id+`"]}`).want(t, 200, `{"unarchived_templates":["`+id+`"],"failed_templates":{}}`)
	w.call("admin", "DELETE "+edge+"?hsm_id="+id+"&name=other", "").want(t, 400, managementError("2388102", "Message template not found", "The message template does not exist or was deleted.", ""))
	w.call("admin", "DELETE "+edge, `{"name":"parcel_ready"}`).want(t, 200, `{"success":true}`)
	w.call("admin", "GET /v23.0/"+id, "").want(t, 400, missing("get", id))
	w.call("admin", "DELETE "+edge+"?name=parcel_ready", "").want(t, 400, managementError("2593002", "Message template not found", "No message template has this name.", ""))
	if r := w.call("admin", "GET "+edge+"?status=DELETED&fields=status", ""); r.status != 200 || !strings.Contains(r.body, `{"data":[{"status":"DELETED","id":"`+id+`"}],`) {
		t.Error(r.body)
	}
	w.call("admin", "POST "+edge, parcelReady).want(t, 400, managementError("2388023", "Message template language is being deleted", "New English (US) content can't be added while the existing English (US) content is being deleted. Try again in 30 days or create a new message template.", ""))
}

func TestTemplateCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	edge := wabaA + "/message_templates"
	for _, c := range []struct {
		line, body string
		status     int
		want       string
	}{
		{"POST " + edge, `{"name":"Bad Name","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"Hi"}]}`, 400, managementError("2388046", "Name Format is Incorrect", "The message template name can only have lowercase letters and underscores.", `"error_data":{"blame_field_specs":[["name"]]},`)},
		{"POST " + edge, `{"name":"a","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"Hi"},{"type":"BUTTONS","buttons":[{"type":"PHONE_NUMBER","text":"a","phone_number":"x"}]}]}`, 400, graphError(`(#192) Param components[1]['buttons'][0]['phone_number'] is not a valid phone number.`, `"code":192`)},
		{"DELETE " + edge, ``, 400, graphError(`(#100) The parameter name is required.`, `"code":100`)},
		{"DELETE " + edge + "?name=hello_world", ``, 400, managementError("2388094", "Sample template can't be deleted", "This message template is a sample and can't be deleted.", "")},
		{"DELETE " + edge + "?hsm_ids=" + tplPromo + ",1", ``, 400, managementError("2388102", "Message template not found", "The message template does not exist or was deleted.", "")},
		{"DELETE " + edge + "?hsm_ids=[" + tplB + "]", ``, 400, managementError("2388102", "Message template not found", "The message template does not exist or was deleted.", "")},
		{"POST " + edge + "/shred", `{"hsm_ids":["1"]}`, 400, missing("post", wabaA)},
		{"POST " + edge + "/archive", `{}`, 400, graphError(`(#100) The parameter hsm_ids is required.`, `"code":100`)},
		{"GET " + wabaA + "/message_template_previews?category=AUTHENTICATION&button_types=OTP&languages=en_US,ja&code_expiration_minutes=5", ``, 200, `{"data":[{"body":"*{{1}}* is your verification code.","buttons":[{"autofill_text":"Autofill","text":"Copy code"}],"footer":"This code expires in 5 minutes.","language":"en_US"},{"body":"認証コードは *{{1}}* です。","buttons":[{"autofill_text":"自動入力","text":"コードをコピー"}],"footer":"このコードの有効期限は5分です。","language":"ja"}]}`},
		{"GET " + wabaA + "/message_template_previews?category=UTILITY&button_types=OTP", ``, 400, graphError(`(#100) Param category must be one of {AUTHENTICATION} - got \"UTILITY\".`, `"code":100`)},
		{"POST " + wabaA + "/migrate_message_templates", `{"source_waba_id":"` + wabaB + `"}`, 400, graphError(`(#100) Param source_waba_id must be another WhatsApp Business Account of the same business.`, `"code":100`)},
		{"GET " + wabaA + "/template_performance_metrics?name=promo", ``, 200, `{"data":[]}`},
	} {
		w.call("admin", strings.Replace(c.line, " ", " /v23.0/", 1), c.body).want(t, c.status, c.want)
	}
	r := w.call("admin", "GET /v23.0/message_template_library?name=delivery_update_1&fields=name,topic,buttons,body_param_types", "")
	r.want(t, 200, `{"data":[{"name":"delivery_update_1","topic":"ORDER_MANAGEMENT","buttons":[{"type":"URL","text":"Track","url":"https://www.example.com/"}],"body_param_types":["TEXT","TEXT","DATE"],"id":"7147013345418900"}],"paging":{"cursors":{"before":"`+cursor("7147013345418900", "")+`","after":"`+cursor("7147013345418900", "")+`"}}}`)
	same := w.call("admin", "GET /v23.0/"+wabaA+"/message_template_library?name=delivery_update_1&fields=name,topic,buttons,body_param_types", "")
	same.want(t, 200, r.body)
	if r := w.call("admin", "POST /v23.0/"+wabaA+"/upsert_message_templates", `{"name":"code","languages":["en_US","ja"],"category":"AUTHENTICATION","components":[{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}]}`); r.status != 200 || strings.Count(r.body, `"status":"APPROVED"`) != 2 {
		t.Error(r.body)
	}
}

// Source: spec/graph.md section 2.4, spec/errors.md section 6.
func TestTemplatesByVersion(t *testing.T) {
	t.Parallel()
	alive, err := graph.ParseRelease("v20.0", "2024-05-21", "2030-01-01")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *api.Options) {
		if o.Versions, err = graph.NewRegistry(false, append(graph.DefaultReleases(), alive)...); err != nil {
			t.Fatal(err)
		}
	})
	const apps = `"category":"AUTHENTICATION","components":[{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ONE_TAP","package_name":"com.example.app","signature_hash":"K8a/AINcGX7"}]}]}`
	refusal := managementError("2388042", `Message template \"components\" param contains unexpected field(s)`, "component of type BUTTONS has unexpected field(s) (package_name, signature_hash)", "")
	id := ""
	for _, c := range []struct {
		name, line, body string
		status           int
		want             string
	}{
		{"one tap since v21", "POST /v21.0/" + wabaA + "/message_templates", `{"name":"tap","language":"en_US",` + apps, 400, refusal},
		{"several languages since v21", "POST /v23.0/" + wabaA + "/upsert_message_templates", `{"name":"tap","languages":["ja"],` + apps, 400, refusal},
		{"one tap until v20", "POST /v20.0/" + wabaA + "/message_templates", `{"name":"tap","language":"en_US",` + apps, 200, ""},
		{"several languages until v20", "POST /v20.0/" + wabaA + "/upsert_message_templates", `{"name":"tap","languages":["ja"],` + apps, 200, ""},
		{"an edit since v21", "POST /v23.0/", `{` + apps, 400, refusal},
		{"a cursor until v23", "GET /v23.0/" + wabaA + "/message_templates?after=x", "", 400, graphError("(#100) Invalid cursors values", `"code":100`)},
		{
			"a cursor since v24", "GET /v24.0/" + wabaA + "/message_templates?before=x", "", 400,
			graphError("(#131059) Invalid cursor", `"code":131059,"error_data":{"messaging_product":"whatsapp","details":"The cursor is invalid or has expired. Start again without a cursor."}`),
		},
	} {
		line := c.line
		if strings.HasSuffix(line, "/") {
			line += id
		}
		r := w.direct("admin", line, c.body)
		if m := anID.FindStringSubmatch(r.body); m != nil && id == "" {
			id = m[1]
		}
		if c.want == "" && r.status == c.status {
			continue
		}
		if r.status != c.status || r.body != c.want {
			t.Errorf("%s: %d %s, want %d %s", c.name, r.status, r.body, c.status, c.want)
		}
	}
}

// groups keeps template groups in memory.
type groups map[string]*template.Group

func (g groups) LoadTemplateGroups(context.Context) ([]*template.Group, error) { return nil, nil }
func (g groups) SaveTemplateGroup(_ context.Context, v *template.Group) error {
	g[v.ID] = v
	return nil
}

func (g groups) DeleteTemplateGroup(_ context.Context, id string) error {
	delete(g, id)
	return nil
}

// Source: spec/templates.md section 16.3.
func TestTemplateGroups(t *testing.T) {
	t.Parallel()
	kept := groups{}
	w := newWorld(t, func(o *api.Options) {
		var err error
		if o.Groups, err = template.NewGroups(t.Context(), kept, o.Template); err != nil {
			t.Fatal(err)
		}
	})
	edge := "/v23.0/" + wabaA + "/template_groups"
	w.call("admin", "POST "+edge, `{"name":"a"}`).want(t, 400, graphError("(#100) The parameter description is required.", `"code":100`))
	w.call("admin", "POST "+edge, `{"name":"a","description":"b","whatsapp_business_templates":["`+tplB+`"]}`).want(t, 400, graphError("(#100) Param whatsapp_business_templates must be a list of templates of this WhatsApp Business Account.", `"code":100`))
	r := w.call("admin", "POST "+edge, `{"name":"a","description":"b","whatsapp_business_templates":["`+tplOrder+`"]}`)
	m := anID.FindStringSubmatch(r.body)
	if m == nil {
		t.Fatal(r.body)
	}
	w.call("admin", "POST /v23.0/"+m[1], `{"name":"c","add_whatsapp_business_templates":["`+tplPromo+`"],"remove_whatsapp_business_templates":["`+tplOrder+`"]}`).want(t, 200, `{"success":true}`)
	w.call("admin", "GET /v23.0/"+m[1], "").want(t, 200, `{"id":"`+m[1]+`","name":"c","description":"b","whatsapp_business_templates":["`+tplPromo+`"]}`)
	if r := w.call("admin", "GET "+edge+"?fields=name", ""); !strings.Contains(r.body, `{"data":[{"name":"c","id":"`+m[1]+`"}]`) {
		t.Error(r.body)
	}
	w.call("birch", "GET /v23.0/"+m[1], "").want(t, 400, missing("get", m[1]))
	w.call("admin", "DELETE /v23.0/"+m[1], "").want(t, 200, `{"success":true}`)
	w.call("admin", "GET /v23.0/"+m[1], "").want(t, 400, missing("get", m[1]))
	if len(kept) != 0 {
		t.Error("still stored")
	}
}

// A cursor keeps its place when templates come and go around it.
func TestTemplateCursorsAreStable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	edge := "/v23.0/" + wabaA + "/message_templates?fields=id&limit=2"
	after := regexp.MustCompile(`"after":"([^"]+)"`)
	first := w.call("admin", "GET "+edge, "")
	if !strings.Contains(first.body, tplHello) || !strings.Contains(first.body, tplPromo) {
		t.Fatal(first.body)
	}
	w.create(parcelReady) // newer than everything
	if err := w.template.Remove(t.Context(), wabaA, "", tplPromo); err != nil {
		t.Fatal(err)
	}
	second := w.call("admin", "GET "+edge+"&after="+after.FindStringSubmatch(first.body)[1], "")
	if !strings.Contains(second.body, tplPaused) || !strings.Contains(second.body, tplImage) {
		t.Error(second.body)
	}
	back := w.call("admin", "GET "+edge+"&before="+regexp.MustCompile(`"before":"([^"]+)"`).FindStringSubmatch(second.body)[1], "")
	if !strings.Contains(back.body, tplHello) || strings.Contains(back.body, tplPaused) {
		t.Error(back.body)
	}
	w.call("admin", "GET "+edge+"&after=stale", "").want(t, 400, graphError("(#100) Invalid cursors values", `"code":100`))
	w.call("admin", "GET "+strings.Replace(edge, "v23", "v24", 1)+"&after=stale", "").want(t, 400, cloudError("(#131059) Invalid cursor", "131059", "The cursor is invalid or has expired. Start again without a cursor."))
}
