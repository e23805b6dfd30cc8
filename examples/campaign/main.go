// Campaign sends a template to everybody in a list, the way a marketing platform does: several at once, as fast as the
// number allows, waiting as advised when a call is refused, and never twice to the same person, also after a restart.
//
//	eval "$(hikyaku env --export)"
//	go run ./examples/campaign -template hello_world -results results.csv people.csv
//
// People.csv has a phone number in its first column; further columns become the body's variables. Results.csv gets a line per
// person: number, message id, error. Whoever is in it is skipped next time. Whether a message arrives is told by webhook.
package main

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/hikyaku/hikyaku/retry"
)

func main() {
	c := campaign{
		BaseURL: os.Getenv("BASE_URL"), Token: os.Getenv("TOKEN"), Number: os.Getenv("PHONE_NUMBER_ID"), Sleeper: retry.System,
	}
	flag.StringVar(&c.Template, "template", "", "name of an approved template")
	flag.StringVar(&c.Language, "language", "en_US", "its language")
	flag.IntVar(&c.Parallel, "parallel", 16, "calls at once")
	results := flag.String("results", "results.csv", "where the outcome of each person is kept")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, &c, *results, flag.Arg(0))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "campaign:", err)
		os.Exit(1)
	}
}

// run sends to everybody in the file who is not among the results yet.
func run(ctx context.Context, c *campaign, results, people string) error {
	done, err := read(results, true)
	if err != nil {
		return err
	}
	list, err := read(people, false)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(results, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // whoever starts the program names it
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }() // each line was flushed and checked
	seen := map[string]bool{}
	for _, row := range done {
		seen[digits(row[0])] = true
	}
	var todo [][]string
	for _, row := range list {
		if number := digits(row[0]); number != "" && !seen[number] {
			seen[number] = true
			todo = append(todo, row)
		}
	}
	w := csv.NewWriter(out)
	sent, failed, err := c.send(ctx, todo, func(number, id string, err error) error {
		reason := ""
		if err != nil {
			reason = err.Error()
		}
		if err := w.Write([]string{number, id, reason}); err != nil {
			return err
		}
		w.Flush() // a line on disk per person: after a crash at most the calls under way are unknown
		return w.Error()
	})
	fmt.Fprintf(os.Stderr, "%d accepted, %d refused, %d done before\n", sent, failed, len(done))
	return err
}

// read returns the rows of a CSV file; a missing one is empty when that is fine.
func read(path string, mayMiss bool) ([][]string, error) {
	f, err := os.Open(path) //nolint:gosec // whoever starts the program names it
	if err != nil && mayMiss && os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return rows, nil
}

// digits is a phone number as the platform names it: "+1 (650) 555-5555" is 16505555555.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
