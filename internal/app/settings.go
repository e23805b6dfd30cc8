package app

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hikyaku/hikyaku/internal/limits"
	"github.com/hikyaku/hikyaku/internal/pipeline"
	"github.com/hikyaku/hikyaku/internal/wa"
	"github.com/hikyaku/hikyaku/internal/webhook"
)

// Settings are what the contract leaves to the operator about limits, prices, quality and webhooks. They are read from the
// configuration file at every start; a zero field keeps the default. Where there is a flag, too, a flag that was given counts,
// whatever it says.
// Source: spec/limits.md, spec/pricing.md, spec/quality.md, "(ours)".
type Settings struct {
	Throughput struct {
		Mode           string `yaml:"mode"`            // "window" or "bucket"; empty means window
		UpgradeSeconds int    `yaml:"upgrade_seconds"` // a number is away while it is upgraded; 0 means 5, at most 60
	} `yaml:"throughput"`
	Pair struct {
		RetryAfterHeader bool `yaml:"retry_after_header"` // of 131056; the real service sends none
	} `yaml:"pair"`
	Limits struct {
		Exceeded   string        `yaml:"exceeded"`    // the messaging limit: "failed" later or "sync"; empty means failed
		ScaleDelay time.Duration `yaml:"scale_delay"` // from when a higher limit is earned until it is given; at most 6 h
	} `yaml:"limits"`
	RateLimit struct {
		AppFloor int `yaml:"app_floor"` // calls of an app in an hour, however few users it has; 0 means 50,000
	} `yaml:"ratelimit"`
	Marketing struct {
		Cap             string   `yaml:"cap"`              // as --marketing-cap
		UserCap         int      `yaml:"user_cap"`         // of a portfolio's templates in 24 hours; 0 means 2
		UserCapOverall  int      `yaml:"user_cap_overall"` // of all portfolios' together; 0 means 10
		PausedMarkets   []string `yaml:"paused_markets"`   // as --paused-markets
		ExperimentShare float64  `yaml:"experiment_share"` // as --marketing-holdout
	} `yaml:"marketing"`
	Pacing struct {
		TemplateThreshold int `yaml:"template_threshold"` // as --pace-after
		PortfolioBatch    int `yaml:"portfolio_batch"`    // as --pace-batch
	} `yaml:"pacing"`
	Policy struct {
		Enforcement string `yaml:"enforcement"` // as --enforcement
	} `yaml:"policy"`
	Billing struct {
		Mode                 string `yaml:"mode"`                   // as --billing
		RequirePaymentMethod bool   `yaml:"require_payment_method"` // as --require-payment
	} `yaml:"billing"`
	Quality struct {
		UnratedLabel  string         `yaml:"unrated_label"`  // quality_rating of a number without one: "UNKNOWN" or "NA"
		LegacyWebhook bool           `yaml:"legacy_webhook"` // phone_number_quality_update of FLAGGED and UNFLAGGED
		LegacyFlagged bool           `yaml:"legacy_flagged"` // status FLAGGED of numbers that are RED
		Hysteresis    *time.Duration `yaml:"hysteresis"`     // how long a better rating must hold; nil means 6 h
	} `yaml:"quality"`
	Templates struct {
		ReviewSeconds *int `yaml:"review_seconds"` // of the automatic reviewer; nil means 2
	} `yaml:"templates"`
	Versions Versions `yaml:"versions"`
	Webhooks struct {
		StrictStatus bool `yaml:"strict_status"`  // only 200 is success
		Concurrency  int  `yaml:"concurrency"`    // deliveries in flight per endpoint; 0 means 64
		RetryAllApps bool `yaml:"retry_all_apps"` // not built: refused
	} `yaml:"webhooks"`
}

// The most that settings may ask for.
const (
	maxScaleDelay  = 6 * time.Hour
	maxHysteresis  = 7 * 24 * time.Hour
	maxReview      = 24 * 60 * 60 // seconds; spec/quality.md section 3.3: within 24 hours
	maxSetting     = 1_000_000_000
	maxConcurrency = 4096
)

