package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
)

type adminCmd struct {
	LoginLink loginLinkCmd `cmd:"" name:"login-link" help:"Print a link with which somebody chooses how they log in at the Manager. It works once, for 15 minutes."`
}

type loginLinkCmd struct {
	Email string `help:"Address of a person who is known; without it the link makes a new administrator." placeholder:"ADDRESS"`
	Data  string `help:"Data directory of the platform." placeholder:"DIR"`
	rootKey
}

// Run implements the command.
func (c *loginLinkCmd) Run(ctx context.Context) error {
	link, expires, err := app.LoginLink(ctx, &http.Client{Timeout: 30 * time.Second}, c.options(c.Data), c.Email)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, link)
	fmt.Fprintf(os.Stderr, "works once, until %s\n", expires.Format("15:04:05 MST"))
	return nil
}
