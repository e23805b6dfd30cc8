// Hikyaku is a self-hosted business messaging platform that speaks the WhatsApp Business Cloud API. One binary: the
// platform itself, a phone in the terminal, a sample webhook receiver and a load generator. docs/cli.md lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Serve   serveCmd   `cmd:"" help:"Run the platform."`
	Env     envCmd     `cmd:"" help:"Print variables for a shell: eval \"$(hikyaku env --export)\"."`
	Chat    chatCmd    `cmd:"" help:"Be a user: a phone in the terminal."`
	Echo    echoCmd    `cmd:"" help:"Receive webhooks: answer the handshake, check signatures, print payloads."`
	Admin   adminCmd   `cmd:"" help:"Work with a running platform as its operator."`
	Sandbox sandboxCmd `cmd:"" help:"Work with a running sandbox."`
	Bench   benchCmd   `cmd:"" help:"Generate load and measure."`
	Version versionCmd `cmd:"" help:"Print version, commit and Go version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt does not wait for an orderly stop
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "hikyaku:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var c commands
	parser, err := kong.New(&c, kong.Name("hikyaku"), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Description("A self-hosted business messaging platform that speaks the WhatsApp Business Cloud API."))
	if err != nil {
		return err
	}
	k, err := parser.Parse(args)
	if err != nil {
		parser.FatalIfErrorf(err)
	}
	return k.Run()
}
