package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/hikyaku/hikyaku/internal/app"
)

// rootKey is how commands beside serve find the root key of a data directory.
type rootKey struct {
	RootKeyFile string `help:"Root key; default root.key in the data directory." placeholder:"FILE"`
	RootKeyEnv  string `help:"Environment variable that holds the root key." placeholder:"NAME"`
	RootKeyHook string `help:"Program that wraps and unwraps the root key." placeholder:"PROGRAM"`
}

func (k *rootKey) options(data string) app.Options {
	return app.Options{Data: data, RootKeyFile: k.RootKeyFile, RootKeyEnv: k.RootKeyEnv, RootKeyHook: k.RootKeyHook}
}

type envCmd struct {
	Data string `help:"Data directory of the platform." placeholder:"DIR"`
	JSON bool   `help:"One JSON object instead of KEY=value lines." xor:"form"`

	Export bool `help:"export KEY=value lines: programs that are started from the shell see the variables, too." xor:"form"`
	rootKey
}

// Run implements the command.
func (c *envCmd) Run(ctx context.Context) error {
	p, err := app.ReadPlan(c.options(c.Data))
	if err != nil {
		return err
	}
	warn(ctx, p.ControlURL)
	if c.JSON {
		m := map[string]string{}
		for _, v := range p.Variables() {
			m[v.Key] = v.Value
		}
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(m)
	}
	word := ""
	if c.Export {
		word = "export "
	}
	for _, v := range p.Variables() {
		fmt.Fprintf(os.Stdout, "%s%s=%s\n", word, v.Key, app.Quote(v.Value))
	}
	return nil
}

// answerTime is how long a platform on this machine may take to answer.
const answerTime = time.Second

// warn says on the standard error stream that no platform runs. The variables hold all the same, so that scripts go on.
func warn(ctx context.Context, control string) {
	u, err := url.Parse(control)
	if err != nil || u.Host == "" {
		return
	}
	conn, err := (&net.Dialer{Timeout: answerTime}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		fmt.Fprintf(os.Stderr, "hikyaku: nothing answers at %s; is the platform running?\n", control)
		return
	}
	_ = conn.Close()
}
