package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// userHz is the unit of processor times in /proc: a constant of the kernel's interface.
const userHz = 100

// usage of a process.
type usage struct {
	CPU  time.Duration // user and system
	RSS  int64         // resident memory, bytes
	Peak int64         // most of it so far
}

// processUsage reads the usage of a process from /proc.
func processUsage(pid int) (u usage, err error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat") //nolint:gosec // a number makes the path
	if err != nil {
		return u, fmt.Errorf("read processor time: %w", err)
	}
	// The second field is a name in parentheses that may hold anything.
	_, rest, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte{' '})
	fields := bytes.Fields(rest)
	if len(fields) < 13 {
		return u, fmt.Errorf("read processor time: %s/stat is too short", dir)
	}
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return u, fmt.Errorf("read processor time: %w", err)
		}
		u.CPU += time.Duration(n) * time.Second / userHz
	}
	status, err := os.ReadFile(dir + "/status") //nolint:gosec // the same
	if err != nil {
		return u, fmt.Errorf("read memory: %w", err)
	}
	for line := range bytes.Lines(status) {
		key, value, _ := bytes.Cut(line, []byte{':'})
		into := &u.RSS
		switch string(key) {
		case "VmRSS":
		case "VmHWM":
			into = &u.Peak
		default:
			continue
		}
		kb, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
		if err != nil {
			return u, fmt.Errorf("read memory: %w", err)
		}
		*into = kb << 10
	}
	return u, nil
}

// machineBusy is the processor time that everything on the machine has taken since it started, and that the host took away.
func machineBusy() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's processor time: %w", err)
	}
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return 0, fmt.Errorf("read the machine's processor time: first line %q", line)
	}
	busy := time.Duration(0)
	for i, f := range fields[1:9] { // user nice system idle iowait irq softirq steal
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the machine's processor time: %w", err)
		}
		if i != 3 && i != 4 {
			busy += time.Duration(n) * time.Second / userHz
		}
	}
	return busy, nil
}
