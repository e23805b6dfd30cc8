package graph

import (
	"net/url"
	"slices"
	"strings"
)

// splitPath takes the version off the path. Components are decoded once; empty ones (duplicate and trailing slashes) are
// dropped (spec/graph.md 1).
func (c *Call) splitPath() {
	now, reg := c.Start, c.srv.opt.Versions
	c.Version = reg.Oldest(now)
	if c.outer != nil {
		c.Version = c.outer.Version
	}
	p := c.req.URL.EscapedPath()
	if len(p) > maxPath {
		c.path, c.asked = []string{clip(p)}, Unreleased
		return
	}
	encoded := strings.IndexByte(p, '%') >= 0
	c.path = make([]string, 0, 4)
	for part := range strings.SplitSeq(p, "/") {
		if part == "" {
			continue
		}
		if encoded {
			if t, err := url.PathUnescape(part); err == nil {
				part = t
			}
		}
		c.path = append(c.path, part)
	}
	if len(c.path) == 0 || !versionLike(c.path[0]) {
		return
	}
	c.askedRaw = c.path[0]
	c.path = c.path[1:]
	v, err := ParseVersion(c.askedRaw)
	if err != nil {
		c.asked = Unreleased
		return
	}
	c.Version, c.asked = reg.Resolve(v, now)
}

// queryValue is a query parameter by its plain name; the last one counts.
func (c *Call) queryValue(name string) (string, bool) {
	for _, v := range slices.Backward(c.query) {
		if v.key == name {
			return v.val, true
		}
	}
	return "", false
}

func (c *Call) hasQuery(name string) bool {
	_, ok := c.queryValue(name)
	return ok
}

// dropQuery removes a parameter from the query and returns its last value.
func (c *Call) dropQuery(name string) (val string, ok bool) {
	kept := c.query[:0]
	for _, q := range c.query {
		if q.key == name {
			val, ok = q.val, true
			continue
		}
		kept = append(kept, q)
	}
	c.query = kept
	return val, ok
}
