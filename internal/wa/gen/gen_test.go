package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestGeneratedFilesMatchTheTable(t *testing.T) {
	t.Parallel()
	rows, err := parse(read(t, "../errors.json"))
	if err != nil {
		t.Fatal(err)
	}
	src, err := goSource(rows)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(src, read(t, "../errors_gen.go")) {
		t.Error("errors_gen.go differs from errors.json: run go generate ./internal/wa")
	}
	names, err := raised("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 150 || !names["ErrThroughput"] || names["ErrCallPermanent"] {
		t.Errorf("%d rows are raised: %v", len(names), names)
	}
	if !bytes.Equal(markdown(rows, names), read(t, "../../../docs/errors.md")) {
		t.Error("docs/errors.md differs from errors.json, or from what code raises: run go generate ./internal/wa")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const ok = `{"code":1,"name":"ErrA","title":"t","http":400,"channel":"S","family":"graph","source":"s"}`
	if _, err := parse([]byte("[" + ok + "]")); err != nil {
		t.Fatalf("a sound row: %v", err)
	}
	change := func(old, with string) string { return "[" + strings.Replace(ok, old, with, 1) + "]" }
	for fact, table := range map[string]string{
		"duplicate code, subcode and name": "[" + ok + "," + ok + "]",
		"duplicate name":                   "[" + ok + "," + strings.Replace(ok, `"code":1`, `"code":2`, 1) + "]",
		"unknown key":                      change(`"code"`, `"colour":1,"code"`),
		"unknown family":                   change(`graph`, `tree`),
		"unknown channel":                  change(`"S"`, `"X"`),
		"synchronous without a status":     change(`"http":400,`, ``),
		"raised without a name":            change(`"name":"ErrA",`, ``),
		"named and never raised":           change(`"channel":"S"`, `"channel":""`),
		"name that is no variable":         change(`ErrA`, `errA`),
		"verb other than s and d":          change(`"title":"t"`, `"title":"%v"`),
		"no source":                        change(`"source":"s"`, `"source":""`),
	} {
		if _, err := parse([]byte(table)); err == nil {
			t.Errorf("%s: accepted", fact)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
