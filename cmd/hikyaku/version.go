package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// version is set by release builds: -ldflags "-X main.version=v1.2.3".
var version = "dev"

type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run() error {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	_, err := fmt.Fprintf(os.Stdout, "hikyaku %s\ncommit  %s\ngo      %s %s/%s\nlicence Apache-2.0\n",
		version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
