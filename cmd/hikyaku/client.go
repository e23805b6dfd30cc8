package main

import (
	"net/http"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
)

// localClient calls the platform of a data directory, also when that one made its certificate itself.
func localClient(o app.Options, timeout time.Duration) (*http.Client, error) {
	c := &http.Client{Timeout: timeout}
	trust, err := app.Trust(o)
	if err != nil || trust == nil {
		return c, err
	}
	c.Transport = &http.Transport{TLSClientConfig: trust, Proxy: http.ProxyFromEnvironment}
	return c, nil
}
