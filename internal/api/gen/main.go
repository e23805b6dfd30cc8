// Command gen writes docs/api.md from the tables of the API. Run it with go generate ./internal/api.
package main

import (
	"fmt"
	"os"

	"github.com/hikyaku/hikyaku/internal/api"
)

func main() {
	c, err := api.Describe()
	if err == nil {
		err = os.WriteFile("../../docs/api.md", c.Page(), 0o644) //nolint:gosec // a page for everybody
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
