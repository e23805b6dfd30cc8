package main

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

// What is given on the command line is told apart from defaults, also where it says zero: the configuration file must not win.
func TestGivenFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, want []string
	}{
		{[]string{"serve"}, nil},
		{
			[]string{"serve", "--pace-after", "0", "--marketing-holdout=0", "--require-payment=false", "--paused-markets=", "--marketing-cap", "fixed", "--billing=record"},
			[]string{"pace-after", "marketing-holdout", "require-payment", "paused-markets", "marketing-cap", "billing"},
		},
	} {
		var all commands
		parser, err := kong.New(&all)
		if err != nil {
			t.Fatal(err)
		}
		k, err := parser.Parse(c.args)
		if err != nil {
			t.Fatal(err)
		}
		if got := given(k); !slices.Equal(got, c.want) || len(all.Serve.PausedMarkets) != 0 || all.Serve.RequirePayment {
			t.Errorf("%v: %v, %+v", c.args, got, all.Serve)
		}
	}
}
