package app

import (
	"io"
	"log/slog"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
)

// Options of a platform. The zero value runs in ./hikyaku-data on the default ports, without sandbox.
type Options struct {
	Data    string // data directory; empty means "hikyaku-data"
	Listen  string // public address; empty means 127.0.0.1:8080
	Control string // operator port; empty means 127.0.0.1:8081
	Config  string // file with declared resources; empty means none
	Store   string // "postgres://…"; empty means SQLite in the data directory

	Sandbox bool // for development and CI: a starter user, virtual users for unknown recipients, the control API
	Strict  bool // retired versions are refused; in a sandbox, test numbers keep their five-recipient rule

	TLSCert, TLSKey string   // PEM files
	SelfSigned      []string // host names of a certificate made at every start
	ACME            []string // host names to obtain certificates for
	BehindProxy     bool     // plain HTTP beyond loopback: something in front terminates TLS
	PublicURL       string   // how clients reach the public port; empty derives it from Listen

	RootKeyFile string // empty means root.key in the data directory, unless one of the next two is set
	RootKeyEnv  string // name of an environment variable that holds the key
	RootKeyHook string // program that wraps and unwraps data keys

	Codes           string        // how registration codes reach people: "inbox", "fixed:PREFIX=CODE", "http:URL", "exec:PROGRAM"; empty: inbox in a sandbox, none otherwise
	Region          string        // the country that this server keeps its data in; empty: numbers cannot ask for storage in a country
	ReviewDelay     time.Duration // from a request to its automatic decision: display names, accounts; 0 decides at once
	ManualReviews   bool          // reviews wait for the control API
	PrivateWebhooks bool          // webhooks may go to private and loopback addresses; always so in a sandbox
	WebhookBatch    int           // largest number of updates in one POST under backlog; 0 means 1,000, 1 switches batching off
	NoPreviews      bool          // links are never fetched for previews
	Media           string        // where files are kept: a directory, or "s3://bucket/prefix?endpoint=…&region=…"; empty means "media" in the data directory
	PrivateMedia    bool          // media by link may be fetched from private and loopback addresses; always so in a sandbox
	PreviewLoopback bool          // previews may be fetched from private and loopback addresses
	Retention       time.Duration // how long content stays readable; 0 means 30 days, which is also the most
	TokenCarriers   string        // where access tokens may be: "header", "header+body" or "any"; empty means what Config says, else header
	RequirePayment  bool          // billable templates of accounts without payment method fail with 131042; test accounts are exempt
	Billing         string        // what becomes of charged messages: "off", "record", "prepaid" or "credit"; empty means record
	Enforcement     string        // of accounts: "off", "observe" or "enforce"; empty means observe
	PaceAfter       int           // so many messages of a new marketing template go out before others are held; 0: none is held
	PaceBatch       int           // so many templates of a portfolio go out before others are held; 0: none is held
	AdaptiveCap     bool          // how many marketing templates a person gets follows how many they read
	PausedMarkets   []string      // countries, ISO 3166 alpha-2, whose people get no marketing templates (131049)
	Holdout         float64       // share of all people who get none for an experiment (130472), 0 to 1
	RateCard        string        // CSV file with what messages cost; empty means the made-up sample

	InternationalUsers int    // portfolios that reach more people in 30 days pay international rates; 0 means 750,000
	Seed               uint64 // not 0: ids and virtual users repeat from run to run; keys stay random

	// Given are the names of the flags that were given, without dashes: each counts against Config also where its field is zero.
	Given []string

	errors   Errors   // of the configuration file
	settings Settings // likewise

	// FrozenAt starts a sandbox at this time and holds it there until the control API moves it; zero means the real time.
	FrozenAt time.Time

	Clock  *clock.Controlled // platform time; nil means real time, adjustable in a sandbox
	Logger *slog.Logger      // nil means text on Stderr
	Out    io.Writer         // where the banner goes; nil prints none

	// Rand gives an endless stream of randomness for each purpose: ids, traces, secrets, media. nil means crypto/rand. Tests
	// that compare bytes set it; nothing is secret then.
	Rand func(purpose string) io.Reader

	Command string // how this program is started from a shell, for the banner's examples; empty means "hikyaku"
}

// MaxRetention of message content. Source: spec/security.md section A1.
const MaxRetention = 30 * 24 * time.Hour

func (o *Options) defaults() {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&o.Data, "hikyaku-data")
	set(&o.Listen, "127.0.0.1:8080")
	set(&o.Control, "127.0.0.1:8081")
	set(&o.Command, "hikyaku")
	if o.Retention == 0 {
		o.Retention = MaxRetention
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
}
