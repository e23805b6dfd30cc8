package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/wa"
)

// Resolver says what kind of node an id stands for.
type Resolver interface {
	// Resolve returns the [Node].Kind of id. "" means that there is no such id: 100/33 for digits, 803 for anything else.
	// ErrInvisible is 100/33 for both. It need not check visibility; Load does.
	Resolve(ctx context.Context, caller Caller, id string) (kind string, err error)
}

// Observer counts. Route labels are a closed set: methods and names that were registered, "unknown" for the rest.
type Observer interface {
	// Observe is called once per request and batch item: "POST phone_number/messages", the HTTP status, the time taken.
	Observe(route string, status int, took time.Duration)
	// TokenParam is called for every token sent as parameter: carrier is "query" or "form".
	TokenParam(carrier string, accepted bool)
}

// Options of a [Server]. Auth, Resolver and Clock are needed, the zero value of the rest works.
type Options struct {
	Nodes    []NodeType
	Roots    []Root
	Resolver Resolver
	Auth     Authenticator
	Clock    clock.Clock

	Versions *Registry    // nil: DefaultReleases, not strict
	Carriers Carriers     // of tokens; the zero value is the header alone
	Log      *slog.Logger // nil: none. Successes are Debug, refusals Info, faults Error
	Observer Observer     // nil: none
	Rand     io.Reader    // of trace ids; nil: crypto/rand
	BaseURL  string       // of paging URLs; "": as the request says
	MaxBody  int64        // bytes of JSON and form bodies; 0 means 1 MiB
	Revision string       // x-fb-rev; "": not sent

	// Style puts another row in place of one: another status or code (errors.* of spec/errors.md 3 and 5). nil leaves all.
	Style func(*wa.Error) *wa.Error
	// Admit runs after authentication, before anything is looked up: the app's own rate limit. c.ID is the id asked for.
	Admit func(ctx context.Context, c *Call) error
	// Enter runs once the node is loaded and the permission checked: limits per node, account state. Not for nested edges.
	Enter func(ctx context.Context, c *Call, node any) error
}

// Server answers the Graph API. It implements http.Handler and is safe for concurrent use.
type Server struct {
	opt    Options
	kinds  map[string]*shape
	roots  map[string]*root
	traces *traces

	attaching chan struct{} // one element per batch that holds files
}

type root struct {
	Root
	list *listing
}

// New checks the description of the API and builds its server.
func New(opt Options) (*Server, error) {
	if opt.Auth == nil || opt.Resolver == nil || opt.Clock == nil {
		return nil, errors.New("graph: Options needs Auth, Resolver and Clock")
	}
	if opt.Versions == nil {
		reg, err := NewRegistry(false, DefaultReleases()...)
		if err != nil {
			return nil, err
		}
		opt.Versions = reg
	}
	if opt.MaxBody == 0 {
		opt.MaxBody = 1 << 20
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opt: opt, kinds: map[string]*shape{}, roots: map[string]*root{}, traces: newTraces(opt.Rand), attaching: make(chan struct{}, maxAttaching)}
	b := &builder{kinds: s.kinds}
	for _, n := range opt.Nodes {
		if s.kinds[n.kind()] != nil {
			b.fault("node %q is registered twice", n.kind())
		}
		s.kinds[n.kind()] = &shape{}
	}
	for _, n := range opt.Nodes {
		n.fill(b, s.kinds[n.kind()])
		if s.kinds[n.kind()].load == nil {
			b.fault("node %q has no Load", n.kind())
		}
	}
	for _, r := range opt.Roots {
		if s.roots[r.Path] != nil || r.Path == "" || strings.Count(r.Path, "/") > 1 {
			b.fault("root %q is empty, too long or registered twice", r.Path)
		}
		e := &root{Root: r}
		if r.List != nil {
			e.list = r.List.listing(b)
		}
		s.roots[r.Path] = e
	}
	if err := errors.Join(b.errs...); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.open(r, nil)
	s.commonHeaders(w.Header(), c)
	if r.Method == http.MethodOptions {
		preflight(w)
		return
	}
	body, err := s.guarded(r.Context(), c)
	a := s.answer(c, body, err)
	s.present(c, &a)
	s.write(w, r, c, a)
	s.note(r.Context(), c, a)
}

