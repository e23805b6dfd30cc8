package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/test/child"
)

// mission is the request that the documentation of the original begins with, byte for byte.
const mission = `{
  "messaging_product": "whatsapp",
  "recipient_type": "individual",
  "to": "+16505555555",
  "type": "text",
  "text": {
    "preview_url": true,
    "body": "Here's the info you requested! https://www.meta.com/quest/quest-3/"
  }
}`

func (s *stand) mission() *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost,
		s.app.PublicURL()+"/v17.0/106540352242922/messages", strings.NewReader(mission))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.start.Token)
	res, err := s.place.HTTP.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	return res
}

var missionAnswer = regexp.MustCompile(`^\{"messaging_product":"whatsapp","contacts":\[\{"input":"\+16505555555","wa_id":"16505555555"\}\],"messages":\[\{"id":"wamid\.[A-Za-z0-9+/]+=*"\}\]\}$`)

func TestTheFirstCurl(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	res := s.mission()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || !missionAnswer.Match(bytes.TrimSpace(body)) {
		t.Errorf("HTTP %d %s", res.StatusCode, body)
	}
	if v := res.Header.Get("Facebook-Api-Version"); v != "v21.0" {
		t.Errorf("v17.0 is served as %q, want the oldest version that lives", v)
	}
	s.idle()
	chat := s.chat(s.start.User)
	if len(chat) == 0 || !strings.Contains(string(chat[len(chat)-1].Content), "Here's the info you requested!") {
		t.Errorf("the user's device shows %+v", chat)
	}
}

// The page is fetched, and its card arrives on the user's device behind the message it belongs to.
func TestLinkPreviewReachesTheDevice(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<meta property="og:title" content="Quest &amp; more"><meta property="og:description" content="A headset">`)
	}))
	t.Cleanup(page.Close)
	s := run(t, func(o *app.Options) { o.NoPreviews, o.PreviewLoopback = false, true })
	id := s.send(map[string]any{
		"messaging_product": "whatsapp", "to": s.start.User, "type": "text",
		"text": map[string]any{"preview_url": true, "body": "Look: " + page.URL + "/quest-3"},
	})
	s.idle()
	chat := s.chat(s.start.User)
	last := chat[len(chat)-1]
	want := `{"url":"` + page.URL + `/quest-3","title":"Quest \u0026 more","description":"A headset"}`
	if last.ID != id || string(last.Preview) != want {
		t.Errorf("%s shows the card %s, want %s below %s", last.ID, last.Preview, want, id)
	}
}

func TestStrictRefusesRetiredVersions(t *testing.T) {
	t.Parallel()
	s := run(t, func(o *app.Options) { o.Strict = true })
	res := s.mission()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), `"code":2635`) {
		t.Errorf("HTTP %d %s", res.StatusCode, body)
	}
	a := s.graph("POST", s.start.Number+"/messages", child.Text("+15550001111", "hi"))
	if a.Code() != 131030 {
		t.Errorf("a recipient outside the list of a test number: HTTP %d %s", a.Status, a.Body)
	}
}

// golden webhooks. Source: spec/webhooks.md sections 13 and 14. W is the id of the message, C that of its conversation.
const (
	envelope = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},` +
		`"contacts":[{"profile":{"name":"Kerry"},"wa_id":"16505555555","user_id":"U"}],%s},"field":"messages"}]}]}`
	goldenSent = `"statuses":[{"id":"W","status":"sent","timestamp":"1795348800","recipient_id":"16505555555","recipient_user_id":"U",` +
		`"biz_opaque_callback_data":"order\/7","conversation":{"id":"C","expiration_timestamp":"1795435200","origin":{"type":"service"}},` +
		`"pricing":{"billable":false,"pricing_model":"PMP","type":"free_customer_service","category":"service"}}]`
	goldenDelivered = `"statuses":[{"id":"W","status":"delivered","timestamp":"1795348800","recipient_id":"16505555555","recipient_user_id":"U",` +
		`"biz_opaque_callback_data":"order\/7","conversation":{"id":"C","origin":{"type":"service"}},` +
		`"pricing":{"billable":false,"pricing_model":"PMP","type":"free_customer_service","category":"service"}}]`
	goldenRead = `"statuses":[{"id":"W","status":"read","timestamp":"1795348800","recipient_id":"16505555555","recipient_user_id":"U",` +
		`"biz_opaque_callback_data":"order\/7"}]`
	goldenText = `"messages":[{"from":"16505555555","from_user_id":"U","id":"W","timestamp":"1795348800",` +
		`"type":"text","text":{"body":"Caf\u00e9 \ud83d\ude00 <\/b>"}}]`
)

