package graph

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// pair is one field of a query or form, decoded.
type pair struct{ key, val string }

// parsePairs decodes a query string or form body.
func parsePairs(raw string) ([]pair, error) {
	if raw == "" {
		return nil, nil
	}
	out := make([]pair, 0, min(strings.Count(raw, "&")+1, 32))
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		if len(out) == maxKeys {
			return out, Invalid("A request must not have more than %d parameters.", maxKeys)
		}
		k, v, _ := strings.Cut(part, "=")
		key, err1 := url.QueryUnescape(k)
		val, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil {
			return out, Invalid("Param %s is not percent-encoded correctly.", clip(k))
		}
		if err := checkText(key, val); err != nil {
			return out, err
		}
		if key != "" {
			out = append(out, pair{key, val})
		}
	}
	return out, nil
}

// checkText refuses what no parameter of this platform may hold.
func checkText(key, val string) error {
	if !utf8.ValidString(key) || !utf8.ValidString(val) {
		return Invalid("Param %s must be valid UTF-8.", clip(key))
	}
	if strings.IndexByte(key, 0) >= 0 || strings.IndexByte(val, 0) >= 0 {
		return Invalid("Param %s must not contain NUL characters.", clip(strings.ReplaceAll(key, "\x00", "")))
	}
	return nil
}

// addPairs adds the fields to the parameter set. Names the set has already are skipped: the body is added first, so it
// wins over the query (spec/graph.md 3.2). x=a&x=b, x[]=a and x[1]=a make lists.
func (d *doc) addPairs(pairs []pair) {
	have := d.nodes[0].last
	for _, p := range pairs {
		name, index, indexed := bracket(p.key)
		n := node{text: p.val, kind: KindString, loose: true}
		at := d.find(0, name)
		switch {
		case at != 0 && at <= have: // sent by a stronger carrier; nodes are numbered as they arrive
			continue
		case at == 0 && !indexed:
			n.key = name
			d.add(0, n)
			continue
		case at == 0:
			at = d.add(0, node{key: name, kind: KindArray, loose: true})
		case d.nodes[at].kind == KindString: // second field of that name: the first becomes an element
			first := d.nodes[at]
			d.nodes[at] = node{key: name, kind: KindArray, loose: true, up: first.up, next: first.next}
			d.add(at, node{text: first.text, kind: KindString, loose: true})
		}
		d.insert(at, n, index)
	}
}

// insert adds an element to list at, in the order of the indexes given; -1 appends.
func (d *doc) insert(at int32, n node, index int) {
	i := d.add(at, n)
	if index < 0 {
		return
	}
	pos := int32(index) // below maxKeys, says bracket
	d.nodes[i].pos = pos
	prev := int32(0)
	for c := d.nodes[at].first; c != i; c = d.nodes[c].next {
		if d.nodes[c].pos > pos {
			break
		}
		prev = c
	}
	next := d.nodes[at].first
	if prev != 0 {
		next = d.nodes[prev].next
	}
	if next == i {
		return // already in its place, the end
	}
	last := next // find the new tail: the node before i
	for d.nodes[last].next != i {
		last = d.nodes[last].next
	}
	d.nodes[last].next = 0
	d.nodes[at].last = last
	d.nodes[i].next = next
	if prev == 0 {
		d.nodes[at].first = i
	} else {
		d.nodes[prev].next = i
	}
}

// bracket splits "x[3]" and "x[]"; any other name is itself.
func bracket(key string) (name string, index int, indexed bool) {
	open := strings.IndexByte(key, '[')
	if open <= 0 || key[len(key)-1] != ']' {
		return key, -1, false
	}
	in := key[open+1 : len(key)-1]
	if in == "" {
		return key[:open], -1, true
	}
	if n, err := strconv.Atoi(in); err == nil && digits(in) && n < maxKeys {
		return key[:open], n, true
	}
	return key, -1, false
}

// bounded reads a body up to limit bytes and then fails with code 100, HTTP 413.
type bounded struct {
	r     io.Reader
	left  int64
	limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, tooLarge(b.limit)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, tooLarge(b.limit)
	}
	return n, err //nolint:wrapcheck // io.EOF must stay itself
}

func tooLarge(limit int64) *wa.Error {
	e := Invalid("Request body is larger than %d bytes", limit)
	e.HTTP = http.StatusRequestEntityTooLarge
	return e
}

