package journal_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/hikyaku/hikyaku/internal/journal"
	"github.com/hikyaku/hikyaku/internal/journal/journaltest"
)

func TestSingle(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) *journaltest.System { return newSystem(t, nil) }, journaltest.Features{Nodes: 1})
}

func TestCluster(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) *journaltest.System { return newSystem(t, freePorts(t, 3)) }, journaltest.Features{Nodes: 3})
}

// newSystem is an empty system in a directory of its own; routes are the addresses of a cluster's nodes.
func newSystem(t *testing.T, routes []string) *journaltest.System {
	t.Helper()
	dir := t.TempDir()
	return &journaltest.System{
		Open: func(node int, o journal.Options) (*journal.Journal, error) {
			o.Dir = filepath.Join(dir, fmt.Sprint(node))
			if routes != nil {
				o.Cluster = &journal.Cluster{Node: fmt.Sprint("n", node), Listen: routes[node], Routes: routes, Secret: "s3cret"}
			}
			return journal.Open(context.Background(), o)
		},
		Rival: func(j *journal.Journal, o journal.Options) (*journal.Journal, error) {
			return journal.Open(context.Background(), journal.Beside(o, j))
		},
		Kill:    journal.KillServer,
		Leads:   journal.IsLeader,
		Refuse:  journal.RefuseNext,
		Lose:    journal.LoseNext,
		Hold:    journal.HoldNext,
		Blocked: journal.Blocked,
		Spoil: func(l *journal.Log, b []byte) error {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			return journal.Spoil(ctx, l, b)
		},
	}
}

// freePorts finds addresses that nobody listens on.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		out = append(out, l.Addr().String())
	}
	return out
}
