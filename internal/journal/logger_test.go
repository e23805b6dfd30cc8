package journal

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// A start after a kill is the ordinary recovery, not a reason to worry; anything else stays a warning.
func TestServerWarnings(t *testing.T) {
	t.Parallel()
	for format, level := range map[string]string{
		"Filestore [%s] Stream state outdated, last block has additional entries, will rebuild": "level=INFO",
		"Filestore [%s] Recovering stream state from index errored: %v":                         "level=INFO",
		"Filestore [%s] Stream state corrupt: %v":                                               "level=WARN",
	} {
		var out bytes.Buffer
		l := &serverLog{log: slog.New(slog.NewTextHandler(&out, nil))}
		l.Warnf(format, "hikyaku-journal-7", "prior state file")
		if !strings.Contains(out.String(), level) || !strings.Contains(out.String(), "hikyaku-journal-7") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}