// readBody parses the request's body into the parameter set; limit is in bytes. It is done once per call.
func (c *Call) readBody(limit int64) error {
	if c.bodyRead {
		return c.bodyErr
	}
	c.bodyRead = true
	r := c.req
	if r.Body == nil || r.Body == http.NoBody || r.Method == http.MethodGet || r.Method == http.MethodHead {
		c.Params = c.querySet()
		return nil
	}
	if c.bodyErr = c.parseBody(&bounded{r: r.Body, left: limit, limit: limit}); c.bodyErr == nil && !c.keepToken {
		c.bodyErr = c.srv.bodyToken(c)
	}
	return c.bodyErr
}

func (c *Call) parseBody(body *bounded) error {
	kind, boundary, err := mediaType(c.req.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if kind == multipartBody {
		return c.parseMultipart(body, boundary)
	}
	if most := c.srv.opt.MaxBody; body.limit > most { // the route's limit is for files, which are not kept in memory
		body.left, body.limit = most, most
	}
	if c.req.ContentLength > body.limit {
		return tooLarge(body.limit)
	}
	raw, err := readAll(body, c.req.ContentLength)
	if err != nil {
		return err
	}
	if kind == unknownBody {
		kind = formBody
		if t := strings.TrimLeft(string(raw[:min(len(raw), 64)]), " \t\r\n"); t != "" && t[0] == '{' {
			kind = jsonBody
		}
	}
	var d *doc
	switch kind {
	case jsonBody:
		if d, err = parseBodyJSON(string(raw)); err != nil {
			return err
		}
		if d.nodes[0].count > 0 { // an empty body is {} to handlers
			c.rawJSON = raw
		}
	default:
		pairs, err := parsePairs(string(raw))
		if err != nil {
			return err
		}
		d = newDoc(len(pairs) + len(c.query) + 1)
		d.addPairs(pairs)
	}
	return c.finish(d)
}

// finish adds the query to the parameters of the body and makes them those of the call.
func (c *Call) finish(d *doc) error {
	if len(c.query) > 0 {
		d.addPairs(c.query)
	}
	if d.nodes[0].count > maxKeys {
		return Invalid("A request must not have more than %d parameters.", maxKeys)
	}
	c.Params = Value{d: d}
	return nil
}

func (c *Call) querySet() Value {
	d := newDoc(len(c.query) + 1)
	d.addPairs(c.query)
	return Value{d: d}
}

// parseBodyJSON reads a body that must be a JSON object; an empty body is an empty object.
func parseBodyJSON(s string) (*doc, error) {
	if strings.TrimLeft(s, " \t\r\n") == "" {
		return newDoc(1), nil
	}
	d, err := parseJSON(s, "")
	switch {
	case errors.Is(err, errSyntax):
		return nil, wa.ErrInvalidJSON
	case err != nil:
		return nil, err
	case d.nodes[0].kind != KindObject:
		return nil, Invalid("Request body must be a JSON object")
	}
	return d, nil
}

// readAll is io.ReadAll with the size known in advance; a body cut short is the client's error.
func readAll(r io.Reader, size int64) ([]byte, error) {
	b := make([]byte, 0, max(min(size, 64<<10), 512)+1)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, readError(err)
		}
	}
}

func readError(err error) error {
	if row, ok := errors.AsType[*wa.Error](err); ok {
		return row
	}
	return Invalid("Request body could not be read").Because(err)
}

type bodyKind uint8

const (
	unknownBody bodyKind = iota
	jsonBody
	formBody
	multipartBody
)

// mediaType reads a Content-Type. Types that carry no parameters (text/plain, …) count as unknown: clients send them.
func mediaType(s string) (kind bodyKind, boundary string, err error) {
	if s == "application/json" {
		return jsonBody, "", nil
	}
	mt, params, err := mime.ParseMediaType(s)
	if err != nil && mt == "" {
		return unknownBody, "", nil //nolint:nilerr // a Content-Type nobody can read is no Content-Type
	}
	switch {
	case mt == "application/json" || strings.HasSuffix(mt, "+json"):
		return jsonBody, "", nil
	case mt == "application/x-www-form-urlencoded":
		return formBody, "", nil
	case mt == "multipart/form-data":
		if params["boundary"] == "" {
			return 0, "", Invalid("Request body has no multipart boundary")
		}
		return multipartBody, params["boundary"], nil
	}
	return unknownBody, "", nil
}
