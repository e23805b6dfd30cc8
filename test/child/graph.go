package child

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Starter is the resources every test declares, so that nothing has to be looked up.
type Starter struct {
	Business, App, Secret, Verify, WABA, Number, Phone, SystemUser, Token, User string
}

// Declared is the starter of all tests.
func Declared() Starter {
	return Starter{
		Business: "506914307656634", App: "670843887433847", Secret: "0123456789abcdef0123456789abcdef",
		Verify: "verify-4c1f90", WABA: "102290129340398", Number: "106540352242922", Phone: "15550783881",
		SystemUser: "122103412345678", Token: "EAAtestsDeclaredToken0123456789", User: "16505555555",
	}
}

// YAML is the file for --config.
func (s Starter) YAML() string {
	return fmt.Sprintf(`business: {id: "%s", name: Bistro}
app: {id: "%s", name: Orders, secret: "%s", verify_token: "%s"}
waba: {id: "%s", name: Bistro}
number: {id: "%s", phone: "%s", name: Bistro}
system_user: {id: "%s", name: Robot}
token: "%s"
user: {phone: "%s", name: Kerry}
`, s.Business, s.App, s.Secret, s.Verify, s.WABA, s.Number, s.Phone, s.SystemUser, s.Token, s.User)
}

// Answer is what a call of the Graph API returned.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Code is the error code of the answer; 0 when there is none.
func (a *Answer) Code() int {
	var e struct {
		Error struct {
			Code int `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(a.Body, &e) != nil {
		return 0
	}
	return e.Error.Code
}

// MessageID is the wamid of an accepted send; empty when there is none.
func (a *Answer) MessageID() string {
	var m struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if json.Unmarshal(a.Body, &m) != nil || len(m.Messages) != 1 {
		return ""
	}
	return m.Messages[0].ID
}

// maxAnswer bounds what a client reads.
const maxAnswer = 32 << 20

// Graph calls a path below the public port, "v23.0/106540352242922/messages", with the token as bearer. A body that is not
// nil goes out as JSON.
func (p *Place) Graph(ctx context.Context, method, path, token string, body any) (*Answer, error) {
	return p.call(ctx, method, p.URL()+"/"+path, token, body)
}

// Do calls the control API.
func (p *Place) Do(ctx context.Context, method, path string, body any) (*Answer, error) {
	return p.call(ctx, method, p.ControlURL()+path, "", body)
}

func (p *Place) call(ctx context.Context, method, url, token string, body any) (*Answer, error) {
	var r io.Reader
	if body != nil {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(body); err != nil {
			return nil, err
		}
		r = &b
	}
	req, err := http.NewRequestWithContext(ctx, method, url, r)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := p.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	return &Answer{res.StatusCode, res.Header, b}, nil
}

// Text is a free-form message to a user.
func Text(to, body string) map[string]any {
	return map[string]any{"messaging_product": "whatsapp", "to": to, "type": "text", "text": map[string]any{"body": body}}
}

// Hello is the sample template to a user, with callback data.
func Hello(to, opaque string) map[string]any {
	return map[string]any{
		"messaging_product": "whatsapp", "to": to, "type": "template", "biz_opaque_callback_data": opaque,
		"template": map[string]any{"name": "hello_world", "language": map[string]string{"code": "en_US"}},
	}
}
