package api

import (
	"context"

	"github.com/hikyaku/hikyaku/internal/access"
	"github.com/hikyaku/hikyaku/internal/business"
	"github.com/hikyaku/hikyaku/internal/graph"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// caller is access.Caller as the grammar needs to see it.
type caller struct {
	*access.Caller
}

// App implements graph.Caller.
func (c caller) App() wa.AppID { return c.Caller.App.ID }

// Me implements graph.Caller.
func (c caller) Me() string { return c.Actor.ID }

// HasScope implements graph.Caller.
func (c caller) HasScope(scope string) bool { return c.Can(access.Scope(scope)) }

// who is the caller of a call that needed a token.
func who(c *graph.Call) caller {
	w, ok := c.Caller.(caller)
	if !ok {
		panic("api: a caller of another server") // authentication makes no others
	}
	return w
}

// Authenticate implements graph.Authenticator.
func (s *surface) Authenticate(ctx context.Context, cr graph.Credentials) (graph.Caller, error) {
	c, err := s.o.Access.AuthenticateFrom(ctx, cr.Addr, cr.Token)
	if err != nil {
		return nil, err
	}
	if err := s.o.Access.CheckProof(c, cr.Token, cr.Proof, cr.ProofTime, false); err != nil {
		return nil, err
	}
	return caller{c}, nil
}

// asset is an account as access needs to see it.
func asset(w *business.WABA) access.Asset {
	a := access.Asset{WABA: w.ID, Owner: w.Owner}
	for _, h := range w.Shared {
		share := access.Share{Business: h.Business, Tasks: make([]access.Task, len(h.Tasks))}
		for i, t := range h.Tasks {
			share.Tasks[i] = access.Task(t)
		}
		a.Shared = append(a.Shared, share)
	}
	return a
}
