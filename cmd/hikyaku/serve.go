package main

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/hikyaku/hikyaku/internal/app"
)

type serveCmd struct {
	Data    string `help:"Data directory; made on the first start." placeholder:"DIR"`
	Listen  string `help:"Address of the public port: Graph API and devices." default:"127.0.0.1:8080"`
	Control string `help:"Address of the operator port: health, metrics, control API." default:"127.0.0.1:8081"`
	Config  string `help:"YAML file with the ids and the token of the starter resources." placeholder:"FILE"`
	Store   string `help:"postgres://… instead of the embedded database." placeholder:"DSN" env:"HIKYAKU_STORE"`
	Sandbox bool   `help:"For development and CI: virtual users, control API, relaxed test number."`
	Strict  bool   `help:"Refuse retired versions; keep the test number's five-recipient rule in a sandbox."`

	TLSCert       string   `help:"Certificate, PEM." placeholder:"FILE" group:"tls"`
	TLSKey        string   `help:"Its key, PEM." placeholder:"FILE" group:"tls"`
	TLSSelfSigned []string `help:"Make a certificate for these hosts at every start." placeholder:"HOST" group:"tls"`
	ACME          []string `help:"Obtain certificates for these hosts." placeholder:"HOST" name:"acme" group:"tls"`
	BehindProxy   bool     `help:"Plain HTTP beyond loopback: something in front terminates TLS." group:"tls"`
	PublicURL     string   `help:"How clients reach the public port, when it is not the listen address." placeholder:"URL" group:"tls"`

	RootKeyFile string `help:"Root key; default root.key in the data directory." placeholder:"FILE" group:"keys"`
	RootKeyEnv  string `help:"Environment variable that holds the root key." placeholder:"NAME" group:"keys"`
	RootKeyHook string `help:"Program that wraps and unwraps the root key." placeholder:"PROGRAM" group:"keys"`

	Codes           string        `help:"How registration codes reach people: inbox, fixed:PREFIX=CODE, http(s)://…, exec:PROGRAM." placeholder:"DRIVER"`
	PrivateWebhooks bool          `help:"Let webhooks go to private and loopback addresses; a sandbox does."`
	WebhookBatch    int           `help:"Most updates in one webhook under backlog; 1 sends each alone." default:"1000"`
	NoLinkPreviews  bool          `help:"Never fetch links for previews."`
	Media           string        `help:"Where media files are kept: a directory, or s3://bucket/prefix?endpoint=https://host&region=name with credentials from the environment. Default: the data directory." placeholder:"WHERE"`
	PrivateMedia    bool          `help:"Fetch media by link from private and loopback addresses too; a sandbox does."`
	PreviewPrivate  bool          `help:"Fetch previews from private and loopback addresses too."`
	Retention       time.Duration `help:"How long message content stays readable; at most 720h." default:"720h"`
	TokenCarriers   string        `help:"Where access tokens may be, for old clients: header (default), header+body, or any (the query string too)." placeholder:"WHERE"`
	RequirePayment  bool          `help:"Fail billable templates of accounts without payment method (131042); test accounts are exempt."`
	Billing         string        `help:"What becomes of charged messages: record (default), off (no ledger), prepaid (131042 when an account has used up what it paid in) or credit (when it owes as much as it may)." enum:"off,record,prepaid,credit," default:""`
	Enforcement     string        `help:"Whether accounts whose numbers stay RED are restricted: off, observe (default) or enforce." enum:",off,observe,enforce" default:"" placeholder:"MODE"`
	PaceAfter       int           `help:"Hold messages of a new marketing template after this many, until it is known how people take it; 0 never does." default:"0"`
	PaceBatch       int           `help:"Let templates of portfolios that have sent fewer than 500,000 in a year go out in batches of this many, each after it is known how people took the one before; 0 never holds." default:"0"`
	MarketingCap    string        `help:"Marketing templates a person gets in 24 hours from a portfolio: fixed (two) or adaptive (one to five, by how many they read)." enum:"fixed,adaptive" default:"fixed"`
	Region          string        `help:"The country this server keeps its data in, so that numbers can ask for it (storage_configuration)." placeholder:"ISO"`
	PausedMarkets   []string      `help:"Countries whose people get no marketing templates (131049), for example US." placeholder:"ISO,…"`
	Holdout         float64       `name:"marketing-holdout" help:"Share of people who get no marketing templates, for an experiment (130472); the real service has 0.01." default:"0"`
	RateCard        string        `help:"CSV file with what messages cost; default: the made-up sample." placeholder:"FILE"`
	International   int           `help:"Portfolios that reach more people than this in 30 days, in countries with such a rate, pay international authentication rates." name:"international-after" default:"750000"`
	Seed            uint64        `help:"Make ids and virtual users repeat from run to run."`
	Clock           time.Time     `help:"Start a sandbox at this time (RFC 3339) and hold it until the control API moves it." placeholder:"TIME"`

	LogLevel slog.Level `help:"debug, info, warn or error." default:"info"`
	LogJSON  bool       `help:"JSON logs on a terminal too."`
}

// gcPercent trades memory for processor time: what lives long is small beside what passes through. GOGC overrides it.
const gcPercent = 200

// given are the names of the flags on the command line.
func given(k *kong.Context) (names []string) {
	for _, p := range k.Path {
		if p.Flag != nil {
			names = append(names, p.Flag.Name)
		}
	}
	return names
}

// Run implements the command.
func (c *serveCmd) Run(ctx context.Context, k *kong.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	return app.Run(ctx, app.Options{
		Data: c.Data, Listen: c.Listen, Control: c.Control, Config: c.Config, Store: c.Store, Sandbox: c.Sandbox, Strict: c.Strict,
		TLSCert: c.TLSCert, TLSKey: c.TLSKey, SelfSigned: c.TLSSelfSigned, ACME: c.ACME, BehindProxy: c.BehindProxy,
		PublicURL: c.PublicURL, RootKeyFile: c.RootKeyFile, RootKeyEnv: c.RootKeyEnv, RootKeyHook: c.RootKeyHook, Codes: c.Codes,
		PrivateWebhooks: c.PrivateWebhooks, WebhookBatch: c.WebhookBatch, NoPreviews: c.NoLinkPreviews,
		Media: c.Media, PrivateMedia: c.PrivateMedia, PreviewLoopback: c.PreviewPrivate, Retention: c.Retention, TokenCarriers: c.TokenCarriers, RequirePayment: c.RequirePayment, Billing: c.Billing, Enforcement: c.Enforcement, PaceAfter: c.PaceAfter, PaceBatch: c.PaceBatch,
		AdaptiveCap: c.MarketingCap == "adaptive", PausedMarkets: c.PausedMarkets, Region: c.Region, Holdout: c.Holdout, InternationalUsers: c.International, RateCard: c.RateCard, Seed: c.Seed, FrozenAt: c.Clock,
		Given: given(k), Logger: logger(c.LogLevel, c.LogJSON), Out: os.Stdout, Command: command(),
	})
}

// command is how a person starts this program: `go run` leaves the binary in a folder of its own that is gone tomorrow.
func command() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/hikyaku"
	}
	if _, err := exec.LookPath("hikyaku"); err != nil {
		return app.Quote(os.Args[0])
	}
	return "hikyaku"
}

// logger writes text on a terminal and JSON otherwise.
func logger(level slog.Level, asJSON bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if !asJSON && term.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(slog.NewTextHandler(os.Stderr, o))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, o))
}
