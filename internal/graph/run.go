package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// locate resolves aliases and finds the kind of node an id stands for.
func (s *Server) locate(ctx context.Context, c *Call, id string) (*shape, error) {
	switch id {
	case "me":
		id = c.Caller.Me()
		if id == "" {
			return nil, wa.ErrNeedUserToken
		}
	case "app":
		id = string(c.Caller.App())
	}
	c.ID = id
	if s.opt.Admit != nil && c.Kind == "" && c.Edge == "" {
		if err := s.opt.Admit(ctx, c); err != nil {
			return nil, err
		}
	}
	kind, err := s.opt.Resolver.Resolve(ctx, c.Caller, id)
	switch {
	case errors.Is(err, ErrInvisible):
		return nil, unsupported(c.Method, id)
	case err != nil:
		return nil, err
	}
	n := s.kinds[kind]
	if n == nil && digits(id) {
		return nil, unsupported(c.Method, id)
	}
	if n == nil {
		return nil, wa.ErrAlias.Fill(clip(id))
	}
	c.Kind, c.route = kind, c.Method+" "+kind
	return n, nil
}

// endpoint is what a method and a path lead to.
type endpoint struct {
	scopes  []string
	maxBody int64
	stream  bool
	answer  func(ctx context.Context, w *writer, v any) error
}

// runNode loads a node and answers the call on it or on one of its edges.
func (s *Server) runNode(ctx context.Context, c *Call, n *shape, rest []string) ([]byte, error) {
	if c.Params.d == nil {
		c.Params = c.querySet()
	}
	v, err := n.load(ctx, c, c.ID)
	if errors.Is(err, ErrInvisible) {
		return nil, unsupported(c.Method, c.ID)
	}
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		c.Edge = rest[0]
	}
	if len(rest) > 1 {
		c.Sub = rest[1]
	}
	enter := func() error {
		if s.opt.Enter == nil {
			return nil
		}
		return s.opt.Enter(ctx, c, v)
	}
	return s.conclude(ctx, c, v, enter, func() (*endpoint, error) { return s.match(c, n, rest) })
}

// conclude runs the gates after visibility: permission, state, parameters, effect. A method parameter in the body is only
// known once the body was read, so matching may happen twice.
func (s *Server) conclude(ctx context.Context, c *Call, v any, enter func() error, match func() (*endpoint, error)) ([]byte, error) {
	for entered := false; ; {
		ep, err := match()
		if err != nil {
			if !c.hasParamBody() || s.readParams(ctx, c, s.opt.MaxBody) != nil || !c.bodyMethod() {
				return nil, err
			}
			continue
		}
		if err := c.permit(ep.scopes); err != nil {
			return nil, err
		}
		if !entered {
			if err := enter(); err != nil {
				return nil, err
			}
			entered = true
		}
		if ep.stream {
			c.Body = &bounded{r: c.req.Body, left: ep.maxBody, limit: ep.maxBody}
			if c.queryErr != nil {
				return nil, c.queryErr
			}
		} else {
			if err := s.readParams(ctx, c, ep.maxBody); err != nil {
				return nil, err
			}
			if c.bodyMethod() {
				continue
			}
		}
		w := &writer{c: c}
		if c.wantsUnix() {
			w.unix = true
		}
		if err := ep.answer(ctx, w, v); err != nil {
			if errors.Is(err, ErrInvisible) {
				return nil, unsupported(c.Method, c.ID)
			}
			return nil, err
		}
		return w.b, nil
	}
}

func (c *Call) wantsUnix() bool { return c.Params.Get("date_format").String() == "U" }

// bodyMethod applies a method parameter of the body and reports whether it changed the method.
func (c *Call) bodyMethod() bool {
	v := c.Params.Get("method")
	if v.Kind() != KindString || c.hasQuery("method") {
		return false
	}
	was := c.Method
	c.override(v.String())
	return c.Method != was
}

// readParams reads the body at its gate, and looks at what only then is known: a token and a proof in the body.
func (s *Server) readParams(ctx context.Context, c *Call, limit int64) error {
	if limit == 0 {
		limit = s.opt.MaxBody
	}
	fresh := !c.bodyRead
	if err := c.readBody(limit); err != nil {
		return err
	}
	if c.queryErr != nil {
		return c.queryErr
	}
	if fresh && c.Caller != nil && c.creds.Proof == "" && c.bodyProof() {
		return s.identify(ctx, c)
	}
	return nil
}

// match finds the endpoint of a call on node n. Unknown edges by GET name the field that does not exist; everything else
// that does not fit is 100/33 (spec/errors.md 5.3).
func (s *Server) match(c *Call, n *shape, rest []string) (*endpoint, error) {
	label := c.Method + " " + n.kind
	if len(rest) == 0 {
		c.route = label
		return s.matchNode(c, n)
	}
	e := n.edges[rest[0]]
	if e == nil || !within(c.Version, e.since, e.until) {
		if c.Method == http.MethodGet && len(rest) == 1 {
			return nil, nonexisting(rest[0], n.name)
		}
		if len(rest) > 1 && e == nil {
			return nil, unknownPath(rest)
		}
		return nil, unsupported(c.Method, c.ID)
	}
	c.route = label + "/" + e.name
	scopes := either(e.scopes, n.scopes)
	if len(rest) > 1 {
		if e.one == nil {
			return nil, unknownPath(rest[1:])
		}
		c.route += "/{sub}"
		if c.Method == http.MethodGet && e.one.list != nil {
			path := url.PathEscape(c.ID) + "/" + e.name + "/" + url.PathEscape(c.Sub)
			return listEndpoint(c, scopes, e.one.list, path), nil
		}
		return pickEndpoint(c, s, scopes, e.one.get, e.one.post, e.one.del)
	}
	if c.Method == http.MethodGet && e.list != nil {
		path := url.PathEscape(c.ID) + "/" + e.name
		return listEndpoint(c, scopes, e.list, path), nil
	}
	return pickEndpoint(c, s, scopes, e.get, e.post, e.del)
}

