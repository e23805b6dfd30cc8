package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/hikyaku/hikyaku/internal/app"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/scenario"
)

type sandboxCmd struct {
	Play playCmd `cmd:"" help:"Play a scenario file against a running sandbox."`
}

type playCmd struct {
	File    string        `arg:"" help:"Scenario, YAML; docs/scenarios.md."`
	Data    string        `help:"Data directory of the sandbox." placeholder:"DIR"`
	Timeout time.Duration `help:"Give up after this much real time." default:"10m"`
	rootKey
}

// Run implements the command.
func (c *playCmd) Run(ctx context.Context) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	s, err := scenario.Parse(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	target, err := c.target()
	if err != nil {
		return err
	}
	client, err := localClient(c.options(c.Data), 3*time.Minute)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	return scenario.Play(ctx, s, scenario.Options{
		Target: target, Client: client, Clock: clock.System(), Out: os.Stdout, Colour: term.IsTerminal(int(os.Stdout.Fd())),
	})
}

// target takes what the environment gives (`eval "$(hikyaku env)"`), or reads the data directory.
func (c *playCmd) target() (scenario.Target, error) {
	t := scenario.Target{
		BaseURL: os.Getenv("BASE_URL"), ControlURL: os.Getenv("CONTROL_URL"), Version: cmp.Or(os.Getenv("GRAPH_VERSION"), app.GraphVersion),
		AppID: os.Getenv("APP_ID"), AppSecret: os.Getenv("APP_SECRET"), VerifyToken: os.Getenv("VERIFY_TOKEN"), Token: os.Getenv("TOKEN"),
		BusinessID: os.Getenv("BUSINESS_ID"), WABAID: os.Getenv("WABA_ID"),
	}
	if c.Data == "" && t.BaseURL != "" && t.ControlURL != "" && t.AppID != "" && t.AppSecret != "" && t.Token != "" && t.BusinessID != "" && t.WABAID != "" {
		return t, nil
	}
	p, err := app.ReadPlan(c.options(c.Data))
	if err != nil {
		return t, err
	}
	return scenario.Target{
		BaseURL: p.BaseURL, ControlURL: p.ControlURL, Version: app.GraphVersion, AppID: string(p.AppID), AppSecret: p.AppSecret,
		VerifyToken: p.VerifyToken, Token: p.Token, BusinessID: string(p.BusinessID), WABAID: string(p.WABAID),
	}, nil
}
