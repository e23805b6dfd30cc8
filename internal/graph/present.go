package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// present dresses a finished answer for who asked for it: indented (pretty), as a script (callback). Items of a batch are
// not dressed. Source: spec/graph.md 3.4.
func (s *Server) present(c *Call, a *answer) {
	if c.Params.d == nil && len(c.query) == 0 || len(a.body) == 0 {
		return
	}
	if on, err := c.asks("pretty").BoolOr(false); err == nil && on {
		var b bytes.Buffer
		if json.Indent(&b, a.body, "", "  ") == nil {
			a.body = b.Bytes()
		}
	}
	if !s.opt.Carriers.Query || c.req.Method != http.MethodGet {
		return // a script element has no header to put a token in: it works where the query string may hold one
	}
	name := c.asks("callback").String()
	if !callback(name) {
		return
	}
	a.body = append(append(append(append(make([]byte, 0, len(name)+len(a.body)+8), "/**/ "...), name...), '('), a.body...)
	a.body = append(a.body, ");"...)
	a.script, a.status = true, http.StatusOK // browsers do not run a script with an error status
}

// asks is a parameter of the presentation. A call that was refused early has only its query string.
func (c *Call) asks(name string) Value {
	if v := c.Params.Get(name); v.Present() {
		return v
	}
	if q, ok := c.queryValue(name); ok {
		return Text(name, q)
	}
	return Value{}
}

// maxCallback is the length of a function name in bytes; ours.
const maxCallback = 128

// callback reports whether name is a function or a member of an object, and nothing that could be more than that.
func callback(name string) bool {
	if name == "" || len(name) > maxCallback {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		for i := range len(part) {
			b := part[i]
			letter := b|0x20 >= 'a' && b|0x20 <= 'z' || b == '_' || b == '$'
			if !letter && (i == 0 || b < '0' || b > '9') {
				return false
			}
		}
		if part == "" {
			return false
		}
	}
	return true
}

// minCompressed is the size of a body, in bytes, that is worth compressing: a packet's worth.
const minCompressed = 1400

var compressors = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// compressed is the body as gzip when the caller takes it and it is worth it; nil otherwise. Source: spec/graph.md 10.1.
func compressed(r *http.Request, body []byte) []byte {
	if len(body) < minCompressed || !takesGzip(r.Header.Get("Accept-Encoding")) {
		return nil
	}
	var b bytes.Buffer
	b.Grow(len(body) / 2)
	w, ok := compressors.Get().(*gzip.Writer)
	if !ok {
		return nil
	}
	defer compressors.Put(w)
	w.Reset(&b)
	if _, err := w.Write(body); err != nil || w.Close() != nil {
		return nil // cannot be: the buffer takes everything
	}
	return b.Bytes()
}

// takesGzip reads Accept-Encoding: gzip without a quality of zero, or * where gzip is not named.
func takesGzip(header string) (takes bool) {
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.TrimSpace(name)
		if !strings.EqualFold(name, "gzip") && name != "*" {
			continue
		}
		_, q, given := strings.Cut(params, "q=")
		f, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		on := !given || err != nil || f > 0
		if name != "*" {
			return on
		}
		takes = on
	}
	return takes
}
