package analytics

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Compared is how a template did in a span of time.
type Compared struct {
	Template string // its id
	Sends    int64
	Blocks   int64  // people who blocked the business after it
	Reason   string // given most often with a block, see [BlockReason]; of those given equally often the first by name
}

// Compare adds up how templates did from start to end, in the order they are named. Errors are those of src.
// Source: spec/templates.md section 16.2.
func Compare(ctx context.Context, src Source, start, end time.Time, templates ...string) ([]Compared, error) {
	what := []string{Sent, Blocked("")}
	for _, r := range []string{ReasonSpam, ReasonOffensive, ReasonNoSignUp, ReasonNotNeeded, ReasonOther} {
		what = append(what, Blocked(r))
	}
	from, to := start.Unix()/HalfHour*HalfHour, (end.Unix()+HalfHour-1)/HalfHour*HalfHour
	out := make([]Compared, len(templates))
	for i, id := range templates {
		list, err := src.Sum(ctx, &Sum{Subject: id, What: what, From: from, To: to, Step: to - from})
		if err != nil {
			return nil, err
		}
		slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.What, b.What)) })
		c := Compared{Template: id}
		for _, n := range list {
			if n.What == Sent {
				c.Sends += n.N
				continue
			}
			if c.Blocks == 0 {
				c.Reason = n.What[len(blocked):]
			}
			c.Blocks += n.N
		}
		out[i] = c
	}
	return out, nil
}

// MoreBlocked orders by blocks per send, the lowest first.
func MoreBlocked(a, b Compared) int { return cmp.Compare(a.Blocks*b.Sends, b.Blocks*a.Sends) }
