package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/flow/flowtest"
	"github.com/hikyaku/hikyaku/internal/media"
)

// photoJSON asks for photos, shows them to the endpoint, asks for a paper, and ends with both.
const photoJSON = `{
  "version": "7.3", "data_api_version": "3.0", "routing_model": {"PHOTOS": ["PAPER"], "PAPER": []},
  "screens": [
    {"id": "PHOTOS", "title": "Damage", "layout": {"type": "SingleColumnLayout", "children": [
       {"type": "PhotoPicker", "name": "photos", "label": "Photos", "min-uploaded-photos": 1, "max-uploaded-photos": 2, "max-file-size-kb": 1},
       {"type": "Footer", "label": "Next", "on-click-action": {"name": "data_exchange", "payload": {"photos": "${form.photos}", "n": 7}}}]}},
    {"id": "PAPER", "title": "Paper", "terminal": true, "success": true, "layout": {"type": "SingleColumnLayout", "children": [
       {"type": "DocumentPicker", "name": "paper", "label": "Invoice", "min-uploaded-documents": 1, "max-uploaded-documents": 1, "allowed-mime-types": ["application/pdf"]},
       {"type": "Footer", "label": "Send", "on-click-action": {"name": "complete", "payload": {"paper": "${form.paper}", "photos": "${screen.PHOTOS.form.photos}"}}}]}}]}`

// damage makes the flow as a draft and opens it at the user; the id is that of the message.
func (s *stand) damage(endpoint *flowtest.Endpoint) (id string) {
	s.t.Helper()
	server := httptest.NewServer(endpoint)
	s.t.Cleanup(server.Close)
	s.graph("POST", s.start.Number+"/whatsapp_business_encryption", map[string]string{"business_public_key": endpoint.PublicKey(s.t)})
	a := s.graph("POST", s.start.WABA+"/flows", map[string]any{
		"name": "damage", "categories": []string{"OTHER"}, "endpoint_uri": server.URL, "flow_json": photoJSON,
	})
	contains(s.t, "create", string(a.Body), `"validation_errors":[]`)
	return s.interactive("flow", `"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_name":"damage","flow_cta":"Report","mode":"draft",`+
		`"flow_token":"claim-1","flow_action":"navigate","flow_action_payload":{"screen":"PHOTOS"}}}`)
}

// A person gives files to a flow: its endpoint fetches and decrypts them as the documentation says, and the business gets media ids
// with the answer. Sources: spec/media.md section 14; Flows reference, "Media upload".
func TestAFlowTakesFiles(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.PrivateWebhooks = true })
	s.subscribe()
	e := flowtest.New(s.start.Secret, func(flowtest.Question) flowtest.Answer {
		return flowtest.Answer{JSON: map[string]any{"screen": "PAPER", "data": map[string]any{}}}
	})
	id := s.damage(e)
	var png bytes.Buffer
	png.WriteString("\x89PNG\r\n\x1a\n")
	png.WriteString(strings.Repeat("x", 600))
	file := `{"filename":"dent.png","mime_type":"image/png","data":"` + base64.StdEncoding.EncodeToString(png.Bytes()) + `"}`
	press := func(fields string, status int) string {
		t.Helper()
		return s.as("POST "+s.start.User+"/actions", `{"do":"press","to":"`+s.start.Number+`","ids":["`+id+`"],"fields":`+fields+`}`, status)
	}
	for fields, want := range map[string]string{
		`{}`: "photos: This is required.",
		`{"photos":[` + file + `,` + file + `,` + file + `]}`:                                 "Between 1 and 2 files are needed.",
		`{"photos":[{"filename":"a.pdf","mime_type":"application/pdf","data":"JVBERg=="}]}`:   "a.pdf is not a photo.",
		`{"photos":[{"mime_type":"image/png","data":"` + strings.Repeat("AAAA", 400) + `"}]}`: "is larger than 1 KB.",
		`{"photos":"all of them"}`: "want a list of {data, mime_type, filename}",
		`{"photos":[` + file + `],"paper":[{"mime_type":"text/plain","data":"QQ==","filename":"a"}]}`: "a is not of a type that is allowed here.",
	} {
		contains(t, fields, press(fields, http.StatusBadRequest), want)
	}
	e.Asked()
	press(`{"photos":[`+file+`,`+file+`],"paper":{}}`, http.StatusOK)
	asked, bad := e.Asked()
	if len(asked) != 1 || bad > 0 {
		t.Fatalf("asked %v, %d bad", asked, bad)
	}
	photos, _ := asked[0].Data["photos"].([]any)
	if len(photos) != 2 || asked[0].Data["n"] != 7. {
		t.Fatalf("data %v", asked[0].Data)
	}
	for _, p := range photos {
		if name, clear, err := flowtest.Media(t.Context(), s.place.HTTP, p); err != nil || name != "dent.png" || !bytes.Equal(clear, png.Bytes()) {
			t.Errorf("%q, %d bytes, %v", name, len(clear), err)
		}
	}
	s.idle()
	s.answerWithFiles(png.Bytes())
	s.withoutStorage()
	s.graph("POST", s.start.Number+"/whatsapp_business_encryption", map[string]string{"business_public_key": e.PublicKey(t)})
	press(`{"photos":[`+file+`],"paper":{}}`, http.StatusOK)
	asked, _ = e.Asked()
	brief, _ := asked[0].Data["photos"].([]any)
	s.endsWithin(brief[0], media.BriefLife)
	s.endsWithin(photos[0], media.HandedLife)
	s.addressesEnd(photos[0])
}

