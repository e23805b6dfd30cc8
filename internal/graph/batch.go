package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hikyaku/hikyaku/internal/wa"
)

// item is one call of a batch and, once run, its outcome.
type item struct {
	method, url, body, name string
	header                  http.Header
	token                   string
	files                   []string // names of attached parts
	after                   []string // names it depends on, by depends_on or by reference
	omit                    bool     // answered with null when it succeeds
	done                    bool
	out                     answer
	headers                 http.Header // of the response
}

// runBatch runs the items one after the other, each as a call of its own (spec/graph.md 8). Only a bad batch value fails
// the whole; item errors stay inside.
func (s *Server) runBatch(ctx context.Context, c *Call) ([]byte, error) {
	switch err := s.authenticate(ctx, c, false); {
	case err == nil: // files are held in memory: only for those who have shown a token
		release, err := s.readBatch(ctx, c)
		defer release()
		if err != nil {
			return nil, err
		}
	case !errors.Is(err, wa.ErrTokenRequired):
		return nil, err
	}
	if err := s.readParams(ctx, c, 0); err != nil {
		return nil, err
	}
	if v := c.Params.Get("batch"); v.Kind() == KindAbsent {
		if ids := c.Params.Get("ids"); ids.Present() && strings.EqualFold(c.Params.Get("method").String(), "get") {
			c.Method = http.MethodGet
			return s.runIDs(ctx, c, ids)
		}
		return nil, unsupportedRoot(c.Method)
	}
	c.route = "POST batch"
	if c.outer != nil {
		return nil, batchError("A batch must not contain a batch")
	}
	items, err := parseBatch(c.Params.Get("batch"))
	if err != nil {
		return nil, err
	}
	withHeaders, err := c.Params.Get("include_headers").BoolOr(true)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if ctx.Err() != nil {
			break // what is not done is null
		}
		s.runItem(ctx, c, items, i)
	}
	return appendBatch(nil, items, withHeaders), nil
}

func batchError(format string, args ...any) *wa.Error {
	e := Invalid(format, args...)
	e.Type, e.Bare = "GraphBatchException", true
	return e
}

func parseBatch(v Value) ([]item, error) {
	elems, err := v.List()
	if err != nil {
		return nil, err
	}
	if len(elems) > maxIDs {
		return nil, batchError("Too many requests in batch message. Maximum batch size is %d", maxIDs)
	}
	if len(elems) == 0 {
		return nil, batchError("Empty batch")
	}
	items := make([]item, len(elems))
	for i, e := range elems {
		if items[i], err = parseItem(e); err != nil {
			return nil, err
		}
	}
	for i := range items { // named items that others use are left out of the answer unless they ask to stay
		used := slices.ContainsFunc(items, func(o item) bool { return slices.Contains(o.after, items[i].name) })
		if used, err = elems[i].Get("omit_response_on_success").BoolOr(used && items[i].name != ""); err != nil {
			return nil, err
		}
		items[i].omit = used && items[i].name != ""
	}
	return items, nil
}

func parseItem(v Value) (item, error) {
	var it item
	o, err := v.Object()
	if err != nil {
		return it, err
	}
	if it.method, err = o.Get("method").Enum("GET", "POST", "DELETE", "PUT", "HEAD"); err != nil {
		return it, err
	}
	if it.url, err = o.Get("relative_url").Str(); err != nil {
		return it, err
	}
	if b := o.Get("body"); b.Kind() == KindObject {
		return it, b.Invalid("must be a string")
	} else if it.body, err = b.StrOr(""); err != nil {
		return it, err
	}
	if it.name, err = o.Get("name").StrOr(""); err != nil {
		return it, err
	}
	if it.token, err = o.Get("access_token").StrOr(""); err != nil {
		return it, err
	}
	if it.files, err = o.Get("attached_files").StringsOr(); err != nil {
		return it, err
	}
	if len(it.files) == 1 {
		it.files = strings.Split(it.files[0], ",")
	}
	if len(it.files) > maxAttachedFiles {
		return it, batchError("Param %s must not name more than %d files.", o.Get("attached_files").Path(), maxAttachedFiles)
	}
	if it.header, err = itemHeader(o.Get("headers")); err != nil {
		return it, err
	}
	if it.after, err = o.Get("depends_on").StringsOr(); err != nil {
		return it, err
	}
	it.after = append(it.after, references(it.url)...)
	it.after = append(it.after, references(it.body)...)
	if len(it.after) > maxIDs {
		return it, batchError("A batch item must not refer to others more than %d times", maxIDs)
	}
	return it, nil
}

