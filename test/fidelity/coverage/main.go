// Command coverage compares Meta's published OpenAPI file with what Hikyaku serves and writes docs/coverage.md. The file is
// not part of this repository; HIKYAKU_META_OPENAPI says where it is.
//
//	HIKYAKU_META_OPENAPI=… go run ./test/fidelity/coverage docs/coverage.md
package main

import (
	"fmt"
	"os"
)

// Variable names the environment variable with the path of Meta's file.
const Variable = "HIKYAKU_META_OPENAPI"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

func run() error {
	file := os.Getenv(Variable)
	if file == "" || len(os.Args) != 2 {
		return fmt.Errorf("usage: %s=FILE coverage PAGE", Variable)
	}
	page, err := compare(file)
	if err != nil {
		return err
	}
	return os.WriteFile(os.Args[1], page, 0o644)
}
