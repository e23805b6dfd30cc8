// An SDK for Go, as it comes, against a running sandbox: nothing is changed for it but the address. It sends text, a template
// and a picture, with appsecret_proof, fetches the picture again, and takes the webhooks with its own listener and checks.
// run.sh starts the sandbox and gives the variables of `hikyaku env`.
package golang_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/piusalfred/whatsapp/config"
	"github.com/piusalfred/whatsapp/media"
	"github.com/piusalfred/whatsapp/message"
	whttp "github.com/piusalfred/whatsapp/pkg/http"
	"github.com/piusalfred/whatsapp/webhooks"
)

const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// seen is what the webhooks told.
type seen struct {
	mu       sync.Mutex
	statuses map[string][]string
	texts    []string
}

func TestPiusalfredWhatsapp(t *testing.T) {
	ctx := t.Context()
	conf := config.ReaderFunc(func(context.Context) (*config.Config, error) {
		return &config.Config{
			BaseURL: os.Getenv("BASE_URL"), APIVersion: os.Getenv("GRAPH_VERSION"), AccessToken: os.Getenv("TOKEN"),
			PhoneNumberID: os.Getenv("PHONE_NUMBER_ID"), BusinessAccountID: os.Getenv("WABA_ID"), AppID: os.Getenv("APP_ID"),
			AppSecret: os.Getenv("APP_SECRET"), SecureRequests: true,
		}, nil
	})
	got := &seen{statuses: map[string][]string{}}
	subscribe(t, listen(t, got))

	png, err := base64.StdEncoding.DecodeString(picture)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dot.png")
	if err := os.WriteFile(path, png, 0o600); err != nil {
		t.Fatal(err)
	}
	files := media.NewBaseClient(conf, whttp.NewAnySender())
	file, err := files.Upload(ctx, &media.UploadRequest{MediaType: media.TypeImagePNG, Filepath: path})
	if err != nil {
		t.Fatal(err)
	}
	var copied []byte
	err = files.DownloadByMediaID(ctx, &media.BaseRequest{MediaID: file.ID}, whttp.BodyReaderResponseDecoder(
		func(_ context.Context, r io.Reader) (err error) { copied, err = io.ReadAll(r); return err }))
	if err != nil || !bytes.Equal(copied, png) {
		t.Errorf("%d bytes came back of %d: %v", len(copied), len(png), err)
	}

	client, err := message.NewBaseClient(whttp.NewSender[message.Message](), conf)
	if err != nil {
		t.Fatal(err)
	}
	const user = "16505557721" // not the person to whom the other SDKs write: there is a limit to that
	var ids []string
	send := func(o message.Option) {
		t.Helper()
		m, err := message.New(user, o)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := client.SendMessage(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, sent.Messages[0].ID)
	}
	control := os.Getenv("CONTROL_URL") + "/control/v1/"
	idle := func() { post(t, control+"idle", "", map[string]any{"timeout": "20s"}) }
	send(message.WithTemplateMessage(&message.Template{Name: "hello_world", Language: &message.TemplateLanguage{Code: "en_US"}}))
	idle()
	post(t, control+"users/"+user+"/messages", "", map[string]any{"type": "text", "text": map[string]string{"body": "Thank you!"}})
	idle()
	send(message.WithTextMessage(&message.Text{Body: "Hello"}))
	send(message.WithImage(&message.Image{ID: file.ID}))
	idle()
	if _, err := client.SendText(ctx, message.NewRequest("1", &message.Text{Body: "Hello"})); err == nil || !strings.Contains(err.Error(), "131009") && !strings.Contains(err.Error(), "100") {
		t.Errorf("a number that is none: %v", err)
	}

	got.mu.Lock()
	defer got.mu.Unlock()
	for _, id := range ids {
		for _, status := range []string{"sent", "delivered", "read"} {
			if !slices.Contains(got.statuses[id], status) {
				t.Errorf("%s was never %s: %v", id, status, got.statuses[id])
			}
		}
	}
	if !slices.Contains(got.texts, "Thank you!") {
		t.Errorf("texts of users: %q", got.texts)
	}
}

// listen serves the SDK's listener and returns its address.
func listen(t *testing.T, got *seen) string {
	t.Helper()
	handler := webhooks.NewHandler()
	handler.OnTextMessage(func(_ context.Context, _ *webhooks.MessageNotificationContext, _ *webhooks.MessageInfo, text *webhooks.Text) error {
		got.mu.Lock()
		defer got.mu.Unlock()
		got.texts = append(got.texts, text.Body)
		return nil
	})
	handler.OnMessageStatusChange(func(_ context.Context, _ *webhooks.MessageNotificationContext, list []*webhooks.Status) error {
		got.mu.Lock()
		defer got.mu.Unlock()
		for _, s := range list {
			got.statuses[s.ID] = append(got.statuses[s.ID], s.StatusValue)
		}
		return nil
	})
	l := webhooks.NewListener(handler, webhooks.ConfigReaderFunc(func(*http.Request) (*webhooks.Config, error) {
		return &webhooks.Config{Token: os.Getenv("VERIFY_TOKEN"), Validate: true, AppSecret: os.Getenv("APP_SECRET")}, nil
	}))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			l.HandleSubscriptionVerification(w, r)
			return
		}
		l.HandleNotification(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// subscribe makes the app's webhooks come to url; the SDK answers the handshake.
func subscribe(t *testing.T, url string) {
	t.Helper()
	base := os.Getenv("BASE_URL") + "/" + os.Getenv("GRAPH_VERSION") + "/"
	post(t, base+os.Getenv("APP_ID")+"/subscriptions", os.Getenv("APP_ID")+"|"+os.Getenv("APP_SECRET"), map[string]any{
		"object": "whatsapp_business_account", "callback_url": url, "verify_token": os.Getenv("VERIFY_TOKEN"), "fields": []string{"messages"},
	})
	post(t, base+os.Getenv("WABA_ID")+"/subscribed_apps", os.Getenv("TOKEN"), map[string]any{})
}

func post(t *testing.T, url, token string, body any) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		t.Fatal(fmt.Sprint(url, " ", res.StatusCode, " ", string(answer)))
	}
}
