package api_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
	"github.com/hikyaku/hikyaku/internal/template"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func imageSend(object string) string {
	return `{"messaging_product":"whatsapp","to":"+16505555555","type":"image","image":` + object + `}`
}

// Source: spec/media.md sections 15, 18 (rows 4, 7 and 10) and 21; spec/errors.md sections 2 (gate 11) and 19.
func TestMediaInMessages(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	png := g.upload(numTest, "image/png", mediatest.PNG(8, 8)) // on another number of the account
	pdf := g.upload(numLive, "application/pdf", mediatest.PDF(100))
	lie := g.upload(numLive, "image/jpeg", mediatest.PNG(8, 8))
	foreign := func() string {
		r := g.form("birch", "/v23.0/"+numB+"/media", product, file("image/png", string(mediatest.PNG(8, 8))))
		var v struct{ ID string }
		if err := json.Unmarshal([]byte(r.body), &v); err != nil || r.status != 200 {
			t.Fatal(r)
		}
		return v.ID
	}()
	send := func(body string) reply { return g.call("admin", "POST /v23.0/"+numLive+"/messages", body) }
	for _, caption := range []string{"one", "two"} {
		if r := send(imageSend(`{"id":"` + png + `","caption":"` + caption + `"}`)); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		out := g.lane.last()
		var body struct {
			Image struct {
				ID, Caption string
				MIME        string `json:"mime_type"`
				Blob        media.Sent
			}
		}
		if err := json.Unmarshal([]byte("{"+string(out.Body)+"}"), &body); err != nil {
			t.Fatalf("%v: %s", err, out.Body)
		}
		if i := body.Image; i.ID != png || i.Caption != caption || i.MIME != "image/png" || i.Blob.ID == "" || len(i.Blob.Key) != 32 || len(out.Attachments) != 0 {
			t.Errorf("body %s", out.Body)
		}
	}
	gone := "Parameter 'image['id']' is not the id of a media of this WhatsApp Business Account, or it has expired."
	for name, id := range map[string]string{"unknown": "1846720391557204", "of another account": foreign, "no id": "abc"} {
		if r := send(imageSend(`{"id":"` + id + `"}`)); r.status != 400 || r.body != cloudError("(#131009) Parameter value is not valid", "131009", gone) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	for name, id := range map[string]string{"a document": pdf, "bytes of another type": lie} {
		if r := send(imageSend(`{"id":"` + id + `"}`)); r.status != 200 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if a := g.lane.last().Attachments; len(a) != 1 || !strings.HasPrefix(a[0].Fault, "Image file uploaded with mimetype as ") {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if r := send(imageSend(`{"link":"https://bistro.example/a.png"}`)); r.status != 200 {
		t.Errorf("link: %d %s", r.status, r.body)
	}
	if a := g.lane.last().Attachments; len(a) != 1 || a[0].Link != "https://bistro.example/a.png" || a[0].Fault != "" {
		t.Errorf("link: %+v", a)
	}
	for _, link := range []string{"ftp://bistro.example/a.png", "bistro.example", "https://u:p@bistro.example/"} {
		if r := send(imageSend(`{"link":"` + link + `"}`)); r.status != 400 || r.body != graphError("(#100) Param image['link'] is not a valid URI.", `"code":100`) {
			t.Errorf("%s: %d %s", link, r.status, r.body)
		}
	}
	g.call("admin", "DELETE /v23.0/"+png, "").want(t, 200, `{"success":true}`)
	send(imageSend(`{"id":"`+png+`"}`)).want(t, 400, cloudError("(#131009) Parameter value is not valid", "131009", gone))
}

// The header of a template takes less than its kind, and a GIF has a way of its own. Source: spec/media.md section 21.
func TestHeadersOfTemplates(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	for i, f := range []template.HeaderFormat{template.HeaderDocument, template.HeaderGIF} {
		_, err := g.template.Create(t.Context(), template.Template{
			ID: wa.TemplateID("77022033044020" + strconv.Itoa(i)), WABA: wabaA, Name: "h_" + strings.ToLower(string(f)), Language: "en_US",
			Category: template.Marketing, Status: template.Approved,
			Components: []template.Component{{Type: template.Header, Format: f}, {Type: template.Body, Text: "Look"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	g.clock.Advance(time.Hour)
	pdf, text := g.upload(numLive, "application/pdf", mediatest.PDF(100)), g.upload(numLive, "text/plain", []byte("a"))
	film := g.upload(numLive, "video/mp4", mediatest.MP4())
	for _, c := range []struct{ edge, kind, id, fault string }{
		{"messages", "document", pdf, ""},
		{"messages", "document", text, "Document file uploaded with mimetype as text/plain"},
		{"marketing_messages", "gif", film, ""},
		{"marketing_messages", "gif", pdf, "Video file uploaded with mimetype as application/pdf"},
	} {
		r := g.call("clerk", "POST /v23.0/"+numLive+"/"+c.edge, `{"messaging_product":"whatsapp","to":"+16505555555","type":"template","template":{"name":"h_`+c.kind+
			`","language":{"code":"en_US"},"components":[{"type":"header","parameters":[{"type":"`+c.kind+`","`+c.kind+`":{"id":"`+c.id+`"}}]}]}}`)
		fault := ""
		for _, a := range g.lane.last().Attachments {
			fault = a.Fault
		}
		if r.status != 200 || (fault == "") != (c.fault == "") || !strings.HasPrefix(fault, c.fault) {
			t.Errorf("%s %s: %d %s, %q", c.edge, c.kind, r.status, r.body, fault)
		}
	}
	g.call("clerk", "POST /v23.0/"+numLive+"/messages", `{"messaging_product":"whatsapp","to":"+16505555555","type":"template","template":{"name":"h_gif","language":{"code":"en_US"},`+
		`"components":[{"type":"header","parameters":[{"type":"gif","gif":{"id":"`+film+`"}}]}]}}`).want(t, 400,
		cloudError("(#131009) Parameter value is not valid", "131009", "Templates with a header of format GIF are sent by the Marketing Messages API only."))
}