// itemHeader reads ["Name: value"] and [{"name":…,"value":…}].
func itemHeader(v Value) (http.Header, error) {
	h := http.Header{}
	list, err := v.ListOr()
	if err != nil {
		return nil, err
	}
	if len(list) > 32 {
		return nil, v.Invalid("must be a list of at most 32 headers")
	}
	for _, e := range list {
		var name, val string
		if e.Kind() == KindObject {
			if name, err = e.Get("name").Str(); err == nil {
				val, err = e.Get("value").Str()
			}
		} else if name, err = e.Str(); err == nil {
			name, val, _ = strings.Cut(name, ":")
		}
		if err != nil {
			return nil, err
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(val))
	}
	return h, nil
}

// runItem runs item i and keeps its outcome. Items run in the order they were sent, so what one depends on must precede it.
func (s *Server) runItem(ctx context.Context, c *Call, items []item, i int) {
	it := &items[i]
	it.done = true
	req, err := itemRequest(ctx, c, items[:i], it)
	if err != nil {
		var row *wa.Error
		if !errors.As(err, &row) {
			row = wa.ErrUnknown
		}
		it.out = answer{status: http.StatusBadRequest, row: row, body: appendError(nil, row, c.Version, c.Trace)}
		return
	}
	sub := s.open(req, c)
	sub.itemToken = it.token
	body, err := s.guarded(ctx, sub)
	it.out = s.answer(sub, body, err)
	it.headers = make(http.Header, 8)
	s.answerHeaders(it.headers, sub, &it.out)
	it.headers.Set("Content-Type", "text/javascript; charset=UTF-8")
	if it.out.row == nil && it.method == http.MethodHead {
		it.out.body = nil
	}
	s.note(ctx, sub, it.out)
}

func itemRequest(ctx context.Context, c *Call, before []item, it *item) (*http.Request, error) {
	for _, name := range it.after {
		j := slices.IndexFunc(before, func(o item) bool { return o.name == name })
		if j < 0 {
			return nil, batchError("Batch item depends on %q, which does not precede it", clip(name))
		}
		if before[j].out.row != nil || !before[j].done {
			return nil, batchError("Batch item was not run: %q, on which it depends, failed", clip(name))
		}
	}
	target, err := expand(it.url, before, url.QueryEscape)
	if err != nil {
		return nil, err
	}
	asIs := func(s string) string { return s }
	form := it.header.Get("Content-Type") == "" || strings.HasPrefix(it.header.Get("Content-Type"), "application/x-www-form")
	if form {
		asIs = url.QueryEscape
	}
	body, err := expand(it.body, before, asIs)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse("/" + strings.TrimLeft(target, "/"))
	if err != nil {
		return nil, batchError("Param relative_url is not a valid URL.")
	}
	req := (&http.Request{Method: it.method, URL: u, Header: it.header, Host: c.req.Host, RemoteAddr: c.req.RemoteAddr, Body: http.NoBody}).WithContext(ctx)
	if len(it.files) > 0 {
		return req, c.attachTo(req, it, body)
	}
	if body != "" {
		req.Body, req.ContentLength = readCloser{strings.NewReader(body)}, int64(len(body))
	}
	return req, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// appendBatch writes the answers in the order of the calls; null stands for an omitted success and for what was not run.
func appendBatch(b []byte, items []item, withHeaders bool) []byte {
	b = append(b, '[')
	for i := range items {
		it := &items[i]
		if i > 0 {
			b = append(b, ',')
		}
		if !it.done || (it.omit && it.out.row == nil) {
			b = append(b, "null"...)
			continue
		}
		b = append(b, `{"code":`...)
		b = strconv.AppendInt(b, int64(it.out.status), 10)
		if withHeaders {
			b = appendItemHeaders(append(b, `,"headers":[`...), it.headers)
			b = append(b, ']')
		}
		b = append(b, `,"body":`...)
		b = append(appendString(b, string(it.out.body)), '}')
	}
	return append(b, ']')
}

func appendItemHeaders(b []byte, h http.Header) []byte {
	names := make([]string, 0, len(h))
	for k := range h {
		names = append(names, k)
	}
	slices.Sort(names)
	for i, k := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"name":`...), k)
		b = append(appendString(append(b, `,"value":`...), h.Get(k)), '}')
	}
	return b
}
