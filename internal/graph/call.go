package graph

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// Caller is who a token stands for. The concrete type is that of api, which gets it back in [Call].Caller.
type Caller interface {
	// App is the app that issued the token: what /app stands for, and a key of the log line.
	App() wa.AppID
	// Me is the id /me stands for: the user or system user of the token; "" for app tokens.
	Me() string
	// HasScope reports whether the token carries the permission.
	HasScope(scope string) bool
}

// versioned is what a Caller may also say: the version its app is served without a version in the path; zero for none.
type versioned interface{ DefaultVersion() Version }

// Call is one request on its way through the grammar, as handlers see it. It ends with the request.
type Call struct {
	Version Version // served, after upgrades
	Caller  Caller  // nil where a token is not needed
	Method  string  // GET, POST or DELETE, after overrides
	ID      string  // of the node, aliases resolved; "" at the root
	Kind    string  // of the node; "" at the root
	Edge    string  // "" on the node itself; the path of a root
	Sub     string  // third path component of edges with One
	// Params is the flat set of query and body, the body winning. In an edge read as a field it is the field's modifiers.
	// It lacks access_token, except where a root ignores tokens.
	Params Value
	Body   io.Reader // of actions with Stream; else nil
	Trace  string    // the fbtrace_id of the answer; 23 characters
	Start  time.Time // when the request arrived

	srv        *Server
	req        *http.Request
	header     http.Header // set by handlers
	query      []pair
	queryErr   error
	bodyRead   bool
	bodyErr    error
	rawJSON    []byte
	form       *form
	files      map[string]attached // of a batch, by part
	creds      Credentials
	paramAuth  bool     // the token came as a parameter, so paging URLs carry it
	itemToken  string   // of a batch item
	outer      *Call    // of a batch item
	path       []string // without version
	asked      Outcome
	askedRaw   string // first component when it was taken for a version
	route      string
	requestID  string
	nested     bool
	keepToken  bool // access_token is an ordinary parameter
	anyCarrier bool
}

// SetHeader sets a response header, also on errors: x-business-use-case-usage and the like.
func (c *Call) SetHeader(key, value string) {
	if c.header == nil {
		c.header = make(http.Header, 2)
	}
	c.header.Set(key, value)
}

// Header is a request header.
func (c *Call) Header(key string) string { return c.req.Header.Get(key) }

// ContentLength is the size of the request's body in bytes, -1 when unknown.
func (c *Call) ContentLength() int64 { return c.req.ContentLength }

// RemoteAddr is the peer as net/http gives it.
func (c *Call) RemoteAddr() string { return c.req.RemoteAddr }

// JSON is the parameter set as one JSON object. For a JSON body without query it is the body itself, not to be changed.
func (c *Call) JSON() []byte {
	if c.rawJSON != nil && len(c.query) == 0 {
		return c.rawJSON
	}
	return c.Params.AppendJSON(nil)
}

// AskedEdge is the second component of the path as it was asked for, whether or not there is such an edge.
func (c *Call) AskedEdge() string {
	if len(c.path) < 2 {
		return ""
	}
	return c.path[1]
}

// Proven reports whether the call carries a valid appsecret_proof.
func (c *Call) Proven() bool { return c.creds.Proof != "" }

// InBatch reports whether the call is an item of a batch.
func (c *Call) InBatch() bool { return c.outer != nil }

// Base is the address the caller reached the server under, "https://host", without a slash at the end.
func (c *Call) Base() string {
	if c.srv.opt.BaseURL != "" {
		return strings.TrimSuffix(c.srv.opt.BaseURL, "/")
	}
	scheme := "http"
	if c.req.TLS != nil || (c.outer != nil && c.outer.req.TLS != nil) {
		scheme = "https"
	}
	return scheme + "://" + c.req.Host
}

