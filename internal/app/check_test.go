package app

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/device"
	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/wa"
)

func TestOptionsThatContradict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		o    Options
		want string // part of the error; empty means none
	}{
		{"defaults", Options{}, ""},
		{"certificate without key", Options{TLSCert: "a.pem"}, "--tls-key"},
		{"key without certificate", Options{TLSKey: "a.pem"}, "--tls-cert"},
		{"certificate and key", Options{TLSCert: "a.pem", TLSKey: "b.pem", Listen: "0.0.0.0:443"}, ""},
		{"long retention", Options{Retention: MaxRetention + time.Hour}, "--retention 721h"},
		{"negative retention", Options{Retention: -time.Hour}, "--retention"},
		{"clock of a real platform", Options{FrozenAt: time.Unix(1, 0)}, "--sandbox"},
		{"clock of a sandbox", Options{FrozenAt: time.Unix(1, 0), Sandbox: true}, ""},
		{"tokens in forms", Options{TokenCarriers: "header+body"}, ""},
		{"tokens in cookies", Options{TokenCarriers: "cookie"}, "--token-carriers \"cookie\": want header, header+body or any"},
		{"public URL without scheme", Options{PublicURL: "graph.example.com"}, "--public-url"},
		{"public URL", Options{PublicURL: "https://graph.example.com"}, ""},
		{"nobody is held out", Options{Holdout: 0.0004}, "--marketing-holdout 0.0004: shares are thousandths"},
		{"a thousandth is", Options{Holdout: 0.0005}, ""},
		{"all and more", Options{Holdout: 1.1}, "--marketing-holdout 1.1"},
		{"no port", Options{Listen: "localhost"}, "--listen \"localhost\": want an address and a port"},
		{"operator port without one", Options{Control: "8081"}, "--control \"8081\""},
		{"plain HTTP beyond loopback", Options{Listen: "0.0.0.0:80"}, "refusing plain HTTP"},
	} {
		c.o.defaults()
		err := check(&c.o)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFullDiskIsNamed(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		errors.New("migrate: database or disk is full (13)"), journal.ErrFull, &fs.PathError{Op: "write", Path: "root.key", Err: syscall.ENOSPC},
	} {
		if got := fullDisk(err, "/data").Error(); !strings.Contains(got, "no room on the disk of /data") {
			t.Errorf("%v became %q", err, got)
		}
	}
	if err := errors.New("something else"); fullDisk(err, "/data") != err {
		t.Error("another error was taken for a full disk")
	}
}

func TestTokenCarriersOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flag, file, want, fault string }{
		{"", "", "", ""},
		{"", "any", "any", ""},
		{"header", "any", "header", ""},
		{"", "cookie", "", "access.token_carriers"},
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte("access:\n  token_carriers: "+c.file+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o := Options{TokenCarriers: c.flag, Config: path}
		err := settle(&o)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) || err == nil && o.TokenCarriers != c.want {
			t.Errorf("flag %q, file %q: %q, %v", c.flag, c.file, o.TokenCarriers, err)
		}
	}
}

// Source: spec/errors.md sections 3 and 5.
func TestErrorsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		yaml, fault string
		row         *wa.Error
		code, http  int
	}{
		{"", "", wa.ErrThroughput, 130429, 400},
		{"errors: {http: {messaging_throttle: 429}}", "", wa.ErrThroughput, 130429, 429},
		{"errors: {http: {messaging_throttle: 429}}", "", wa.ErrPairRate, 131056, 429},
		{"errors: {http: {messaging_throttle: 429}}", "", wa.ErrWindow, 131047, 400},
		{"errors: {http: {messaging_throttle: 429}}", "", wa.ErrWABALimit, 80007, 400},
		{"errors: {http: {management_throttle: 429}}", "", wa.ErrWABALimit, 80007, 429},
		{"errors: {http: {management_throttle: 400}}", "", wa.ErrWABALimit, 80007, 400},
		{"errors: {waba_limit_code: 80008, http: {management_throttle: 429}}", "", wa.ErrWABALimit.Retry(60), 80008, 429},
		{"errors: {http: {messaging_throttle: 503}}", "errors.http.messaging_throttle 503: want 400 or 429", nil, 0, 0},
		{"errors: {waba_limit_code: 80009}", "errors.waba_limit_code 80009: want 80007 or 80008", nil, 0, 0},
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(c.yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o := Options{Config: path}
		if err := settle(&o); err != nil || c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) || c.fault == "" {
				t.Errorf("%s: %v, want %q", c.yaml, err, c.fault)
			}
			continue
		}
		got := c.row
		if style := o.errors.style(false); style != nil {
			got = style(c.row)
		}
		if got.Code != c.code || got.HTTP != c.http || got.RetryIn != c.row.RetryIn {
			t.Errorf("%s: %d with HTTP %d, want %d with %d", c.yaml, got.Code, got.HTTP, c.code, c.http)
		}
	}
}