// open starts a call: ids, version and path. It never fails; what is wrong with the path is said by run.
func (s *Server) open(r *http.Request, outer *Call) *Call {
	c := &Call{srv: s, req: r, outer: outer, Start: s.opt.Clock.Now(), route: "unknown"}
	c.Trace, c.requestID = s.traces.next()
	c.Method = r.Method
	switch r.Method {
	case http.MethodHead:
		c.Method = http.MethodGet
	case http.MethodPut:
		c.Method = http.MethodPost
	}
	c.splitPath()
	c.query, c.queryErr = parsePairs(boundedQuery(r.URL.RawQuery))
	if len(r.URL.RawQuery) > maxQuery {
		c.queryErr = Invalid("The query string must be at most %d bytes long.", maxQuery)
	}
	return c
}

const (
	maxPath  = 4 << 10  // bytes
	maxQuery = 64 << 10 // bytes
)

func boundedQuery(q string) string {
	if len(q) > maxQuery {
		return ""
	}
	return q
}

// guarded is run with panics turned into code 1. A panic is a bug of ours; the request must not take the process with it.
func (s *Server) guarded(ctx context.Context, c *Call) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares the value too
				panic(p)
			}
			body, err = nil, &panicError{value: p, stack: stack()}
		}
	}()
	return s.run(ctx, c)
}

// run takes a call through the gates of spec/graph.md section 11 and returns the JSON of its success.
func (s *Server) run(ctx context.Context, c *Call) ([]byte, error) {
	if err := s.route(c); err != nil {
		return nil, err
	}
	if len(c.path) == 0 {
		return s.runRoot(ctx, c)
	}
	if r, rest := s.findRoot(c.path); r != nil {
		if len(rest) > 0 {
			return nil, unknownPath(rest)
		}
		return s.runEndpoint(ctx, c, r)
	}
	if len(c.path) == 1 && c.hasIDs() && !digits(c.path[0]) {
		return s.runRoot(ctx, c)
	}
	if err := s.authenticate(ctx, c, false); err != nil {
		if c.path[0] == "me" && errors.Is(err, wa.ErrTokenRequired) {
			return nil, wa.ErrNeedUserToken
		}
		return nil, err
	}
	n, err := s.locate(ctx, c, c.path[0])
	if err != nil {
		return nil, err
	}
	return s.runNode(ctx, c, n, c.path[1:])
}

// route decides what the path and the query say about a call: the version and the method.
func (s *Server) route(c *Call) error {
	switch c.asked {
	case Deprecated:
		return wa.ErrVersion.Fill(s.opt.Versions.Latest(c.Start).String())
	case Unreleased:
		if len(c.path) == 0 {
			return unknownPath([]string{c.askedRaw})
		}
		return unknownPath(c.path)
	}
	if len(c.path) > 3 {
		return unknownPath(c.path[3:])
	}
	if m, ok := c.queryValue("method"); ok {
		c.override(m)
	}
	switch c.Method {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
		return nil
	}
	id := ""
	if len(c.path) > 0 {
		id = c.path[0]
	}
	return unsupported(c.Method, id)
}

// override applies the method parameter, which only GET and POST may carry. Other values than methods are not ours.
func (c *Call) override(method string) {
	m := strings.ToUpper(method)
	if m == http.MethodPut {
		m = http.MethodPost
	}
	known := m == http.MethodGet || m == http.MethodPost || m == http.MethodDelete
	if known && (c.Method == http.MethodGet || c.Method == http.MethodPost) {
		c.Method = m
	}
}

func (s *Server) findRoot(path []string) (*root, []string) {
	if len(path) >= 2 {
		if r := s.roots[path[0]+"/"+path[1]]; r != nil {
			return r, path[2:]
		}
	}
	return s.roots[path[0]], path[1:]
}
