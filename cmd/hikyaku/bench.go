package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/term"

	"github.com/hikyaku/hikyaku/internal/bench"
)

type benchCmd struct {
	Send     benchSend     `cmd:"" help:"Send messages at a rate, trying refused ones again."`
	Webhook  benchWebhook  `cmd:"" help:"Test a webhook receiver against the capacity and latency standard."`
	Platform benchPlatform `cmd:"" help:"Measure this platform end to end."`
}

type benchSend struct {
	Server      string   `help:"Server with the API." placeholder:"URL" env:"BASE_URL"`
	Token       string   `help:"Access token." placeholder:"TOKEN" env:"TOKEN"`
	Number      string   `help:"Id of the number that sends." placeholder:"ID" env:"PHONE_NUMBER_ID"`
	Version     string   `help:"Version in the path." default:"v23.0" env:"GRAPH_VERSION"`
	To          []string `help:"Recipients, in turn." placeholder:"PHONE" env:"USER_PHONE"`
	Text        string   `help:"Text; %d becomes the number of the message." default:"Message %d"`
	Count       int      `help:"Messages." short:"n" default:"100"`
	MPS         float64  `help:"Messages per second." default:"10" name:"mps"`
	Connections int      `help:"Calls at once." default:"64"`
	AllowRemote bool     `help:"Send to a server beyond this machine."`
	JSON        bool     `help:"One JSON object instead of the report." name:"json"`
}

// Run implements the command.
func (c *benchSend) Run(ctx context.Context) error {
	r, err := bench.Send(ctx, bench.SendOptions{
		BaseURL: c.Server, Version: c.Version, Token: c.Token, NumberID: c.Number, To: c.To, Text: c.Text, Count: c.Count,
		MPS: c.MPS, Connections: c.Connections, AllowRemote: c.AllowRemote, Progress: progress(),
	})
	if err != nil {
		return err
	}
	return result(r, c.JSON)
}

type benchWebhook struct {
	URL         string        `help:"The receiver." required:"" placeholder:"URL" name:"url"`
	AppSecret   string        `help:"Signs the payloads." placeholder:"SECRET" env:"APP_SECRET"`
	VerifyToken string        `help:"Tests the handshake too." placeholder:"TOKEN" env:"VERIFY_TOKEN"`
	MPS         float64       `help:"Outbound messages per second to stand for; each makes three statuses." default:"1000" name:"mps"`
	Reply       float64       `help:"Share of messages that users answer." default:"0.3"`
	Duration    time.Duration `help:"How long." default:"30s"`
	Connections int           `help:"Most deliveries at once." default:"1024"`
	WABA        string        `help:"Account in the payloads." placeholder:"ID" env:"WABA_ID" name:"waba"`
	Number      string        `help:"Number in the payloads." placeholder:"ID" env:"PHONE_NUMBER_ID"`
	AllowRemote bool          `help:"Test a receiver beyond this machine."`
	JSON        bool          `help:"One JSON object instead of the report." name:"json"`
}

// Run implements the command.
func (c *benchWebhook) Run(ctx context.Context) error {
	r, err := bench.Webhook(ctx, bench.WebhookOptions{
		URL: c.URL, AppSecret: c.AppSecret, VerifyToken: c.VerifyToken, MPS: c.MPS, Reply: c.Reply, Duration: c.Duration,
		Connections: c.Connections, WABAID: c.WABA, NumberID: c.Number, AllowRemote: c.AllowRemote, Progress: progress(),
	})
	if err != nil {
		return err
	}
	return result(r, c.JSON)
}

type benchPlatform struct {
	MPS         rate          `help:"Messages per second, or max." default:"1000" name:"mps"`
	Reply       float64       `help:"Share of messages that users answer." default:"0.3"`
	Duration    time.Duration `help:"How long the load lasts." default:"60s"`
	Users       int           `help:"Virtual users." default:"10000"`
	Numbers     int           `help:"Business numbers; default 1, for max 16." placeholder:"N"`
	Batch       int           `help:"Most updates in one webhook; 1 sends each status alone." default:"1"`
	Connections int           `help:"Connections that send; default by rate." placeholder:"N"`
	VerifyEvery int           `help:"Check the signature of one webhook in so many." default:"16"`
	Drain       time.Duration `help:"How long to wait for what is on its way after the load." default:"30s"`
	Media       string        `help:"Send the same picture instead of texts: by id or by link." enum:",id,link" default:"" placeholder:"id|link"`
	Baseline    *bool         `help:"Measure the bare machine too; default for 10s and longer." negatable:""`
	Profile     string        `help:"Write a processor profile of the platform." placeholder:"FILE"`
	Data        string        `help:"Data directory; default a temporary one, or with --server that of the running platform." placeholder:"DIR"`
	Keep        bool          `help:"Keep the temporary data directory."`
	Server      string        `help:"Measure a sandbox that runs already; its variables come from --data or the environment." placeholder:"URL"`
	Control     string        `help:"Operator port of that one." placeholder:"URL"`
	JSON        bool          `help:"One JSON object instead of the report." name:"json"`
}

// Run implements the command.
func (c *benchPlatform) Run(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	o := bench.PlatformOptions{
		MPS: float64(c.MPS), Reply: c.Reply, Duration: c.Duration, Users: c.Users, Numbers: c.Numbers, Batch: c.Batch,
		Connections: c.Connections, VerifyEvery: c.VerifyEvery, Drain: c.Drain, Baseline: c.Duration >= 10*time.Second,
		Program: program, Dir: c.Data, Keep: c.Keep, Profile: c.Profile, Media: c.Media, Progress: progress(),
	}
	if c.Baseline != nil {
		o.Baseline = *c.Baseline
	}
	if c.Server != "" {
		if o.Target, err = bench.FindTarget(ctx, program, c.Data, c.Server, c.Control, os.Getenv); err != nil {
			return err
		}
	}
	r, err := bench.Platform(ctx, o)
	if err != nil {
		return err
	}
	return result(r, c.JSON)
}

// rate is a number of messages per second; 0 is written max.
type rate float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *rate) UnmarshalText(b []byte) error {
	if string(b) == "max" {
		*r = 0
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(f > 0) {
		return errors.New("want a number of messages per second, or max")
	}
	*r = rate(f)
	return nil
}

func progress() *bench.Progress {
	return &bench.Progress{W: os.Stderr, Terminal: term.IsTerminal(int(os.Stderr.Fd()))}
}

// report is what a bench ends with.
type report interface {
	Passed() bool
	Write(w io.Writer) error
}

var errVerdict = errors.New("the verdict is FAIL")

func result(r report, asJSON bool) (err error) {
	if asJSON {
		err = json.NewEncoder(os.Stdout).Encode(r)
	} else {
		err = r.Write(os.Stdout)
	}
	if err == nil && !r.Passed() {
		err = errVerdict
	}
	return err
}
