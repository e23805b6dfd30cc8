package main

import (
	"bytes"
	"os"
	"testing"
)

func TestPageIsGenerated(t *testing.T) {
	t.Parallel()
	file := os.Getenv(Variable)
	if file == "" {
		t.Skipf("%s names no file: Meta's OpenAPI description is not part of this repository", Variable)
	}
	want, err := compare(file)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil || !bytes.Equal(page, want) {
		t.Errorf("docs/coverage.md differs (%v): go run ./test/fidelity/coverage docs/coverage.md", err)
	}
}
