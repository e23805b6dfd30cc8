package app

import (
	"fmt"
	"net/http"

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
}

func (e *Errors) check() error {
	for key, v := range map[string]int{"messaging_throttle": e.HTTP.MessagingThrottle, "management_throttle": e.HTTP.ManagementThrottle} {
		if v != 0 && v != http.StatusBadRequest && v != http.StatusTooManyRequests {
			return fmt.Errorf("errors.http.%s %d: want 400 or 429", key, v)
		}
	}
	if c := e.WABALimitCode; c != 0 && c != wa.ErrWABALimit.Code && c != wa.ErrWABALimitGraph.Code {
		return fmt.Errorf("errors.waba_limit_code %d: want 80007 or 80008", c)
	}
	return nil
}

// style puts the row in place of another that the settings ask for; it is nil when they ask for nothing.
func (e *Errors) style() func(*wa.Error) *wa.Error {
	if *e == (Errors{}) {
		return nil
	}
	return func(row *wa.Error) *wa.Error {
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