// checkSettings names the first setting that is none.
func (s *Settings) checkSettings() error {
	for _, c := range []struct {
		key, value string
		words      []string
	}{
		{"throughput.mode", s.Throughput.Mode, []string{"window", "bucket"}},
		{"limits.exceeded", s.Limits.Exceeded, []string{"failed", "sync"}},
		{"quality.unrated_label", s.Quality.UnratedLabel, []string{"UNKNOWN", "NA"}},
		{"marketing.cap", s.Marketing.Cap, []string{"fixed", "adaptive"}},
		{"billing.mode", s.Billing.Mode, []string{"off", "record", "prepaid", "credit"}},
		{"policy.enforcement", s.Policy.Enforcement, []string{"off", "observe", "enforce"}},
	} {
		if c.value != "" && !slices.Contains(c.words, c.value) {
			return fmt.Errorf("%s %q: want one of %v", c.key, c.value, c.words)
		}
	}
	review := 0
	if s.Templates.ReviewSeconds != nil {
		review = *s.Templates.ReviewSeconds
	}
	for _, c := range []struct {
		key        string
		value, top int
	}{
		{"throughput.upgrade_seconds", s.Throughput.UpgradeSeconds, int(limits.MaxUpgrade.Seconds())},
		{"ratelimit.app_floor", s.RateLimit.AppFloor, maxSetting},
		{"marketing.user_cap", s.Marketing.UserCap, maxSetting},
		{"marketing.user_cap_overall", s.Marketing.UserCapOverall, maxSetting},
		{"pacing.template_threshold", s.Pacing.TemplateThreshold, maxSetting},
		{"pacing.portfolio_batch", s.Pacing.PortfolioBatch, maxSetting},
		{"templates.review_seconds", review, maxReview},
		{"webhooks.concurrency", s.Webhooks.Concurrency, maxConcurrency},
	} {
		if c.value < 0 || c.value > c.top {
			return fmt.Errorf("%s %s: want a whole number from 0 to %d", c.key, strconv.Itoa(c.value), c.top)
		}
	}
	if d := s.Limits.ScaleDelay; d < 0 || d > maxScaleDelay {
		return fmt.Errorf("limits.scale_delay %s: want a duration from 0s to %s", d, maxScaleDelay)
	}
	if d := s.Quality.Hysteresis; d != nil && (*d < 0 || *d > maxHysteresis) {
		return fmt.Errorf("quality.hysteresis %s: want a duration from 0s to %s", *d, maxHysteresis)
	}
	if _, err := s.Versions.registry(false); err != nil {
		return err
	}
	if s.Webhooks.RetryAllApps {
		return fmt.Errorf("webhooks.retry_all_apps: not built; a delivery is tried again for the app that refused it")
	}
	return nil
}

// fill gives options that were not given what the settings say.
func (s *Settings) fill(o *Options) {
	o.settings = *s
	open := func(flag string, zero bool) bool { return zero && !slices.Contains(o.Given, flag) }
	if open("enforcement", o.Enforcement == "") {
		o.Enforcement = s.Policy.Enforcement
	}
	if open("pace-after", o.PaceAfter == 0) {
		o.PaceAfter = s.Pacing.TemplateThreshold
	}
	if open("pace-batch", o.PaceBatch == 0) {
		o.PaceBatch = s.Pacing.PortfolioBatch
	}
	if open("paused-markets", len(o.PausedMarkets) == 0) {
		o.PausedMarkets = s.Marketing.PausedMarkets
	}
	if open("marketing-holdout", o.Holdout == 0) {
		o.Holdout = s.Marketing.ExperimentShare
	}
	if open("billing", o.Billing == "") {
		o.Billing = s.Billing.Mode
	}
	if open("require-payment", !o.RequirePayment) {
		o.RequirePayment = s.Billing.RequirePaymentMethod
	}
	if open("marketing-cap", !o.AdaptiveCap) {
		o.AdaptiveCap = s.Marketing.Cap == "adaptive"
	}
}

// calm is how long a better rating must hold; negative for not at all.
func (s *Settings) calm() time.Duration {
	switch d := s.Quality.Hysteresis; {
	case d == nil:
		return 0 // the policy's own
	case *d == 0:
		return -1
	default:
		return *d
	}
}

// review is how long the automatic reviewer of templates takes.
func (s *Settings) review() time.Duration {
	if s.Templates.ReviewSeconds == nil {
		return reviewAfter
	}
	return time.Duration(*s.Templates.ReviewSeconds) * time.Second
}

// throughput is the limiter of messages per second; nil means the lanes' own.
func (s *Settings) throughput() func() pipeline.Throughput {
	if s.Throughput.Mode == "bucket" {
		return func() pipeline.Throughput { return new(limits.Bucket) }
	}
	return nil
}

// webhooks puts the settings into the dispatcher's options.
func (s *Settings) webhooks(o *webhook.Options, href string) {
	o.StrictStatus, o.MaxConcurrency, o.ErrorsHref = s.Webhooks.StrictStatus, s.Webhooks.Concurrency, href
	if n := s.Webhooks.Concurrency; n != 0 {
		o.StartConcurrency = min(n, 16)
	}
}

// sync are the codes that a send is answered with at once.
func (o *Options) sync() []int {
	list := slices.Clone(o.errors.SyncOverrides)
	if o.settings.Limits.Exceeded == "sync" {
		list = append(list, wa.ErrSpam.Code)
	}
	return list
}
