package graph

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

const maxIDs = 50 // of a multi-id read, and items of a batch

// runRoot answers the root path: batches and multi-id reads, the latter also with an edge.
func (s *Server) runRoot(ctx context.Context, c *Call) ([]byte, error) {
	if c.hasIDs() && c.Method == http.MethodGet {
		return s.runIDs(ctx, c, c.querySet().Get("ids"))
	}
	if c.Method == http.MethodPost && len(c.path) == 0 {
		return s.runBatch(ctx, c)
	}
	return nil, unsupportedRoot(c.Method)
}

// hasIDs reports whether the query asks for several nodes, in any form that lists have: ids=1,2, ids[]=1, ids[0]=1.
func (c *Call) hasIDs() bool { return slices.ContainsFunc(c.query, isIDs) }

func isIDs(q pair) bool {
	name, _, _ := bracket(q.key)
	return name == "ids"
}

func unsupportedRoot(method string) *wa.Error {
	e := wa.ErrUnsupportedRequest.Titled("Unsupported %s request. Please read the Graph API documentation at "+
		"https://developers.facebook.com/docs/graph-api", strings.ToLower(method))
	e.Subcode = 0
	return e
}

// runIDs reads several nodes, or one edge of several nodes. One that fails fails the call (spec/graph.md 7).
func (s *Server) runIDs(ctx context.Context, c *Call, list Value) ([]byte, error) {
	c.route = "GET ids"
	if err := s.authenticate(ctx, c, false); err != nil {
		return nil, err
	}
	ids, err := list.Strings()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, Required("ids")
	}
	if len(ids) > maxIDs {
		return nil, Invalid("Param ids must not have more than %d ids.", maxIDs)
	}
	edge := c.path
	c.query = slices.DeleteFunc(c.query, isIDs)
	if !c.bodyRead {
		c.Params = c.querySet()
	}
	if c.queryErr != nil {
		return nil, c.queryErr
	}
	out := []byte{'{'}
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		one := *c
		n, err := s.locate(ctx, &one, id)
		if err != nil {
			return nil, err
		}
		body, err := s.runNode(ctx, &one, n, edge)
		c.header = one.header
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(appendString(out, id), ':')
		out = append(out, body...)
	}
	c.route = "GET ids"
	return append(out, '}'), nil
}
