package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/console"
)

const defaultServer = "http://127.0.0.1:8080"

type chatCmd struct {
	As      string        `help:"The user's phone number." required:"" placeholder:"+16505555555" env:"USER_PHONE"`
	Server  string        `help:"Address of the platform; default that of the data directory." env:"BASE_URL" placeholder:"URL"`
	Control string        `help:"Control API of a sandbox, which knows the verification code." env:"CONTROL_URL" placeholder:"URL"`
	Name    string        `help:"Profile name that businesses see." placeholder:"NAME"`
	Data    string        `help:"Data directory of a platform on this machine." placeholder:"DIR"`
	State   string        `help:"Where the phone lives; default in the configuration folder, one file per server and number." placeholder:"FILE"`
	To      string        `help:"Business number to write to." placeholder:"NUMBER"`
	Code    string        `help:"Verification code, if it is known beforehand." placeholder:"CODE"`
	PIN     string        `help:"PIN of the number, if it has one." name:"pin" env:"USER_PIN" placeholder:"PIN"`
	Wait    time.Duration `help:"In a pipe: how long to go on receiving after the end of the input." default:"2s"`
	rootKey
}

// Run implements the command.
func (c *chatCmd) Run(ctx context.Context) error {
	o := console.Options{
		Server: c.Server, Control: c.Control, Phone: c.As, Name: c.Name, To: c.To, Suggest: os.Getenv("DISPLAY_PHONE_NUMBER"),
		Code: c.Code, PIN: c.PIN, Wait: c.Wait, Client: "hikyaku chat " + version,
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	}
	c.local(&o)
	var err error
	if o.HTTP, err = localClient(c.options(c.Data), 20*time.Second); err != nil {
		return err
	}
	if o.State = c.State; o.State == "" {
		if o.State, err = console.StatePath(o.Server, o.Phone); err != nil {
			return err
		}
	}
	typed := term.IsTerminal(int(os.Stdin.Fd()))
	o.Terminal = typed && term.IsTerminal(int(os.Stdout.Fd()))
	if typed {
		o.Ask = ask
	}
	return console.Run(ctx, o)
}

// local fills in what a platform on this machine can tell: where it listens, and which number answers there.
func (c *chatCmd) local(o *console.Options) {
	p, err := app.ReadPlan(c.options(c.Data))
	if err != nil {
		o.Server = cmp.Or(o.Server, defaultServer)
		return
	}
	o.Server = cmp.Or(o.Server, p.BaseURL, defaultServer)
	if strings.TrimSuffix(o.Server, "/") != strings.TrimSuffix(p.BaseURL, "/") {
		return // another platform
	}
	if p.Sandbox {
		o.Control = cmp.Or(o.Control, p.ControlURL)
	}
	o.Suggest = cmp.Or(o.Suggest, string(p.NumberWaID))
}

// ask takes a line from the terminal. Reading cannot be interrupted, so it goes on in the background when ctx ends first.
func ask(ctx context.Context, prompt string, secret bool) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask on the terminal: %w", err)
	}
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		if secret {
			b, err := term.ReadPassword(fd)
			fmt.Fprintln(os.Stderr)
			got <- answer{string(b), err}
			return
		}
		line, err := bufio.NewReader(os.Stdin).ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		if a.err != nil {
			return "", fmt.Errorf("ask on the terminal: %w", a.err)
		}
		return strings.TrimSpace(a.line), nil
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}