func TestConversation(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	body := child.Text(s.start.User, "Hello Kerry")
	body["biz_opaque_callback_data"] = "order/7"
	id := s.send(body)
	s.idle()
	var want []string
	for _, g := range []string{goldenDelivered, goldenRead, goldenSent} {
		want = append(want, golden(g, id))
	}
	got := masked(s.hooks.take())
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("webhooks of a send:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	s.control("POST", "users/"+s.start.User+"/messages", map[string]any{"type": "text", "text": map[string]string{"body": "Café 😀 </b>"}})
	s.idle()
	got = masked(s.hooks.take())
	chat := s.chat(s.start.User)
	last := chat[len(chat)-1]
	if last.Direction != "out" || last.Status != "sent" || last.ID == "" {
		t.Errorf("the user's device shows %+v", last)
	}
	if want := golden(goldenText, last.ID); !slices.Equal(got, []string{want}) {
		t.Errorf("webhook of the answer:\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if p := s.hooks.Problems(); p != nil {
		t.Error(p)
	}
}

var userIDs = regexp.MustCompile(`"US\.[0-9A-Za-z]{22}"`)

// masked hides the business-scoped ids, which every data directory has its own of.
func masked(bodies []string) []string {
	for i, b := range bodies {
		bodies[i] = userIDs.ReplaceAllString(b, `"U"`)
	}
	return bodies
}

func golden(change, id string) string {
	sum := sha256.Sum256([]byte("conversation/" + id))
	change = strings.NewReplacer(`"W"`, `"`+strings.ReplaceAll(id, "/", `\/`)+`"`, `"C"`, `"`+hex.EncodeToString(sum[:16])+`"`).Replace(change)
	return fmt.Sprintf(envelope, change)
}

func TestThroughputOfManyClients(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	const users = 50
	s.control("POST", "users", map[string]any{"prefix": "1202555", "count": users})
	s.idle()
	s.advance(time.Minute) // the sandbox user's first message counts too
	var passed, refused atomic.Int32
	var clients sync.WaitGroup
	for c := range 20 {
		clients.Go(func() {
			for i := range 50 {
				a, err := s.place.Graph(t.Context(), "POST", version+"/"+s.start.Number+"/messages", s.start.Token,
					child.Hello(fmt.Sprintf("1202555%04d", (c*50+i)%users), ""))
				switch {
				case err != nil:
					t.Error(err)
				case a.Status == http.StatusOK:
					passed.Add(1)
				case a.Code() == 130429 && a.Status == http.StatusBadRequest:
					refused.Add(1)
				default:
					t.Errorf("HTTP %d %s", a.Status, a.Body)
				}
			}
		})
	}
	clients.Wait()
	if passed.Load() != 80 || refused.Load() != 920 {
		t.Errorf("%d of 1,000 sends passed and %d were refused; the level is 80", passed.Load(), refused.Load())
	}
	s.advance(time.Second)
	if a := s.graph("POST", s.start.Number+"/messages", child.Hello("12025550001", "")); a.Status != http.StatusOK {
		t.Errorf("a second later: HTTP %d %s", a.Status, a.Body)
	}
}

// TestPairLimit replays vectors P6, P7, P10 and P11 of spec/limits.md section 2.
func TestPairLimit(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	other := decode[struct{ ID string }](t, s.control("POST", "numbers", map[string]string{"phone": "15550783882", "name": "Two"})).ID
	began := s.clock.Now()
	send := func(number, to string, want int) {
		t.Helper()
		a := s.graph("POST", number+"/messages", child.Hello(to, ""))
		if a.Code() != want || (want == 0) != (a.Status == http.StatusOK) {
			t.Errorf("at %v: HTTP %d %s, want code %d", s.clock.Now().Sub(began), a.Status, a.Body, want)
		}
	}
	for range 45 {
		send(s.start.Number, s.start.User, 0)
	}
	send(s.start.Number, s.start.User, 131056)
	send(s.start.Number, "12025550001", 0) // another user
	send(other, s.start.User, 0)           // another number
	for _, ms := range []int{5999, 6000, 100_000, 269_999} {
		s.advance(began.Add(time.Duration(ms) * time.Millisecond).Sub(s.clock.Now()))
		send(s.start.Number, s.start.User, 131056)
	}
	s.advance(time.Millisecond)
	send(s.start.Number, s.start.User, 0)
}

func TestWindowCloses(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	s.advance(25 * time.Hour)
	free, hello := s.send(child.Text(s.start.User, "too late")), s.send(child.Hello(s.start.User, ""))
	s.idle()
	u := s.status(free, "failed")
	contains(t, "the webhook", u.Content, `"errors":[{"code":131047,"title":"Re-engagement message","message":"Re-engagement message",`+
		`"error_data":{"details":"Message failed to send because more than 24 hours have passed since the customer last replied to this number."}`)
	if _, ok := s.hooks.Find(free, "sent"); ok {
		t.Error("it was sent too")
	}
	s.status(hello, "read")
	s.control("POST", "users/"+s.start.User+"/messages", map[string]any{"type": "text", "text": map[string]string{"body": "open again"}})
	s.idle()
	again := s.send(child.Text(s.start.User, "thank you"))
	s.idle()
	s.status(again, "read")
}

func TestUnknownRecipientBecomesUser(t *testing.T) {
	t.Parallel()
	s := run(t, nil)
	s.subscribe()
	id := s.send(child.Hello("+1 (202) 555-0123", "x"))
	s.idle()
	for _, status := range []string{"sent", "delivered", "read"} {
		s.status(id, status)
	}
	if chat := s.chat("12025550123"); len(chat) != 1 || chat[0].ID != id || chat[0].Type != "template" {
		t.Errorf("the new user's device shows %+v", chat)
	}
	if a := s.graph("POST", s.start.Number+"/messages", child.Hello(s.start.Phone, "")); a.Code() != 131021 {
		t.Errorf("to itself: HTTP %d %s", a.Status, a.Body)
	}
}
