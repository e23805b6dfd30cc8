package app

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Errors settles how errors look on which published statements disagree. Source: spec/errors.md sections 3 and 5.
type Errors struct {
	HTTP struct {
		MessagingThrottle  int `yaml:"messaging_throttle"`  // status of 130429, 131048, 131056, 133016: 400 or 429; 0 means 400
		ManagementThrottle int `yaml:"management_throttle"` // of 4, 17, 341, 613, 80007, 80008; likewise
	} `yaml:"http"`
	// WABALimitCode is what the management budget of an account answers: 80007 or 80008; 0 means 80007.
	WABALimitCode int `yaml:"waba_limit_code"`
	// Profile is "docs", the published error table. That of the published OpenAPI file is not built and refused.
	Profile string `yaml:"profile"`
	// Href of errors in webhooks; empty means the address of the older captures.
	Href string `yaml:"href"`
	// SyncOverrides are codes that a send is answered with at once, instead of a status "failed" later: those of [atOnce].
	SyncOverrides []int `yaml:"sync_overrides"`
}

// atOnce are the codes of gate 16 that are known when a message is accepted. Others need the network or a download. Source:
// spec/errors.md section 2.
var atOnce = []int{130472, 130497, 131042, 131047, 131048, 131049, 131050, 131064, 137000}

const maxHref = 200

func (e *Errors) check() error {
	for key, v := range map[string]int{"messaging_throttle": e.HTTP.MessagingThrottle, "management_throttle": e.HTTP.ManagementThrottle} {
		if v != 0 && v != http.StatusBadRequest && v != http.StatusTooManyRequests {
			return fmt.Errorf("errors.http.%s %d: want 400 or 429", key, v)
		}
	}
	if c := e.WABALimitCode; c != 0 && c != wa.ErrWABALimit.Code && c != wa.ErrWABALimitGraph.Code {
		return fmt.Errorf("errors.waba_limit_code %d: want 80007 or 80008", c)
	}
	switch e.Profile {
	case "", "docs":
	case "openapi":
		return errors.New("errors.profile openapi: not built; want docs, and 429 for errors.http.messaging_throttle and management_throttle")
	default:
		return fmt.Errorf("errors.profile %q: want docs", e.Profile)
	}
	for _, c := range e.SyncOverrides {
		if !slices.Contains(atOnce, c) {
			return fmt.Errorf("errors.sync_overrides %d: is not known when a message is accepted: want some of %v", c, atOnce)
		}
	}
	if len(e.Href) > maxHref || strings.ContainsFunc(e.Href, func(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r > '~' }) {
		return fmt.Errorf("errors.href %q: want a URL or a path of up to %d characters", e.Href, maxHref)
	}
	return nil
}

// style puts the row in place of another that the settings ask for. retry says whether 131056 tells when to try again, which
// the real service does not. Source: spec/limits.md section 2.2.
func (e *Errors) style(retry bool) func(*wa.Error) *wa.Error {
	return func(row *wa.Error) *wa.Error {
		if row.Code == wa.ErrPairRate.Code && !retry && row.RetryIn > 0 {
			row = row.Retry(0)
		}
		if row.Code == wa.ErrWABALimit.Code && e.WABALimitCode == wa.ErrWABALimitGraph.Code {
			row = wa.ErrWABALimitGraph.Retry(row.RetryIn)
		}
		status := 0
		switch row.Code {
		case 130429, 131048, 131056, 133016:
			status = e.HTTP.MessagingThrottle
		case 4, 17, 341, 613, 80007, 80008:
			status = e.HTTP.ManagementThrottle
		}
		if status == 0 || status == row.HTTP {
			return row
		}
		other := *row
		other.HTTP = status
		return &other
	}
}
