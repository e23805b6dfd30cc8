package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikyaku/hikyaku/internal/media"
	"github.com/hikyaku/hikyaku/internal/media/mediatest"
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
