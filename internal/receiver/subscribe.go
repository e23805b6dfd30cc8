package receiver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Target is the app to subscribe and how to reach the platform; `hikyaku env` prints all of it.
type Target struct {
	BaseURL, Version, AppID, AppSecret, VerifyToken, WABAID, Token string
}

// Subscribe points the app's webhook at callback (field messages) and connects the app to the WABA. The platform verifies
// callback before it answers, so the receiver must be listening.
func Subscribe(ctx context.Context, c *http.Client, t Target, callback string) error {
	form := url.Values{
		"object": {"whatsapp_business_account"}, "callback_url": {callback}, "verify_token": {t.VerifyToken},
		"fields": {"messages"},
	}
	if err := post(ctx, c, t, t.AppID+"/subscriptions", t.AppID+"|"+t.AppSecret, form); err != nil {
		return fmt.Errorf("subscribe app %s: %w", t.AppID, err)
	}
	if err := post(ctx, c, t, t.WABAID+"/subscribed_apps", t.Token, nil); err != nil {
		return fmt.Errorf("connect app to WABA %s: %w", t.WABAID, err)
	}
	return nil
}

func post(ctx context.Context, c *http.Client, t Target, path, token string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.BaseURL+"/"+t.Version+"/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d: %s", res.StatusCode, body)
	}
	return nil
}
