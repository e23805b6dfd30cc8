// Gen writes docs/webhook-fields.md: every field, where its webhooks go, and the payloads that the tests hold as golden files.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/hikyaku/hikyaku/internal/webhook"
)

// The generator runs in the folder of the package.
const (
	golden = "testdata/golden"
	page   = "../../docs/webhook-fields.md"
)

const intro = `# Webhook fields

*Webhook のフィールド*

<!-- Generated from internal/webhook/testdata/golden by go generate; do not edit. -->

What the platform posts to an app's callback, field by field; [webhooks](webhooks.md) tells how it gets there. The payloads are the
golden files of the tests, here with white space; on the wire they are one line of ASCII, with ` + "`\\/` and `\\u00e9`" + `, and those bytes are signed.

| field | goes to | ` + "`entry.time`" + ` | names the number | payloads |
|---|---|---|---|---|
`

func main() {
	out, err := render()
	if err == nil {
		err = os.WriteFile(page, out, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "webhook page:", err)
		os.Exit(1)
	}
}

func render() ([]byte, error) {
	files := os.DirFS(golden)
	var table, body bytes.Buffer
	table.WriteString(intro)
	for _, field := range webhook.Fields() {
		names, err := fs.Glob(files, field+".*.json")
		if err != nil {
			return nil, err
		}
		row(&table, field, len(names))
		if len(names) == 0 {
			continue
		}
		fmt.Fprintf(&body, "\n## %s\n", field)
		for _, name := range names { // sorted
			if err := show(&body, files, name); err != nil {
				return nil, err
			}
		}
	}
	table.Write(body.Bytes())
	return table.Bytes(), nil
}

func row(b *bytes.Buffer, field string, payloads int) {
	where := "the app's callback"
	if webhook.FollowsOverrides(field) {
		where = "override of the number, of the account, else the callback"
	}
	name, shown := "`"+field+"`", "not documented, never sent"
	if payloads > 0 {
		name, shown = "[`"+field+"`](#"+field+")", fmt.Sprint(payloads)
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, where, mark(webhook.Timed(field)), mark(webhook.Headed(field)), shown)
}

func mark(yes bool) string {
	if yes {
		return "yes"
	}
	return "–"
}

// show appends a payload under its name, the part of the file's name behind the field.
func show(b *bytes.Buffer, files fs.FS, file string) error {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(file, ".json")
	_, name, _ = strings.Cut(name, ".")
	fmt.Fprintf(b, "\n### %s\n\n```json\n", strings.ReplaceAll(name, "_", " "))
	if err := json.Indent(b, bytes.TrimSpace(text), "", "  "); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	b.WriteString("\n```\n")
	return nil
}