// endsWithin looks that the address of a file names its end as that long from now.
func (s *stand) endsWithin(photo any, life time.Duration) {
	s.t.Helper()
	at, _ := photo.(map[string]any)["cdn_url"].(string)
	u, err := url.Parse(at)
	if err != nil {
		s.t.Fatal(err)
	}
	end, err := strconv.ParseInt(u.Query().Get("ext"), 10, 64)
	if got := time.Unix(end, 0).Sub(s.clock.Now()); err != nil || got > life || got < life-time.Minute {
		s.t.Errorf("%s ends in %v, want %v", at, got, life)
	}
}

// answerWithFiles looks at the webhook and reads the files by their ids.
func (s *stand) answerWithFiles(png []byte) {
	s.t.Helper()
	var answer struct {
		Token  string `json:"flow_token"`
		Photos []map[string]string
		Paper  []map[string]string
	}
	for _, b := range s.hooks.take() {
		_, text, ok := strings.Cut(b, `"response_json":`)
		var inner string
		if !ok {
			continue
		}
		if err := json.NewDecoder(strings.NewReader(text)).Decode(&inner); err != nil {
			s.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(inner), &answer); err != nil || strings.Contains(b, "key") {
			s.t.Fatalf("%v %s", err, b)
		}
	}
	if answer.Token != "claim-1" || len(answer.Photos) != 2 || len(answer.Paper) != 1 {
		s.t.Fatalf("answer %+v", answer)
	}
	for _, f := range append(answer.Photos, answer.Paper...) {
		a := s.graph("GET", f["id"], nil)
		got := decode[struct {
			MIME   string `json:"mime_type"`
			SHA256 string
			Size   int `json:"file_size"`
		}](s.t, a.Body)
		sum, err := base64.StdEncoding.DecodeString(f["sha256"])
		if a.Status != http.StatusOK || len(f) != 4 || got.MIME != f["mime_type"] || err != nil || len(sum) != 32 || got.Size == 0 {
			s.t.Errorf("%v: HTTP %d %s", f, a.Status, a.Body)
		}
		if f["file_name"] == "dent.png" && got.Size != len(png) {
			s.t.Errorf("%d bytes", got.Size)
		}
	}
	if answer.Paper[0]["file_name"] != "document.pdf" || answer.Paper[0]["mime_type"] != "application/pdf" {
		s.t.Errorf("paper %v", answer.Paper)
	}
}

// addressesEnd looks that the address of a file is only good as it is, and for twenty days.
func (s *stand) addressesEnd(photo any) {
	s.t.Helper()
	at, _ := photo.(map[string]any)["cdn_url"].(string)
	status := func(url string) int {
		res, err := s.place.HTTP.Get(url)
		if err != nil {
			s.t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, bad := range []string{at + "x", strings.Replace(at, "ext=", "ext=9", 1), strings.Replace(at, "/flow/", "/flow/0", 1)} {
		if got := status(bad); got != http.StatusNotFound {
			s.t.Errorf("%s: HTTP %d", bad, got)
		}
	}
	s.advance(19 * 24 * time.Hour)
	if got := status(at); got != http.StatusOK {
		s.t.Errorf("after 19 days: HTTP %d", got)
	}
	s.advance(2 * 24 * time.Hour)
	if got := status(at); got != http.StatusNotFound {
		s.t.Errorf("after 21 days: HTTP %d", got)
	}
}
