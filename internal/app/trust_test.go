package app

import (
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

func TestClientsTrustTheSelfSignedCertificate(t *testing.T) {
	t.Parallel()
	a := &App{o: Options{Data: t.TempDir(), Listen: "127.0.0.1:0", SelfSigned: []string{"graph.example.com"}}}
	if c, err := Trust(a.o); c != nil || err != nil {
		t.Fatalf("without a certificate: %v, %v", c, err)
	}
	c, err := tlsConfig(&a.o, "", clock.System().Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.publishCertificate(c); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{TLSConfig: c, Handler: http.NotFoundHandler()}
	go func() { _ = server.ServeTLS(l, "", "") }()
	defer server.Close()
	trust, err := Trust(a.o)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: trust}}
	res, err := client.Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	client.CloseIdleConnections()

	a.o.SelfSigned = nil
	if err := a.publishCertificate(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(a.trustPath()); !os.IsNotExist(err) {
		t.Errorf("the certificate of an earlier start is still there: %v", err)
	}
}