// Selection is the parsed fields parameter; nil when absent or empty. Lists and repeated parameters are joined.
func (c *Call) Selection() (Selection, error) {
	v := c.Params.Get("fields")
	if !v.Present() {
		return nil, nil
	}
	text, k := v.scalar()
	if v.Kind() == KindArray || strings.HasPrefix(strings.TrimSpace(text), "[") {
		names, err := v.Strings()
		if err != nil {
			return nil, err
		}
		text = strings.Join(names, ",")
	} else if k != KindString {
		return nil, v.Invalid("must be a string")
	}
	return ParseFields(text)
}

// page reads limit, after, before and summary for a listing.
func (c *Call) page(l *listing) (Page, error) {
	n, err := c.Params.Get("limit").IntOr(int64(l.def))
	if err != nil {
		return Page{}, err
	}
	if n < 0 {
		return Page{}, c.Params.Get("limit").Invalid("must be greater than or equal to 0")
	}
	p := Page{Limit: int(min(n, int64(l.max)))}
	if p.After, err = c.cursor("after", l); err != nil {
		return Page{}, err
	}
	if p.After == "" {
		if p.Before, err = c.cursor("before", l); err != nil {
			return Page{}, err
		}
	}
	if l.spans {
		if err := c.span(&p, l); err != nil {
			return Page{}, err
		}
	}
	names, err := c.summary()
	if err != nil {
		return Page{}, err
	}
	p.Total = wanted(names, "total_count")
	return p, nil
}

// span reads first and last, which take the place of limit. Each goes in one direction, so that neither goes with the other or
// with the other's cursor. last without a cursor is the end of the collection.
func (c *Call) span(p *Page, l *listing) error {
	for _, s := range [...]struct {
		name string
		not  []string
	}{{"first", []string{"last", "before"}}, {"last", []string{"after"}}} {
		v := c.Params.Get(s.name)
		if !v.Present() {
			continue
		}
		n, err := v.Int()
		if err != nil {
			return err
		}
		if n < 1 {
			return v.Invalid("must be greater than or equal to 1")
		}
		for _, other := range s.not {
			if c.Params.Get(other).Present() {
				return v.Invalid("used without %s", other)
			}
		}
		p.Limit, p.Last = int(min(n, int64(l.max))), s.name == "last"
	}
	return nil
}

func (c *Call) cursor(name string, l *listing) (string, error) {
	s, err := c.Params.Get(name).StrOr("")
	if err != nil || s == "" {
		return "", err
	}
	key, err := ParseCursor(s)
	if err != nil && l.badCursor != nil && c.Version.AtLeast(l.badSince) {
		return "", l.badCursor
	}
	return key, err
}

// summary is the list of names asked for: nil for none, ["true"] for all.
func (c *Call) summary() ([]string, error) {
	v := c.Params.Get("summary")
	if !v.Present() {
		return nil, nil
	}
	if on, err := v.Bool(); err == nil {
		if on {
			return []string{"true"}, nil
		}
		return nil, nil
	}
	return v.Strings()
}

func wanted(names []string, name string) bool {
	for _, n := range names {
		if n == "true" || n == name {
			return true
		}
	}
	return false
}

// pageURL is the address of another page of an edge: the call's own parameters, then limit and cursor, which first and last would
// contradict.
func (c *Call) pageURL(edgePath string, limit int, cursorName, cursor string) string {
	var b strings.Builder
	b.WriteString(c.Base() + "/" + c.Version.String() + "/" + edgePath + "?")
	if c.nested {
		for k := c.Params.d.nodes[0].first; k != 0; k = c.Params.d.nodes[k].next {
			n := &c.Params.d.nodes[k]
			writeParam(&b, n.key, n.text)
		}
	} else {
		for _, q := range c.query {
			writeParam(&b, q.key, q.val)
		}
	}
	if c.paramAuth {
		b.WriteString("access_token=" + url.QueryEscape(c.creds.Token) + "&")
	}
	b.WriteString("limit=" + strconv.Itoa(limit) + "&" + cursorName + "=" + url.QueryEscape(cursor))
	return b.String()
}

func writeParam(b *strings.Builder, k, v string) {
	switch k {
	case "limit", "first", "last", "after", "before", "access_token", "as":
		return
	}
	b.WriteString(url.QueryEscape(k) + "=" + url.QueryEscape(v) + "&")
}
