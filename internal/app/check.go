package app

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/policy"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// settle fills in what the configuration file says about options that were not given.
func settle(o *Options) error {
	if o.Config == "" {
		return nil
	}
	c, err := ReadConfig(o.Config)
	if err != nil {
		return err
	}
	if err := c.Errors.check(); err != nil {
		return fmt.Errorf("read --config %s: %w", o.Config, err)
	}
	if err := c.checkSettings(); err != nil {
		return fmt.Errorf("read --config %s: %w", o.Config, err)
	}
	o.errors = c.Errors
	c.fill(o)
	if o.TokenCarriers != "" || slices.Contains(o.Given, "token-carriers") {
		return nil
	}
	o.TokenCarriers = c.Access.TokenCarriers
	if _, err := graph.ParseCarriers(o.TokenCarriers); err != nil {
		return fmt.Errorf("read --config %s: access.token_carriers %w", o.Config, err)
	}
	return nil
}

// check refuses options that contradict each other or would be ignored without a word.
func check(o *Options) error {
	switch {
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key belong together: give both")
	case o.Retention < 0 || o.Retention > MaxRetention:
		return fmt.Errorf("--retention %s: want a duration above 0 and up to %s", o.Retention, MaxRetention)
	case !o.FrozenAt.IsZero() && !o.Sandbox:
		return errors.New("--clock holds the time of a sandbox: add --sandbox")
	case o.Enforcement != "" && o.Enforcement != "off" && o.Enforcement != "observe" && o.Enforcement != "enforce":
		return fmt.Errorf("--enforcement %q: want off, observe or enforce", o.Enforcement)
	case !slices.Contains([]policy.Billing{"", policy.BillingOff, policy.BillingRecord, policy.BillingPrepaid, policy.BillingCredit}, policy.Billing(o.Billing)):
		return fmt.Errorf("--billing %q: want off, record, prepaid or credit", o.Billing)
	case o.Holdout < 0 || o.Holdout > 1:
		return fmt.Errorf("--marketing-holdout %v: want a share from 0 to 1", o.Holdout)
	case o.Holdout > 0 && o.Holdout < 0.0005:
		return fmt.Errorf("--marketing-holdout %v: shares are thousandths: want 0, or at least 0.0005, which is one", o.Holdout)
	case o.Region != "" && !slices.Contains(business.Regions, o.Region):
		return fmt.Errorf("--region %q: want one of %v", o.Region, business.Regions)
	case slices.ContainsFunc(o.PausedMarkets, func(iso string) bool { return wa.CallingCodeOf(iso) == 0 }):
		return fmt.Errorf("--paused-markets %q: want countries of ISO 3166, such as US", o.PausedMarkets)
	case o.WebhookBatch < 0:
		return fmt.Errorf("--webhook-batch %d: want 1 or more", o.WebhookBatch)
	}
	if _, err := graph.ParseCarriers(o.TokenCarriers); err != nil {
		return fmt.Errorf("--token-carriers %w", err)
	}
	for flag, addr := range map[string]string{"--listen": o.Listen, "--control": o.Control} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("%s %q: want an address and a port, such as 127.0.0.1:8080", flag, addr)
		}
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("--public-url %q: want something like https://graph.example.com", o.PublicURL)
		}
	}
	return checkPlain(o)
}
