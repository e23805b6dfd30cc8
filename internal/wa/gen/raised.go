package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mention is a row in the source of another package.
var mention = regexp.MustCompile(`\bwa\.(Err[A-Z0-9][A-Za-z0-9]*)\b`)

// raised are the rows that the program below root can raise: those its code names. Tests do not count, nor does the package
// that only describes what others raise.
func raised(root string) (map[string]bool, error) {
	names := map[string]bool{}
	for _, dir := range []string{"internal", "cmd", "device"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "contract" || path == filepath.Join(root, "internal", "wa")):
				return filepath.SkipDir
			case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			src, err := os.ReadFile(path) //nolint:gosec // a file of this repository
			if err != nil {
				return fmt.Errorf("read the source: %w", err)
			}
			for _, m := range mention.FindAllSubmatch(src, -1) {
				names[string(m[1])] = true
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look for errors that are raised: %w", err)
		}
	}
	return names, nil
}
