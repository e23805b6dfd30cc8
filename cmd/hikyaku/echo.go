package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/receiver"
)

type echoCmd struct {
	Listen      string `help:"Address to listen on." default:"127.0.0.1:9000"`
	Subscribe   bool   `help:"Point the starter app's webhooks at this receiver."`
	Callback    string `help:"URL by which the platform reaches this receiver; default the listen address." placeholder:"URL"`
	AppSecret   string `help:"Checks signatures; default that of the starter app." env:"APP_SECRET" placeholder:"SECRET"`
	VerifyToken string `help:"Expected in the handshake; default that of the starter app." env:"VERIFY_TOKEN" placeholder:"TOKEN"`
	Data        string `help:"Data directory of the platform." placeholder:"DIR"`
	rootKey
}

// Run implements the command.
func (c *echoCmd) Run(ctx context.Context) error {
	target, err := c.target()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("address %s is in use; stop the program that has it, or choose another with --listen", c.Listen)
	}
	if err != nil {
		return fmt.Errorf("listen on %s (--listen): %w", c.Listen, err)
	}
	printer := &receiver.Printer{Out: os.Stdout, Colour: term.IsTerminal(int(os.Stdout.Fd()))}
	server := &http.Server{
		Handler:           &receiver.Receiver{AppSecret: target.AppSecret, VerifyToken: target.VerifyToken, Print: printer},
		ReadHeaderTimeout: 5 * time.Second,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	url := cmp.Or(c.Callback, "http://"+l.Addr().String()+"/")
	fmt.Fprintf(os.Stderr, "receiving webhooks on %s\n", url)
	if c.Subscribe {
		if err := c.subscribe(ctx, target, url); err != nil {
			return errors.Join(err, server.Close())
		}
		fmt.Fprintf(os.Stderr, "app %s sends its webhooks here now\n", target.AppID)
	}
	select {
	case <-ctx.Done():
		return server.Close()
	case err := <-done:
		return err
	}
}

// subscribe points the app at url.
func (c *echoCmd) subscribe(ctx context.Context, target receiver.Target, url string) error {
	client, err := localClient(c.options(c.Data), 15*time.Second)
	if err != nil {
		return err
	}
	err = receiver.Subscribe(ctx, client, target, url)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing answers at %s: start the platform first, with `hikyaku serve --sandbox`", target.BaseURL)
	}
	if err != nil && strings.Contains(err.Error(), "Connection failed") {
		return fmt.Errorf("%w\nWithout --sandbox, a platform calls addresses of this machine only when it was started with --private-webhooks", err)
	}
	return err
}

// target takes what the environment gives (`eval "$(hikyaku env)"`) and reads the rest from the data directory.
func (c *echoCmd) target() (receiver.Target, error) {
	t := receiver.Target{
		BaseURL: os.Getenv("BASE_URL"), Version: cmp.Or(os.Getenv("GRAPH_VERSION"), app.GraphVersion), AppID: os.Getenv("APP_ID"),
		AppSecret: c.AppSecret, VerifyToken: c.VerifyToken, WABAID: os.Getenv("WABA_ID"), Token: os.Getenv("TOKEN"),
	}
	if c.Data != "" { // said on the command line: it counts more than variables of some other platform
		t.BaseURL, t.AppID, t.WABAID, t.Token = "", "", "", ""
		t.AppSecret, t.VerifyToken = "", ""
	}
	complete := t.BaseURL != "" && t.AppID != "" && t.WABAID != "" && t.Token != ""
	if (complete || !c.Subscribe) && t.AppSecret != "" {
		return t, nil
	}
	p, err := app.ReadPlan(c.options(c.Data))
	if err != nil {
		if !c.Subscribe {
			return t, nil // a receiver for another platform: it says that signatures are not checked
		}
		return t, err
	}
	return receiver.Target{
		BaseURL: p.BaseURL, Version: t.Version, AppID: string(p.AppID), AppSecret: cmp.Or(t.AppSecret, p.AppSecret),
		VerifyToken: cmp.Or(t.VerifyToken, p.VerifyToken), WABAID: string(p.WABAID), Token: p.Token,
	}, nil
}
