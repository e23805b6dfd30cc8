// Command gen turns errors.json into errors_gen.go and docs/errors.md. Run it with go generate ./internal/wa.
//
// The page tells rows that code raises from those that none does: gen reads the program's source for that.
//
// It refuses a table with a duplicate, an unknown family or channel, or a sentence whose verbs are malformed.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("errors.json", "errors_gen.go", "../../docs/errors.md"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(table, code, docs string) error {
	raw, err := os.ReadFile(table) //nolint:gosec // the caller is main, with constants
	if err != nil {
		return fmt.Errorf("read the table: %w", err)
	}
	rows, err := parse(raw)
	if err != nil {
		return err
	}
	src, err := goSource(rows)
	if err != nil {
		return err
	}
	if err := os.WriteFile(code, src, 0o644); err != nil { //nolint:gosec // a source file, for everyone to read
		return fmt.Errorf("write Go: %w", err)
	}
	names, err := raised("../..")
	if err != nil {
		return err
	}
	if err := os.WriteFile(docs, markdown(rows, names), 0o644); err != nil { //nolint:gosec // a page, for everyone to read
		return fmt.Errorf("write docs: %w", err)
	}
	return nil
}