func (s *Server) matchNode(c *Call, n *shape) (*endpoint, error) {
	if c.Method != http.MethodGet {
		return pickEndpoint(c, s, n.scopes, nil, n.post, n.del)
	}
	return &endpoint{scopes: n.scopes, answer: func(ctx context.Context, w *writer, v any) error {
		sel, err := c.Selection()
		if err != nil {
			return err
		}
		if err := n.check(c.Version, sel); err != nil {
			return err
		}
		w.debug = c.debugging()
		if err := w.object(ctx, n, v, sel); err != nil {
			return err
		}
		w.close(n)
		return nil
	}}, nil
}

func listEndpoint(c *Call, scopes []string, l *listing, path string) *endpoint {
	return &endpoint{scopes: scopes, answer: func(ctx context.Context, w *writer, v any) error {
		sel, err := c.Selection()
		if err != nil {
			return err
		}
		w.debug = c.debugging()
		if err := w.list(ctx, l, v, sel, path); err != nil {
			return err
		}
		w.close(nil)
		return nil
	}}
}

// pickEndpoint chooses by method among what an edge or node offers.
func pickEndpoint(c *Call, s *Server, scopes []string, get func(context.Context, *Call, any) (any, error), post, del *action) (*endpoint, error) {
	var a *action
	switch c.Method {
	case http.MethodGet:
		if get != nil {
			a = &action{do: get}
		}
	case http.MethodPost:
		a = post
	case http.MethodDelete:
		a = del
	}
	if a == nil {
		return nil, unsupported(c.Method, c.ID)
	}
	ep := &endpoint{scopes: either(a.scopes, scopes), maxBody: a.maxBody, stream: a.stream}
	if ep.maxBody == 0 {
		ep.maxBody = s.opt.MaxBody
	}
	ep.answer = func(ctx context.Context, w *writer, v any) error {
		if a.answers != nil {
			sel, err := c.Selection()
			if err != nil {
				return err
			}
			if err := a.answers.check(c.Version, sel); err != nil {
				return err
			}
		}
		out, err := a.do(ctx, c, v)
		if err != nil {
			return err
		}
		return s.result(ctx, w, out)
	}
	return ep, nil
}

// result writes what a handler returned.
func (s *Server) result(ctx context.Context, w *writer, out any) error {
	switch t := out.(type) {
	case Raw:
		w.b = t
		return nil
	case Written:
		return s.written(ctx, w, t)
	default:
		return w.value(out)
	}
}

// written answers a change with the node when fields were asked for (spec/graph.md 5.4).
func (s *Server) written(ctx context.Context, w *writer, t Written) error {
	sel, err := w.c.Selection()
	if err != nil || len(sel) == 0 || t.ID == "" {
		// The change has happened: from here on nothing may make it look refused.
		return w.value(t.Else)
	}
	c := *w.c
	c.Method, c.Edge, c.Sub = http.MethodGet, "", ""
	n, err := s.locate(ctx, &c, t.ID)
	if err != nil || n.check(c.Version, sel) != nil || !c.allowed(n.scopes) {
		return w.value(t.Else)
	}
	v, err := n.load(ctx, &c, t.ID)
	if err != nil {
		return w.value(t.Else)
	}
	w.c = &c
	return w.object(ctx, n, v, sel)
}

// runEndpoint answers a call at a root path.
func (s *Server) runEndpoint(ctx context.Context, c *Call, r *root) ([]byte, error) {
	c.Edge = r.Path
	c.anyCarrier = r.AnyCarrier
	if r.Access == TokenIgnored {
		c.keepToken = true
	} else if err := s.authenticate(ctx, c, r.AnyCarrier); err != nil {
		if r.Access != TokenOptional || !errors.Is(err, wa.ErrTokenRequired) {
			return nil, err
		}
	}
	if s.opt.Admit != nil && c.Caller != nil {
		if err := s.opt.Admit(ctx, c); err != nil {
			return nil, err
		}
	}
	if c.Params.d == nil {
		c.Params = c.querySet()
	}
	none := func() error { return nil }
	return s.conclude(ctx, c, None{}, none, func() (*endpoint, error) {
		c.route = c.Method + " " + r.Path
		if c.Method == http.MethodGet && r.list != nil {
			return listEndpoint(c, r.Scopes, r.list, r.Path), nil
		}
		ep, err := pickEndpoint(c, s, r.Scopes, eraseRoot(r.Get), rootAction(r.Post), rootAction(r.Delete))
		if err != nil {
			return nil, unsupported(c.Method, r.Path)
		}
		return ep, nil
	})
}

func eraseRoot(h Handler) func(context.Context, *Call, any) (any, error) {
	if h == nil {
		return nil
	}
	return func(ctx context.Context, c *Call, _ any) (any, error) { return h(ctx, c) }
}

func rootAction(h Handler) *action {
	if h == nil {
		return nil
	}
	return &action{do: eraseRoot(h)}
}