func TestSelfSignedNamesThisMachine(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"127.0.0.1:8443", "0.0.0.0:8443", "[::1]:8443"} {
		cert, err := selfSigned(selfHosts(&Options{Listen: listen, SelfSigned: []string{"graph.example.com"}}), time.Unix(1_780_000_000, 0))
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"graph.example.com", "localhost", "127.0.0.1"} {
			if err := leaf.VerifyHostname(host); err != nil {
				t.Errorf("listening on %s: %v", listen, err)
			}
		}
	}
}

func TestCodeDrivers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ codes, want string }{
		{"", ""},
		{"inbox", ""},
		{"fixed:+1555=123456", ""},
		{"https://codes.example/sms", ""},
		{"fixed:+1555", "fixed:PREFIX=CODE"},
		{"fixed:+1555=12", "6 digits"},
		{"fixed:+1555=abcdef", "6 digits"},
		{"exec:/nowhere/at/all", "/nowhere/at/all"},
		{"pigeon", "unknown driver"},
	} {
		_, _, err := codeDriver(&Options{Codes: c.codes}, slog.New(slog.DiscardHandler))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.codes, err, c.want)
		}
	}
}

func TestCodesOfNobody(t *testing.T) {
	t.Parallel()
	_, inbox, err := codeDriver(&Options{Codes: "inbox"}, slog.New(slog.DiscardHandler))
	if err != nil || !inbox.Show {
		t.Fatalf("the inbox of a platform without control API must show codes in the log: %v", err)
	}
	_, err = listCodes(httptest.NewRequest(http.MethodGet, "/control/v1/codes", nil), &platform{inbox: inbox})
	if err == nil || !strings.Contains(err.Error(), "?phone=") {
		t.Errorf("%v", err)
	}
}

func TestUserOnAPhoneOfItsOwn(t *testing.T) {
	t.Parallel()
	ce, ok := userError(device.ErrGone).(*controlError)
	if !ok || ce.status != http.StatusConflict || !strings.Contains(ce.text, "hikyaku chat") {
		t.Errorf("%+v", ce)
	}
}

