// Command gen writes the Postman files into the folder that is its argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hikyaku/hikyaku/test/postman"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	files, err := postman.Files(filepath.Join(dir, "files"))
	if err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
