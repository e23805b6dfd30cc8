package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/network"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// gatewayTimeout bounds a call of the operator's code gateway.
const gatewayTimeout = 10 * time.Second

// codeDigits is the length of a registration code.
const codeDigits = 6

// codeDriver makes the driver that Options.Codes names. A nil driver refuses registration; inbox is set when codes are
// caught instead of sent.
func codeDriver(o *Options, log *slog.Logger) (d network.CodeDriver, inbox *network.Inbox, err error) {
	kind, rest, _ := strings.Cut(o.Codes, ":")
	if kind == "" && o.Sandbox {
		kind = "inbox"
	}
	switch kind {
	case "":
		return nil, nil, nil
	case "inbox":
		inbox = &network.Inbox{Log: log, Show: o.Codes != ""} // by default a sandbox has the control API for it
		return inbox, inbox, nil
	case "fixed":
		prefix, code, ok := strings.Cut(rest, "=")
		id, err := wa.ParsePhone(strings.TrimSuffix(prefix, "*"))
		if !ok || (err != nil && !digitsOnly(strings.TrimPrefix(prefix, "+"))) {
			return nil, nil, fmt.Errorf("--codes %q: want fixed:PREFIX=CODE, for example fixed:+1555=123456", o.Codes)
		}
		if len(code) != codeDigits || !digitsOnly(code) {
			return nil, nil, fmt.Errorf("--codes %q: a code has %d digits, for example fixed:+1555=123456", o.Codes, codeDigits)
		}
		if id == "" {
			id = wa.WaID(strings.TrimPrefix(prefix, "+"))
		}
		return &network.Fixed{Prefix: string(id), Code: code}, nil, nil
	case "http", "https":
		return &network.Gateway{URL: o.Codes, Client: &http.Client{Timeout: gatewayTimeout}}, nil, nil
	case "exec":
		if _, err := exec.LookPath(rest); err != nil {
			return nil, nil, fmt.Errorf("--codes %q: %w", o.Codes, err)
		}
		return &network.Program{Path: rest}, nil, nil
	}
	return nil, nil, fmt.Errorf("--codes %q: unknown driver; there are inbox, fixed:PREFIX=CODE, http(s)://… and exec:PROGRAM", o.Codes)
}