// Every option that the contract names is known, and nothing else is. Source: spec/limits.md, spec/quality.md, spec/errors.md.
func TestSettingsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ yaml, fault string }{
		{"throughput: {mode: bucket, upgrade_seconds: 60}", ""},
		{"throughput: {mode: leaky}", `throughput.mode "leaky": want one of [window bucket]`},
		{"throughput: {upgrade_seconds: 61}", "throughput.upgrade_seconds 61: want a whole number from 0 to 60"},
		{"throughput: {upgrade: 5}", "upgrade"},
		{"pair: {retry_after_header: true}", ""},
		{"limits: {exceeded: sync, scale_delay: 6h}", ""},
		{"limits: {exceeded: later}", `limits.exceeded "later"`},
		{"limits: {scale_delay: 7h}", "limits.scale_delay 7h0m0s: want a duration from 0s to 6h0m0s"},
		{"ratelimit: {app_floor: 1000}", ""},
		{"ratelimit: {app_floor: -1}", "ratelimit.app_floor -1"},
		{"marketing: {cap: adaptive, user_cap: 3, user_cap_overall: 4, paused_markets: [US], experiment_share: 0.01}", ""},
		{"marketing: {user_cap: -1}", "marketing.user_cap -1"},
		{"marketing: {cap: none}", `marketing.cap "none"`},
		{"pacing: {template_threshold: 100, portfolio_batch: 500}", ""},
		{"billing: {mode: prepaid, require_payment_method: true}", ""},
		{"billing: {mode: barter}", `billing.mode "barter"`},
		{"policy: {enforcement: enforce}", ""},
		{"policy: {enforcement: on}", `policy.enforcement "on"`},
		{"quality: {unrated_label: NA, legacy_webhook: true, legacy_flagged: true, hysteresis: 0s}", ""},
		{"quality: {unrated_label: NONE}", `quality.unrated_label "NONE"`},
		{"quality: {hysteresis: -1s}", "quality.hysteresis -1s"},
		{"templates: {review_seconds: 0}", ""},
		{"templates: {review_seconds: 86401}", "templates.review_seconds 86401"},
		{"versions: {strict: true, releases: [{version: v17.0, expires: 2030-01-01}, {version: v27.0, released: 2026-11-04}]}", ""},
		{"versions: {releases: [{version: v27.0}]}", `versions.releases: release date of v27.0`},
		{"versions: {releases: [{version: x17, released: 2023-05-23}]}", `versions.releases: version "x17" does not start with v`},
		{"versions: {releases: [{version: v17.0, expires: 2020-01-01}]}", `versions.releases: version v17.0 expires before it is released`},
		{"webhooks: {strict_status: true, concurrency: 64}", ""},
		{"webhooks: {concurrency: 5000}", "webhooks.concurrency 5000"},
		{"webhooks: {retry_all_apps: true}", "webhooks.retry_all_apps: not built"},
		{"errors: {profile: docs, href: /docs/errors, sync_overrides: [131048, 131047]}", ""},
		{"errors: {profile: openapi}", "errors.profile openapi: not built"},
		{"errors: {profile: new}", `errors.profile "new"`},
		{"errors: {sync_overrides: [131026]}", "errors.sync_overrides 131026: is not known when a message is accepted"},
		{"errors: {href: 'a b'}", "errors.href"},
	} {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(c.yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o := Options{Config: path}
		if err := settle(&o); (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, want %q", c.yaml, err, c.fault)
		}
	}
}

// A flag counts more than the file.
func TestFlagsBeforeSettings(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	file := "policy: {enforcement: enforce}\nbilling: {mode: credit, require_payment_method: true}\npacing: {template_threshold: 7, portfolio_batch: 8}\nmarketing: {paused_markets: [US], experiment_share: 0.5, cap: adaptive}\n"
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o, want Options
	}{
		{Options{}, Options{Enforcement: "enforce", Billing: "credit", PaceAfter: 7, PaceBatch: 8, Holdout: 0.5, PausedMarkets: []string{"US"}}},
		{
			Options{Enforcement: "off", Billing: "off", PaceAfter: 1, PaceBatch: 2, Holdout: 0.1, PausedMarkets: []string{"TR"}},
			Options{Enforcement: "off", Billing: "off", PaceAfter: 1, PaceBatch: 2, Holdout: 0.1, PausedMarkets: []string{"TR"}},
		},
		{ // what is given counts, also where it is zero
			Options{Given: []string{"enforcement", "billing", "pace-after", "pace-batch", "marketing-holdout", "paused-markets", "marketing-cap", "require-payment"}},
			Options{},
		},
	} {
		c.o.Config = path
		if err := settle(&c.o); err != nil {
			t.Fatal(err)
		}
		got := Options{Enforcement: c.o.Enforcement, Billing: c.o.Billing, PaceAfter: c.o.PaceAfter, PaceBatch: c.o.PaceBatch, Holdout: c.o.Holdout, PausedMarkets: c.o.PausedMarkets}
		if !reflect.DeepEqual(got, c.want) || c.o.AdaptiveCap != (c.o.Given == nil) || c.o.RequirePayment != (c.o.Given == nil) {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}
